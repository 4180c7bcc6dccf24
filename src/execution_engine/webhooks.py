"""Webhooks by name: their tokens are made here, the rules are the desk's."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from execution_engine.domain.errors import EngineError, Refusal
from execution_engine.domain.inputs import (
    AddToken,
    AllowAccounts,
    Answer,
    Input,
    RenameToken,
    RevokeToken,
    RotateToken,
)
from execution_engine.domain.rows import WebhookToken

TOKEN_BYTES = 24  # 192 bits, 32 letters in the URL
OVERLAP_HOURS = 24  # that an old token counts after a rotation, unless somebody says otherwise


class WebhookRefused(EngineError):
    """Something about a webhook was refused; the text says why."""


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(TOKEN_BYTES)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Adds, renames, rotates and revokes webhooks, and says which accounts they may use.

    ask: the desk's door. learn: told each new token before anybody else, so that no log ever shows it.
    """

    ask: Callable[[Input], Awaitable[Answer | Refusal]]
    learn: Callable[[str], None]

    async def add(self, name: str, accounts: Sequence[str] = ()) -> str:
        """Add a webhook; return a sentence. Raises WebhookRefused."""
        return await self._asked(AddToken(name=name, token=self._new(), accounts=tuple(accounts)))

    async def rotate(self, name: str, overlap_s: int) -> str:
        """Give a webhook another URL; the one before it counts for that long. Raises WebhookRefused."""
        return await self._asked(RotateToken(name=name, token=self._new(), overlap_s=overlap_s))

    async def revoke(self, name: str) -> str:
        """Refuse what is sent to a webhook from now on. Raises WebhookRefused."""
        return await self._asked(RevokeToken(name=name))

    async def rename(self, name: str, to: str) -> str:
        """Give a webhook another name; its URL stays. Raises WebhookRefused."""
        return await self._asked(RenameToken(name=name, to=to))

    async def allow(self, name: str, accounts: Sequence[str]) -> str:
        """Say which accounts a webhook may use; none: all of them. Raises WebhookRefused."""
        return await self._asked(AllowAccounts(name=name, accounts=tuple(accounts)))

    def _new(self) -> str:
        token = new_token()
        self.learn(token)
        return token

    async def _asked(self, wish: Input) -> str:
        reply = await self.ask(wish)
        if isinstance(reply, Refusal):
            raise WebhookRefused(reply.message)
        return reply.text


def listed(tokens: Iterable[WebhookToken], now: datetime) -> list[dict[str, Any]]:
    """Return the webhooks as `webhook list --json` prints them: everything but what is secret."""
    return [
        {
            "name": token.name,
            "accounts": list(token.accounts),
            "enabled": token.enabled,
            "created_at": token.created_at,
            "last_used_at": token.last_used_at,
            "old_token_until": token.previous_until
            if token.previous_until is not None and token.previous_until > now
            else None,
        }
        for token in tokens
    ]
