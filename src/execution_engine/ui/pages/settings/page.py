"""The settings page: tabs of forms, a search over all of them, and the way to save."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QStackedWidget, QVBoxLayout

from execution_engine.domain import document as documents
from execution_engine.domain.cautions import cautions
from execution_engine.domain.changes import between
from execution_engine.domain.errors import FieldFault, Refusal, SettingsError
from execution_engine.domain.inputs import Answer, SaveSettings
from execution_engine.domain.rows import Mode
from execution_engine.domain.schema import Setting
from execution_engine.domain.settings import Settings
from execution_engine.domain.versions import Version, restorable
from execution_engine.ui import schema
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import counted, local_moment, visible
from execution_engine.ui.pages.page import Page
from execution_engine.ui.pages.settings.accounts import AccountForms, fields
from execution_engine.ui.pages.settings.grid_tab import GridTab
from execution_engine.ui.pages.settings.panels import ON_TOP, PANELS
from execution_engine.ui.pages.settings.rail import Rail
from execution_engine.ui.pages.settings.review import ReviewDialog
from execution_engine.ui.pages.settings.row import SettingRow
from execution_engine.ui.pages.settings.save_bar import SaveBar
from execution_engine.ui.pages.settings.sheet import Sheet
from execution_engine.ui.pages.settings.tab import Tab
from execution_engine.ui.pages.settings.tabs import TABS, TabPlace, sections_of, tab_of
from execution_engine.ui.pages.settings.template_panel import TemplatePanel
from execution_engine.ui.pages.settings.versions import VersionsDialog
from execution_engine.ui.pages.settings.worst import WorstCase
from execution_engine.ui.panels.webhooks import WebhooksPanel
from execution_engine.ui.tongue import later, tr, translated
from execution_engine.ui.widgets import Banner, Label, Notice, PageBar, SearchField, button

LONGEST_FILE = 4 * 1024 * 1024
GRID = "grid"
EXCHANGES = "exchanges"
SAVED_HERE = tr("saved in the window")
TAKEN_BACK = tr("taken back in the window")


class SettingsPage(Page):
    """Change everything in forms; nothing is in force before it is saved.

    compose_wanted: the user wants to write a message for a webhook, by its name.
    """

    title = tr("Settings")
    compose_wanted = Signal(str)

    def __init__(self, bridge: Bridge) -> None:
        """Show what is in force."""
        super().__init__()
        self._bridge = bridge
        self.sheet = Sheet(bridge.doors.settings(), self)
        self.versions: tuple[Version, ...] = ()
        self.dialog: QDialog | None = None
        self.search = SearchField(tr("Find a setting"), 220)
        self.version = Label("", "small", "text3")
        self.versions_button = button(tr("Versions…"))
        self.import_button = button(tr("Import…"))
        self.export_button = button(tr("Export…"))
        self.banner = Banner()
        self.rail = Rail(TABS)
        self.stack = QStackedWidget()
        self.tabs: dict[str, Tab] = {}
        for place in TABS:
            self._add_tab(place)
        self.accounts = AccountForms(self.tabs[EXCHANGES], lambda: bridge.accounts.values())
        self.save_bar = SaveBar(self.sheet)
        self.tabs[TABS[0].key].ready()
        self._lay_out()
        self._listen()
        self._refresh()

    def tab(self, key: str) -> Tab:
        """Return a tab, to put a panel on: `trading`, `grid`, `risk`, `pool`, `exchanges`, … as in `tabs.py`."""
        return self.tabs[key].ready()

    # -- how it is built

    def _add_tab(self, place: TabPlace) -> None:
        def settings() -> Sequence[Setting]:
            found = [setting for name in sections_of(place) for setting in schema.section(name)]
            accounts = self._bridge.accounts.values() if place.key == EXCHANGES else ()
            return [*found, *(setting for account in accounts for setting in fields(account))]

        def fill(tab: Tab) -> None:
            self._fill(tab, place)

        if place.key == GRID:
            tab: Tab = GridTab(place.title, self.sheet, self._bridge, settings, fill)
        else:
            tab = Tab(place.title, self.sheet, settings, fill)
        self.tabs[place.key] = tab
        self.stack.addWidget(tab)

    def _fill(self, tab: Tab, place: TabPlace) -> None:
        for name in sections_of(place) if place.key != GRID else ():
            title, sentence = schema.heading(name)
            tab.add_form(title, sentence, schema.section(name))
        if place.key == "trading":
            tab.add_panel(TemplatePanel(self.sheet), 0)
        if place.key in ("trading", "pool"):
            worst = WorstCase(self.sheet)
            tab.add_panel(worst, 2 if place.key == "trading" else 1)
        if place.key == EXCHANGES:
            self.accounts.refresh()
        for key, make in ON_TOP:
            if key == place.key:
                panel = make(self._bridge)
                tab.add_panel(panel, 0)
                if isinstance(panel, WebhooksPanel):
                    panel.compose_wanted.connect(self.compose_wanted)
        for key, make in PANELS:
            if key == place.key:
                tab.add_panel(make(self._bridge))

    def _lay_out(self) -> None:
        bar = PageBar(self.title)
        bar.add(self.search)
        for each in (self.version, self.versions_button, self.import_button, self.export_button):
            bar.add_right(each)
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(self.rail)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.stack, 1)
        right.addWidget(self.save_bar)
        body.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self.banner)
        column.addLayout(body, 1)

    def _listen(self) -> None:
        self.rail.chosen.connect(self._show_tab)
        self.search.textChanged.connect(lambda _: self._search())
        self.search.returnPressed.connect(self._go_to_hit)
        self.save_bar.save.connect(self.save)
        self.save_bar.discard.connect(self.sheet.discard)
        self.save_bar.wanted.connect(self.go_to)
        self.versions_button.clicked.connect(self.show_versions)
        self.import_button.clicked.connect(self._ask_for_import)
        self.export_button.clicked.connect(self._ask_for_export)
        self.sheet.changed.connect(self._mark_tabs)
        self._bridge.changed.connect(self._changed)

    # -- what the window asks for

    def shown(self) -> None:
        """Read the versions anew: the number of the newest stands in the bar."""
        self._read_versions()

    def go_to(self, key: object) -> None:
        """Show a tab by its key, or a setting by its path."""
        path = str(key)
        if path in self.tabs:
            self.rail.choose(path)
            return
        tab = self.tab(tab_of(path))
        self.rail.choose(tab_of(path))
        row = tab.row(path)
        if row is not None:
            tab.show_row(row)

    def focus_rows(self) -> None:
        """Let the arrow keys walk through the tabs."""
        self.rail.setFocus()

    def focus_filter(self) -> None:
        """Put the cursor into the search field."""
        self.search.setFocus()

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what a small window has no room for."""
        self.version.setVisible(not narrow)
        grid = self.tabs[GRID]
        assert isinstance(grid, GridTab)
        grid.set_narrow(narrow)

    def unsaved(self) -> int:
        """Return how many changes would be lost now."""
        return self.sheet.count if self.sheet.is_dirty else 0

    # -- what happens

    def _changed(self, batch: Batch) -> None:
        if batch.settings or batch.whole:
            self.sheet.rebase(self._bridge.doors.settings())
            self._read_versions()
        if batch.settings or batch.whole or batch.accounts:
            self._refresh()

    def _refresh(self) -> None:
        if self.tabs[EXCHANGES].filled:
            self.accounts.refresh()
        fault = self._bridge.doors.settings_fault()
        if fault:
            self.banner.say(
                visible(translated(fault), 400),
                "danger",
                icon="error",
                action=tr("Versions…"),
                then=self.show_versions,
            )
        else:
            self.banner.hide()

    def _read_versions(self) -> None:
        self._bridge.run(self._bridge.doors.read_versions(), self._versions_read)

    def _versions_read(self, found: Sequence[Version] | Refusal) -> None:
        if isinstance(found, Refusal):
            return
        self.versions = tuple(found)
        newest = self.versions[0]
        saved = (
            tr(", saved {time}").format(time=local_moment(newest.saved_at)[:-3])
            if newest.saved_at
            else tr(", the defaults")
        )
        self.version.show_text(tr("Version {number}{saved}").format(number=newest.number, saved=saved))
        self.save_bar.show_next(newest.number + 1)

    def _show_tab(self, key: str) -> None:
        if key in self.tabs:
            self.stack.setCurrentWidget(self.tab(key))

    def _mark_tabs(self) -> None:
        faulty = frozenset(tab_of(path) for path in self.sheet.faults)
        changed = frozenset(tab_of(path) for path in self.sheet.edited)
        self.rail.show_marks(faulty, changed)

    # -- finding a setting

    def _search(self) -> None:
        text = self.search.text().strip().casefold()
        hits = {key: tab.search(text) for key, tab in self.tabs.items()}
        self.rail.show_hits(hits if text else None)
        shown = self.rail.shown()
        if text and shown and self.rail.current() not in shown:
            self.rail.choose(shown[0])
        row = self._current_hit()
        if row is not None:
            self.tabs[self.rail.current()].ensureWidgetVisible(row)

    def _current_hit(self) -> SettingRow | None:
        return self.tab(self.rail.current()).first_hit() if self.rail.current() else None

    def _go_to_hit(self) -> None:
        """Put the cursor into the first setting that was found."""
        row = self._current_hit()
        if row is not None:
            self.tabs[self.rail.current()].show_row(row)

    # -- saving

    def save(self) -> None:
        """Save the forms; what becomes more dangerous is asked about first."""
        wanted = self.sheet.settings
        if wanted is None:
            return
        if cautions(self.sheet.base, wanted, live=self._live()):
            self._review(tr("Save settings"), tr("Save these changes?"), tr("Save"), wanted, SAVED_HERE)
        else:
            self.save_bar.busy(True)
            self._send(wanted, SAVED_HERE, partial(self._saved, self._bridge.doors.settings()))

    def _saved(self, before: Settings, reply: Answer | Refusal) -> None:
        self.save_bar.busy(False)
        if isinstance(reply, Refusal):
            self.save_bar.fail(visible(translated(reply.message), 300))
        else:
            self._is_in_force(before)

    def _is_in_force(self, before: Settings) -> None:
        """Show what is in force now: the bar goes, the version in the heading is the new one; offer to take it back."""
        now = self._bridge.doors.settings()
        self.sheet.rebase(now)
        found = between(before, now)
        if found:
            many = (tr("{count} is in force") if len(found) == 1 else tr("{count} are in force")).format(
                count=counted(len(found), tr("setting"), tr("settings"))
            )
            words = visible(", ".join(change.path for change in found), 120)
            self.notice.emit(Notice("success", many, words, tr("Undo"), lambda: self._take_back(before, now)))

    def _take_back(self, before: Settings, saved: Settings) -> None:
        """Use the settings from before again: at once while nothing else was saved and nothing gets more dangerous."""
        now = self._bridge.doors.settings()
        if now == saved and not cautions(now, before, live=self._live()):
            self._send(before, TAKEN_BACK, self._taken_back)
        else:
            self.sheet.rebase(now)
            question = tr("Use the settings from before that again?")
            self._review(tr("Take back"), question, tr("Use them"), before, TAKEN_BACK)

    def _taken_back(self, reply: Answer | Refusal) -> None:
        if isinstance(reply, Refusal):
            self.notice.emit(
                Notice(
                    "error", tr("The settings were not taken back"), visible(translated(reply.message), 300)
                )
            )
            return
        self.sheet.rebase(self._bridge.doors.settings())
        self.notice.emit(Notice("success", tr("The settings are as before")))

    def _send(self, wanted: Settings, note: str, done: object) -> None:
        wish = SaveSettings(document=documents.dump(wanted), note=note)
        self._bridge.wish(wish, done)  # type: ignore[arg-type]

    def _live(self) -> list[str]:
        accounts = self._bridge.accounts.values()
        return [account.name for account in accounts if account.enabled and account.mode is Mode.LIVE]

    def _review(self, title: str, question: str, verb: str, wanted: Settings, note: str) -> None:
        """Show what would change, and save it once that is confirmed."""
        base = self.sheet.base
        dialog = ReviewDialog(
            title,
            question,
            verb,
            between(base, wanted),
            cautions(base, wanted, live=self._live()),
            live=bool(self._live()),
            parent=self,
        )

        def done(reply: Answer | Refusal) -> None:
            if isinstance(reply, Refusal):
                dialog.fail(visible(translated(reply.message), 300))
            else:
                dialog.accept()
                self._is_in_force(base)

        def confirmed() -> None:
            dialog.busy()
            self._send(wanted, note, done)

        dialog.confirmed.connect(confirmed)
        self._open(dialog)

    def _open(self, dialog: QDialog) -> None:
        self.dialog = dialog
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self._dialog_gone)
        dialog.open()

    def _dialog_gone(self) -> None:
        self.dialog = None

    # -- versions, import, export

    def show_versions(self) -> None:
        """Show every saved version."""
        self._bridge.run(self._bridge.doors.read_versions(), self._open_versions)

    def _open_versions(self, found: Sequence[Version] | Refusal) -> None:
        if isinstance(found, Refusal):
            self.notice.emit(
                Notice("error", tr("The versions cannot be read"), visible(translated(found.message), 300))
            )
            return
        self._versions_read(found)
        dialog = VersionsDialog(self.versions, self)
        dialog.restore.connect(lambda number: self._restore(dialog, number))
        self._open(dialog)

    def _restore(self, dialog: VersionsDialog, number: int) -> None:
        dialog.accept()
        try:
            wanted = restorable(self.versions, number)
        except SettingsError as error:
            self.notice.emit(
                Notice(
                    "error",
                    tr("Version {number} cannot be used").format(number=number),
                    visible(translated(str(error)), 300),
                )
            )
            return
        question = tr("Use version {number} again?").format(number=number)
        self._review(
            tr("Restore settings"),
            question,
            tr("Restore"),
            wanted,
            later("version {number} restored").format(number=number),
        )

    def _ask_for_import(self) -> None:
        dialog = QFileDialog(self, tr("Import settings"), "", tr("Settings (*.json);;All files (*)"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.import_file(Path(name)))
        self._open(dialog)

    def import_file(self, path: Path) -> None:
        """Show what a file would change, and save it once that is confirmed."""
        try:
            if path.stat().st_size > LONGEST_FILE:
                raise SettingsError((FieldFault(path.name, tr("is too large for settings")),))
            wanted = documents.parse(path.read_bytes())
        except (OSError, SettingsError) as error:
            said = error.strerror if isinstance(error, OSError) else str(error)
            self.notice.emit(
                Notice("error", tr("{path} was not imported").format(path=path.name), visible(f"{said}", 400))
            )
            return
        found = between(self.sheet.base, wanted)
        question = tr("Import {path}? {count} would change.").format(
            path=visible(path.name, 60), count=counted(len(found), tr("setting"), tr("settings"))
        )
        self._review(
            tr("Import settings"),
            question,
            tr("Import"),
            wanted,
            later("imported from {path}").format(path=path.name),
        )

    def _ask_for_export(self) -> None:
        dialog = QFileDialog(
            self, tr("Export settings"), "settings.json", tr("Settings (*.json);;All files (*)")
        )
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        dialog.fileSelected.connect(lambda name: self.export_file(Path(name)))
        self._open(dialog)

    def export_file(self, path: Path) -> None:
        """Write what is in force to a file; it holds no secret."""
        try:
            path.write_text(documents.dump(self.sheet.base) + "\n", encoding="utf-8")
        except OSError as error:
            self.notice.emit(Notice("error", tr("The settings were not exported"), f"{error.strerror}."))
            return
        self.notice.emit(
            Notice(
                "success",
                tr("Settings exported"),
                tr("{path} holds no secret.").format(path=visible(path.name, 60)),
            )
        )
