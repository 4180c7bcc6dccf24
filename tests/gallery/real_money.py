"""A desk that trades real money: keys in a vault, backups on a shelf, and all that is asked before they are touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtWidgets import QWidget

from execution_engine.domain.composer_check import BodySecret
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import CheckResult
from execution_engine.domain.rows import Account, AccountStatus, AuditEntry, Choice, FindingKind, Mode, World
from execution_engine.domain.safety import BackupFile, BackupState, Kept, Strength, VaultShown
from execution_engine.domain.updates import Offer, read
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.pages.settings import SettingsPage
from execution_engine.ui.panels.accounts import AccountsPanel
from execution_engine.ui.panels.backups import BackupsPanel
from execution_engine.ui.panels.vault import VaultPanel
from execution_engine.ui.panels.vault_asking import KeyringDialog, OpenDialog, PasswordDialog
from execution_engine.ui.panels.webhook_secrets import WebhookSecretsPanel
from tests.adapters.updates.server import release
from tests.gallery.long_texts import LONG_NAME, LONG_REASON
from tests.house import NOON, D
from tests.ui.house_found import FoundHouse

W = TypeVar("W", bound=QWidget)
Opens = Callable[[MainWindow], object]

NO_VAULT = VaultShown()
OPEN = VaultShown(exists=True, is_open=True, password=True, system_keyring=True, keys=4)
LOCKED = VaultShown(
    exists=True, password=True, system_keyring=True, trouble="No password was given at the start."
)
EITHER = VaultShown(exists=True, is_open=True, password=True, keyring=True, system_keyring=True, keys=4)
IN_KEYRING = VaultShown(exists=True, is_open=True, keyring=True, system_keyring=True, keys=4)
SECRET = BodySecret("mE0v7yq2LxT4bN9cRk1zWd8sPf3aUh6j")
FIT = CheckResult(
    at=NOON, can_read=True, can_trade=True, can_withdraw=False, mode_fits=True, ip_bound=True,
    expires_at=NOON + timedelta(days=6),
)  # fmt: skip
RESTORED = (
    "A backup of 19 Nov 03:00 was restored. Nothing is sent to an exchange until you have seen what differs and let "
    "trading go on."
)
NOTES = """### Added

- Orders that an exchange has forgotten are looked up by their own id.
- A calendar of days on Performance.

### Mended

- A leg that filled while the connection was lost is booked at its own price."""


class Strongbox:
    """A vault that stands as a scene says; for whatever else it is asked, the real one answers."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.stands, self.secret = NO_VAULT, BodySecret()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def shown(self) -> VaultShown:
        return self.stands

    async def window_locked(self, why: str) -> None:
        """Let nobody write it down."""

    def webhook_secret(self, which: str) -> BodySecret:
        return self.secret if which == "body" or self.secret.locked else BodySecret()


FOLDER = Path("/home/trader/.local/share/execution-engine/backups")
SHELF = Kept(
    folder=FOLDER,
    files=tuple(
        BackupFile(
            path=FOLDER / f"engine-2026111{day}-030000.sqlite",
            at=NOON - timedelta(days=9 - day, hours=9),
            size=(440 + day) * 1_000_000,
            kind="by the clock" if day % 3 else "before an update",
            version="1.1.0" if day == 9 else "1.0.0",
            readable=day != 9,
        )
        for day in (9, 8, 7, 6)
    ),
    aside=(BackupFile(path=FOLDER / "engine.damaged.sqlite", at=None, size=12_000, kind="set aside"),),
    size=452_300_000,
    free=812_000_000,
    cautions=("Backups lie on the same disk as the data: a broken disk takes both.",),
)


