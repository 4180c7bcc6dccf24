"""What a comparison brought to light: noted once, shown until it is settled, and what it keeps on hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from execution_engine.domain.draft import Draft
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.rows import Account, Choice, Finding, FindingKind, Group, Missed, World
from execution_engine.domain.take_profit import is_done

HOLDING = frozenset({FindingKind.DEFICIT, FindingKind.DEFECT, FindingKind.HALTED})
NOBODY = ""  # the account of what concerns a whole world


def note(
    draft: Draft,
    kind: FindingKind,
    ref: str,
    found: str,
    *,
    account: str,
    world: World,
    done: str = "",
    groups: Iterable[Group] = (),
    exchange: str = "",
    symbol: str = "",
    ours: Decimal | None = None,
    theirs: Decimal | None = None,
    price: Decimal | None = None,
    choices: tuple[Choice, ...] = (Choice.DISMISS,),
    missed: Missed | None = None,
) -> None:
    """Write a finding, or a newer word on the one that is open under the same account, kind and ref."""
    groups = tuple(groups)
    if _was_dismissed(draft, (account, kind, ref), found):
        return
    old = draft.finding_of((account, kind, ref))
    row = Finding(
        id=old.id if old is not None else draft.new_id(),
        at=old.at if old is not None else draft.now,
        kind=kind,
        account=account,
        world=world,
        exchange=exchange,
        symbol=symbol,
        ref=ref,
        found=found,
        done=done,
        group_ids=tuple(group.id for group in groups),
        ours=ours,
        theirs=theirs,
        price=price,
        choices=choices,
        missed=missed,
    )
    if row == old:
        return
    draft.put(row)
    if kind in HOLDING:
        hold(draft, row.group_ids)
    if old is None:
        level = Level.ERROR if kind in HOLDING else Level.WARNING
        draft.tell(f"found_{kind}", f"{found} {done}".strip(), level, Category.TRADING, notice=True)


def note_about(
    draft: Draft,
    group: Group,
    kind: FindingKind,
    ref: str,
    found: str,
    *,
    done: str,
    choices: tuple[Choice, ...] = (Choice.DISMISS,),
) -> None:
    """Write what was found about one group."""
    note(
        draft,
        kind,
        ref,
        found,
        done=done,
        account=group.account,
        world=group.world,
        exchange=group.exchange,
        symbol=group.symbol,
        groups=(group,),
        choices=choices,
    )


def _was_dismissed(draft: Draft, key: tuple[str, FindingKind, str], found: str) -> bool:
    """Return whether the user has seen just this and put it away."""
    id = draft.view.last_finding(key)
    last = draft.finding_or_none(id) if id is not None else None
    return last is not None and last.choice is Choice.DISMISS and last.found == found


def settle_finding(draft: Draft, finding: Finding, done: str = "", choice: Choice | None = None) -> None:
    """End a finding; groups that nothing else keeps on hold are released."""
    draft.put(replace(finding, settled_at=draft.now, choice=choice, done=done or finding.done))
    if finding.kind in HOLDING:
        hold(draft, finding.group_ids)


def hold(draft: Draft, group_ids: Iterable[int]) -> None:
    """Bring the holds of groups up to date with what was found about them."""
    reasons: dict[int, str] = {}
    for finding in draft.open_findings():
        if finding.kind in HOLDING:
            for id in finding.group_ids:
                reasons.setdefault(id, finding.found)
    for id in group_ids:
        group = draft.group_or_none(id)
        if group is not None and not is_done(group) and group.hold != reasons.get(id, ""):
            draft.put(replace(group, hold=reasons.get(id, "")))


def settle_of(draft: Draft, account: Account, kind: FindingKind, ref: str, done: str) -> bool:
    """End the open finding under a key; return whether there was one."""
    finding = draft.finding_of((account.name, kind, ref))
    if finding is not None:
        settle_finding(draft, finding, done)
    return finding is not None
