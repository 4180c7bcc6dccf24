"""The page While you were away: three lists of what waits, a table of what is settled."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QGridLayout, QStackedWidget, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Answer, DecideFinding
from execution_engine.domain.rows import Choice, Finding
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.findings import TELLING, groups_of, newest_first, pair, part_of, unit_of, waiting
from execution_engine.ui.format import counted, visible
from execution_engine.ui.pages.away.asking import question
from execution_engine.ui.pages.away.earlier import Earlier
from execution_engine.ui.pages.away.list import FindingList
from execution_engine.ui.pages.away.row import FindingRow
from execution_engine.ui.pages.away.sending import SendMissed
from execution_engine.ui.pages.page import Page
from execution_engine.ui.theme import SIZE, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ConfirmDialog, Label, Notice, PageBar, SegmentedChoice, button

RIGHT_WIDTH = 420
EMPTY_HEIGHT = 96


class AwayPage(Page):
    """Show what was found on the exchanges and in the books, and let the user decide."""

    title = tr("While you were away")

    def __init__(self, bridge: Bridge) -> None:
        """Show what the bridge holds."""
        super().__init__()
        self._bridge = bridge
        self._doing: dict[int, Choice] = {}
        self.choice = SegmentedChoice(
            [("now", tr("Open")), ("earlier", tr("Earlier"))], name=tr("Open or earlier"), small=False
        )
        self.counts = Label("", "small", "text3")
        self.all_read = button(tr("Got it, all of them"))
        self.decide = FindingList(tr("Needs a decision"), tr("Nothing needs a decision."))
        self.done = FindingList(tr("What was done"), tr("Nothing had to be done."))
        self.found = FindingList(tr("What was found"), tr("Nothing else was found."))
        self.earlier = Earlier()
        self._lay_out()
        for each in (self.decide, self.done, self.found):
            each.chosen.connect(self._choose)
            each.story_wanted.connect(self._show_story)
        self.choice.chosen.connect(self._show_view)
        self.all_read.clicked.connect(self._read_all)
        bridge.changed.connect(self._changed)
        self._show()

    # What the frame calls.

    def set_narrow(self, narrow: bool) -> None:
        """Put what was done and found under the decisions, or beside them."""
        grid = self._grid
        for each in (self.decide, self.done, self.found):
            grid.removeWidget(each)
        grid.addWidget(self.decide, 0, 0, 1 if narrow else 2, 2 if narrow else 1)
        grid.addWidget(self.done, 1 if narrow else 0, 0 if narrow else 1)
        grid.addWidget(self.found, 1, 1)
        for side in (self.done, self.found):
            side.setFixedWidth(px(RIGHT_WIDTH)) if not narrow else side.setMinimumWidth(0)
            if narrow:
                side.setMaximumWidth(16_777_215)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1 if narrow else 0)
        grid.setRowStretch(0, 3 if narrow else 1)
        grid.setRowStretch(1, 2 if narrow else 1)
        self.earlier.set_narrow(narrow)
        self._narrow = narrow
        self._balance()

    def _balance(self) -> None:
        """Let a side list that is empty leave its room to the other one."""
        for side, other in ((self.done, self.found), (self.found, self.done)):
            gives_way = not self._narrow and not side.rows and bool(other.rows)
            side.setMaximumHeight(px(EMPTY_HEIGHT) if gives_way else 16_777_215)

    def go_to(self, key: int) -> None:
        """Bring a finding into view."""
        self._show_view("now")
        any(each.show_row(key) for each in (self.decide, self.done, self.found))

    def focus_rows(self) -> None:
        """Put the cursor on the first button."""
        if self._views.currentWidget() is self.earlier:
            self.earlier.setFocus()
        elif not any(each.take_focus() for each in (self.decide, self.done, self.found)):
            self.choice.setFocus()

    # How it is built.

    def _lay_out(self) -> None:
        bar = PageBar(self.title)
        bar.add(self.choice)
        bar.add_right(self.counts)
        bar.add_right(self.all_read)
        now = QWidget()
        self._grid = QGridLayout(now)
        self._grid.setContentsMargins(
            px(SIZE["page_x"]), px(SIZE["page_y"]), px(SIZE["page_x"]), px(SIZE["page_y"])
        )
        self._grid.setSpacing(px(SIZE["gap"]))
        self._now = now
        self._views = QStackedWidget()
        self._views.addWidget(now)
        self._views.addWidget(self.earlier)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self._views, 1)
        self.set_narrow(False)

    # What is shown.

    def _changed(self, batch: Batch) -> None:
        if batch.whole or batch.findings:
            self._show()

    def _show(self) -> None:
        cursor = self._row_with(self.window().focusWidget())
        open_ones = waiting(self._bridge)
        for part, shown in (("decide", self.decide), ("done", self.done), ("found", self.found)):
            shown.show_findings([each for each in open_ones if part_of(each) == part], self._made)
        settled = [each for each in self._bridge.findings.values() if each.settled_at is not None]
        self.earlier.show_findings(newest_first(settled))
        known = {each.id for each in open_ones}
        self._doing = {id: choice for id, choice in self._doing.items() if id in known}
        self._balance()
        self._show_counts(open_ones)
        if cursor is not None and self._row(cursor.finding.id) is not cursor:
            self._move_cursor(cursor.finding.id)

    def _made(self, finding: Finding) -> FindingRow:
        names = [f"{group.symbol} {group.timeframe}" for group in groups_of(self._bridge, finding)]
        row = FindingRow(finding, names, unit_of(self._bridge, finding))
        if finding.id in self._doing:
            row.show_busy(self._doing[finding.id])
        return row

    def _show_counts(self, open_ones: list[Finding]) -> None:
        decisions = sum(1 for each in open_ones if part_of(each) == "decide")
        rest = len(open_ones) - decisions
        said = [
            counted(decisions, tr("decision"), tr("decisions"))
            + (tr(" waits") if decisions == 1 else tr(" wait"))
        ] * bool(decisions)
        said += [tr("{rest} to read").format(rest=f"{rest:,}")] * bool(rest)
        self.counts.show_text(" · ".join(said) or tr("nothing waits"))
        self.all_read.setVisible(len(self._readable()) > 1)

    def _show_view(self, key: str) -> None:
        self.choice.set_value(key)
        self._views.setCurrentWidget(self._now if key == "now" else self.earlier)

    # What the user does.

    def _choose(self, finding: Finding, choice: Choice) -> None:
        """Carry a choice out, after a question where it cannot be undone."""
        account = self._bridge.accounts.get(finding.account)
        if choice is Choice.SEND:
            sending = SendMissed(self._bridge, finding, account, self)
            sending.sent.connect(self._sent)
            sending.finished.connect(sending.deleteLater)
            sending.open()
            return
        unit = unit_of(self._bridge, finding)
        dialog = question(choice, finding, groups_of(self._bridge, finding), account, unit, self)
        if dialog is None:
            self._wish(finding, choice)
            return

        def confirmed(asked: ConfirmDialog) -> None:
            asked.accept()
            self._wish(finding, choice)

        dialog.confirmed.connect(partial(confirmed, dialog))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _wish(self, finding: Finding, choice: Choice) -> None:
        if finding.id in self._doing:
            return
        self._doing[finding.id] = choice
        if (row := self._row(finding.id)) is not None:
            row.show_busy(choice)
        wish = DecideFinding(finding_id=finding.id, choice=choice)
        self._bridge.wish(wish, partial(self._answered, finding, choice))

    def _answered(self, finding: Finding, choice: Choice, reply: Answer | Refusal) -> None:
        self._doing.pop(finding.id, None)
        refused = isinstance(reply, Refusal)
        text = visible(translated(reply.message if isinstance(reply, Refusal) else reply.text))
        row = self._row(finding.id)
        if row is not None and self._is_open(finding.id):
            row.show_said(text, refused=refused)
        elif refused or choice is not Choice.DISMISS:
            title = pair(finding) or TELLING[finding.kind].title
            self.notice.emit(Notice("error" if refused else "success", title, text))

    def _sent(self, text: str, alert_id: int) -> None:
        show = partial(self._show_story, alert_id)
        self.notice.emit(
            Notice("success", tr("The missed alert was sent"), visible(text), tr("Show signal"), show)
        )

    def _show_story(self, alert_id: int) -> None:
        self.wanted.emit("signals", alert_id)

    def _read_all(self) -> None:
        for finding in self._readable():
            self._wish(finding, Choice.DISMISS)

    def _readable(self) -> list[Finding]:
        """Return what is only to be read."""
        return [
            each
            for each in waiting(self._bridge)
            if part_of(each) != "decide" and Choice.DISMISS in each.choices
        ]

    def _is_open(self, id: int) -> bool:
        finding = self._bridge.findings.get(id)
        return finding is not None and finding.settled_at is None

    def _row(self, id: int) -> FindingRow | None:
        return next((row for row in self._rows() if row.finding.id == id), None)

    def _rows(self) -> list[FindingRow]:
        return [row for each in (self.decide, self.done, self.found) for row in each.rows.values()]

    def _row_with(self, widget: QWidget | None) -> FindingRow | None:
        """Return the row that has the cursor, also while another window is in front."""
        if widget is None:
            return None
        return next((row for row in self._rows() if row is widget or row.isAncestorOf(widget)), None)

    def _move_cursor(self, id: int) -> None:
        """Put the cursor on what took a row's place, or else on the first thing that waits."""
        row = self._row(id)
        if row is None or not row.take_focus():
            self.focus_rows()
