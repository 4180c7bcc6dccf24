"""Accounts: added, checked, enabled by hand, taken out of use, removed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from execution_engine.domain.audit import Act
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.inputs import (
    AddAccount,
    Answer,
    DefaultAccount,
    DisableAccount,
    EnableAccount,
    KeysChanged,
    KeysChecked,
    RemoveAccount,
    SecurityAct,
)
from execution_engine.domain.instrument import Market
from execution_engine.domain.routing import PAPER, world_of
from execution_engine.domain.rows import Account, AccountRemoved, AccountStatus, Choice, Mode

Reply = Answer | Refusal

# Where each exchange lets itself be tried out without money; live and paper are everywhere.
TEST_MODES: dict[tuple[str, Market], tuple[Mode, ...]] = {
    ("binance", Market.SPOT): (Mode.TESTNET, Mode.DEMO),
    ("binance", Market.SWAP): (Mode.DEMO,),
    ("bybit", Market.SPOT): (Mode.TESTNET, Mode.DEMO),
    ("bybit", Market.SWAP): (Mode.TESTNET, Mode.DEMO),
    ("okx", Market.SPOT): (Mode.DEMO,),
    ("okx", Market.SWAP): (Mode.DEMO,),
    ("kucoin", Market.SPOT): (),
    ("kucoin", Market.SWAP): (),
}
EXCHANGES = tuple(dict.fromkeys(exchange for exchange, _ in TEST_MODES))
NEEDS_PASSPHRASE = frozenset({"okx", "kucoin"})

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def fault_of_name(name: str, taken: Iterable[str]) -> Refusal | None:
    """Return why a new account cannot have this name: it stands in alerts, settings and on the command line."""
    if not _NAME.fullmatch(name):
        return Refusal(
            "NAME",
            "An account's name has up to 32 letters, digits, “-” and “_”, and begins with a letter or a digit.",
        )
    twin = next((other for other in taken if other.casefold() == name.casefold()), None)
    return Refusal("NAME", f"There is an account “{twin}” already.") if twin is not None else None


def fault_of_mode(exchange: str, market: Market, mode: Mode) -> Refusal | None:
    """Return why there is no such account: not every exchange has every way of trying it out."""
    if exchange == PAPER:
        if mode is Mode.PAPER:
            return None
        return Refusal("MODE", "The paper exchange knows no mode but paper.")
    tests = TEST_MODES.get((exchange, market))
    if tests is None:
        known = ", ".join(EXCHANGES)
        return Refusal("EXCHANGE", f"The exchange “{exchange}” is not known; these are: {known}.")
    offered = (Mode.PAPER, *tests, Mode.LIVE)
    if mode in offered:
        return None
    words = ", ".join(offered)
    return Refusal("MODE", f"{exchange} has no {mode} mode for {market} markets; it has these: {words}.")


def add(draft: Draft, wish: AddAccount) -> Reply:
    """Take in a new account. It does nothing until it was checked and enabled."""
    fault = fault_of_name(wish.name, (account.name for account in draft.accounts)) or fault_of_mode(
        wish.exchange, wish.market, wish.mode
    )
    if fault is not None:
        return fault
    account = Account(
        name=wish.name,
        exchange=wish.exchange,
        market=wish.market,
        mode=wish.mode,
        world=world_of(wish.mode),
        enabled=False,
        status=AccountStatus.DISABLED,
        created_at=draft.now,
    )
    draft.put(account)
    _told(draft, Act.ACCOUNT_ADDED, f"Account {wish.name} ({kind_of(account)}) was added; it is disabled.")
    return Answer(status="done", text=f"Account {wish.name} was added. It is disabled until you enable it.")


def kind_of(account: Account) -> str:
    return f"{account.exchange} {account.market} {account.mode}"


def keys_changed(draft: Draft, said: KeysChanged) -> Reply:
    """Note that an account's keys are others now: what was checked before says nothing about them."""
    account = draft.account(said.account)
    if account is None:
        return _unknown(said.account)
    draft.put(replace(account, check=None))
    act, word = (Act.KEYS_ENTERED, "entered") if said.entered else (Act.KEYS_REMOVED, "removed")
    _told(draft, act, f"The keys of account {account.name} were {word}.")
    return Answer(status="done", text=f"The keys of account {account.name} were {word}.")


def checked(draft: Draft, said: KeysChecked) -> Reply:
    """Keep what a check of an account's keys found; an enabled account they are no good for is disabled."""
    account = draft.account(said.account)
    if account is None:
        return _unknown(said.account)
    faults = said.result.faults
    draft.put(replace(account, check=said.result))
    if not faults:
        _told(draft, Act.ACCOUNT_CHECKED, f"The keys of account {account.name} were checked: they are fit.")
        return Answer(status="done", text=f"The keys of account {account.name} are fit.")
    text = f"The keys of account {account.name} were checked: {' '.join(faults)}"
    level = Level.ERROR if account.enabled else Level.WARNING
    _told(draft, Act.ACCOUNT_CHECKED, text, level, notice=account.enabled)
    if account.enabled and said.result.reached:
        _disable(draft, account.name, faults[0])
    return Refusal("KEYS", " ".join(faults))


