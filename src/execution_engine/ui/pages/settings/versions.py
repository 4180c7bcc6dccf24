"""The saved versions: when, what changed, what differs between any two, and one of them again."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.versions import FIRST, Version, difference
from execution_engine.ui.format import MISSING, counted, local_moment, utc_text, visible
from execution_engine.ui.pages.settings.changed import told
from execution_engine.ui.pages.settings.editors import QuietCombo
from execution_engine.ui.pages.settings.review import ChangesTable
from execution_engine.ui.tables import Cell, Column, TableModel, TableView
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ElidedLabel, Heading, Label, Splitter, button

SIZE = (940, 600)
BEFORE, IN_FORCE = -1, -2


def _what(version: Version) -> Cell:
    if version.number == FIRST:
        return Cell(tr("the values it began with"), "text3")
    if version.fault:
        return Cell(version.fault, "danger")
    return Cell(visible(told(version.changes, 3), 300), "text2")


COLUMNS: Sequence[Column[Version]] = (
    Column(
        key="number",
        title=tr("Version"),
        width=78,
        align="right",
        cell=lambda version: Cell(str(version.number), "text", bold=True),
    ),
    Column(
        key="saved",
        title=tr("Saved"),
        width=132,
        cell=lambda version: Cell(local_moment(version.saved_at)),
        tooltip=lambda version: utc_text(version.saved_at),
    ),
    Column(
        key="note",
        title=tr("How"),
        width=220,
        cell=lambda version: (
            Cell(visible(translated(version.note), 120), "text2") if version.note else Cell(MISSING, "text3")
        ),
        tooltip=lambda version: translated(version.note),
    ),
    Column(
        key="changes",
        title=tr("What changed"),
        width=420,
        cell=_what,
        tooltip=lambda version: told(version.changes, 20),
    ),
)


class VersionsDialog(QDialog):
    """List the versions and compare any two of them.

    restore: the number of the version that is wanted again.
    """

    restore = Signal(int)

    def __init__(self, versions: Sequence[Version], parent: QWidget | None = None) -> None:
        """Take the versions, newest first."""
        super().__init__(parent)
        self.versions = tuple(versions)
        self.setWindowTitle(tr("Versions of the settings"))
        self.setModal(True)
        self.resize(px(SIZE[0]), px(SIZE[1]))
        self.setMinimumSize(px(640), px(420))
        self.model: TableModel[Version] = TableModel(COLUMNS, key=lambda version: version.number)
        self.table = TableView(self.model, name=tr("Versions of the settings"))
        self.changes = ChangesTable()
        self.compared = ElidedLabel("", "small", "text3")
        self.other = QuietCombo()
        self.other.setProperty("dense", "true")
        self.other.setAccessibleName(tr("Compare with"))
        self.again = button(tr("Restore…"), "primary")
        self.close_button = button(tr("Close"))
        self._lay_out()
        self._fill()
        self.table.current_changed.connect(lambda _: self._compare())
        self.other.activated.connect(lambda _: self._compare())
        self.again.clicked.connect(self._restore)
        self.close_button.clicked.connect(self.reject)
        self.model.replace(self.versions)
        self.table.select(self.versions[0].number)
        self._compare()
        self.table.setFocus()

    def _lay_out(self) -> None:
        below = QFrame()
        below.setProperty("ground", "panel")
        heading = Heading(tr("What differs"))
        heading.add_left(self.compared)
        heading.add_right(Label(tr("compared with"), "small", "text3"))
        heading.add_right(self.other)
        under = QVBoxLayout(below)
        under.setContentsMargins(0, 0, 0, 0)
        under.setSpacing(0)
        under.addWidget(heading)
        under.addWidget(self.changes, 1)
        split = Splitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(below)
        split.setSizes([px(300), px(240)])
        foot = QFrame()
        foot.setProperty("ground", "chrome")
        foot.setProperty("rule", "top")
        row = QHBoxLayout(foot)
        row.setContentsMargins(20, 12, 20, 12)
        row.setSpacing(8)
        row.addWidget(Label(tr("Restoring saves a new version; none is ever lost."), "small", "text3"))
        row.addStretch(1)
        row.addWidget(self.close_button)
        row.addWidget(self.again)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(split, 1)
        column.addWidget(foot)

    def _fill(self) -> None:
        self.other.addItem(tr("the one before it"), BEFORE)
        self.other.addItem(tr("the newest"), IN_FORCE)
        for version in self.versions:
            self.other.addItem(tr("version {number}").format(number=version.number), version.number)

    def current(self) -> Version:
        """Return the version that is looked at."""
        key = self.table.key()
        return next((each for each in self.versions if each.number == key), self.versions[0])

    def compare_with(self, number: int) -> None:
        """Compare with another version: its number, `BEFORE` or `IN_FORCE`."""
        self.other.setCurrentIndex(self.other.findData(number))
        self._compare()

    def _compare(self) -> None:
        version, newest = self.current(), self.versions[0].number
        wanted: int = self.other.currentData()
        other = (
            max(version.number - 1, FIRST) if wanted == BEFORE else newest if wanted == IN_FORCE else wanted
        )
        # Always from the older one to the newer one: that is the way things went.
        one, two = sorted((version.number, other))
        changes = difference(self.versions, one, two)
        if isinstance(changes, Refusal):
            self.compared.show_text(translated(changes.message), "danger")
            self.changes.show_changes(())
        else:
            self.compared.show_text(
                tr("{count} from version {one} to {two}").format(
                    count=counted(len(changes), tr("change"), tr("changes")), one=one, two=two
                ),
                "text3",
            )
            self.changes.show_changes(changes)
        usable = version.number != newest and not version.fault
        self.again.setText(tr("Restore version {number}…").format(number=version.number))
        self.again.setEnabled(usable)

    def _restore(self) -> None:
        self.restore.emit(self.current().number)
