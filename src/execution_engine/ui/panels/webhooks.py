"""The panel of webhooks: each with its URL, what it may use and when it was last used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QMenu

from execution_engine.domain import document as documents
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Answer, SaveSettings
from execution_engine.domain.rows import WebhookToken
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import ago, local_moment, visible
from execution_engine.ui.panels import webhook_asking as asking
from execution_engine.ui.panels.rows import NamedRows
from execution_engine.ui.panels.webhook_asking import WebhookDialog
from execution_engine.ui.theme import mono, px
from execution_engine.ui.tongue import later, tr, translated
from execution_engine.ui.widgets import ConfirmDialog, ElidedLabel, Label, Panel, button

OVERLAP_S = 24 * 3600
MASK = "••••••••"
REFRESH_MS = 1000


class WebhooksPanel(Panel):
    """List the webhooks, add, rename, rotate and revoke them.

    compose_wanted: the user wants to write a message for this one.
    """

    compose_wanted = Signal(str)

    def __init__(self, bridge: Bridge) -> None:
        """Show those that there are."""
        super().__init__(tr("Webhooks"), tr("one for each strategy or sender; its URL is a secret"))
        self._bridge = bridge
        self._shown: set[str] = set()
        self.dialog: QDialog | None = None
        self.add_button = button(tr("Add webhook…"), icon="plus", small=True)
        self.preset = button(
            tr("Only TradingView…"), small=True, tip=tr("Refuse every sender but TradingView")
        )
        self.said = Label("", "small", "text2", wrap=True)
        self.said.setContentsMargins(px(12), 0, px(12), px(8))
        self.said.hide()
        self.add_right(self.preset)
        self.add_right(self.add_button)
        self._list = NamedRows(
            self._row, Label(tr("There is no webhook: every alert is refused."), "body", "warn")
        )
        self.rows = self._list.rows
        self.add(self._list)
        self.add(self.said)
        self.add_button.clicked.connect(self._ask_for_new)
        self.preset.clicked.connect(self._ask_for_preset)
        bridge.changed.connect(self._changed)
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the time and the public address while somebody looks."""
        self.refresh()
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody does, with every secret masked again."""
        self._timer.stop()
        self._shown.clear()
        super().hideEvent(event)

    def _changed(self, batch: Batch) -> None:
        if batch.whole or batch.tokens or batch.settings:
            self._show()

    def refresh(self) -> None:
        """Let the times go on, and follow the public address."""
        for token in self._bridge.doors.tokens():
            if (row := self.rows.get(token.name)) is not None:
                row.show_token(
                    token, self._url(token), self._bridge.doors.now(), open=token.name in self._shown
                )

    def _show(self) -> None:
        tokens = self._bridge.doors.tokens()
        self._list.lay_out([token.name for token in tokens])
        self.refresh()
        self.preset.setEnabled(self._bridge.doors.settings().webhook.ip_allowlist != ("tradingview",))

    def _row(self, name: str) -> WebhookRow:
        row = WebhookRow(name)
        row.copy.clicked.connect(partial(self._copy, name))
        row.eye.clicked.connect(partial(self._reveal, name))
        row.more.clicked.connect(partial(self._open_menu, name))
        return row

    def _url(self, token: WebhookToken) -> str:
        shown = self._bridge.doors.way_in()
        return f"{shown.url or shown.local}/webhook/{token.token}"

    def _token(self, name: str) -> WebhookToken | None:
        return next((token for token in self._bridge.doors.tokens() if token.name == name), None)

    # -- what the user wants

    def _copy(self, name: str) -> None:
        if (token := self._token(name)) is None:
            return
        QGuiApplication.clipboard().setText(self._url(token))
        public = bool(self._bridge.doors.way_in().url)
        more = "" if public else tr(" It is the local one: TradingView cannot reach 127.0.0.1.")
        self._say(
            tr("Copied the URL of {name}. It contains a secret.{more}").format(
                name=visible(name, 40), more=more
            )
        )

    def _reveal(self, name: str) -> None:
        self._shown ^= {name}
        self.refresh()

    def menu(self, name: str) -> QMenu:
        """Return what can be done with a webhook."""
        menu = QMenu(self)
        menu.addAction(tr("Compose alert…"), partial(self.compose_wanted.emit, name))
        menu.addSeparator()
        menu.addAction(tr("Rename…"), partial(self._ask_for_name, name))
        menu.addAction(tr("Accounts…"), partial(self._ask_for_accounts, name))
        menu.addSeparator()
        menu.addAction(
            tr("New URL, the old one counts 24 hours more…"), partial(self._ask_to_rotate, name, OVERLAP_S)
        )
        menu.addAction(tr("New URL, refuse the old one at once…"), partial(self._ask_to_rotate, name, 0))
        menu.addSeparator()
        menu.addAction(tr("Revoke…"), partial(self._ask_to_revoke, name))
        return menu

    def _open_menu(self, name: str) -> None:
        row, menu = self.rows[name], self.menu(name)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(row.more.mapToGlobal(row.more.rect().bottomLeft()))

    def _ask_for_new(self) -> None:
        dialog = WebhookDialog(
            tr("Add webhook"), tr("Add"), name="", accounts=list(self._bridge.accounts), parent=self.window()
        )
        self._form(
            dialog, lambda: self._bridge.doors.webhooks.add(dialog.name.text().strip(), dialog.accounts())
        )

    def _ask_for_name(self, name: str) -> None:
        dialog = WebhookDialog(tr("Rename webhook"), tr("Rename"), name=name, parent=self.window())
        self._form(dialog, lambda: self._bridge.doors.webhooks.rename(name, dialog.name.text().strip()))

    def _ask_for_accounts(self, name: str) -> None:
        if (token := self._token(name)) is None:
            return
        dialog = WebhookDialog(
            tr("Accounts of {name}").format(name=visible(name, 40)),
            tr("Save"),
            accounts=list(self._bridge.accounts),
            chosen=token.accounts,
            parent=self.window(),
        )
        self._form(dialog, lambda: self._bridge.doors.webhooks.allow(name, dialog.accounts()))

    def _ask_to_rotate(self, name: str, overlap_s: int) -> None:
        if (token := self._token(name)) is not None:
            dialog = asking.rotate(token, self.window(), at_once=not overlap_s)
            self._confirm(dialog, lambda: self._bridge.doors.webhooks.rotate(name, overlap_s))

    def _ask_to_revoke(self, name: str) -> None:
        if (token := self._token(name)) is not None:
            self._confirm(
                asking.revoke(token, self.window()), lambda: self._bridge.doors.webhooks.revoke(name)
            )

    def _ask_for_preset(self) -> None:
        through = bool(self._bridge.doors.way_in().url)
        dialog = asking.only_tradingview(self.window(), through_tunnel=through)
        self._confirm(dialog, lambda: self._only_tradingview(through))

    async def _only_tradingview(self, through_tunnel: bool) -> str | Refusal:
        settings = documents.with_value(
            self._bridge.doors.settings(), "webhook.ip_allowlist", ["tradingview"]
        )
        if through_tunnel and "127.0.0.1" not in settings.webhook.trusted_proxies:
            proxies = [*settings.webhook.trusted_proxies, "127.0.0.1"]
            settings = documents.with_value(settings, "webhook.trusted_proxies", proxies)
        wish = SaveSettings(document=documents.dump(settings), note=later("alerts from TradingView only"))
        reply = await self._bridge.doors.ask(wish)
        return reply.text if isinstance(reply, Answer) else reply

    # -- asking

    def _form(self, dialog: WebhookDialog, act: Callable[[], Awaitable[str]]) -> None:
        def done(reply: str | Refusal) -> None:
            if isinstance(reply, Refusal):
                dialog.fail(visible(translated(reply.message), 240))
            else:
                dialog.accept()
                self._say(reply)

        dialog.wanted.connect(lambda: self._bridge.run(act(), done))
        self._open(dialog)

    def _confirm(self, dialog: ConfirmDialog, act: Callable[[], Awaitable[str | Refusal]]) -> None:
        def done(reply: str | Refusal) -> None:
            if isinstance(reply, Refusal):
                dialog.fail(visible(translated(reply.message), 240))
            else:
                dialog.accept()
                self._say(reply)

        def confirmed() -> None:
            dialog.busy()
            self._bridge.run(act(), done)

        dialog.confirmed.connect(confirmed)
        self._open(dialog)

    def _open(self, dialog: QDialog) -> None:
        self.dialog = dialog
        dialog.finished.connect(dialog.deleteLater)
        dialog.finished.connect(self._answered)
        dialog.open()

    def _answered(self) -> None:
        self.dialog = None

    def _say(self, text: str) -> None:
        self.said.show_text(text)
        self.said.show()


class WebhookRow(QFrame):
    """One webhook: its name, its URL, and what it is used for."""

    def __init__(self, name: str) -> None:
        """Take the name; the rest comes by `show_token`."""
        super().__init__()
        shown = visible(name, 40)
        self.setAccessibleName(tr("Webhook {shown}").format(shown=shown))
        self.used = Label("", "small", "text3")
        self.accounts = ElidedLabel("", "small", "text2")
        self.url = ElidedLabel("", "small", "text2")
        self.url.setFont(mono("small"))
        self.eye = button(role="icon", icon="eye", tip=tr("Show the URL of {shown}").format(shown=shown))
        self.copy = button(
            tr("Copy URL"), icon="copy", small=True, tip=tr("Copy the URL of {shown}").format(shown=shown)
        )
        self.more = button(role="icon", icon="more", tip=tr("More about {shown}").format(shown=shown))
        grid = QGridLayout(self)
        grid.setContentsMargins(px(12), px(8), px(8), px(8))
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(3))
        top = QHBoxLayout()
        top.setSpacing(px(10))
        top.addWidget(Label(shown, "body", "text", weight=600))
        top.addWidget(self.accounts)
        top.addStretch(1)
        top.addWidget(self.used)
        grid.addLayout(top, 0, 0)
        grid.addWidget(self.url, 1, 0)
        tools = QHBoxLayout()
        tools.setSpacing(px(4))
        for each in (self.eye, self.copy, self.more):
            tools.addWidget(each)
        grid.addLayout(tools, 0, 1, 2, 1, Qt.AlignmentFlag.AlignVCenter)
        grid.setColumnStretch(0, 1)

    def show_token(self, token: WebhookToken, url: str, now: datetime, *, open: bool) -> None:
        """Show a webhook as it is now; `open` shows its secret, too."""
        place, _, _ = url.rpartition("/")
        self.url.show_text(url if open else f"{place}/{MASK}")
        names = ", ".join(visible(name, 32) for name in token.accounts)
        self.accounts.show_text(tr("{names} only").format(names=names) if names else tr("every account"))
        used = (
            tr("never used")
            if token.last_used_at is None
            else tr("used {span}").format(span=ago(now - token.last_used_at))
        )
        if token.previous_until is not None and token.previous_until > now:
            used = tr("old URL until {time} · {used}").format(
                time=local_moment(token.previous_until), used=used
            )
        self.used.show_text(used)
