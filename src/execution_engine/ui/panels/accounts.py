"""The panel of accounts: where each trades, how it stands, what its keys may do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QMenu

from execution_engine.domain.errors import Refusal
from execution_engine.domain.instrument import Market
from execution_engine.domain.routing import PAPER
from execution_engine.domain.rows import Account, AccountStatus, Mode
from execution_engine.domain.safety import VaultShown
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import ago, exchange_name, visible
from execution_engine.ui.icons import StateLook
from execution_engine.ui.panels import accounts_asking as asking
from execution_engine.ui.panels.accounts_asking import AccountDialog, KeysDialog, KeysForm
from execution_engine.ui.panels.asks import AskingPanel
from execution_engine.ui.panels.rows import NamedRows
from execution_engine.ui.theme import Token, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Label, ModeBadge, StateChip, button

REFRESH_MS = 1000
SOON_DAYS = 14  # before keys end, it is said in another colour
STATUS: dict[AccountStatus, StateLook] = {
    AccountStatus.READY: StateLook(tr("Ready"), "disc", "profit"),
    AccountStatus.DISABLED: StateLook(tr("Disabled"), "struck_ring", "neutral"),
    AccountStatus.RECONCILING: StateLook(tr("Reading"), "dashed_ring", "accent"),
    AccountStatus.HOLD: StateLook(tr("On hold"), "two_bars", "warn"),
    AccountStatus.ERROR: StateLook(tr("Error"), "cross", "danger"),
}


class AccountsPanel(AskingPanel):
    """List the accounts, add, check, enable, disable and remove them."""

    def __init__(self, bridge: Bridge) -> None:
        """Show those that there are."""
        super().__init__(tr("Accounts"), tr("keys are kept encrypted, and checked daily"), bridge)
        self.add_button = button(tr("Add account…"), icon="plus", small=True)
        self.add_right(self.add_button)
        self._list = NamedRows(self._row)
        self.rows = self._list.rows
        self.add(self._list)
        self.add(self.said)
        self.add_button.clicked.connect(self._ask_for_new)
        bridge.changed.connect(self._changed)
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the time while somebody looks."""
        self.refresh()
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody does."""
        self._timer.stop()
        super().hideEvent(event)

    def _changed(self, batch: Batch) -> None:
        if batch.whole or batch.accounts:
            self._show()

    def refresh(self) -> None:
        """Show every account as it is now."""
        now = self._bridge.doors.now()
        for name, row in self.rows.items():
            if (account := self._bridge.accounts.get(name)) is not None:
                row.show_account(account, now)

    def _show(self) -> None:
        self._list.lay_out(list(self._bridge.accounts))
        self.refresh()

    def _row(self, name: str) -> AccountRow:
        row = AccountRow(name)
        row.toggle.clicked.connect(partial(self._toggle, name))
        row.more.clicked.connect(partial(self._open_menu, name))
        return row

    # -- what the user wants

    def menu(self, name: str) -> QMenu:
        """Return what can be done with an account."""
        account, menu = self._bridge.accounts[name], QMenu(self)
        check = menu.addAction(tr("Check keys now"), partial(self._check, name))
        keys = menu.addAction(
            tr("Enter other keys…"), partial(self._with_vault, partial(self._ask_for_keys, name))
        )
        menu.addSeparator()
        default = menu.addAction(tr("Make it the default"), partial(self._make_default, name))
        menu.addSeparator()
        menu.addAction(tr("Remove…"), partial(self._ask_to_remove, name))
        for each in (check, keys):
            each.setEnabled(account.mode is not Mode.PAPER)
        default.setEnabled(not account.is_default)
        return menu

    def _open_menu(self, name: str) -> None:
        row, menu = self.rows[name], self.menu(name)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(row.more.mapToGlobal(row.more.rect().bottomLeft()))

    def _toggle(self, name: str) -> None:
        account, accounts = self._bridge.accounts[name], self._bridge.doors.accounts
        if account.enabled:
            self.do(accounts.disable(name))
        elif account.mode is Mode.PAPER:
            self.do(accounts.enable(name))
        else:
            unverified = accounts.needs_confirmation(name)
            dialog = asking.enable(account, self.window(), unverified=unverified)
            self.confirm(dialog, lambda: accounts.enable(name, confirmed=unverified))

    def _check(self, name: str) -> None:
        self.say(
            tr("{exchange} is asked about the keys of {name}…").format(
                exchange=exchange_name(self._bridge.accounts[name].exchange), name=name
            )
        )
        self.do(self._bridge.doors.accounts.check(name))

    def _make_default(self, name: str) -> None:
        self.do(self._bridge.doors.accounts.make_default(name))

    def _ask_to_remove(self, name: str) -> None:
        dialog = asking.remove(self._bridge.accounts[name], self.window())
        self.confirm(dialog, lambda: self._bridge.doors.accounts.remove(name))

    def _ask_for_new(self) -> None:
        self._with_vault(self._new)

    def _with_vault(self, ask: Callable[[VaultShown], None]) -> None:
        """Find out how the vault is, then ask."""

        def known(vault: VaultShown | Refusal) -> None:
            if isinstance(vault, Refusal):
                self.say(vault.message, "danger")
            else:
                ask(vault)

        self._bridge.run(self._bridge.doors.vault.shown(), known)

    def _new(self, vault: VaultShown) -> None:
        dialog = AccountDialog(self._bridge, vault, list(self._bridge.accounts), self.window())

        async def act() -> list[str]:
            exchange, market, mode = dialog.place()
            await self._opened(dialog)
            name = dialog.name.text().strip()
            return await self._bridge.doors.accounts.add(name, exchange, market, mode, dialog.keys())

        self.form(
            dialog, act, doing=tr("The keys are kept and the exchange is asked about them…"),
            field_of=asking.field_of,
        )  # fmt: skip

    def _ask_for_keys(self, name: str, vault: VaultShown) -> None:
        dialog = KeysDialog(self._bridge.accounts[name], self._bridge, vault, self.window())

        async def act() -> list[str]:
            await self._opened(dialog)
            return await self._bridge.doors.accounts.enter_keys(name, dialog.keys())

        doing = tr("The keys are kept and the exchange is asked about them…")
        self.form(dialog, act, doing=doing, field_of=asking.field_of)

    async def _opened(self, dialog: KeysForm) -> None:
        if (password := dialog.master_password()) is not None:
            await self._bridge.doors.vault.ready(password)


class AccountRow(QFrame):
    """One account: what it is, how it stands, and what is known of its keys."""

    def __init__(self, name: str) -> None:
        """Take the name; the rest comes by `show_account`."""
        super().__init__()
        shown = visible(name, 40)
        self._name = shown
        self.setAccessibleName(tr("Account {shown}").format(shown=shown))
        self.badge, self.chip = ModeBadge(), StateChip()
        self.kind = Label("", "small", "text2")
        self.default = Label(tr("default"), "small", "accent")
        self.reason = Label("", "small", "warn", wrap=True)
        self.keys = Label("", "small", "text2", wrap=True)
        self.toggle = button(tr("Enable"), small=True, tip=tr("Let {shown} trade").format(shown=shown))
        self.more = button(role="icon", icon="more", tip=tr("More about {shown}").format(shown=shown))
        grid = QGridLayout(self)
        grid.setContentsMargins(px(12), px(8), px(8), px(8))
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(3))
        top = QHBoxLayout()
        top.setSpacing(px(10))
        for part in (
            Label(shown, "body", "text", weight=600),
            self.badge,
            self.kind,
            self.default,
            self.chip,
        ):
            top.addWidget(part)
        top.addStretch(1)
        grid.addLayout(top, 0, 0)
        grid.addWidget(self.reason, 1, 0)
        grid.addWidget(self.keys, 2, 0)
        tools = QHBoxLayout()
        tools.setSpacing(px(4))
        tools.addWidget(self.toggle)
        tools.addWidget(self.more)
        grid.addLayout(tools, 0, 1, 3, 1, Qt.AlignmentFlag.AlignVCenter)
        grid.setColumnStretch(0, 1)

    def show_account(self, account: Account, now: datetime) -> None:
        """Show an account as it is now."""
        exchange = (
            tr("every exchange's rules") if account.exchange == PAPER else exchange_name(account.exchange)
        )
        market = tr("spot") if account.market is Market.SPOT else tr("USDT perpetual")
        self.badge.set_mode(account.mode.value)
        self.kind.show_text(f"{exchange} · {market}")
        self.default.setVisible(account.is_default)
        self.chip.show_look(*STATUS[account.status])
        self.reason.show_text(
            visible(translated(account.reason), 240), "danger" if self._is_bad(account) else "text2"
        )
        self.reason.setVisible(bool(account.reason))
        words, token = told_of_keys(account, now)
        self.keys.show_text(visible(words, 400), token)
        verb = tr("Disable") if account.enabled else tr("Enable")
        self.toggle.setText(verb if account.enabled or account.mode is Mode.PAPER else f"{verb}…")
        tip = tr("Open nothing more on {name}") if account.enabled else tr("Let trade: {name}")
        self.toggle.setToolTip(tip.format(name=self._name))
        self.toggle.setAccessibleName(f"{verb} {self._name}")

    @staticmethod
    def _is_bad(account: Account) -> bool:
        return account.status in (AccountStatus.ERROR, AccountStatus.HOLD)


def told_of_keys(account: Account, now: datetime) -> tuple[str, Token]:
    """Say what is known of an account's keys, and in which colour."""
    if account.mode is Mode.PAPER:
        return tr("practice: no keys, no real money"), "text3"
    check = account.check
    if check is None:
        return tr("keys not checked yet"), "warn"
    when = tr("checked {span}").format(span=ago(now - check.at))
    if check.faults:
        faults = " ".join(map(translated, check.faults)).rstrip(".")
        return f"{faults} · {when}", "danger"
    words: list[str] = [tr("keys fit")]
    token: Token = "text2"
    if check.is_unverified:
        words.append(tr("whether they may withdraw the exchange does not tell"))
        token = "warn"
    else:
        words.append(tr("cannot withdraw"))
    if check.ip_bound is not None:
        words.append(tr("bound to addresses") if check.ip_bound else tr("not bound to an address"))
    if check.expires_at is not None:
        left = (check.expires_at - now).days
        words.append(
            tr("end on {expires_at}").format(expires_at=f"{check.expires_at:%Y-%m-%d}")
            if left >= 0
            else tr("have ended")
        )
        token = "warn" if left < SOON_DAYS else token
    return " · ".join([*words, when]), token
