"""The panel of backups: when they are made, which there are, whether they are sound, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.safety import BackupFile, BackupState, Kept
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import ago, local_moment, span, utc_text, visible
from execution_engine.ui.panels.asks import AskingPanel
from execution_engine.ui.panels.files import ask_where_to_write, ask_which_to_read
from execution_engine.ui.tables import Cell, Column, TableModel, TableView
from execution_engine.ui.theme import Token, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ConfirmDialog, Facts, Label, button, follows

REFRESH_MS = 1000
LOOK_EVERY = 15  # of these: at what lies on the disk
HEIGHT = 208
MIB = 1024 * 1024


class BackupsPanel(AskingPanel):
    """List the backups, make one, check them, restore one."""

    def __init__(self, bridge: Bridge) -> None:
        """Begin empty; while it is seen it follows."""
        super().__init__(
            tr("Database"), tr("its backups are made while the engine runs, and checked"), bridge
        )
        self.kept: Kept | None = None
        self.found: dict[str, str] = {}
        self._looks = 0
        self._last: datetime | None = None
        self.make = button(tr("Back up now"), icon="save", small=True)
        self.verify = button(tr("Check the database"), icon="tick", small=True)
        self.check = button(tr("Check"), small=True)
        self.restore = button(tr("Restore…"), small=True)
        self.other = button(tr("Restore a file…"), icon="folder", small=True)
        self.export = button(tr("Export trades…"), icon="export", small=True)
        self.facts = Facts()
        for key, label in _FACTS:
            self.facts.add(key, label)
        self.cautions = Label("", "small", "warn", wrap=True)
        self.cautions.setContentsMargins(px(12), px(2), px(12), px(6))
        self.rows: TableModel[BackupFile] = TableModel(
            self._columns(), lambda row: str(row.path), default_sort=_newest_first
        )
        self.view = TableView(self.rows, name=tr("Backups"))
        self.view.setFixedHeight(px(HEIGHT))
        self.view.set_empty(tr("There is no backup yet."))
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self._tick)
        self.make.clicked.connect(self._make)
        self.verify.clicked.connect(self._verify)
        self.check.clicked.connect(self._check_chosen)
        self.restore.clicked.connect(self._restore_chosen)
        self.other.clicked.connect(self._ask_which)
        self.export.clicked.connect(self._ask_where)
        self.view.current_changed.connect(lambda key: self._enable())
        self.view.set_menu(self._fill_menu)
        self._enable()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow while somebody looks."""
        self.refresh()
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody does."""
        self._timer.stop()
        super().hideEvent(event)

    def refresh(self) -> None:
        """Look at what lies on the disk."""
        self._looks = 0
        self._bridge.run(self._bridge.doors.data.kept(), self._known)

    def _tick(self) -> None:
        self._looks += 1
        state = self._bridge.doors.data.state
        if self._looks >= LOOK_EVERY or state.last != self._last:
            self.refresh()
        self._show_state(state)

    def _known(self, kept: Kept | Refusal) -> None:
        if isinstance(kept, Refusal):
            self.say(kept.message, "danger")
            return
        self.kept = kept
        self._last = self._bridge.doors.data.state.last
        self.rows.replace([*kept.files, *kept.aside])
        self._show_state(self._bridge.doors.data.state)
        self._enable()

    def _show_state(self, state: BackupState) -> None:
        now, kept = self._bridge.doors.now(), self.kept
        every = self._bridge.doors.settings().backups.every_hours
        self.facts.show_fact("last", tr("none yet") if state.last is None else ago(now - state.last))
        due = (
            tr("never: switched off")
            if not every
            else tr("soon")
            if state.next is None
            else _in(state.next, now)
        )
        self.facts.show_fact(
            "next", state.busy or due, "accent" if state.busy else "text" if every else "warn"
        )
        if kept is not None:
            self.facts.show_fact("folder", visible(str(kept.folder), 90))
            self.facts.show_fact("size", _size(kept.size))
            self.facts.show_fact("free", "–" if kept.free is None else _size(kept.free))
            aside = [file.path.name for file in kept.aside]
            self.facts.show_fact(
                "aside", ", ".join(aside[:2]) if aside else tr("none"), "warn" if aside else "text"
            )
        told = [*(kept.cautions if kept is not None else ()), *([state.trouble] if state.trouble else [])]
        self.cautions.show_text("\n".join(visible(translated(text), 300) for text in told))
        self.cautions.setVisible(bool(told))
        for each in (self.make, self.verify, self.other):
            each.setEnabled(not state.busy)
        self._enable()

    def _enable(self) -> None:
        row, busy = self._chosen(), bool(self._bridge.doors.data.state.busy)
        self.check.setEnabled(row is not None and not busy)
        self.restore.setEnabled(row is not None and row.readable and not busy)

    def _chosen(self) -> BackupFile | None:
        key = self.view.key()
        return None if key is None else self.rows.record(key)

    def _lay_out(self) -> None:
        self.add_right(self.verify)
        self.add_right(self.make)
        self.add(self.facts)
        self.add(self.cautions)
        self.add(self.view)
        tools = QHBoxLayout()
        tools.setContentsMargins(px(12), px(8), px(12), px(8))
        tools.setSpacing(px(8))
        for each in (self.check, self.restore, self.other):
            tools.addWidget(each)
        tools.addStretch(1)
        tools.addWidget(self.export)
        ground = QWidget()
        column = QVBoxLayout(ground)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(tools)
        self.add(ground)
        self.add(self.said)

    def _columns(self) -> Sequence[Column[BackupFile]]:
        return (
            Column(
                key="time",
                title=tr("Time"),
                width=140,
                cell=lambda row: Cell(local_moment(row.at), raw=utc_text(row.at)),
                sort_key=_newest_first,
                tooltip=lambda row: f"{utc_text(row.at)}\n{row.path}",
            ),
            Column(
                key="size",
                title=tr("Size"),
                width=92,
                align="right",
                cell=lambda row: Cell(_size(row.size)),
                sort_key=lambda row: row.size,
            ),
            Column(
                key="kind", title=tr("Made"), width=160, cell=lambda row: Cell(translated(row.kind), "text2")
            ),
            Column(
                key="version",
                title=tr("Version"),
                width=84,
                cell=lambda row: Cell(row.version or "–", "text2" if row.readable else "warn"),
                tooltip=lambda row: "" if row.readable else tr("This version of the program cannot read it"),
            ),
            Column(key="checked", title=tr("Checked"), width=260, cell=self._checked),
        )

    def _checked(self, row: BackupFile) -> Cell:
        found = self.found.get(str(row.path))
        if found is not None:
            token: Token = "profit" if found == SOUND else "danger"
            return Cell(found, token)
        return Cell(tr("not checked") if row.kind == "set aside" else tr("when it was made"), "text3")

    # -- what the user wants

    def _fill_menu(self, key: object, menu: QMenu) -> None:
        row = self.rows.record(str(key))
        if row is not None:
            menu.addAction(tr("Check"), partial(self._check, row))
            menu.addAction(tr("Restore…"), partial(self.ask_to_restore, Path(row.path))).setEnabled(
                row.readable
            )

    def _make(self) -> None:
        self.do(self._bridge.doors.data.make(), self.refresh)
        self._show_state(self._bridge.doors.data.state)

    def _verify(self) -> None:
        def done(faults: list[str] | Refusal) -> None:
            if isinstance(faults, Refusal):
                self.say(faults.message, "danger")
            elif faults:
                more = tr(" And {count} more.").format(count=len(faults) - 3) if len(faults) > 3 else ""
                self.say(" ".join(map(translated, faults[:3])) + more, "danger")
            else:
                self.say(tr("The database is sound, every sum of money adds up, and the audit log is whole."))

        self.say(tr("The database is being checked…"))
        self._bridge.run(self._bridge.doors.data.verify(), done)

    def _check_chosen(self) -> None:
        if (row := self._chosen()) is not None:
            self._check(row)

    def _check(self, row: BackupFile) -> None:
        def done(faults: list[str] | Refusal) -> None:
            wrong = [faults.message] if isinstance(faults, Refusal) else faults
            self.found[str(row.path)] = visible(translated(wrong[0]), 120) if wrong else SOUND
            self.rows.refresh()
            self.say(f"{row.path.name}: {' '.join(map(translated, wrong[:3])) or tr('sound, and every sum adds up.')}",
                     "danger" if wrong else "text2")  # fmt: skip
            self._enable()

        self.say(tr("{path} is being checked…").format(path=row.path.name))
        self._bridge.run(self._bridge.doors.data.check(Path(row.path)), done)

    def _restore_chosen(self) -> None:
        if (row := self._chosen()) is not None:
            self.ask_to_restore(Path(row.path))

    def ask_to_restore(self, path: Path) -> None:
        """Ask before a backup takes the place of the database."""
        known = self.rows.record(str(path))
        when = (
            tr("the state of {time}").format(time=local_moment(known.at))
            if known is not None and known.at
            else tr("its state")
        )
        dialog = restoring(path.name, when, self.window())
        self.confirm(dialog, lambda: self._bridge.doors.data.restore(path), self.refresh)

    def _ask_which(self) -> None:
        folder = str(self.kept.folder) if self.kept is not None else ""
        self.open(ask_which_to_read(self, tr("Restore a backup"), folder, self._ask_soon))

    def _ask_soon(self, path: Path) -> None:
        QTimer.singleShot(0, self, lambda: self.ask_to_restore(path))  # the dialog of files is still closing

    def _ask_where(self) -> None:
        self.open(ask_where_to_write(self, tr("Export trades"), "trades.csv", self.export_to))

    def export_to(self, path: Path) -> None:
        """Write the trades to a file."""
        self.do(self._bridge.doors.data.export("trades", path))


SOUND = tr("sound, just now")
_FACTS = (
    ("last", tr("Last backup")),
    ("next", tr("Next backup")),
    ("folder", tr("Folder")),
    ("size", tr("Size of the database")),
    ("free", tr("Free on the disk")),
    ("aside", tr("Set aside")),
)


def restoring(name: str, when: str, parent: QWidget) -> ConfirmDialog:
    """Return the question before a backup is restored."""
    return ConfirmDialog(
        tr("Restore a backup"),
        tr("Put {name} in place of the database?").format(name=visible(name, 60)),
        tr("Restore"),
        explanation=tr("The engine stops for a moment and begins again with {when}.").format(when=when),
        consequences=[
            follows(tr("Since then"), tr("what came later is not in it; the present database is kept")),
            follows(tr("Positions"), tr("every exchange is read first; nothing is sent until you say so")),
            follows(tr("Differences"), tr("to what exchanges hold stand under While you were away")),
            follows(tr("Keys"), tr("stay; settings and webhooks are those of the backup")),
        ],
        parent=parent,
    )  # fmt: skip


def _newest_first(row: BackupFile) -> float:
    return -row.at.timestamp() if row.at is not None else 0.0


def _in(at: datetime, now: datetime) -> str:
    left = at - now
    return tr("in {span}").format(span=span(left)) if left.total_seconds() > 0 else tr("now")


def _size(size: int) -> str:
    if size >= 1024 * MIB:
        return f"{size / (1024 * MIB):.1f} GiB"
    return f"{size / MIB:.1f} MiB" if size >= MIB else f"{max(size // 1024, 1)} KiB"