def enable(draft: Draft, wish: EnableAccount) -> Reply:
    """Let an account trade from now on. On paper there is nothing to be checked."""
    account = draft.account(wish.name)
    if account is None:
        return _unknown(wish.name)
    if account.enabled:
        return Answer(status="done", text=f"Account {account.name} is enabled.")
    if account.mode is not Mode.PAPER and (refusal := _unfit(account, confirmed=wish.confirmed)):
        return refusal
    if (refusal := _fault_of_prices(draft, account)) is not None:
        return refusal
    draft.put(replace(account, enabled=True, status=AccountStatus.RECONCILING, reason="reading the exchange"))
    _told(draft, Act.ACCOUNT_ENABLED, f"Account {account.name} ({kind_of(account)}) was enabled.")
    return Answer(status="done", text=f"Account {account.name} is enabled.")


def _unfit(account: Account, *, confirmed: bool) -> Refusal | None:
    if account.check is None:
        return Refusal(
            "UNCHECKED", f"The keys of account {account.name} were not checked yet; check them first."
        )
    if faults := account.check.faults:
        return Refusal("KEYS", " ".join(faults))
    if account.check.is_unverified and not confirmed:
        return Refusal(
            "UNVERIFIED",
            f"{account.exchange} does not tell whether the keys of account {account.name} can take money out. "
            "Make sure on its site that they cannot, and confirm it.",
        )
    return None


def _fault_of_prices(draft: Draft, account: Account) -> Refusal | None:
    """Return why an account cannot be traded beside the others.

    A market has one price and one set of rules here, and those of a test mode are not those of real money: so the
    markets of a kind on one exchange are traded in one mode at a time.
    """
    for other in draft.accounts:
        alike = (other.exchange, other.market) == (account.exchange, account.market)
        if alike and other.mode not in (Mode.PAPER, account.mode) and _is_looked_after(draft, other):
            return Refusal(
                "MODE",
                f"Account {other.name} ({kind_of(other)}) is in use, and prices of {other.mode} and {account.mode} "
                f"are not mixed: disable {other.name} and close what it holds before you enable {account.name}.",
            )
    return None


def _is_looked_after(draft: Draft, account: Account) -> bool:
    if account.enabled or account.status is not AccountStatus.DISABLED or draft.working_orders(account.name):
        return True
    return any(group.account == account.name for group in draft.groups())


def disable(draft: Draft, wish: DisableAccount) -> Reply:
    """Begin nothing new on an account; what it holds is looked after to its end."""
    account = draft.account(wish.name)
    if account is None:
        return _unknown(wish.name)
    if account.enabled:
        _disable(draft, account.name, "disabled by you")
    return Answer(
        status="done",
        text=f"Account {account.name} is disabled: it opens nothing; what it holds is looked after.",
    )


def _disable(draft: Draft, name: str, why: str) -> None:
    account = draft.account(name)
    assert account is not None
    # While it is being read or on hold, that goes on: it may hold something.
    status = AccountStatus.DISABLED if account.status is AccountStatus.READY else account.status
    draft.put(replace(account, enabled=False, status=status, reason=why))
    _told(draft, Act.ACCOUNT_DISABLED, f"Account {name} was disabled: {why}", Level.WARNING)


def remove(draft: Draft, wish: RemoveAccount) -> Reply:
    """Take an account out of the books; its history stays."""
    refusal = fault_of_removal(draft, wish.name)
    if refusal is not None:
        return refusal
    for finding in draft.open_findings():
        if finding.account == wish.name:
            draft.put(replace(finding, choice=Choice.DISMISS, settled_at=draft.now))
    draft.put(AccountRemoved(name=wish.name))
    _told(draft, Act.ACCOUNT_REMOVED, f"Account {wish.name} was removed.", Level.WARNING)
    return Answer(status="done", text=f"Account {wish.name} was removed.")


def fault_of_removal(draft: Draft, name: str) -> Refusal | None:
    """Return why an account cannot be removed now."""
    account = draft.account(name)
    if account is None:
        return _unknown(name)
    held = sum(group.account == name for group in draft.groups())
    if held:
        return Refusal("OPEN", f"Account {name} has {held} open groups; close them first.")
    if any(row.account == name for row in draft.waiting(account.world)):
        return Refusal("OPEN", f"Signals for account {name} wait in the queue; remove them first.")
    if draft.working_orders(name):
        return Refusal("OPEN", f"Account {name} still has working orders; wait until they are done.")
    return None


def make_default(draft: Draft, wish: DefaultAccount) -> Reply:
    """Send alerts to this account where several of its exchange and market type fit."""
    account = draft.account(wish.name)
    if account is None:
        return _unknown(wish.name)
    for other in draft.accounts:
        alike = (other.exchange, other.market) == (account.exchange, account.market)
        if alike and other.is_default is not (other.name == account.name):
            draft.put(replace(other, is_default=other.name == account.name))
    what = f"{account.exchange} {account.market}"
    _told(draft, Act.ACCOUNT_DEFAULT, f"Account {account.name} is the default for {what} now.")
    return Answer(status="done", text=f"Account {account.name} is the default for {what} now.")


def note(draft: Draft, said: SecurityAct) -> Reply:
    """Write down what was done about secrets; nothing in the books changes by it."""
    draft.record(said.act, said.detail, said.origin)
    draft.tell(said.act.value, said.detail, said.level, Category.SECURITY)
    return Answer(status="done", text=said.detail)


def _unknown(name: str) -> Refusal:
    return Refusal("ACCOUNT", f"There is no account “{name}”.")


def _told(draft: Draft, act: Act, text: str, level: Level = Level.INFO, *, notice: bool = False) -> None:
    draft.record(act, text)
    draft.tell(act.value, text, level, Category.SECURITY, notice=notice)
