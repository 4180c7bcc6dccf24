"""Webhook tokens: added, given other accounts, renamed, rotated, revoked, used.

The token itself comes from outside, where chance is: what is decided here is who may use which name for what.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from execution_engine.domain.audit import Act
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.inputs import (
    AddToken,
    AllowAccounts,
    Answer,
    RenameToken,
    RevokeToken,
    RotateToken,
    TokenUsed,
)
from execution_engine.domain.rows import TokenRemoved, WebhookToken

Reply = Answer | Refusal

MOST_TOKENS = 100  # each is compared with every request
LEAST_LETTERS = 22  # 128 bits, six to a letter
LONGEST_OVERLAP_S = 30 * 24 * 3600

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,31}")
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{LEAST_LETTERS},128}}")


def add(draft: Draft, wish: AddToken) -> Reply:
    """Take in a new webhook."""
    fault = (
        _fault_of_name(wish.name, draft.tokens)
        or _fault_of_secret(wish.token)
        or _unknown_account(draft, wish.accounts)
    )
    if fault is not None:
        return fault
    if len(draft.tokens) >= MOST_TOKENS:
        return Refusal("TOO_MANY", f"There are {MOST_TOKENS} webhooks already; revoke one first.")
    draft.put(
        WebhookToken(name=wish.name, token=wish.token, accounts=_sorted(wish.accounts), created_at=draft.now)
    )
    return _done(
        draft, Act.TOKEN_ADDED, f"Webhook {wish.name} was added; it may use {_words(wish.accounts)}."
    )


def rotate(draft: Draft, wish: RotateToken) -> Reply:
    """Give a webhook another token; the one before it counts for a while, so that alerts can be edited."""
    token = draft.token(wish.name)
    if token is None:
        return _unknown(wish.name)
    if not 0 <= wish.overlap_s <= LONGEST_OVERLAP_S:
        days = LONGEST_OVERLAP_S // 86400
        return Refusal("OVERLAP", f"The old token may count for 0 seconds to {days} days more.")
    if fault := _fault_of_secret(wish.token):
        return fault
    until = draft.now + timedelta(seconds=wish.overlap_s) if wish.overlap_s else None
    draft.put(
        replace(
            token,
            token=wish.token,
            previous_token=token.token if until else "",
            previous_until=until,
        )
    )
    ends = f"counts until {until:%Y-%m-%d %H:%M} UTC" if until else "is wrong from now on"
    return _done(draft, Act.TOKEN_ROTATED, f"Webhook {token.name} has a new token; the old one {ends}.")


def revoke(draft: Draft, wish: RevokeToken) -> Reply:
    """Take a webhook away: what is sent to it is refused from now on."""
    token = draft.token(wish.name)
    if token is None:
        return _unknown(wish.name)
    draft.put(TokenRemoved(name=token.name))
    text = f"Webhook {token.name} was revoked; what is sent to it is refused."
    return _done(draft, Act.TOKEN_REVOKED, text, Level.WARNING)


def rename(draft: Draft, wish: RenameToken) -> Reply:
    """Give a webhook another name; its URL stays."""
    token = draft.token(wish.name)
    if token is None:
        return _unknown(wish.name)
    others = [name for name in draft.tokens if name != token.name]
    if fault := _fault_of_name(wish.to, others):
        return fault
    if wish.to != token.name:
        draft.put(TokenRemoved(name=token.name))
        draft.put(replace(token, name=wish.to))
    return _done(draft, Act.TOKEN_RENAMED, f"Webhook {token.name} is called {wish.to} now.")


def allow(draft: Draft, wish: AllowAccounts) -> Reply:
    """Say which accounts a webhook may use; none named: all of them."""
    token = draft.token(wish.name)
    if token is None:
        return _unknown(wish.name)
    if fault := _unknown_account(draft, wish.accounts):
        return fault
    draft.put(replace(token, accounts=_sorted(wish.accounts)))
    return _done(draft, Act.TOKEN_ALLOWED, f"Webhook {token.name} may use {_words(wish.accounts)} now.")


def used(draft: Draft, said: TokenUsed) -> None:
    """Note when a webhook was last used; it may be gone by now."""
    token = draft.token(said.name)
    if token is not None and (token.last_used_at is None or token.last_used_at < said.at):
        draft.put(replace(token, last_used_at=said.at))


def _fault_of_name(name: str, taken: Iterable[str]) -> Refusal | None:
    if not _NAME.fullmatch(name) or name != name.strip():
        return Refusal(
            "NAME",
            "A webhook's name has up to 32 letters, digits, spaces, “.”, “-” and “_”, and begins with a "
            "letter or a digit.",
        )
    twin = next((other for other in taken if other.casefold() == name.casefold()), None)
    return Refusal("NAME", f"There is a webhook “{twin}” already.") if twin is not None else None


def _fault_of_secret(token: str) -> Refusal | None:
    if _TOKEN.fullmatch(token):
        return None
    return Refusal("TOKEN", f"A token has at least {LEAST_LETTERS} letters and digits, made by chance.")


def _unknown_account(draft: Draft, names: Iterable[str]) -> Refusal | None:
    unknown = next((name for name in names if draft.account(name) is None), None)
    return Refusal("ACCOUNT", f"There is no account “{unknown}”.") if unknown is not None else None


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _words(names: Iterable[str]) -> str:
    named = _sorted(names)
    if not named:
        return "every account"
    return f"{'account' if len(named) == 1 else 'accounts'} {', '.join(named)} only"


def _unknown(name: str) -> Refusal:
    return Refusal("WEBHOOK", f"There is no webhook “{name}”.")


def _done(draft: Draft, act: Act, text: str, level: Level = Level.INFO) -> Answer:
    draft.record(act, text)
    draft.tell(act.value, text, level, Category.SECURITY)
    return Answer(status="done", text=text)
