"""The foot of the settings: what is not saved, what is wrong, and the two things to do about it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from execution_engine.ui.format import counted
from execution_engine.ui.icons import Mark
from execution_engine.ui.pages.settings.changed import told
from execution_engine.ui.pages.settings.profiles import BINDINGS, PROFILES
from execution_engine.ui.pages.settings.row import clause
from execution_engine.ui.pages.settings.sheet import Sheet, setting_at
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import BusyArc, ElidedLabel, Label, button


class SaveBar(QFrame):
    """Count the changes and offer to save or discard them; out of sight while there is nothing to save.

    save, discard: what the user wants. wanted: the path of the setting that is wrong.
    """

    save = Signal()
    discard = Signal()
    wanted = Signal(str)

    def __init__(self, sheet: Sheet) -> None:
        """Follow a sheet."""
        super().__init__()
        self._sheet = sheet
        self._next, self._busy, self._locked = 0, False, False
        self.setProperty("ground", "chrome")
        self.setProperty("rule", "top")
        self.setFixedHeight(px(52))
        self.mark = Mark(icon="info", token="accent", size=px(16))
        self.count = Label("", "body", "text", weight=600)
        self.what = ElidedLabel("", "body", "text2")
        self.show_fault = button(tr("Show"), "link", small=True, tip=tr("Show the setting that is wrong"))
        self.arc = BusyArc(12, "accent")
        self.arc.hide()
        self.discard_button = button(tr("Discard"))
        self.save_button = button(tr("Save"), "primary")
        row = QHBoxLayout(self)
        row.setContentsMargins(px(16), 0, px(16), 0)
        row.setSpacing(px(8))
        for each in (self.mark, self.count, self.what, self.show_fault):
            row.addWidget(each)
        row.addStretch(1)
        row.addWidget(self.arc)
        row.addWidget(self.discard_button)
        row.addWidget(self.save_button)
        self.save_button.clicked.connect(self.save)
        self.discard_button.clicked.connect(self.discard)
        self.show_fault.clicked.connect(lambda: self.wanted.emit(next(iter(sheet.faults), "")))
        sheet.changed.connect(self.refresh)
        self.refresh()

    def show_next(self, number: int) -> None:
        """Say which version saving makes."""
        self._next = number
        self.refresh()

    def fail(self, said: str) -> None:
        """Say why it was not saved, until something is changed again."""
        self.mark.show_icon("error", "danger")
        self.what.show_text(said, "danger")

    def busy(self, busy: bool) -> None:
        """Show that it is being saved."""
        self._busy = busy
        self.arc.setVisible(busy)
        self.refresh()

    def refresh(self) -> None:
        """Say how it stands."""
        sheet = self._sheet
        self.setVisible(sheet.is_dirty)
        faults = sheet.faults
        self.save_button.setText(
            tr("Save as version {next}").format(next=self._next) if self._next else tr("Save")
        )
        self.save_button.setEnabled(sheet.settings is not None and not self._busy)
        self.discard_button.setEnabled(not self._busy)
        self.count.show_text(counted(sheet.count, tr("change"), tr("changes")))
        self.show_fault.setVisible(bool(faults))
        if faults:
            path, said = next(iter(faults.items()))
            self.mark.show_icon("error", "danger")
            more = tr(" and {count} more").format(count=len(faults) - 1) if len(faults) > 1 else ""
            self.what.show_text(f"{name_of(path)}: {clause(said)}{more}", "danger")
        else:
            self.mark.show_icon("info", "accent")
            keeps = tr(" Open groups keep the grid they were opened with.") if self._is_of_grid() else ""
            self.what.show_text(f"{told(sheet.changes, 3)}.{keeps}", "text2")

    def _is_of_grid(self) -> bool:
        return any(change.path.startswith(("grid.", "take_profit.")) for change in self._sheet.changes)


def name_of(path: str) -> str:
    """Return what a path is called on the screen."""
    setting = setting_at(path)
    if setting is not None:
        return setting.title
    if path.startswith(f"{PROFILES}."):
        return tr("Profile {split}").format(split=path.split(".")[2])
    return tr("Bindings") if path.startswith(BINDINGS) else path
