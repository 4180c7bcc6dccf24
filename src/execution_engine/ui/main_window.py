"""The main window: the frame around the pages, and what the user can do from everywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QGuiApplication, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QMainWindow, QMenu, QVBoxLayout, QWidget

from execution_engine.domain import document as documents
from execution_engine.domain.errors import Refusal, SettingsError
from execution_engine.domain.facts import Fact
from execution_engine.domain.inputs import Answer, CloseAll, Input, Pause, Resume, SaveSettings
from execution_engine.domain.rows import Mode
from execution_engine.domain.updates import Offer, UpToDate
from execution_engine.ui.bridge import SUMS_MS, Batch, Bridge
from execution_engine.ui.composer import ComposerDialog
from execution_engine.ui.frame import asking, banners, menus, new_version, telling
from execution_engine.ui.frame.acts import Acts, allow
from execution_engine.ui.frame.attention import Attention
from execution_engine.ui.frame.away import Homecoming, show_decisions
from execution_engine.ui.frame.finds import everything
from execution_engine.ui.frame.header import Header
from execution_engine.ui.frame.helping import about
from execution_engine.ui.frame.idle import Idle
from execution_engine.ui.frame.lock import LockScreen
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.frame.palette import Palette
from execution_engine.ui.frame.places import Place
from execution_engine.ui.frame.restored import trading_again
from execution_engine.ui.frame.sheet import shortcuts
from execution_engine.ui.frame.sidebar import Sidebar
from execution_engine.ui.frame.stage import Stage
from execution_engine.ui.frame.status_line import BOOKS, StatusLine
from execution_engine.ui.frame.tray import TrayIcon
from execution_engine.ui.holdings import holdings_of
from execution_engine.ui.pages.paper import PaperDialog
from execution_engine.ui.pages.test_alert import FIRST, TestAlertDialog
from execution_engine.ui.tables import RowsView
from execution_engine.ui.theme import THEME, Name, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Banner, ConfirmDialog, Notice, NoticeStack

NARROW_BELOW, ROOMY = 1200, 1440
AWAY = "away"
WELCOME, BEGUN, LEFT = "welcome", "begun", "left"
READ_ONLY = "security.read_only"
SMALLEST = (960, 640)
FIRST_SIZE = (1440, 900)
EAGER = ("dashboard", "positions", "logs")  # they collect prices and facts before they are looked at


class MainWindow(QMainWindow):
    """Show everything. quit_wished: the user wants to end, and was asked where that matters."""

    quit_wished = Signal()

    def __init__(self, bridge: Bridge, places: Sequence[Place], memory: Memory) -> None:
        """Take a bridge that is attached, the pages, and what was remembered."""
        super().__init__()
        self.bridge, self.memory = bridge, memory
        self.holdings = holdings_of(bridge)
        self.attention = Attention(bridge)
        self.homecoming = Homecoming(bridge)
        self.acts = Acts(self)
        self.header = Header(bridge, self.holdings, self.acts)
        self.banner, self.decisions = Banner(), Banner()
        self.sidebar = Sidebar(places)
        self.stage = Stage(bridge, places)
        self.status = StatusLine(bridge)
        self.dialog: QDialog | None = None
        self._paper: PaperDialog | None = None
        self._composer: ComposerDialog | None = None
        self._narrow: bool | None = None
        self._cramped = False
        self._leaving = False
        self._losing = False
        self._test_symbol = FIRST
        self._lay_out()
        self.notices = NoticeStack(self)
        self.lock = LockScreen(self)
        self.idle = Idle(self)
        self.tray = TrayIcon(self)
        self._withheld: list[Notice] = []
        menus.fill(self.menuBar(), self.acts, places, self.go, self.choose_theme)
        self._listen()
        self._restore()
        self.go(memory.text("page") or places[0].key)
        self._refresh()
        self.stage.setFocus()
        self._show_news()
        QTimer.singleShot(0, self, self._build_eager)

    def _build_eager(self) -> None:
        """Build the pages that gather before they are looked at; the window is there by now."""
        for key in EAGER:
            self.stage.page(key)

    # -- what pages and menus ask for

    def go(self, key: str, row: object = None) -> None:
        """Show a page and, with `row`, that row on it."""
        known = [place for place in self.stage.places if place.key == key]
        if not known:
            return
        if self.stage.current == WELCOME != key:
            self.memory.put(WELCOME, LEFT)
        self.sidebar.show_current(key)
        self.stage.show_page(key)
        self._make_room(known[0])
        if not self.lock.is_on:
            self._show_title()
        if known[0].listed:
            self.memory.put("page", key)
        if key == AWAY:
            self.homecoming.seen()
        self._show_decisions()
        if row is not None:
            self.stage.call("go_to", row)

    def begin(self) -> None:
        """Open the first steps where nothing was done yet, or where they were neither finished nor left."""
        before = self.memory.text(WELCOME)
        if before == BEGUN or (not before and self._is_untouched()):
            self.memory.put(WELCOME, BEGUN)
            self.go(WELCOME)

    def _is_untouched(self) -> bool:
        bridge = self.bridge
        on_paper = all(account.mode is Mode.PAPER for account in bridge.accounts.values())
        return on_paper and not (bridge.alerts or bridge.groups or bridge.doors.settings().security.read_only)

    def _make_room(self, place: Place) -> None:
        """Leave the window to a page that wants it whole; what can stop an exchange stays in sight."""
        real = any(each.enabled and each.mode is not Mode.PAPER for each in self.bridge.accounts.values())
        self.sidebar.setVisible(not place.whole)
        self.header.setVisible(not place.whole or real)

    def _show_title(self) -> None:
        title = next((place.title for place in self.stage.places if place.key == self.stage.current), "")
        self.setWindowTitle(tr("{title} – Execution Engine").format(title=title))

    def notify(self, notice: Notice) -> None:
        """Show a notice in the corner; over a locked window, once it is unlocked. The log keeps it."""
        telling.keep(notice)
        if self.lock.is_on:
            self._withheld.append(notice)
        else:
            self.notices.add(notice)

    def uncovered(self) -> None:
        """Show what the lock kept back."""
        self.idle.touched()
        self._show_title()
        self._refresh()
        notices, self._withheld = self._withheld, []
        for notice in notices:
            self.notices.add(notice)

    def choose_theme(self, name: Name) -> None:
        """Save another theme; it is put on when the settings are in force."""
        try:
            settings = documents.with_value(self.bridge.doors.settings(), "ui.theme", name)
        except SettingsError as error:
            self.notify(Notice("error", tr("The theme was not changed"), str(error)))
            return
        self.wish(SaveSettings(document=documents.dump(settings)), tr("The theme was not changed"))

    def wish(self, wish: Input, refused: str) -> None:
        """Ask the engine for something; a refusal is shown under the title `refused`."""

        def done(reply: Answer | Refusal) -> None:
            if isinstance(reply, Refusal):
                self.notify(telling.refused(refused, reply))

        self.bridge.wish(wish, done)

    def open_dialog(self, dialog: QDialog) -> None:
        """Show a dialog over the window; only one at a time."""
        if self.dialog is not None:
            self.dialog.raise_()
            dialog.deleteLater()
            return
        self.dialog = dialog
        dialog.finished.connect(self._dialog_gone)
        dialog.open()

    # -- how it is built

    def _lay_out(self) -> None:
        ground = QWidget()
        column = QVBoxLayout(ground)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.banner)
        column.addWidget(self.decisions)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addWidget(self.stage, 1)
        column.addLayout(row, 1)
        column.addWidget(self.status)
        self.setCentralWidget(ground)

    def _listen(self) -> None:
        acts, bridge = self.acts, self.bridge
        acts.pause.triggered.connect(self._pause)
        acts.close_all.triggered.connect(self._close_everything)
        acts.quit.triggered.connect(self.ask_to_quit)
        acts.lock.triggered.connect(lambda: self.lock.cover("by you"))
        acts.theme.triggered.connect(
            lambda: self.choose_theme("light" if THEME.current.name == "dark" else "dark")
        )
        acts.palette.triggered.connect(self._open_palette)
        acts.columns.triggered.connect(self._choose_columns)
        acts.reset_page.triggered.connect(lambda: self.memory.forget(self.stage.current))
        acts.reset_all.triggered.connect(self._ask_to_reset)
        acts.refresh.triggered.connect(lambda: self.stage.call("refresh"))
        acts.find.triggered.connect(lambda: self.stage.call("focus_filter"))
        acts.full_screen.toggled.connect(lambda full: self.showFullScreen() if full else self.showNormal())
        acts.test_alert.triggered.connect(self._send_test_alert)
        acts.compose.triggered.connect(lambda: self.open_composer())
        acts.paper.triggered.connect(self._open_paper)
        acts.copy_webhook.triggered.connect(self._copy_webhook)
        acts.open_folder.triggered.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(bridge.doors.data_folder)))
        )
        acts.guide.triggered.connect(lambda: self.go(WELCOME))
        acts.keys.triggered.connect(lambda: self.open_dialog(shortcuts(self)))
        acts.updates.triggered.connect(self._look_for_updates)
        acts.about.triggered.connect(
            lambda: self.open_dialog(about(bridge.doors.version, bridge.doors.data_folder, self))
        )
        self.sidebar.chosen.connect(self.go)
        self.stage.made.connect(self._page_made)
        self.status.clicked.connect(self._status_clicked)
        self.notices.logs_wanted.connect(lambda: self.go("logs"))
        self._sums = QTimer(self)
        self._sums.setSingleShot(True)
        self._sums.timeout.connect(self._refresh)
        bridge.changed.connect(self._changed)
        bridge.noticed.connect(self._noticed)
        THEME.theme_changed.connect(self._themed)
        self._second = QTimer(self, interval=1000)
        self._second.timeout.connect(self._tick)
        self._second.start()
        # Half a second apart: alerts get their turn between the frame's figures and the page's.
        self._page_second = QTimer(self, interval=1000)
        self._page_second.timeout.connect(self._tick_page)
        QTimer.singleShot(500, self._page_second, self._page_second.start)
        self._themed()

    def _restore(self) -> None:
        self.resize(*FIRST_SIZE)
        room = self.screen().availableGeometry()
        if room.width() <= FIRST_SIZE[0] or room.height() <= FIRST_SIZE[1]:
            self.setWindowState(Qt.WindowState.WindowMaximized)
        geometry = self.memory.bytes("geometry")
        if not geometry.isEmpty():
            self.restoreGeometry(geometry)
        self._fit()

    def _page_made(self, key: str, page: Any) -> None:
        if key != WELCOME:  # what is chosen there is saved where it belongs
            self.memory.follow(key, page)
        signals: dict[str, Callable[..., object]] = {
            "notice": self.notify,
            "wanted": self.go,
            "asked": self._asked,
            "show_group": self._show_group,
            "compose_wanted": self.open_composer,
            "check_wanted": self._check_message,
            "show_alert": lambda id: self.go("signals", id),
        }
        for name, then in signals.items():
            found = getattr(page, name, None)
            if found is not None:
                found.connect(then)

    def _asked(self, what: str) -> None:
        acts = {
            "test_alert": self.acts.test_alert,
            "compose": self.acts.compose,
            "paper": self.acts.paper,
            "resume": self.acts.pause,
            "guide": self.acts.guide,
        }
        acts[what].trigger()

    # -- what happens

    def _changed(self, batch: Batch) -> None:
        self.attention.take(batch)
        if batch.whole or batch.accounts or batch.findings:
            self._show_news()
        if batch.is_pressing:
            self._refresh()
        elif not self._sums.isActive():
            self._sums.start(SUMS_MS)

    def _show_news(self) -> None:
        """Open what was found meanwhile, once after each start and resume; never under a dialog."""
        if self.stage.current == AWAY:
            self.homecoming.seen()
        elif self.stage.current != WELCOME and self.homecoming.brings_news() and self.dialog is None:
            self.go(AWAY)

    def _show_decisions(self) -> None:
        looked_at = self.stage.current == AWAY
        show_decisions(self.decisions, self.bridge, lambda: self.go(AWAY), looked_at=looked_at)

    def _tick(self) -> None:
        self.status.refresh()
        self._refresh()
        self._lock_when_idle()

    def _tick_page(self) -> None:
        self.stage.tick()
        if self._paper is not None:
            self._paper.tick()

    def _lock_when_idle(self) -> None:
        after = self.bridge.doors.settings().security.lock_after_minutes
        self.idle.watch(bool(after))
        if after and self.idle.minutes >= after:
            self.lock.cover(f"after {after} min without a key or a click")

    def _refresh(self) -> None:
        bridge = self.bridge
        self.header.refresh()
        word, reasons = bridge.doors.status()
        read_only = bridge.doors.settings().security.read_only
        unlock = (lambda: self.go("settings", READ_ONLY)) if read_only else None
        banners.show(
            self.banner,
            word,
            reasons,
            self.acts.pause.trigger,
            unlock=unlock,
            recovering=self._is_recovering(),
        )
        self._show_decisions()
        self.tray.refresh()
        self.acts.show_paused(self._is_paused())
        groups = len(self.holdings.by_id)
        if not self.lock.is_on:
            allow(self.acts.close_all, bool(groups or bridge.queue), tr("nothing is open and nothing waits"))
        dots = {thing.page for thing in self.attention.things(bridge.doors.now())}
        self.sidebar.show_count("positions", groups, "positions" in dots)
        self.sidebar.show_count("queue", len(bridge.queue), "queue" in dots)
        self.sidebar.show_count("risk", 0, "risk" in dots)
        self.sidebar.show_count("settings", self.stage.unsaved())

    def _noticed(self, facts: tuple[Fact, ...]) -> None:
        for fact in facts:
            if fact.notice and not self._will_stand_there(fact):
                self.notify(
                    telling.notice_of(
                        fact, self._show_group, lambda id: self.go("signals", id), lambda: self.go(AWAY)
                    )
                )

    def _will_stand_there(self, fact: Fact) -> bool:
        """Tell whether a fact needs no notice: the page it stands on is looked at, or is about to open."""
        looked_at = self.stage.current == AWAY or self.homecoming.pending
        return looked_at and fact.code in telling.FOUND

    def _show_group(self, id: int) -> None:
        group = self.bridge.groups.get(id)
        self.go("positions" if group is not None and group.holds_slot else "performance", id)

    def _is_recovering(self) -> bool:
        return self.bridge.engine is not None and bool(self.bridge.engine.recovering)

    def _is_paused(self) -> bool:
        return self.bridge.engine is not None and self.bridge.engine.paused

    def _pause(self) -> None:
        if self._is_recovering():
            self._ask_to_trade_again()
        elif self._is_paused():
            self.wish(Resume(), tr("The engine was not resumed"))
        else:
            self.wish(Pause(), tr("The engine was not paused"))

    def _ask_to_trade_again(self) -> None:
        dialog = trading_again(self.bridge, self)

        def done(reply: Answer | Refusal) -> None:
            dialog.fail(translated(reply.message)) if isinstance(reply, Refusal) else dialog.accept()

        def confirmed() -> None:
            dialog.busy()
            self.bridge.wish(Resume(), done)

        dialog.confirmed.connect(confirmed)
        self.open_dialog(dialog)

    def _close_everything(self) -> None:
        dialog = asking.close_everything(self.bridge, self.holdings, self)

        def done(reply: Answer | Refusal) -> None:
            dialog.fail(translated(reply.message)) if isinstance(reply, Refusal) else dialog.accept()

        def confirmed() -> None:
            dialog.busy()
            self.bridge.wish(CloseAll(), done)

        dialog.confirmed.connect(confirmed)
        self.open_dialog(dialog)

    def _check_message(self, message: str, webhook: str) -> None:
        self.open_composer(webhook).check_message(message)

    def open_composer(self, webhook: str = "") -> ComposerDialog:
        """Let the user write a message for TradingView, for a webhook if one is named."""
        if self._composer is None:
            self._composer = ComposerDialog(self.bridge, self)
            self._composer.tunnel_wanted.connect(lambda: self.go("settings", "webhook"))
            self._composer.test_wanted.connect(self._test_composed)
        self._composer.show()
        if webhook:
            self._composer.choose_webhook(webhook)
        self._composer.raise_()
        self._composer.activateWindow()
        return self._composer

    def _test_composed(self, symbol: str) -> None:
        self._test_symbol = symbol
        self._ask_for_test(self._composer)

    def _send_test_alert(self) -> None:
        self._ask_for_test(self)

    def _ask_for_test(self, above: QWidget | None) -> None:
        """Let the user send a test alert; on Signals its story is told behind the dialog."""
        dialog = TestAlertDialog(self.bridge, self._test_symbol, above)

        def sent(id: int) -> None:
            self._test_symbol = dialog.symbol.text()
            if self.stage.current == "signals":
                self.go("signals", id)

        dialog.sent.connect(sent)
        dialog.alert_wanted.connect(lambda id: self.go("signals", id))
        self.open_dialog(dialog)

    def _open_palette(self) -> None:
        """Let the user find an act, a page, a position, a signal or a setting by a few letters."""
        if self.dialog is not None:
            return
        holder = QMenu(self)
        finds = everything(self, self._table_at_hand(), holder)
        dialog = Palette(finds, self.memory, self)
        dialog.finished.connect(holder.deleteLater)
        self.open_dialog(dialog)
        dialog.move(self.mapToGlobal(self.rect().topLeft()) + dialog.place_over(self))

    def _table_at_hand(self) -> RowsView | None:
        """Return the table with the cursor, else the first one of the page that is seen."""
        focused = self.focusWidget()
        if isinstance(focused, RowsView) and focused.isVisible():
            return focused
        tables = self.stage.page(self.stage.current).findChildren(RowsView)
        return next((table for table in tables if table.isVisible()), None)

    def _choose_columns(self) -> None:
        table = self._table_at_hand()
        if table is not None:
            table.choose_columns()

    def _ask_to_reset(self) -> None:
        """Ask, then put every page and the window back as they were made."""
        dialog = asking.resetting(self)

        def reset() -> None:
            self.memory.forget()
            self.setWindowState(Qt.WindowState.WindowNoState)
            self._restore()

        dialog.confirmed.connect(dialog.accept)
        dialog.accepted.connect(reset)
        self.open_dialog(dialog)

    def _open_paper(self) -> None:
        if self._paper is None:
            self._paper = PaperDialog(self.bridge, self)
        self._paper.show()
        self._paper.raise_()
        self._paper.activateWindow()

    def _status_clicked(self, name: str) -> None:
        if name in ("Exchange", "Prices"):
            self._open_paper()
        elif name == "Webhook":
            self.go("signals")
        elif name == "Tunnel":
            self.go("settings", "webhook")
        elif name == BOOKS:
            self.go(AWAY)

    def _copy_webhook(self) -> None:
        urls = self.bridge.doors.webhook_urls()
        if not urls:
            self.notify(Notice("error", tr("There is no webhook to copy"), tr("No webhook is enabled.")))
            return
        name, url = urls[0]
        QGuiApplication.clipboard().setText(url)
        self.notify(
            Notice(
                "info", tr("Copied the address of “{name}”").format(name=name), tr("It contains your secret.")
            )
        )

    def offer(self, offer: Offer) -> None:
        """Tell of a new version, in the corner."""
        self.notify(new_version.notice_of(offer, lambda: self._show_version(offer)))

    def _show_version(self, offer: Offer) -> None:
        self.open_dialog(new_version.NewVersion(offer, self.bridge.doors.version, self))

    def _look_for_updates(self) -> None:
        allow(self.acts.updates, False, tr("it is being looked for"))
        self.bridge.run(self.bridge.doors.check_updates(), self._updates_known)

    def _updates_known(self, found: Offer | UpToDate | Refusal) -> None:
        allow(self.acts.updates, True, "")
        if isinstance(found, Offer):
            self._show_version(found)
        else:
            self.notify(new_version.answer_of(found))

    def _themed(self) -> None:
        self.acts.show_theme(THEME.current.name == "dark")
        # Larger text needs a larger window, as far as the screen goes.
        room = self.screen().availableSize()
        self.setMinimumSize(min(px(SMALLEST[0]), room.width()), min(px(SMALLEST[1]), room.height()))
        if self._narrow is not None:
            self._fit()

    def _dialog_gone(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    # -- how it is sized and left

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose between the two layouts."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        narrow, cramped = self.width() < px(NARROW_BELOW), self.width() < px(ROOMY)
        if (narrow, cramped) == (self._narrow, self._cramped):
            return
        self._narrow, self._cramped = narrow, cramped
        self.memory.set_mode("narrow" if narrow else "middle" if cramped else "wide")
        self.sidebar.set_slim(narrow)
        self.header.set_narrow(narrow)
        self.status.set_narrow(narrow)
        self.stage.set_narrow(narrow, cramped)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep Enter and Esc that nobody wanted from doing anything."""
        event.ignore()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Go to the tray where that is wanted and there is one; otherwise quit."""
        event.ignore()
        stays = self.bridge.doors.settings().desktop.close_to_tray and not self._leaving
        if stays and self.tray.appear():
            self.hide_in_tray()
        else:
            self.ask_to_quit()

    def hide_in_tray(self) -> None:
        """Take the window away; the engine goes on, and the icon in the tray brings the window back."""
        self.memory.put_bytes("geometry", self.saveGeometry())
        self.hide()
        self.tray.say_it_stays()

    def come_back(self) -> None:
        """Show the window, whether it was hidden, folded into the task bar or covered by others."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def _be_seen(self) -> None:
        """Show the window for a question, if it is in the tray."""
        if not self.isVisible():
            self.come_back()

    def ask_to_quit(self) -> None:
        """Quit; with groups open or changes unsaved, ask first."""
        if self.lock.is_on and not self._leaving:
            self._be_seen()
            self.lock.refuse_to_close()
            return
        unsaved = self.stage.unsaved()
        if unsaved and not self._leaving and not self._losing:
            self._be_seen()
            self._ask_about_unsaved(unsaved)
            return
        if self._leaving or not asking.open_groups(self.bridge):
            self.leave()
            return
        self._be_seen()
        dialog: ConfirmDialog = asking.quitting(self.bridge, self, tray=self.tray.appear())
        dialog.confirmed.connect(dialog.accept)
        dialog.accepted.connect(self.leave)
        dialog.turned_to.connect(self.hide_in_tray)
        self.open_dialog(dialog)

    def _ask_about_unsaved(self, count: int) -> None:
        """Ask before changes of the settings are lost; then quit as usual."""
        dialog = asking.losing(count, self)

        def lose() -> None:
            self._losing = True
            self._dialog_gone()
            self.ask_to_quit()

        dialog.confirmed.connect(dialog.accept)
        dialog.accepted.connect(lose)
        dialog.rejected.connect(lambda: self.go("settings"))
        self.open_dialog(dialog)

    def leave(self) -> None:
        """Remember how the window stands, hide it and tell who ends the application."""
        if not self._leaving:
            self._leaving = True
            self.put_away()
            self.quit_wished.emit()

    def put_away(self) -> None:
        """Remember how the window stands and take it off the screen."""
        self.memory.put_bytes("geometry", self.saveGeometry())
        self.memory.save()
        self._second.stop()
        self.tray.leave()
        self.hide()
