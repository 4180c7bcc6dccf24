"""The vault of one data folder at work: opened at the start, made with the first secret, every act written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from loguru import logger

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.security import pasted
from execution_engine.adapters.security.patience import Patience
from execution_engine.adapters.security.strength import strength
from execution_engine.adapters.security.vault import Vault
from execution_engine.adapters.webhook.authentication import Secrets
from execution_engine.domain.audit import Act
from execution_engine.domain.composer_check import BodySecret
from execution_engine.domain.errors import EngineError, Refusal, VaultError, VaultTrouble
from execution_engine.domain.facts import Level
from execution_engine.domain.inputs import Input, MayChange, SecurityAct
from execution_engine.domain.safety import Strength, VaultShown

Ask = Callable[[Input], Awaitable[Any]]

BODY, HMAC = "body", "hmac"


class ChangeRefused(EngineError):
    """Nothing may be changed by hand now; the text says why."""


@dataclass(slots=True)
class Unlocking:
    """Opens and makes a vault off the loop.

    ask: the desk's door. on_open: called on the loop each time the vault was opened.
    trouble: why the vault is locked; empty while it is open, or where there is none.
    patience: slows down whoever guesses its password.
    """

    vault: Vault
    ask: Ask
    on_open: list[Callable[[], None]] = field(default_factory=list)
    trouble: str = ""
    patience: Patience = field(default_factory=lambda: Patience(SystemClock().monotonic))
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # one password at a time

    async def at_start(self, password: str | None) -> None:
        """Open the vault if there is one. Never raises: without it everything but keys and secrets works."""
        try:
            if self.vault.exists:
                await self.open(password)
        except EngineError as error:
            logger.bind(category="SECURITY").warning("The vault stays locked: {}", error)

    async def open(self, password: str | None = None) -> None:
        """Open the vault. Raises VaultError."""
        async with self._turn:
            if self.vault.is_open:
                return
            try:
                await self._tried(self.vault.open, password)
            except VaultError as error:
                if error.trouble is not VaultTrouble.TOO_SOON:
                    self.trouble = str(error)
                raise
            self.trouble = ""
        how = "the system's keyring" if password is None else "its master password"
        await self._note(Act.VAULT_UNLOCKED, f"The vault was opened with {how}.")
        self._opened()

    async def _tried(self, use: Callable[[str | None], None], password: str | None) -> None:
        """Use a password off the loop; wrong ones are counted and written down. Raises VaultError."""
        if password is not None:
            self.patience.refuse()
        try:
            await asyncio.to_thread(use, password)
        except VaultError as error:
            if error.trouble is VaultTrouble.PASSWORD_WRONG:
                self.patience.wrong()
                await self._note(Act.VAULT_REFUSED, "A wrong master password was given.", Level.WARNING)
            raise
        if password is not None:
            self.patience.right()

    async def consent(self, password: str | None = None) -> None:
        """Let somebody back to a window that was locked: by the vault's password, else as its keyring says.

        Where there is no vault nothing keeps anybody out. Raises VaultError.
        """
        how = "without a password, because there is no vault"
        if self.vault.exists:
            if password is None and await asyncio.to_thread(lambda: self.vault.has_password):
                raise VaultError(VaultTrouble.PASSWORD_NEEDED, "The master password unlocks the window.")
            async with self._turn:
                await self._tried(self.vault.prove, password)
            how = "with the system's keyring" if password is None else "with the master password"
        await self._note(Act.WINDOW_UNLOCKED, f"The window was unlocked {how}.")

    async def window_locked(self, why: str) -> None:
        """Write down that the window was covered; `why` ends a sentence."""
        await self._note(Act.WINDOW_LOCKED, f"The window was locked {why}.")

    async def shown(self) -> VaultShown:
        """Return what there is to be told about the vault."""
        return await asyncio.to_thread(self._look)

    def _look(self) -> VaultShown:
        vault, trouble = self.vault, self.trouble
        password = keyring = False
        exists = vault.exists
        try:
            if exists:
                password, keyring = vault.has_password, vault.is_in_keyring
        except VaultError as error:
            trouble = str(error)
        return VaultShown(
            exists=exists,
            is_open=vault.is_open,
            password=password,
            keyring=keyring,
            system_keyring=keyring or vault.keyring_is_there(),
            trouble="" if vault.is_open else trouble,
            keys=vault.count,
        )

    async def strength(self, password: str) -> Strength:
        """Judge a password that somebody thinks of taking."""
        return await asyncio.to_thread(strength, password)

    async def ready(self, password: str | None = None) -> None:
        """Open the vault, or make it where there is none: with the password, else in the system's keyring.

        Raises VaultError.
        """
        if self.vault.is_open or self.vault.exists:
            await self.open(password)
            return
        await asyncio.to_thread(self.vault.make, password, in_keyring=password is None)
        how = "the system's keyring" if password is None else "a master password"
        await self._note(Act.VAULT_MADE, f"A vault was made; {how} opens it.")
        self._opened()

    async def lock(self) -> None:
        """Lock the vault; whoever holds keys out of it keeps them."""
        self.vault.lock()
        self.trouble = "The vault was locked by you."
        await self._note(Act.VAULT_LOCKED, "The vault was locked.")

    async def protect(
        self, password: str | None = None, *, in_keyring: bool = False, present: str | None = None
    ) -> None:
        """Change what opens the vault. present: its master password, asked of who changes it. Raises EngineError."""
        await self._may_change()
        if present is None and await asyncio.to_thread(lambda: self.vault.has_password):
            raise VaultError(VaultTrouble.PASSWORD_NEEDED, "The present master password is needed for that.")
        async with self._turn:
            await self._tried(self.vault.prove, present)
        await self.open(present)
        await asyncio.to_thread(partial(self.vault.protect, password, in_keyring=in_keyring))
        locks = [
            name
            for name, there in (
                ("a master password", password is not None),
                ("the system's keyring", in_keyring),
            )
            if there
        ]
        await self._note(Act.VAULT_PROTECTED, f"The vault is opened by {' or '.join(locks)} from now on.")

    async def forget(self) -> None:
        """Delete the vault with all keys and secrets. Raises EngineError."""
        await self._may_change()
        await asyncio.to_thread(self.vault.forget)
        self.trouble = ""
        await self._note(Act.VAULT_FORGOTTEN, "The vault was deleted with every key in it.", Level.WARNING)

    async def set_secret(self, which: str, text: str | None) -> str:
        """Set the listener's body or HMAC secret; None removes it. Returns a sentence. Raises EngineError."""
        await self._may_change()
        kept = None if text is None else pasted.secret(text)
        keep = self.vault.set_hmac_secret if which == HMAC else self.vault.set_body_secret
        await asyncio.to_thread(keep, kept)
        name = "HMAC secret" if which == HMAC else "body secret"
        act, word = (Act.SECRET_REMOVED, "removed") if kept is None else (Act.SECRET_ENTERED, "set")
        sentence = f"The {name} of the webhook was {word}."
        await self._note(act, sentence)
        return sentence

    async def _may_change(self) -> None:
        reply = await self.ask(MayChange())
        if isinstance(reply, Refusal):
            raise ChangeRefused(reply.message)

    def listener_secrets(self) -> Secrets:
        """Return what the listener compares with."""
        return Secrets(
            self.vault.body_secret,
            self.vault.hmac_secret,
            locked=not self.vault.is_open and self.vault.exists,
        )

    def body_secret(self) -> BodySecret:
        """Return what a message's secret is compared with, for the window that writes messages."""
        return self.webhook_secret(BODY)

    def webhook_secret(self, which: str) -> BodySecret:
        """Return the listener's body or HMAC secret, for the window that shows it when asked to."""
        known = self.listener_secrets()
        text = known.hmac_secret if which == HMAC else known.body_secret
        return BodySecret(text or "", locked=known.locked)

    def _opened(self) -> None:
        for heard in self.on_open:
            try:
                heard()
            except Exception:  # one of them must not keep the others from hearing
                logger.bind(category="SECURITY").exception("Something failed after the vault was opened")

    async def _note(self, act: Act, detail: str, level: Level = Level.INFO) -> None:
        await self.ask(SecurityAct(act=act, detail=detail, level=level))
