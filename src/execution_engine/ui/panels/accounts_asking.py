"""The questions about accounts: a new one, other keys, and before one trades or is removed."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtWidgets import QComboBox, QWidget

from execution_engine.domain.account_commands import EXCHANGES, NEEDS_PASSPHRASE, TEST_MODES, fault_of_name
from execution_engine.domain.instrument import Market
from execution_engine.domain.routing import PAPER
from execution_engine.domain.rows import Account, Mode
from execution_engine.domain.safety import VaultShown
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import exchange_name, visible
from execution_engine.ui.panels.form import FormDialog
from execution_engine.ui.panels.passwords import AGAIN, BAR, NewPassword
from execution_engine.ui.panels.passwords import KEY as NEW
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ConfirmDialog, SegmentedChoice, fit_height, follows

KEY_FIELDS = {"api_key": tr("API key"), "api_secret": tr("API secret"), "passphrase": tr("Passphrase")}
MODE_WORDS = {
    Mode.LIVE: tr("Live: real money"),
    Mode.DEMO: tr("Demo: the exchange's practice account"),
    Mode.TESTNET: tr("Testnet: the exchange's test system"),
    Mode.PAPER: tr("Paper: practice inside this program, no keys"),
}
SHOWN = 12  # characters of a choice that a field asks room for
MARKETS = ((Market.SPOT.value, tr("Spot")), (Market.SWAP.value, tr("USDT perpetual")))
PASSWORD = "password"


def field_of(sentence: str) -> str:
    """Return the field that a refusal is about; empty where it is about none."""
    lowered = sentence.casefold()
    if "master password" in lowered:
        return PASSWORD
    for word, key in (("passphrase", "passphrase"), ("api secret", "api_secret"), ("api key", "api_key")):
        if f"the {word}" in lowered or f"a {word}" in lowered:
            return key
    return "name" if "account's name" in lowered or "there is an account" in lowered else ""


class KeysForm(FormDialog):
    """Ask for keys, and for what the vault needs to keep them."""

    def __init__(
        self, title: str, verb: str, explanation: str, bridge: Bridge, vault: VaultShown, parent: QWidget
    ) -> None:
        """Take the words and how the vault is now; who derives from this adds its own fields before `ask_keys`."""
        super().__init__(title, verb, explanation=explanation, parent=parent)
        self._bridge, self.vault = bridge, vault
        self.new_password: NewPassword | None = None

    def ask_keys(self) -> None:
        """Add the fields of the keys, and of the password that is needed now."""
        for key, caption in KEY_FIELDS.items():
            field = self.add_text(key, caption, secret=key != "api_key")
            field.textChanged.connect(self._tell_blanks)
        if self.vault.exists and not self.vault.is_open and self.vault.password:
            self.add_text(PASSWORD, tr("Master password"), secret=True).textChanged.connect(self.check)
            self.hint(PASSWORD, tr("The vault is locked; this opens it."))
        elif not self.vault.exists and not self.vault.system_keyring:
            self.add_note(tr("This computer has no keyring. A master password keeps your keys; lost, they have to be "
                          "entered again, nothing else is lost."))  # fmt: skip
            self.new_password = NewPassword(self, self._bridge, self._bridge.doors.vault.strength)
            self.new_password.changed.connect(self.check)

    def keys(self) -> dict[str, str]:
        """Return what was entered; nothing where no keys are asked for."""
        return {key: text for key in KEY_FIELDS if (text := self.text(key))}

    def master_password(self) -> str | None:
        """Return the password for the vault; None where none is needed."""
        if self.new_password is not None:
            return self.text(NEW) or None
        return self.text(PASSWORD) or None

    def has_keys(self) -> bool:
        """Return whether everything that is asked for was entered."""
        entered = all(self.text(key).strip() for key in (*KEY_FIELDS, PASSWORD) if self.asks(key))
        new = self.new_password
        return entered and (new is None or not self.asks(NEW) or new.is_fit)

    def show_keys(self, shown: bool, exchange: str) -> None:
        """Ask for keys, with a passphrase where the exchange has one; or for none, on paper."""
        for key in self.fields:
            if key in (*KEY_FIELDS, PASSWORD, NEW, BAR, AGAIN):
                self.show_field(key, shown and (key != "passphrase" or exchange in NEEDS_PASSPHRASE))

    def check(self) -> None:
        """Let the button be pressed once everything is there."""
        self.confirm.setEnabled(self.has_keys())

    def _tell_blanks(self) -> None:
        for key, caption in KEY_FIELDS.items():
            text = self.text(key)
            blank = any(char.isspace() or not char.isprintable() for char in text)
            if key == "passphrase":
                blank = text != text.strip()
            what = tr("passphrase") if key == "passphrase" else caption
            words = tr("Spaces and line breaks around or in the {what} are taken out.").format(what=what)
            self.hint(key, words if blank and "-----BEGIN" not in text else "", "warn" if blank else "text3")
        self.check()


class AccountDialog(KeysForm):
    """Ask for a new account."""

    def __init__(self, bridge: Bridge, vault: VaultShown, taken: Collection[str], parent: QWidget) -> None:
        """Take the names there are."""
        explanation = tr(
            "Make keys that may read and trade, not withdraw, bound to this computer's "
            "address if it has a fixed one. "
            "The account trades once you enable it."
        )
        super().__init__(tr("Add account"), tr("Add and check"), explanation, bridge, vault, parent)
        self._taken = taken
        self.name = self.add_text("name", tr("Name"))
        self.name.setMaxLength(32)
        self.name.setPlaceholderText("main")
        self.exchange, self.mode = QComboBox(), QComboBox()
        for combo in (self.exchange, self.mode):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(SHOWN)
        for exchange in (*EXCHANGES, PAPER):
            self.exchange.addItem(exchange_name(exchange), exchange)
        self.add("exchange", tr("Exchange"), self.exchange)
        self.market = SegmentedChoice(MARKETS, name=tr("Market"), small=False)
        self.add("market", tr("Market"), self.market)
        self.add("mode", tr("Mode"), self.mode)
        self.ask_keys()
        self.name.textChanged.connect(self._name_typed)
        self.exchange.currentIndexChanged.connect(self._place_chosen)
        self.market.chosen.connect(self._place_chosen)
        self.mode.currentIndexChanged.connect(self._mode_chosen)
        self._place_chosen()

    def place(self) -> tuple[str, Market, Mode]:
        """Return exchange, market and mode."""
        return self.exchange.currentData(), Market(self.market.value()), Mode(self.mode.currentData())

    def _name_typed(self) -> None:
        name = self.name.text().strip()
        fault = fault_of_name(name, self._taken) if name else None
        self.hint("name", translated(fault.message) if fault else "", "danger" if fault else "text3")
        self.check()

    def _place_chosen(self) -> None:
        exchange, market = self.exchange.currentData(), Market(self.market.value())
        tests = TEST_MODES.get((exchange, market), ())
        modes = (Mode.PAPER,) if exchange == PAPER else (Mode.LIVE, *tests, Mode.PAPER)
        before = self.mode.currentData()
        self.mode.blockSignals(True)
        self.mode.clear()
        for mode in modes:
            self.mode.addItem(MODE_WORDS[mode], mode.value)
        self.mode.setCurrentIndex(max(self.mode.findData(before), 0))
        self.mode.blockSignals(False)
        self._mode_chosen()

    def _mode_chosen(self) -> None:
        exchange, _, mode = self.place()
        self.show_keys(mode is not Mode.PAPER, exchange)
        self.check()
        fit_height(self)

    def check(self) -> None:
        """Let the button be pressed once everything is there."""
        name = self.name.text().strip()
        named = bool(name) and fault_of_name(name, self._taken) is None
        self.confirm.setEnabled(named and self.has_keys())


class KeysDialog(KeysForm):
    """Ask for other keys of an account."""

    def __init__(self, account: Account, bridge: Bridge, vault: VaultShown, parent: QWidget) -> None:
        """Take the account."""
        explanation = tr("They take the place of those it has, and are checked at once.")
        super().__init__(
            tr("Keys of {account}").format(account=account.name),
            tr("Save and check"),
            explanation,
            bridge,
            vault,
            parent,
        )
        self.ask_keys()
        self.show_keys(True, account.exchange)
        self.check()


def enable(account: Account, parent: QWidget, *, unverified: bool) -> ConfirmDialog:
    """Return the question before an account trades."""
    name = visible(account.name, 40)
    consequences = [follows(tr("From now on"), tr("its alerts become orders; what it holds is read first"))]
    if account.market is Market.SWAP:
        consequences.append(
            follows(tr("Perpetuals"), tr("leverage and margin mode are set as its settings say"))
        )
    if unverified:
        consequences.append(
            follows(
                tr("Withdrawals"),
                tr("{exchange} does not tell whether these keys can take money out").format(
                    exchange=exchange_name(account.exchange)
                ),
            )
        )
    note = (
        tr("Look at the keys on the exchange's site first: if they may withdraw, make others.")
        if unverified
        else ""
    )
    return ConfirmDialog(
        tr("Enable account"),
        tr("Let {name} trade?").format(name=name),
        tr("It cannot withdraw: enable") if unverified else tr("Enable"),
        consequences=consequences,
        danger=unverified or account.mode is Mode.LIVE,
        mode=account.mode.value,
        note=note,
        type_this=account.name if unverified else "",
        parent=parent,
    )


def remove(account: Account, parent: QWidget) -> ConfirmDialog:
    """Return the question before an account is removed."""
    return ConfirmDialog(
        tr("Remove account"),
        tr("Remove {account} and forget its keys?").format(account=visible(account.name, 40)),
        tr("Remove"),
        consequences=[
            follows(
                tr("Its keys"),
                tr("are deleted from the vault; on the exchange they stay until you delete them there"),
            ),
            follows(tr("Its history"), tr("stays, under its name")),
        ],
        mode=account.mode.value,
        parent=parent,
    )
