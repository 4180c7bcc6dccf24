"""The log: a window of lines over the database, filtered, followed, searched and written to files."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QTextOption
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit, QVBoxLayout

from execution_engine.domain.errors import Refusal
from execution_engine.domain.facts import Fact
from execution_engine.domain.log_lines import LogQuestion
from execution_engine.domain.rows import LogEntry
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import counted, utc_text, visible
from execution_engine.ui.pages.logs.bar import LogsBar
from execution_engine.ui.pages.logs.cells import LevelWord, Mono
from execution_engine.ui.pages.logs.lines import COLUMNS, about, moment
from execution_engine.ui.pages.logs.window import LogWindow
from execution_engine.ui.pages.page import Page, stretch
from execution_engine.ui.tables import ActionText, TableModel, TableView
from execution_engine.ui.theme import THEME, mono, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Banner, Label, Notice, Panel, Splitter, button

NEAR = 40  # rows from an end: so early the next lines are read
COUNT_MS = 3_000
DETAIL_HEIGHT = 150


class LogsPage(Page):
    """Read the log when it is looked at; forget it again when it is not followed."""

    title = tr("Logs")

    def __init__(self, bridge: Bridge) -> None:
        """Read nothing yet."""
        super().__init__()
        self._bridge = bridge
        self._stale = True
        self._unseen = 0
        self._total: int | None = None
        self.bar = LogsBar()
        self.model: TableModel[LogEntry] = TableModel(
            COLUMNS, key=lambda line: line.id, default_sort=lambda line: line.id
        )
        delegates = {"group": ActionText("link"), "time": Mono(), "message": Mono(), "level": LevelWord()}
        self.table = TableView(self.model, delegates, name=tr("Log"))
        self.lines = LogWindow(bridge, self.model, self)
        self.behind = Banner()
        self.detail = Panel(tr("Line"), framed=False)
        self.text = QPlainTextEdit()
        self.when = Label("", "small", "text3")
        self.to_group, self.to_alert = (
            button(tr("Show group"), small=True),
            button(tr("Show alert"), small=True),
        )
        self._counting = QTimer(self, singleShot=True, interval=COUNT_MS)
        self._busy_counting = False
        self._lay_out()
        self._listen()

    def _lay_out(self) -> None:
        stretch(self.table, "message")
        self.text.setReadOnly(True)
        self.text.setAccessibleName(tr("The whole line"))
        self.text.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.text.setProperty("frameless", "true")
        self.detail.add_left(self.when)
        self.detail.add_right(self.to_alert)
        self.detail.add_right(self.to_group)
        self.detail.add(self.text, 1)
        self.detail.setMinimumHeight(px(80))
        self.split = Splitter(Qt.Orientation.Vertical)
        self.split.addWidget(self.table)
        self.split.addWidget(self.detail)
        self.split.setStretchFactor(0, 1)
        self.split.setSizes([10_000, px(DETAIL_HEIGHT)])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.behind)
        column.addWidget(self.split, 1)
        self._show_line(None)
        self._themed()

    def _listen(self) -> None:
        scroll = self.table.verticalScrollBar()
        scroll.actionTriggered.connect(lambda _: self._moved(by_hand=True))
        scroll.valueChanged.connect(lambda _: self._moved(by_hand=False))
        self.bar.changed.connect(self._ask)
        self.bar.follow.toggled.connect(self._follow)
        self.bar.export_wanted.connect(self._ask_for_file)
        self.lines.grew.connect(self._grew)
        self.lines.failed.connect(self._failed)
        self.table.action.connect(lambda key, column: self._go_to_group(self.model.record(key)))
        self.table.current_changed.connect(self._show_line)
        self.table.opened.connect(lambda key: self.text.setFocus())
        self.to_group.clicked.connect(lambda: self._go_to_group(self._current()))
        self.to_alert.clicked.connect(self._go_to_alert)
        self._counting.timeout.connect(self._count)
        self._bridge.noticed.connect(self._noticed)
        self._bridge.changed.connect(self._changed)
        THEME.theme_changed.connect(self._themed)

    # -- what the frame asks

    def focus_rows(self) -> None:
        """Let the arrow keys walk through the lines."""
        self.table.setFocus()

    def focus_filter(self) -> None:
        """Put the cursor into the search field."""
        self.bar.search.setFocus()

    def set_narrow(self, narrow: bool) -> None:
        """Leave the category out of a small window."""
        self.bar.set_narrow(narrow)
        shown = {column.key: column.width for column in COLUMNS}
        for key in ("category", "about") if narrow else ():
            del shown[key]
        self.table.show_columns(shown)

    def shown(self) -> None:
        """Read the newest lines; where it was scrolled up it stays as it was."""
        if self._stale or self.bar.follow.isChecked():
            self._ask()

    def refresh(self) -> None:
        """Read again from the newest line."""
        self.bar.follow.setChecked(True)
        self._ask()

    def tick(self) -> None:
        """Go on with what was written meanwhile."""
        if self.isVisible() and self.bar.follow.isChecked() and self.lines.at_end:
            self.lines.newer()

    # -- reading

    def _ask(self) -> None:
        self._stale = False
        self._total = None
        self.lines.ask(self.bar.question(self._bridge.doors.now()))
        self._count()

    def _grew(self, above: int, below: int) -> None:
        rows = self.table.verticalScrollBar()
        if above:
            # What is looked at stays where it is while lines come in, or go, above it.
            rows.setValue(rows.value() + above * self._row_height())
        if below and not self._counting.isActive():
            self._counting.start()
        self._say_empty()
        self._scroll()
        self._tell()

    def _failed(self, message: str) -> None:
        self.table.set_empty(
            tr("The log could not be read: {message}").format(message=visible(translated(message), 200))
        )

    def _count(self) -> None:
        if self._busy_counting:
            self._counting.start()
            return
        self._busy_counting = True
        question = self.lines.question

        def done(count: int | Refusal) -> None:
            self._busy_counting = False
            if question == self.lines.question and not isinstance(count, Refusal):
                self._total = count
                self._tell()

        self._bridge.run(self._bridge.doors.count_log(question), done)

    def _tell(self) -> None:
        self.bar.counted.show_text(
            "" if self._total is None else counted(self._total, tr("line"), tr("lines"))
        )
        self.bar.export.setEnabled(bool(self._total))

    def _say_empty(self) -> None:
        if not self.bar.filters:
            self.table.set_empty(tr("Nothing was logged yet."))
        elif not len(self.model):
            self.table.set_empty(tr("Nothing matches."), [(tr("Clear filter"), self.bar.clear)])
            self._bridge.run(self._bridge.doors.count_log(LogQuestion()), self._say_hidden)

    def _say_hidden(self, count: int | Refusal) -> None:
        if isinstance(count, Refusal) or not self.bar.filters:
            return
        hidden = (
            tr("{count} is hidden by the filter") if count == 1 else tr("{count} are hidden by the filter")
        ).format(count=counted(count, tr("line"), tr("lines")))
        sentence = (
            tr("Nothing matches. {hidden}.").format(hidden=hidden) if count else tr("Nothing was logged yet.")
        )
        self.table.set_empty(sentence, [(tr("Clear filter"), self.bar.clear)] if count else [])

    def _noticed(self, facts: tuple[Fact, ...]) -> None:
        if not self.bar.follow.isChecked():
            self._unseen += len(facts)
            self._show_behind()

    def _changed(self, batch: Batch) -> None:
        if batch.whole:
            self._stale = True
        if self.isVisible() and self.bar.follow.isChecked() and not batch.only_prices:
            self.tick()

    # -- scrolling and following

    def _row_height(self) -> int:
        return self.table.rowHeight(self.model.index(0, 0)) if self.model.rowCount() else 0

    def _moved(self, *, by_hand: bool) -> None:
        rows = self.table.verticalScrollBar()
        at = rows.sliderPosition()
        end = at >= rows.maximum() and self.lines.at_end
        if by_hand and self.bar.follow.isChecked() != end:
            self.bar.follow.setChecked(end)
        near = NEAR * self._row_height()
        if self.isVisible() and at < near and rows.maximum() > 0:
            self.lines.older()
        elif self.isVisible() and not self.lines.at_end and at > rows.maximum() - near:
            self.lines.newer()

    def _follow(self, on: bool) -> None:
        if on:
            self._unseen = 0
            if self.lines.at_end:
                self._scroll()
            else:
                self._ask()
        self._show_behind()

    def _show_behind(self) -> None:
        if self.bar.follow.isChecked():
            self.behind.hide()
            return
        lines = f" · {counted(self._unseen, tr('new line'), tr('new lines'))}" if self._unseen else ""
        self.behind.say(
            tr("Following is off{lines}").format(lines=lines),
            "neutral",
            icon="logs",
            action=tr("Go to newest"),
            then=lambda: self.bar.follow.setChecked(True),
        )

    def _scroll(self) -> None:
        if self.bar.follow.isChecked():
            self.table.scrollToBottom()

    # -- one line

    def _current(self) -> LogEntry | None:
        key = self.table.key()
        return None if key is None else self.model.record(key)

    def _show_line(self, key: object) -> None:
        line = None if key is None else self.model.record(key)
        self.detail.heading.title.show_text(f"{line.level} · {line.category}" if line else tr("Line"))
        self.when.show_text(
            " · ".join(each for each in (moment(line), utc_text(line.at), line.code, about(line)) if each)
            if line
            else tr("Select a line to read it whole.")
        )
        self.text.setPlainText("\n".join(map(visible, line.text.split("\n"))) if line else "")
        self.to_group.setVisible(line is not None and line.group_id is not None)
        self.to_alert.setVisible(line is not None and line.alert_id is not None)

    def _go_to_group(self, line: LogEntry | None) -> None:
        if line is not None and line.group_id is not None:
            group = self._bridge.groups.get(line.group_id)
            page = "positions" if group is not None and group.holds_slot else "performance"
            self.wanted.emit(page, line.group_id)

    def _go_to_alert(self) -> None:
        line = self._current()
        if line is not None and line.alert_id is not None:
            self.wanted.emit("signals", line.alert_id)

    def _themed(self) -> None:
        self.text.setFont(mono("caption"))

    # -- to a file

    def _ask_for_file(self) -> None:
        dialog = QFileDialog(self, tr("Export the log"), "log.csv", tr("CSV (*.csv);;JSON (*.json)"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.export(Path(name)))
        dialog.open()

    def export(self, path: Path) -> None:
        """Write all lines that are asked for to a file, and say so."""

        def done(count: int | Refusal) -> None:
            if isinstance(count, Refusal):
                self.notice.emit(
                    Notice("error", tr("The log was not exported"), visible(translated(count.message), 300))
                )
            else:
                self.notice.emit(
                    Notice(
                        "success",
                        tr("Exported {count}").format(count=counted(count, tr("line"), tr("lines"))),
                        visible(str(path)),
                    )
                )

        question = self.bar.question(self._bridge.doors.now())
        self._bridge.run(self._bridge.doors.export_log(question, path), done)
