"""Accounts with their keys: what the books say and what the vault holds, changed together.

Keys are in the vault before their account is in the books, and are gone from there before it is gone from here: a
crash in between leaves keys that nobody uses, or an account that has to be given its keys again, never one that
trades with keys nobody knows of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from execution_engine.adapters.security import pasted
from execution_engine.domain import account_commands as rules
from execution_engine.domain.errors import EngineError, Refusal
from execution_engine.domain.inputs import (
    AddAccount,
    Answer,
    DefaultAccount,
    DisableAccount,
    EnableAccount,
    Input,
    KeysChanged,
    KeysChecked,
    MayChange,
    RemoveAccount,
)
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import CheckResult, Keys, nothing_to_check, unreachable
from execution_engine.domain.routing import world_of
from execution_engine.domain.rows import Account, Mode
from execution_engine.engine.ports import KeyCheck
from execution_engine.unlocking import Unlocking


class AccountRefused(EngineError):
    """Something about an account was refused; the text says why."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Adds, checks, enables and removes accounts.

    ask: the desk's door. rows: the accounts there are, by name. removal: why one cannot be removed now.
    checks: who asks which exchange about keys; None where no engine runs that could.
    learn: told what may be a secret before anybody else, so that no log ever shows it.
    """

    unlocking: Unlocking
    ask: Callable[[Input], Awaitable[Answer | Refusal]]
    rows: Callable[[], Mapping[str, Account]]
    removal: Callable[[str], Refusal | None]
    checks: Mapping[str, KeyCheck] | None
    now: Callable[[], datetime]
    learn: Callable[..., None] = lambda *texts: None

    async def try_keys(
        self, exchange: str, market: Market, mode: Mode, given: Mapping[str, str]
    ) -> CheckResult:
        """Ask an exchange about keys that are kept nowhere. Raises EngineError with what cannot be a key in it."""
        fault = rules.fault_of_mode(exchange, market, mode)
        if fault is not None:
            raise AccountRefused(fault.message)
        keys, _ = cleaned(exchange, given)
        self.learn(keys.api_key, keys.api_secret, keys.passphrase)
        check = (self.checks or {}).get(exchange)
        if check is None:
            return unreachable(self.now(), f"This version cannot reach {exchange} yet.")
        tried = Account(
            name="these keys",
            exchange=exchange,
            market=market,
            mode=mode,
            world=world_of(mode),
            enabled=False,
            created_at=self.now(),
        )
        return await check.check(tried, keys)

    async def add(
        self, name: str, exchange: str, market: Market, mode: Mode, given: Mapping[str, str] | None = None
    ) -> list[str]:
        """Add an account, keep its keys and check them; return what to tell. Raises EngineError."""
        fault = rules.fault_of_name(name, self.rows()) or rules.fault_of_mode(exchange, market, mode)
        if fault is not None:
            raise AccountRefused(fault.message)
        await self._asked(MayChange())
        wish = AddAccount(name=name, exchange=exchange, market=market, mode=mode)
        if mode is Mode.PAPER:
            return [await self._asked(wish), await self.check(name)]
        keys, notes = cleaned(exchange, given or {})
        await self.unlocking.ready()
        await self._keep(name, keys)
        added = await self._asked(wish)
        await self._asked(KeysChanged(account=name))
        return [*notes, added, await self.check(name)]

    async def enter_keys(self, name: str, given: Mapping[str, str]) -> list[str]:
        """Give an account other keys and check them; return what to tell. Raises EngineError."""
        account = self._account(name)
        if account.mode is Mode.PAPER:
            raise AccountRefused(f"Account {name} trades on paper and needs no keys.")
        keys, notes = cleaned(account.exchange, given)
        await self._asked(MayChange())
        await self.unlocking.ready()
        await self._keep(name, keys)
        entered = await self._asked(KeysChanged(account=name))
        return [*notes, entered, await self.check(name)]

    async def check(self, name: str) -> str:
        """Ask an account's exchange about its keys; return what was found. Raises EngineError."""
        account = self._account(name)
        reply = await self.ask(KeysChecked(account=name, result=await self._found(account)))
        return reply.message if isinstance(reply, Refusal) else reply.text

    async def _found(self, account: Account) -> CheckResult:
        if account.mode is Mode.PAPER:
            return nothing_to_check(self.now())
        if self.checks is None:
            return unreachable(
                self.now(), f"A running engine asks {account.exchange} about keys; start it, and check them."
            )
        check = self.checks.get(account.exchange)
        if check is None:
            return unreachable(self.now(), f"This version cannot reach {account.exchange} yet.")
        await self.unlocking.open()
        keys = self.unlocking.vault.keys(account.name)
        if keys is None:
            return unreachable(
                self.now(), f"The vault holds no keys of account {account.name}; enter them again."
            )
        return await check.check(account, keys)

    async def check_all(self) -> None:
        """Ask again about the keys of every enabled account whose exchange can be asked. Raises EngineError."""
        for account in list(self.rows().values()):
            if account.enabled and account.mode is not Mode.PAPER and account.exchange in (self.checks or {}):
                await self.check(account.name)

    async def enable(self, name: str, *, confirmed: bool = False) -> str:
        """Let an account trade. confirmed: the user made sure that its keys cannot take money out."""
        return await self._asked(EnableAccount(name=name, confirmed=confirmed))

    def needs_confirmation(self, name: str) -> bool:
        """Return whether the exchange left open if the keys can take money out."""
        account = self._account(name)
        return not account.enabled and account.check is not None and account.check.is_unverified

    async def disable(self, name: str) -> str:
        """Begin nothing new on an account."""
        return await self._asked(DisableAccount(name=name))

    async def make_default(self, name: str) -> str:
        """Send alerts to this account where several fit."""
        return await self._asked(DefaultAccount(name=name))

    async def remove(self, name: str) -> str:
        """Forget an account's keys, and then the account. Raises EngineError."""
        account = self._account(name)
        if (refusal := self.removal(name)) is not None:
            raise AccountRefused(refusal.message)
        await self._asked(MayChange())
        if account.mode is not Mode.PAPER and self.unlocking.vault.exists:
            await self.unlocking.open()
            if await asyncio.to_thread(self.unlocking.vault.remove_keys, name):
                await self._asked(KeysChanged(account=name, entered=False))
        return await self._asked(RemoveAccount(name=name))

    async def _keep(self, name: str, keys: Keys) -> None:
        await asyncio.to_thread(self.unlocking.vault.put_keys, name, keys)

    def _account(self, name: str) -> Account:
        account = self.rows().get(name)
        if account is None:
            raise AccountRefused(f"There is no account “{name}”.")
        return account

    async def _asked(self, wish: Input) -> str:
        reply = await self.ask(wish)
        if isinstance(reply, Refusal):
            raise AccountRefused(reply.message)
        return reply.text