class Shelf:
    """Backups of four days, and one that is too new for this version."""

    state = BackupState(last=NOON - timedelta(hours=9), next=NOON + timedelta(hours=15))

    async def kept(self) -> Kept:
        return SHELF

    async def audit(self) -> list[AuditEntry]:
        acts = (
            ("window_unlocked", "application", "The window was unlocked with the master password."),
            ("vault_refused", "application", "A wrong master password was given."),
            ("keys_entered", "application", f"Keys of account {LONG_NAME} were entered."),
            ("exit", "command line", "Group 12, BTCUSDT 1h, was closed at market."),
            ("settings_saved", "application", "Settings were saved as version 14: risk.enabled."),
        )
        return [
            AuditEntry(
                id=60 - place,
                at=NOON - timedelta(minutes=37 * place),
                act=act,
                origin=origin,
                detail=detail,
                hash="9f2c41d07be3a865" * 4,
            )
            for place, (act, origin, detail) in enumerate(acts)
        ]


def begin(house: FoundHouse) -> None:
    """Let one position be of real money, on an account whose keys end soon; two more accounts cannot trade."""
    group = house.holding("BTCUSDT", "65000", timeframe="60")
    house.holding("ETHUSDT", "3000", timeframe="240")
    main = Account(
        name="main", exchange="binance", market=Market.SWAP, mode=Mode.LIVE, world=World.LIVE, enabled=True,
        is_default=False, status=AccountStatus.READY, created_at=NOON, checked_at=NOON, check=FIT,
    )  # fmt: skip
    refused = replace(FIT, can_withdraw=True, expires_at=None, problems=(LONG_REASON + ".",))
    demo = replace(
        main, name=LONG_NAME, exchange="bybit", mode=Mode.DEMO, world=World.TEST, enabled=False,
        status=AccountStatus.DISABLED, check=refused,
    )  # fmt: skip
    unasked = replace(demo, name="okx-testnet", exchange="okx", mode=Mode.TESTNET, check=None)
    house.write(main, demo, unasked, replace(group, account="main", world=World.LIVE))
    house.find(
        FindingKind.DEFICIT,
        account="main",
        world=World.LIVE,
        ref="BTC",
        found="The books hold 0.00307 BTC on main, the exchange nothing.",
        done="Nothing is sent for BTCUSDT until this is settled.",
        ours=D("0.00307"),
        theirs=D(0),
        price=D("64987.1"),
        exchange="binance",
        symbol="BTCUSDT",
        choices=(Choice.BOOK, Choice.CLOSE, Choice.CHECK),
        group_ids=(group.id,),
    )
    # Its strategy was out of it already, and says so with the next entry.
    house.alert(
        symbol="BTCUSDT", timeframe="60", market_position="short", prev_market_position="flat", action="sell"
    )
    doors = house.bridge.doors
    house.bridge.doors = replace(doors, vault=Strongbox(doors.vault), data=Shelf())  # type: ignore[arg-type]


# -- what stands on the pages


def _panel(window: MainWindow, tab: str, kind: type[W]) -> W:
    window.go("settings", tab)
    found = window.findChild(kind)
    assert isinstance(found, kind)
    return found


def _stands(window: MainWindow, vault: VaultShown, secret: BodySecret | None = None) -> Strongbox:
    box = window.bridge.doors.vault
    assert isinstance(box, Strongbox)
    box.stands, box.secret = vault, secret or BodySecret()
    return box


def _vault(vault: VaultShown) -> Opens:
    def show(window: MainWindow) -> VaultPanel:
        _stands(window, vault)
        panel = _panel(window, "security", VaultPanel)
        panel._known(vault)
        panel.refresh()
        return panel

    return show


def _secrets(secret: BodySecret, vault: VaultShown = OPEN) -> Opens:
    def show(window: MainWindow) -> None:
        _stands(window, vault, secret)
        panel = _panel(window, "webhook", WebhookSecretsPanel)
        panel.refresh()
        panel.rows["body"].eye.click()

    return show


def _backups(window: MainWindow) -> None:
    panel = _panel(window, "data", BackupsPanel)
    panel._known(SHELF)
    panel.view.setCurrentIndex(panel.rows.index(1, 0))


def _found(window: MainWindow) -> None:
    """Let a backup be restored: what is asked before anything is sent."""
    window.house.write(replace(window.house.book.engine, recovering=RESTORED))  # type: ignore[attr-defined]
    window._refresh()


def _goes_on(window: MainWindow) -> None:
    window.house.write(replace(window.house.book.engine, recovering=""))  # type: ignore[attr-defined]
    window._refresh()


