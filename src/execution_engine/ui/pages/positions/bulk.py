"""What can be done with several groups at once: one question, one wish for each, one notice of what became of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Answer, CancelLegs, ExitGroup, Input, SetRisk, SetTakeProfitMode
from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import Group, GroupStatus, Order, World
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.ui import format as f
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.pages.positions.asking import name, working_entries, would_realize
from execution_engine.ui.pages.positions.cells import MODE
from execution_engine.ui.pages.positions.tree import PositionsTree
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ConfirmDialog, Consequence, Notice, follows

NAMED = 6  # groups that a question names one by one

Make = Callable[[Group], Input]
Failed = list[tuple[Group, str]]


class BulkActs(QObject):
    """Fill the menu of several rows and carry out what is chosen. notice: a `Notice` for the corner of the window."""

    notice = Signal(object)

    def __init__(self, bridge: Bridge, tree: PositionsTree, page: QWidget) -> None:
        """Take the tree whose rows are acted on, and the page over which dialogs open."""
        super().__init__(page)
        self._bridge, self._tree, self._page = bridge, tree, page

    def chosen(self) -> list[Group]:
        """Return the groups of the selected rows, from top to bottom, each once."""
        ids = dict.fromkeys(self._tree.group_of(key) for key in self._tree.selected_keys())
        return [self._bridge.groups[id] for id in ids if id in self._bridge.groups]

    def fill(self, groups: Sequence[Group], menu: QMenu) -> None:
        """Put what can be done with these groups into a menu; each act counts those it concerns."""
        idle = [each for each in groups if each.holds_slot and each.id not in self._tree.maker.busy]
        staying = [each for each in idle if each.status is not GroupStatus.CLOSING]
        working = [each for each in staying if self._working(each)]
        self._add(menu, tr("Exit {count}…").format(count=_count(staying)), staying, self.ask_exit)
        self._add(
            menu, tr("Cancel open legs of {count}…").format(count=_count(working)), working, self.ask_cancel
        )
        menu.addSeparator()
        unskipped = [each for each in idle if not each.skip_once]
        free, blocked = ([each for each in idle if each.blocked is flag] for flag in (False, True))
        self._add(
            menu, tr("Skip risk once for {count}").format(count=_count(unskipped)), unskipped, self._skip
        )
        self._add(
            menu,
            tr("Block risk for {count}").format(count=_count(free)),
            free,
            partial(self._block, blocked=True),
        )
        self._add(
            menu,
            tr("Unblock risk for {count}").format(count=_count(blocked)),
            blocked,
            partial(self._block, blocked=False),
        )
        modes = menu.addMenu(tr("TP mode"))
        modes.setEnabled(bool(idle))
        for mode in TakeProfitMode:
            others = [each for each in idle if each.tp_mode is not mode]
            self._add(modes, MODE[mode], others, partial(self._set_mode, mode=mode))
        menu.addSeparator()

    def _add(
        self, menu: QMenu, text: str, groups: list[Group], act: Callable[[list[Group]], object]
    ) -> QAction:
        action = menu.addAction(text)
        action.setEnabled(bool(groups))
        action.triggered.connect(lambda _=False: act(groups))
        return action

    # -- with a question

    def ask_exit(self, groups: list[Group]) -> None:
        """Ask, then close groups at market."""
        dialog = ConfirmDialog(
            tr("Exit groups"),
            tr("Exit {count} at market?").format(count=_count(groups)),
            tr("Exit {count}").format(count=_count(groups)),
            consequences=[_named(groups), *self._exit_consequences(groups)],
            mode="live" if _live(groups) else "",
            type_this=str(len(groups)) if _live(groups) else "",
            parent=self._page,
        )
        self._ask(
            dialog, groups, lambda group: ExitGroup(group_id=group.id), tr("Exiting…"), tr("being closed")
        )

    def ask_cancel(self, groups: list[Group]) -> None:
        """Ask, then cancel the open legs of groups."""
        legs = [order for group in groups for order in self._working(group)]
        dialog = ConfirmDialog(
            tr("Cancel open legs"),
            tr("Cancel {count} of {count_2}?").format(
                count=f.counted(len(legs), tr("open leg"), tr("open legs")), count_2=_count(groups)
            ),
            tr("Cancel {count}").format(count=f.counted(len(legs), tr("leg"), tr("legs"))),
            stay=tr("Keep it") if len(legs) == 1 else tr("Keep them"),
            consequences=[
                _named(groups),
                follows(
                    tr("Position"), tr("what is held stays and keeps its targets; groups without any close")
                ),
            ],
            mode="live" if _live(groups) else "",
            type_this=str(len(groups)) if _live(groups) else "",
            parent=self._page,
        )
        self._ask(
            dialog,
            groups,
            lambda group: CancelLegs(group_id=group.id),
            tr("Cancelling…"),
            tr("open legs are cancelled"),
        )

    def _exit_consequences(self, groups: Sequence[Group]) -> list[Consequence]:
        legs = sum(len(self._working(group)) for group in groups)
        lines = [self._tree.maker.group(group.id) for group in groups]
        held = [(line, line.rules.quantity(line.group.open_quantity)) for line in lines]
        holding = [(line, amount) for line, amount in held if amount]
        priced = [(line, amount, line.price) for line, amount in holding if line.price is not None]
        worth = sum((amount * price for _, amount, price in priced), ZERO)
        results = sum((would_realize(*each)[0] for each in priced), ZERO)
        holds = (tr("{count} that holds") if len(holding) == 1 else tr("{count} that hold")).format(
            count=f.counted(len(holding), tr("group"), tr("groups"))
        )
        unpriced = len(holding) - len(priced)
        without = tr(", {unpriced} without a price not counted").format(unpriced=unpriced) if unpriced else ""
        return [
            follows(
                tr("Orders"),
                (tr("{count} is cancelled") if legs == 1 else tr("{count} are cancelled")).format(
                    count=f.counted(legs, tr("open leg"), tr("open legs"))
                ),
            ),
            follows(
                tr("Positions"),
                tr("{holds}, about {amount} USD{without}").format(
                    holds=holds, amount=f.usd(worth), without=without
                ),
            ),
            Consequence(
                tr("Result"),
                (
                    (tr("realizes about"), "text"),
                    (f"{f.signed_usd(results)} USD", f"{f.result_token(results)}!"),
                    (tr("fees included"), "text2"),
                ),
            ),
        ]

    def _ask(self, dialog: ConfirmDialog, groups: list[Group], make: Make, doing: str, done: str) -> None:
        def finished(right: list[Group], failed: Failed) -> None:
            if not right:
                dialog.fail(_reasons(failed))
                return
            dialog.accept()
            self._tell(right, failed, done)

        def confirmed() -> None:
            dialog.busy()
            self._wish(groups, make, doing, finished)

        dialog.confirmed.connect(confirmed)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # -- what can be taken back

    def _skip(self, groups: list[Group]) -> None:
        self._change(
            groups,
            lambda group: SetRisk(group_id=group.id, skip_once=True),
            lambda group: SetRisk(group_id=group.id, skip_once=False),
            tr("skipped once by the risk engine"),
        )

    def _block(self, groups: list[Group], *, blocked: bool) -> None:
        self._change(
            groups,
            lambda group: SetRisk(group_id=group.id, blocked=blocked),
            lambda group: SetRisk(group_id=group.id, blocked=not blocked),
            tr("left alone by the risk engine") if blocked else tr("seen by the risk engine again"),
        )

    def _set_mode(self, groups: list[Group], *, mode: TakeProfitMode) -> None:
        self._change(
            groups,
            lambda group: SetTakeProfitMode(group_id=group.id, mode=mode),
            lambda group: SetTakeProfitMode(group_id=group.id, mode=group.tp_mode),
            tr("TP mode is {mode} now").format(mode=MODE[mode]),
        )

    def _change(self, groups: list[Group], make: Make, back: Make, done: str) -> None:
        """Change something of groups and offer to take it back; `groups` are as they were before."""

        def undone(right: list[Group], failed: Failed) -> None:
            self._tell(right, failed, tr("as before"))

        def finished(right: list[Group], failed: Failed) -> None:
            self._tell(right, failed, done, lambda: self._wish(right, back, tr("Saving…"), undone))

        self._wish(groups, make, tr("Saving…"), finished)

    # -- carrying out

    def _wish(
        self, groups: list[Group], make: Make, doing: str, then: Callable[[list[Group], Failed], object]
    ) -> None:
        """Wish something for each group; `then` is told once all have been answered."""
        right: list[Group] = []
        failed: Failed = []

        def answered(group: Group, reply: Answer | Refusal) -> None:
            self._tree.set_busy(group.id, "")
            if isinstance(reply, Refusal):
                failed.append((group, f.visible(translated(reply.message), 160)))
            else:
                right.append(group)
            if len(right) + len(failed) == len(groups):
                then(right, failed)

        for group in groups:
            self._tree.set_busy(group.id, doing)
        for group in groups:
            self._bridge.wish(make(group), partial(answered, group))

    def _tell(
        self, right: list[Group], failed: Failed, done: str, undo: Callable[[], object] | None = None
    ) -> None:
        if right:
            words = ", ".join(name(group) for group in right[:NAMED]) + (" …" if len(right) > NAMED else "")
            self.notice.emit(
                Notice("success", f"{_count(right)}: {done}", words, tr("Undo") if undo else "", undo)
            )
        if failed:
            self.notice.emit(
                Notice(
                    "error",
                    tr("Not done for {count}").format(count=_count([g for g, _ in failed])),
                    _reasons(failed),
                )
            )

    def _working(self, group: Group) -> list[Order]:
        return working_entries(self._bridge.orders[id] for id in self._bridge.orders_of.get(group.id, ()))


def _count(groups: Sequence[Group]) -> str:
    return f.counted(len(groups), tr("group"), tr("groups"))


def _live(groups: Sequence[Group]) -> bool:
    """Tell whether a question needs what real money asks for: the badge, and the number typed."""
    return any(group.world is World.LIVE for group in groups)


def _named(groups: Sequence[Group]) -> Consequence:
    rest = len(groups) - NAMED
    words = ", ".join(name(group) for group in groups[:NAMED])
    return follows(
        tr("Groups"), tr("{words} and {rest} more").format(words=words, rest=rest) if rest > 0 else words
    )


def _reasons(failed: Failed) -> str:
    return " ".join(f"{name(group)}: {why}." for group, why in failed[:3])