def cleaned(exchange: str, given: Mapping[str, Any]) -> tuple[Keys, tuple[str, ...]]:
    """Return what was entered as keys, with a sentence for each that was changed. Raises EngineError."""
    texts = {name: given.get(name) or "" for name in ("api_key", "api_secret", "passphrase")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise AccountRefused("Keys are texts: api_key, api_secret and, where there is one, passphrase.")
    if exchange in rules.NEEDS_PASSPHRASE and not texts["passphrase"].strip():
        raise AccountRefused(f"{exchange} keys have a passphrase; enter it, too.")
    return pasted.keys(**texts)


def listed(account: Account) -> dict[str, Any]:
    """Return an account as `account list --json` prints it."""
    check = account.check
    return {
        "name": account.name,
        "exchange": account.exchange,
        "market": account.market.value,
        "mode": account.mode.value,
        "enabled": account.enabled,
        "default": account.is_default,
        "status": account.status.value,
        "reason": account.reason,
        "check": None
        if check is None
        else {
            "at": check.at,
            "fit": not check.faults,
            "faults": list(check.faults),
            "can_read": check.can_read,
            "can_trade": check.can_trade,
            "can_withdraw": check.can_withdraw,
            "ip_bound": check.ip_bound,
            "expires_at": check.expires_at,
        },
    }