def _trading_again(window: MainWindow) -> None:
    _found(window)
    window._ask_to_trade_again()


def _lock(vault: VaultShown, said: str = "") -> Opens:
    def cover(window: MainWindow) -> None:
        _stands(window, vault)
        window.lock.cover("by you")
        window.lock._known(vault)
        window.lock.error.show_text(said)

    return cover


def _unlock(window: MainWindow) -> None:
    window.lock._uncover()
    window.notices.hide()


# -- what is asked


def _open_vault(said: str) -> Opens:
    def ask(window: MainWindow) -> None:
        panel = _vault(LOCKED)(window)
        assert isinstance(panel, VaultPanel)
        panel.open_button.click()
        assert isinstance(panel.dialog, OpenDialog)
        panel.dialog.password.setText("correct horse")
        panel.dialog.fail(said, "present")

    return ask


def _change_password(score: int) -> Opens:
    def ask(window: MainWindow) -> None:
        panel = _vault(OPEN)(window)
        assert isinstance(panel, VaultPanel)
        panel.password.click()
        assert isinstance(panel.dialog, PasswordDialog)
        new = panel.dialog.new
        new.first.setText("correct horse")
        new.second.setText("correct horse" if score > 1 else "correct house")
        new._timer.stop()
        new._judged("correct horse", STRENGTHS[score])

    return ask


def _use_keyring(window: MainWindow) -> None:
    panel = _vault(OPEN)(window)
    assert isinstance(panel, VaultPanel)
    panel.keyring.click()
    assert isinstance(panel.dialog, KeyringDialog)


def _forget(window: MainWindow) -> None:
    panel = _vault(EITHER)(window)
    assert isinstance(panel, VaultPanel)
    panel.forget.click()


def _new_account(vault: VaultShown) -> Opens:
    def ask(window: MainWindow) -> None:
        _stands(window, vault)
        _panel(window, "exchanges", AccountsPanel)._new(vault)

    return ask


def _other_keys(window: MainWindow) -> None:
    _stands(window, LOCKED)
    _panel(window, "exchanges", AccountsPanel)._ask_for_keys("main", LOCKED)


def _enable(window: MainWindow) -> None:
    _stands(window, OPEN)
    _panel(window, "exchanges", AccountsPanel).rows["okx-testnet"].toggle.click()


def _remove_account(window: MainWindow) -> None:
    _panel(window, "exchanges", AccountsPanel)._ask_to_remove(LONG_NAME)


def _ask_secret(window: MainWindow) -> None:
    _stands(window, LOCKED, SECRET)
    _panel(window, "webhook", WebhookSecretsPanel)._ask_to_set("hmac", LOCKED)


def _remove_secret(window: MainWindow) -> None:
    _stands(window, OPEN, SECRET)
    _panel(window, "webhook", WebhookSecretsPanel)._ask_to_remove("body")


def _restore(window: MainWindow) -> None:
    panel = _panel(window, "data", BackupsPanel)
    panel.ask_to_restore(Path("engine-20261118-030000.sqlite"))


def _bulk(act: str) -> Opens:
    def ask(window: MainWindow) -> None:
        page: Any = window.stage.page("positions")
        getattr(page.acts.bulk, act)(list(window.bridge.groups.values()))

    return ask


def _decide(choice: Choice) -> Opens:
    def ask(window: MainWindow) -> None:
        page: Any = window.stage.page("away")
        finding = next(each for each in window.bridge.findings.values() if choice in each.choices)
        page._choose(finding, choice)

    return ask


def _offer(groups: int = 0, machine: str = "x86_64") -> Offer:
    found: Any = read(release("1.1.0", notes=NOTES))
    return Offer(found, found.download("linux", machine), groups, asks=groups > 0)


def _told_of_version(window: MainWindow) -> None:
    for card in list(window.notices.cards):
        window.notices._remove(card)
    window.notices.show()
    window.offer(_offer(2))


def _settings(window: MainWindow, tab: str) -> SettingsPage:
    window.go("settings", tab)
    page = window.stage.page("settings")
    assert isinstance(page, SettingsPage)
    return page


