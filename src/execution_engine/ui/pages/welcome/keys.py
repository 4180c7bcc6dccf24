"""The second step: keys of an exchange, asked about while they are typed, kept when the user says so."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.domain.account_commands import NEEDS_PASSPHRASE
from execution_engine.domain.errors import Refusal
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import CheckResult
from execution_engine.domain.routing import PAPER
from execution_engine.domain.rows import Mode
from execution_engine.domain.safety import VaultShown
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.icons import Mark
from execution_engine.ui.pages.welcome.step import LONGEST, Step
from execution_engine.ui.panels.accounts import AccountsPanel
from execution_engine.ui.panels.accounts_asking import KEY_FIELDS, AccountDialog, field_of
from execution_engine.ui.panels.vault import VaultPanel
from execution_engine.ui.theme import Token, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import BusyArc, Label, Panel
from execution_engine.ui.widgets.dialogs import WIDTH

PAUSE_MS = 700  # after the last key, before the exchange is asked: every question counts against its limits
API_KEY, CHECKS = "api_key", "checks"
UNTESTED = tr("They can be kept all the same: the account stays disabled until they were checked.")
WITHDRAWS = tr("This key may withdraw. Make one without that right; it will not be saved.")

Asked = tuple[str, Market, Mode, tuple[tuple[str, str], ...]]


class KeysStep(Step):
    """Let an account of an exchange be added."""

    name: ClassVar = tr("Keys")
    about: ClassVar = tr("checked while you type")
    question: ClassVar = tr("Which account may the engine use?")
    sentence: ClassVar = tr(
        "Make a key on the exchange's site that may read and trade, not withdraw, bound "
        "to this computer's address if "
        "it has a fixed one. It is checked while you type and kept, encrypted, once you add it."
    )

    def __init__(self, bridge: Bridge) -> None:
        """Find out how the vault is when it is shown."""
        super().__init__(bridge)
        self.form: AccountForm | None = None
        self.accounts = RealAccounts(bridge)
        self.vault = LockedVault(bridge)
        self.vault.hide()
        self.vault.known.connect(self._vault_known)
        self._frame = Panel()
        self._frame.setMaximumWidth(px(WIDTH))
        self._frame.hide()
        beside = QHBoxLayout()
        beside.addWidget(self._frame, 100)
        beside.addStretch(1)
        self.add(self.vault)
        self.add(self.accounts)
        self.add(self.said)
        self.add(beside)
        self.accounts.another.connect(self._ask_again)
        self.bridge.changed.connect(self._changed)
        self._show_accounts()

    def shown(self) -> None:
        """Ask how the vault is now."""
        self.bridge.run(self.bridge.doors.vault.shown(), self._vault_answered)

    def begin(self) -> None:
        if self.form is not None:
            self.form.exchange.setFocus()

    def _vault_answered(self, vault: VaultShown | Refusal) -> None:
        if isinstance(vault, Refusal):
            self.say(vault.message)
        else:
            self._vault_known(vault)

    def _vault_known(self, vault: VaultShown) -> None:
        """Show the vault where something else than a form has to open it; else ask for keys."""
        by_itself = vault.exists and not vault.is_open and not vault.password
        self.vault.setVisible(by_itself)
        if self.form is not None and needs(self.form.vault) == needs(vault):
            return
        if self.form is None and self.accounts.rows:
            return  # there is one already; its panel offers another
        if by_itself:
            self._take_away()
        else:
            self._ask(vault)

    def _ask_again(self) -> None:
        if self.form is None:
            self.bridge.run(self.bridge.doors.vault.shown(), self._ask)

    def _ask(self, vault: VaultShown | Refusal) -> None:
        if isinstance(vault, Refusal):
            self.say(vault.message)
            return
        self._take_away()
        self.form = form = AccountForm(self.bridge, vault, list(self.bridge.accounts), self)
        form.wanted.connect(self._keep)
        self._frame.add(form)
        self._frame.show()
        form.show()
        if self.isVisible():
            self.begin()

    def _take_away(self) -> None:
        self._frame.hide()
        if self.form is not None:
            self.form.hide()
            self.form.deleteLater()
            self.form = None

    def _keep(self) -> None:
        """Keep the keys that were typed; only now."""
        if (form := self.form) is None:
            return
        form.busy(tr("The keys are kept and the exchange is asked about them…"))
        self.set_busy(True)
        self.bridge.run(self._added(form), self._kept)

    async def _added(self, form: AccountForm) -> list[str]:
        exchange, market, mode = form.place()
        name, keys, password = form.name.text().strip(), form.keys(), form.master_password()
        if password is not None:
            await self.bridge.doors.vault.ready(password)
        return await self.bridge.doors.accounts.add(name, exchange, market, mode, keys)

    def _kept(self, told: list[str] | Refusal) -> None:
        self.set_busy(False)
        if isinstance(told, Refusal):
            if self.form is not None:
                self.form.fail(visible(translated(told.message), LONGEST), field_of(told.message))
            return
        self._take_away()
        self._show_accounts()
        self.accounts.say(" ".join(told))
        self.changed.emit()

    def _changed(self, batch: Batch) -> None:
        if batch.whole or batch.accounts:
            self._show_accounts()

    def _show_accounts(self) -> None:
        self.accounts.setVisible(bool(self.accounts.rows))


def needs(vault: VaultShown) -> tuple[bool, bool]:
    """Return which passwords a form has to ask for: the present one, a new one."""
    return vault.exists and not vault.is_open, not vault.exists and not vault.system_keyring


class RealAccounts(AccountsPanel):
    """The accounts that have keys. another: one more is to be added."""

    another = Signal()

    def _show(self) -> None:
        real = [name for name, account in self._bridge.accounts.items() if account.mode is not Mode.PAPER]
        self._list.lay_out(real)
        self.refresh()

    def _ask_for_new(self) -> None:
        self.another.emit()


class LockedVault(VaultPanel):
    """The panel of the vault, which tells how it is. known: it was looked at."""

    known = Signal(object)

    def _show(self, vault: VaultShown) -> None:
        super()._show(vault)
        self.known.emit(vault)


class AccountForm(AccountDialog):
    """The form that adds accounts, as a part of a page; the exchange is asked while keys are typed."""

    def __init__(self, bridge: Bridge, vault: VaultShown, taken: list[str], parent: QWidget) -> None:
        """Propose a name that is free."""
        self._timer = QTimer()
        self._asked: Asked | None = None
        self._found: CheckResult | None = None
        self._is_complete = False
        self.checks = Checks()
        super().__init__(bridge, vault, taken, parent)
        self.become_page()
        self._timer.setParent(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._try)
        self.exchange.removeItem(self.exchange.findData(PAPER))
        self.add(CHECKS, tr("Check"), self.checks)
        self.name.setText(free_name(taken))
        self.check()

    def showEvent(self, event: QShowEvent) -> None:
        """Leave the cursor where it is."""

    def reject(self) -> None:
        """Stay: a part of a page is not closed with Esc."""

    def check(self) -> None:
        """Have the exchange asked once everything is there; the button waits for what it says."""
        super().check()
        self._is_complete = self.confirm.isEnabled()
        wanted = self._wanted()
        if wanted != self._asked:
            self._asked, self._found = wanted, None
            self._timer.stop()
            self.hint(API_KEY, "")
            self.checks.show_result(None, asking=wanted is not None)
            if wanted is not None:
                self._timer.start()
        if CHECKS in self.fields:
            self.show_field(CHECKS, self.place()[2] is not Mode.PAPER)
        self._allow()

    def _wanted(self) -> Asked | None:
        exchange, market, mode = self.place()
        keys = self.keys()
        needed = [key for key in KEY_FIELDS if key != "passphrase" or exchange in NEEDS_PASSPHRASE]
        if mode is Mode.PAPER or not all(keys.get(key, "").strip() for key in needed):
            return None
        return exchange, market, mode, tuple(keys.items())

    def _try(self) -> None:
        if (asked := self._asked) is None or self.is_busy:
            return
        exchange, market, mode, keys = asked
        work = self._bridge.doors.accounts.try_keys(exchange, market, mode, dict(keys))
        self._bridge.run(work, partial(self._tried, asked))

    def _tried(self, asked: Asked, found: CheckResult | Refusal) -> None:
        if asked != self._asked:
            return  # something else was typed meanwhile
        if isinstance(found, Refusal):
            self.checks.show_result(None)
            self.hint(
                field_of(found.message) or API_KEY, visible(translated(found.message), LONGEST), "danger"
            )
            return
        self._found = found
        self.checks.show_result(found)
        said, token = told_of(found)
        if said:
            self.hint(field_of(said) or API_KEY, visible(translated(said), LONGEST), token)
        self._allow()

    def _allow(self) -> None:
        """Let keys be kept that fit, or that nobody could say anything about."""
        if self.place()[2] is Mode.PAPER or self.is_busy:
            return
        found = self._found
        fit = found is not None and (not found.faults or not found.reached)
        self.confirm.setEnabled(self._is_complete and fit)


def told_of(found: CheckResult) -> tuple[str, Token]:
    """Return what is said beside the keys, and in which colour; nothing where they fit."""
    if not found.reached:
        return f"{' '.join(found.faults)} {UNTESTED}", "warn"
    faults = found.problems or found.faults  # what the exchange says itself makes the rest plain
    if found.can_withdraw is True:
        faults = (WITHDRAWS, *(each for each in faults if "withdraw" not in each))
    return " ".join(faults), "danger"


def free_name(taken: list[str]) -> str:
    """Return a name for an account that no other has."""
    used = {name.casefold() for name in taken}
    return next(
        name for name in ("main", *(f"main-{n}" for n in range(2, len(taken) + 3))) if name not in used
    )


class Checks(QWidget):
    """What an exchange said of keys, point by point."""

    POINTS = (tr("Can read balances"), tr("Can trade"), tr("Cannot withdraw"), tr("Account mode fits"))

    def __init__(self) -> None:
        """Say that nothing is known yet."""
        super().__init__()
        self._arc = BusyArc(12, "accent")
        self._arc.hide()
        self._words = Label("", "small", "text2")
        self._points: list[tuple[Mark, Label]] = []
        row = QHBoxLayout()
        row.setSpacing(px(8))
        row.addWidget(self._arc)
        row.addWidget(self._words)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, px(6), 0, 0)
        column.setSpacing(px(5))
        column.addLayout(row)
        grid = QGridLayout()
        grid.setSpacing(px(5))
        grid.setColumnMinimumWidth(2, px(6))
        grid.setColumnStretch(5, 1)
        for place, text in enumerate(self.POINTS):
            mark, label = Mark(icon="tick", token="text3", size=px(14)), Label(text, "small", "text3")
            line, at = divmod(place, 2)
            grid.addWidget(mark, line, 3 * at)
            grid.addWidget(label, line, 3 * at + 1)
            self._points.append((mark, label))
        column.addLayout(grid)
        self.show_result(None)

    def show_result(self, found: CheckResult | None, *, asking: bool = False) -> None:
        """Show what was found; None: nothing yet."""
        reached = found is not None and found.reached
        self._arc.setVisible(asking)
        words = (
            "" if reached else tr("The exchange is asked…") if asking else tr("Once the keys are complete.")
        )
        if found is not None and not reached:
            words = tr("The exchange could not be asked.")
        self._words.show_text(words)
        self._words.setVisible(bool(words))
        for text, (mark, label), answer in zip(self.POINTS, self._points, _answers(found), strict=True):
            word, icon, token = SAID[answer] if reached else UNKNOWN
            mark.show_icon(icon, token)
            label.show_text(text, token if answer is not True else "text")
            label.setToolTip(f"{text}: {word}")
            label.setAccessibleName(f"{text}: {word}")

    def text(self) -> str:
        """Return what it says, in words."""
        said = [self._words.text()] if self._words.text() else []
        return ", ".join([*said, *(label.accessibleName() for _, label in self._points)])


SAID: dict[bool | None, tuple[str, str, Token]] = {
    True: (tr("yes"), "tick", "profit"),
    False: (tr("no"), "close", "danger"),
    None: (tr("the exchange does not tell"), "question", "warn"),
}
UNKNOWN: tuple[str, str, Token] = (tr("not known yet"), "minus", "text3")


def _answers(found: CheckResult | None) -> tuple[bool | None, ...]:
    if found is None:
        return (None,) * len(Checks.POINTS)
    kept = None if found.can_withdraw is None else not found.can_withdraw
    return found.can_read, found.can_trade, kept, found.mode_fits
