"""Which accounts a signal concerns."""

from __future__ import annotations

from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.rows import Account, Alert, Mode, World
from execution_engine.domain.signal import Signal

PAPER = "paper"


def route(draft: Draft, alert: Alert) -> tuple[Account, ...] | Refusal:
    """Return the accounts that an alert goes to; empty for an exit of a key that nobody holds."""
    signal = alert.parsed
    if signal.account is not None:
        return _named(draft, signal, alert.allowed)
    holders = tuple(
        account
        for account in draft.accounts
        if _fits(account, signal) and _allowed(account, alert.allowed) and _holds(draft, account, signal)
    )
    if holders or signal.is_exit:
        return holders
    return _new_key(draft, signal, alert.allowed)


def _named(draft: Draft, signal: Signal, allowed: tuple[str, ...]) -> tuple[Account, ...] | Refusal:
    account = draft.account(signal.account or "")
    if account is None or not _allowed(account, allowed):
        return Refusal("ACCOUNT", f"account “{signal.account}” does not exist or this webhook may not use it")
    if not _fits(account, signal):
        kind = f"{account.exchange} {account.market}"
        return Refusal(
            "ACCOUNT", f"account “{account.name}” ({kind}) does not trade {signal.exchange} {signal.symbol}"
        )
    if not account.enabled and not signal.is_exit and not _holds(draft, account, signal):
        return Refusal("ACCOUNT", f"account “{account.name}” is disabled")
    return (account,)


def _new_key(draft: Draft, signal: Signal, allowed: tuple[str, ...]) -> tuple[Account, ...] | Refusal:
    fitting = [
        account
        for account in draft.accounts
        if account.enabled and _fits(account, signal) and _allowed(account, allowed)
    ]
    # The paper accounts stand in only where no account of that exchange and market is enabled.
    own = [account for account in fitting if account.exchange != PAPER] or fitting
    if not own:
        return Refusal("ACCOUNT", f"no enabled account trades {signal.exchange} {signal.market}")
    chosen = next((account for account in own if _is_default(draft, account)), own[0])
    return (chosen,)


def _is_default(draft: Draft, account: Account) -> bool:
    return account.is_default or draft.settings.account(account.name).default


def _fits(account: Account, signal: Signal) -> bool:
    return account.market is signal.market and account.exchange in (PAPER, signal.exchange)


def _allowed(account: Account, allowed: tuple[str, ...]) -> bool:
    return not allowed or account.name in allowed


def _holds(draft: Draft, account: Account, signal: Signal) -> bool:
    """Return whether an account holds or queues the signal's key."""
    key = (account.name, signal.exchange, signal.symbol, signal.timeframe)
    if draft.group_of(key) is not None:
        return True
    return draft.waiting_of(key) is not None


def world_of(mode: Mode) -> World:
    """Return the world that a mode belongs to; worlds are never mixed."""
    if mode is Mode.PAPER:
        return World.PAPER
    return World.LIVE if mode is Mode.LIVE else World.TEST
