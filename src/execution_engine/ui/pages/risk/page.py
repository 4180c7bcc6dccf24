"""The risk engine's page: state, plan and projection above, who can be the loser, and the history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from PySide6.QtCore import QModelIndex, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Answer, RunRisk, SetRisk
from execution_engine.domain.risk_plan import OffsetPlan
from execution_engine.domain.rows import RiskAction, RiskRole, RiskType
from execution_engine.ui.bridge import SUMS_MS, Batch, Bridge
from execution_engine.ui.format import local_time, visible
from execution_engine.ui.icons import Mark
from execution_engine.ui.pages.page import Page
from execution_engine.ui.pages.risk import asking, groups, history, words
from execution_engine.ui.pages.risk.bar import RiskBar
from execution_engine.ui.pages.risk.groups import Line
from execution_engine.ui.pages.risk.past import Past
from execution_engine.ui.pages.risk.plan_panel import PlanPanel, Sizes
from execution_engine.ui.pages.risk.projection import Projection
from execution_engine.ui.risk_board import board_of, risk_state, under_way
from execution_engine.ui.shapes import Shape
from execution_engine.ui.tables import TableModel, TableView, TreeModel, TreeView
from execution_engine.ui.theme import SIZE, Token, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ConfirmDialog, ElidedLabel, Label, Notice, Panel, Splitter

RIGHT_WIDTH = 392
_LEGEND: Sequence[tuple[Shape, Token, str]] = (
    ("tick", "profit", tr("met")),
    ("cross", "text3", tr("not met")),
)
AT_START = timedelta(seconds=2)
ENABLED = "risk.enabled"


class RiskPage(Page):
    """Who would be closed, who pays, and why."""

    title = tr("Risk")

    def __init__(self, bridge: Bridge) -> None:
        """Show what the bridge holds."""
        super().__init__()
        self._bridge = bridge
        self._board = board_of(bridge)
        self._past = Past(bridge, self._show_actions)
        self._busy: set[int] = set()
        self._parts: tuple[int | None, frozenset[int]] = (None, frozenset())
        self._plan: OffsetPlan | None = None
        self._narrow = False
        self.dialog: ConfirmDialog | None = None
        self.bar = RiskBar(bridge)
        self.plan = PlanPanel()
        self.projection = Projection()
        self.model: TableModel[Line] = TableModel(
            groups.columns(bridge.doors.now, lambda: bridge.doors.settings().risk),
            key=lambda line: line.id,
            default_sort=lambda line: line.order,
            sentence=groups.sentence,
        )
        self.table = TableView(self.model, groups.delegates(), name=tr("Who can be the loser"))
        self.history: TreeModel[history.Row] = TreeModel(
            history.COLUMNS,
            key=history.key,
            parent_key=history.parent_key,
            render=history.render,
            default_sort=history.newest_first,
            child_order=history.key,
            sentence=history.sentence,
        )
        self.tree = TreeView(self.history, history.delegates(), name=tr("History of the risk engine"))
        self.note = ElidedLabel("", "small", "text2")
        self._lay_out()
        self._listen()
        self._show()

    # -- how it is built

    def _lay_out(self) -> None:
        self.groups_panel = Panel(tr("Who can be the loser"))
        for shape, token, word in _LEGEND:
            self.groups_panel.add_right(_explained(shape, token, word))
        self.groups_panel.add(self.table, 1)
        self.history_panel = Panel(tr("History"), tr("newest first; open an entry for its steps and fills"))
        self.history_panel.add(self.tree, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(px(12), px(5), px(12), px(6))
        foot.addWidget(self.note)
        foot.addStretch(1)
        self.history_panel.add(foot)
        self.tree.set_empty(tr("Nothing yet. Every offset, rehearsal, skip and block is kept here."))
        self._top = QHBoxLayout()
        self._top.setContentsMargins(0, 0, 0, 0)
        self._top.addWidget(self.plan, 1)
        self._top.addWidget(self.projection)
        self.split = Splitter(Qt.Orientation.Vertical)
        self.split.addWidget(self.groups_panel)
        self.split.addWidget(self.history_panel)
        self.split.setStretchFactor(0, 6)
        self.split.setStretchFactor(1, 5)
        body = QWidget()
        self._body = QVBoxLayout(body)
        self._body.addLayout(self._top)
        self._body.addWidget(self.split, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(body, 1)
        self.table.set_menu(self._fill_menu)
        self.tree.set_menu(self._fill_history_menu)
        self.set_narrow(False)

    def set_narrow(self, narrow: bool) -> None:
        """In a small window the projection is a line of the plan, and groups and history take turns."""
        self._narrow = narrow
        self.bar.set_narrow(narrow)
        self.plan.set_narrow(narrow)
        self.projection.setVisible(not narrow)
        self.projection.setFixedWidth(px(RIGHT_WIDTH))
        x, y = px(SIZE["page_x"]), px(8 if narrow else SIZE["page_y"])
        self._body.setContentsMargins(x, y, x, y)
        self._body.setSpacing(px(8 if narrow else SIZE["gap"]))
        self._top.setSpacing(px(SIZE["gap"]))
        self.table.show_columns(groups.NARROW if narrow else groups.WIDE)
        self.tree.show_columns(history.NARROW if narrow else history.WIDE)
        self._choose_below()

    def _choose_below(self) -> None:
        below = self.bar.below.value()
        self.groups_panel.setVisible(not self._narrow or below == "groups")
        self.history_panel.setVisible(not self._narrow or below == "history")

    def _listen(self) -> None:
        self._sums = QTimer(self)
        self._sums.setSingleShot(True)
        self._sums.timeout.connect(self._show_plan)
        self._bridge.changed.connect(self._changed)
        self.bar.world_chosen.connect(self._show)
        self.bar.account_chosen.connect(self._filter)
        self.bar.below.chosen.connect(lambda _: self._choose_below())
        self.bar.settings.clicked.connect(lambda: self.wanted.emit("settings", ENABLED))
        self.plan.run.clicked.connect(self._ask_run)
        self.plan.skip.clicked.connect(lambda: self._set(self._loser(), skip=True))
        self.plan.block.clicked.connect(lambda: self._set(self._loser(), blocked=True))
        self.plan.table.opened.connect(self._open_step)
        self.table.opened.connect(lambda key: self.wanted.emit("positions", key))
        self.tree.current_changed.connect(lambda _: self._show_note())
        self.tree.expanded.connect(self._expanded)

    # -- what the frame asks

    def focus_rows(self) -> None:
        """Let the arrow keys walk through the groups."""
        self.table.setFocus()

    def go_to(self, key: object) -> None:
        """Show a group among those that can be the loser."""
        self.bar.show_all_accounts()
        self.bar.below.set_value("groups")
        self._choose_below()
        self.table.select(key)

    def refresh(self) -> None:
        """Look again, at everything."""
        self._past.read()
        self._show()

    def shown(self) -> None:
        """Catch up with what happened meanwhile."""
        self._past.read()
        self._show()

    def tick(self) -> None:
        """Let countdowns go on; what time alone decides is asked again."""
        now = self._now()
        turned = self._board.aged(now) | self._came_due(now)
        self._show_lines(turned)
        self.model.refresh()
        self._show_plan()
        self._show_actions(self._past.moved())

    # -- what happens

    def _changed(self, batch: Batch) -> None:
        self._past.take(batch, self._board.touched)
        if not self.isVisible():
            return
        if batch.whole or batch.settings or batch.accounts:
            self._show()
            return
        self._show_lines(self._board.touched)
        if batch.risks:
            self._show_actions(batch.risks)
        if not batch.only_prices:
            self._show_plan()
        elif not self._sums.isActive():
            self._sums.start(SUMS_MS)

    def _came_due(self, now: datetime) -> set[int]:
        """Return the groups of which a timer or an age came due since the last second."""
        return {
            line.id
            for line in self.model.records()
            if any(verdict.until is not None and verdict.until <= now for verdict in line.verdicts)
        }

    def _show(self) -> None:
        """Show everything anew."""
        self.bar.show_choices(self._board.worlds())
        found = (self._line(id) for id in self._mine(self._board.ids))
        self.model.replace([line for line in found if line is not None])
        self._filter()
        self._show_plan()
        self.history.replace(
            row for action in self._past.actions(self.bar.world) for row in self._past.rows(action)
        )
        self._show_note()

    def _mine(self, ids: Iterable[int]) -> list[int]:
        held, world = self._bridge.groups, self.bar.world
        return [id for id in ids if id in held and held[id].world is world]

    def _line(self, id: int) -> Line | None:
        now = self._now()
        found = self._board.candidate(id, now)
        if found is None:
            return None
        risk = self._bridge.doors.settings().risk
        loser, winners = self._parts
        return Line(found, groups.told(found, risk, now), id == loser, id in winners, id in self._busy)

    def _show_lines(self, ids: Collection[int]) -> None:
        """Show some groups as they are now."""
        gone = [id for id in ids if id not in self._board.ids]
        self.model.remove(gone)
        found = (self._line(id) for id in self._mine(ids) if id in self._board.ids)
        self.model.upsert([line for line in found if line is not None])
        if gone:
            self._say_rules()

    def _show_plan(self) -> None:
        """Show the plan, or the offset that is under way, and how it stands at all."""
        bridge, world, now = self._bridge, self.bar.world, self._now()
        settings = bridge.doors.settings()
        state = risk_state(bridge, settings, world)
        next_at = bridge.doors.next_evaluation()
        self.bar.show_state(state, words.when(next_at, now, settings.risk.interval_s, self._last(next_at)))
        action = under_way(bridge, world)
        self._plan = None
        if action is not None:
            self.plan.show_action(action, self._ticks(action))
            self.projection.show_action(action)
        elif not settings.risk.enabled:
            self.plan.say_nothing(
                tr("Off: the risk engine does nothing."),
                tr("Turn on…"),
                lambda: self.wanted.emit("settings", ENABLED),
            )
            self.projection.show_nothing()
        else:
            self._show_found(now, state.sentence, next_at)
        self._mark(action if action is not None else self._plan)
        self._say_rules()

    def _last(self, next_at: datetime | None) -> datetime | None:
        """Return when it was evaluated last; None where the program has not run that long."""
        doors = self._bridge.doors
        if next_at is None or self._narrow:
            return None
        last = next_at - timedelta(seconds=doors.settings().risk.interval_s)
        return last if last > doors.started_at + AT_START else None

    def _show_found(self, now: datetime, obstacle: str, next_at: datetime | None) -> None:
        """Show what an evaluation would find now."""
        settings, world = self._bridge.doors.settings(), self.bar.world
        self._plan = found = self._board.evaluation(world, now).plan
        if found is None:
            self.plan.say_nothing(words.no_plan(self._nearest(), settings.risk, now))
            self.projection.show_nothing()
            return
        rehearsed = settings.rehearses(world)
        said = words.uncovered(found, settings.risk) if not found.acts else ""
        subtitle = said or words.runs(obstacle, next_at, now, rehearsed=rehearsed)
        blocked = bool(obstacle) and not rehearsed
        self.plan.show_plan(found, self._ticks(found), subtitle, can_run=found.acts and not blocked)
        self.projection.show_plan(found, tr("at the prices of {time}").format(time=local_time(now)))

    def _nearest(self) -> Line | None:
        lines = [line for line in self.model.records() if line.found.group.avg_entry is not None]
        return min(lines or self.model.records(), key=lambda line: line.order, default=None)

    def _ticks(self, of: OffsetPlan | RiskAction) -> Sizes:
        """Return tick and step of the markets of a plan, by group."""
        found: dict[int, tuple[Decimal, Decimal]] = {}
        for step in of.steps:
            group = self._bridge.groups.get(step.group_id)
            rules = self._bridge.doors.catalogue.get(group.exchange, step.symbol) if group else None
            if rules is not None:
                found[step.group_id] = (rules.tick, rules.step)
        return found

    def _mark(self, shown: OffsetPlan | RiskAction | None) -> None:
        """Mark loser and winners of what is shown above among the groups."""
        before = self._parts
        steps = shown.steps if shown is not None else ()
        loser = next((step.group_id for step in steps if step.role is RiskRole.LOSER), None)
        self._parts = (loser, frozenset(step.group_id for step in steps if step.role is not RiskRole.LOSER))
        if self._parts != before:
            changed = {*before[1], *self._parts[1], before[0], self._parts[0]}
            self._show_lines({id for id in changed if id is not None})

    def _say_rules(self) -> None:
        risk = self._bridge.doors.settings().risk
        self.groups_panel.set_subtitle(words.rules(risk, len(self.model)))

    def _show_actions(self, ids: Iterable[int]) -> None:
        """Show some entries of the history as they are now."""
        found = [self._past.action(id) for id in ids]
        mine = [action for action in found if action is not None and action.world is self.bar.world]
        self.history.upsert([row for action in mine for row in self._past.rows(action)])
        self._show_note()

    def _show_note(self) -> None:
        key = self.tree.key()
        row = self.history.record(key) if key is not None else None
        self.note.show_text(history.whole(row) if row is not None else "")

    def _expanded(self, index: QModelIndex) -> None:
        row = self.history.record_at(index)
        if isinstance(row, history.ActionRow) and row.action.type is RiskType.OFFSET:
            self._past.read_fills(row.action)

    def _filter(self) -> None:
        account = self.bar.account
        self.model.set_filter((lambda line: line.found.group.account == account) if account else None)
        empty = (
            tr("No group of this account is open.")
            if account
            else tr("No position is open. Each one that opens is judged here, rule by rule.")
        )
        if self.table.empty.sentence != empty:
            self.table.set_empty(empty)

    # -- what the user wants

    def _loser(self) -> int | None:
        return self._plan.loser.group_id if self._plan is not None else None

    def _fill_menu(self, key: object, menu: QMenu) -> None:
        line = self.model.record(key)
        if line is None:
            return
        group = line.found.group
        skip = menu.addAction(tr("Skip risk once"))
        skip.setCheckable(True)
        skip.setChecked(group.skip_once)
        skip.triggered.connect(lambda: self._set(group.id, skip=not group.skip_once))
        block = menu.addAction(tr("Unblock risk") if group.blocked else tr("Block risk"))
        block.triggered.connect(lambda: self._set(group.id, blocked=not group.blocked))
        for act in (skip, block):
            act.setEnabled(not line.busy)
        menu.addSeparator()
        menu.addAction(tr("Show position")).triggered.connect(lambda: self.wanted.emit("positions", group.id))
        menu.addAction(tr("Copy")).triggered.connect(self.table.copy)

    def _fill_history_menu(self, key: object, menu: QMenu) -> None:
        row = self.history.record(key)
        if row is not None and not isinstance(row, history.FillRow):
            id = row.action.loser if isinstance(row, history.ActionRow) else row.step.group_id
            show = menu.addAction(tr("Show position"))
            show.setEnabled(id in self._bridge.groups)
            show.triggered.connect(lambda: self.wanted.emit("positions", id))
        menu.addAction(tr("Copy")).triggered.connect(self.tree.copy)

    def _open_step(self, key: object) -> None:
        line = self.plan.model.record(key)
        if line is not None:
            self.wanted.emit("positions", line.step.group_id)

    def _set(self, id: int | None, *, blocked: bool | None = None, skip: bool | None = None) -> None:
        if id is None or id in self._busy:
            return
        self._busy.add(id)
        self._show_lines([id])
        done = partial(self._was_set, id)
        self._bridge.wish(SetRisk(group_id=id, blocked=blocked, skip_once=skip), done)

    def _was_set(self, id: int, reply: Answer | Refusal) -> None:
        self._busy.discard(id)
        self._show_lines([id])
        self._tell(reply, tr("The risk engine was told"))

    def _ask_run(self) -> None:
        shown = self._plan
        if shown is None or self.dialog is not None:
            return
        rehearsed = self._bridge.doors.settings().rehearses(shown.world)
        dialog = asking.run(shown, rehearsed=rehearsed, parent=self)
        dialog.confirmed.connect(lambda: self._run(shown, dialog))
        dialog.finished.connect(dialog.deleteLater)
        dialog.finished.connect(self._answered)
        self.dialog = dialog
        dialog.open()

    def _run(self, asked: OffsetPlan, dialog: ConfirmDialog) -> None:
        now = self._board.evaluation(asked.world, self._now()).plan
        if now is None or _who(now) != _who(asked) or not now.acts:
            dialog.fail(
                tr("The plan has changed meanwhile: another group would be closed. Look at it again.")
            )
            dialog.confirm.setEnabled(False)
            return
        dialog.busy()

        def done(reply: Answer | Refusal) -> None:
            if isinstance(reply, Refusal):
                dialog.fail(visible(translated(reply.message), 300))
            else:
                dialog.accept()
                self._tell(reply, tr("The risk engine has looked"))

        self._bridge.wish(RunRisk(world=asked.world), done)

    def _answered(self) -> None:
        self.dialog = None

    def _tell(self, reply: Answer | Refusal, title: str) -> None:
        if isinstance(reply, Refusal):
            self.notice.emit(
                Notice("error", tr("This was not done"), visible(translated(reply.message), 300))
            )
        else:
            self.notice.emit(Notice("success", title, visible(translated(reply.text), 300)))

    def _now(self) -> datetime:
        return self._bridge.doors.now()


def _explained(shape: Shape, token: Token, word: str) -> QWidget:
    """Return a shape with its word close beside it."""
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(px(4), 0, 0, 0)
    row.setSpacing(px(5))
    row.addWidget(Mark(shape, token, size=px(10)))
    row.addWidget(Label(word, "small", "text2"))
    return whole


def _who(shown: OffsetPlan) -> Sequence[int]:
    """Return the groups that a plan closes, in its order."""
    return [step.group_id for step in shown.steps]
