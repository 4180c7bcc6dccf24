"""The hand-played desk on which things are found, and worlds and accounts are put on hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from execution_engine.domain.inputs import Difference, ExitGroup
from execution_engine.domain.rows import (
    AccountStatus,
    Choice,
    Finding,
    FindingKind,
    Group,
    Mode,
    World,
    WorldHold,
)
from tests.house import D
from tests.ui.house_window import WindowHouse


class FoundHouse(WindowHouse):
    """A desk on which things are found."""

    def find(self, kind: FindingKind = FindingKind.EXTERNAL, **fields: Any) -> Finding:
        """Write a finding as a comparison would."""
        given: dict[str, Any] = {
            "account": "paper",
            "world": World.PAPER,
            "ref": f"ref {self.book.counter}",
            "found": f"Something was found as {kind}.",
            "choices": (Choice.DISMISS,),
            "at": self.clock.now(),
        }
        row = Finding(id=self.book.counter, kind=kind, **given | fields)
        self.book.counter += 1
        self.write(row)
        return row

    def write(self, *rows: Any) -> None:
        self.book.apply(list(rows))
        self.bridge.released(rows, ())
        self.show()

    def lacking(self, theirs: str = "0.001") -> Group:
        """Hold a position of which the exchange has only a part."""
        group = self.holding()
        self.desk.post(
            Difference(
                account="paper",
                ref="BTC",
                ours=group.open_quantity,
                theirs=D(theirs),
                at=self.clock.now(),
            )
        )
        self.show()
        return self.book.groups[group.id]

    def account_is(self, status: AccountStatus, reason: str = "") -> None:
        for account in self.book.accounts.values():
            self.write(replace(account, status=status, reason=reason))

    def account_is_live(self, name: str) -> None:
        self.write(replace(self.book.accounts[name], mode=Mode.LIVE))

    def end(self, group: Group) -> None:
        """Close a position and let the exchange carry it out."""
        self.desk.post(ExitGroup(group_id=group.id))
        self.confirm_cancels()
        self.accept()
        self.fill_all("exit")
        self.show()

    @property
    def settled(self) -> list[Finding]:
        return [each for each in self.book.findings.values() if each.settled_at is not None]

    def frozen(self, why: str = "BTCUSDT 15m: an internal error; see the log.") -> Group:
        """Hold a position that a defect froze."""
        group = self.holding()
        finding = self.find(
            FindingKind.DEFECT,
            ref=f"group {group.id}",
            found=why,
            done="The position is on hold: nothing is added to it.",
            group_ids=(group.id,),
            exchange="binance",
            symbol="BTCUSDT",
            choices=(Choice.RELEASE,),
        )
        self.write(replace(self.book.groups[group.id], hold=finding.found))
        return self.book.groups[group.id]

    def world_is_on_hold(self, reason: str) -> None:
        self.write(WorldHold(name=World.PAPER, reason=reason, since=self.clock.now()))