def _changed(window: MainWindow) -> SettingsPage:
    page = _settings(window, "trading")
    for path, value in CHANGES.items():
        page.sheet.put(path, value)
    page.sheet.refilled.emit()
    return page


def _wrong(window: MainWindow) -> None:
    page = _changed(window)
    row = page.tab("trading").row("capital.total_usd")
    assert row is not None
    line: Any = row.editor.field
    line.setText("-5")
    line.textEdited.emit("-5")


def _review(window: MainWindow) -> None:
    _changed(window).save()


def _discard(window: MainWindow) -> None:
    _settings(window, "trading").sheet.discard()


STRENGTHS = {
    1: Strength(
        score=1, word="weak", lasts="about three hours", advice=("Add two more words.", "Leave out years.")
    ),
    4: Strength(score=4, word="strong", lasts="centuries"),
}
CHANGES: dict[str, Any] = {"capital.total_usd": D(50_000), "risk.enabled": False}

SCENES: tuple[tuple[str, str, Opens, Opens | None], ...] = (
    ("positions-live", "positions", lambda window: None, None),
    ("away-live", "away", lambda window: None, None),
    ("settings-accounts", "settings", lambda window: window.go("settings", "exchanges"), None),
    ("settings-vault-none", "settings", _vault(NO_VAULT), None),
    ("settings-vault-open", "settings", _vault(EITHER), None),
    ("settings-vault-keyring", "settings", _vault(IN_KEYRING), None),
    ("settings-vault-locked", "settings", _vault(LOCKED), None),
    ("settings-secrets-locked", "settings", _secrets(BodySecret(locked=True), LOCKED), None),
    ("settings-secrets-shown", "settings", _secrets(SECRET), None),
    ("settings-backups", "settings", _backups, None),
    ("settings-changed", "settings", _changed, _discard),
    ("settings-wrong", "settings", _wrong, _discard),
    ("dialog-review", "settings", _review, _discard),
    ("dashboard-restored", "dashboard", _found, None),
    ("dialog-trade-again", "dashboard", _trading_again, _goes_on),
    ("dialog-vault-open", "settings", _open_vault("The master password is wrong."), None),
    ("dialog-vault-new-password", "settings", _change_password(1), None),
    ("dialog-vault-strong-password", "settings", _change_password(4), None),
    ("dialog-vault-keyring", "settings", _use_keyring, None),
    ("dialog-vault-forget", "settings", _forget, None),
    ("dialog-account", "settings", _new_account(NO_VAULT), None),
    ("dialog-account-locked", "settings", _new_account(LOCKED), None),
    ("dialog-account-keys", "settings", _other_keys, None),
    ("dialog-account-enable", "settings", _enable, None),
    ("dialog-account-remove", "settings", _remove_account, None),
    ("dialog-secret-set", "settings", _ask_secret, None),
    ("dialog-secret-remove", "settings", _remove_secret, None),
    ("dialog-restore", "settings", _restore, None),
    ("dialog-exit-several", "positions", _bulk("ask_exit"), None),
    ("dialog-cancel-several", "positions", _bulk("ask_cancel"), None),
    ("dialog-book-outside", "away", _decide(Choice.BOOK), None),
    ("dialog-close-rest", "away", _decide(Choice.CLOSE), None),
    ("dialog-send-missed", "away", _decide(Choice.SEND), None),
    ("dashboard-version", "dashboard", _told_of_version, None),
    ("dialog-version", "dashboard", lambda window: window._show_version(_offer()), None),
    ("dialog-version-asks", "dashboard", lambda window: window._show_version(_offer(2)), None),
    ("dialog-version-no-file", "dashboard", lambda window: window._show_version(_offer(0, "riscv64")), None),
    ("lock-password", "dashboard", _lock(OPEN), _unlock),
    ("lock-wrong", "dashboard", _lock(OPEN, "The master password is wrong."), _unlock),
    ("lock-keyring", "dashboard", _lock(IN_KEYRING), _unlock),
    ("lock-none", "dashboard", _lock(NO_VAULT), _unlock),
)
