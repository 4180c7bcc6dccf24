"""The audit log: every sensitive act, each chained to the one before it.

The hash of an entry covers the hash before it and the entry as canonical JSON, so an entry that was changed,
moved or taken out does not go unseen. Whoever can write to the file can also compute a whole chain anew: the chain
protects against accidents and casual edits; against more, keep its last hash elsewhere.

Old entries may be removed: the newest of them then becomes a checkpoint. It keeps its id and its hash, from which
the chain goes on, and may only stand at the beginning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from enum import StrEnum

from execution_engine.domain.origin import Origin
from execution_engine.domain.rows import AuditEntry

BREAKS_TOLD = 5
AND_MORE = "And more of them:"
BEGINNING = ""  # stands for the hash before the first entry


class Act(StrEnum):
    """What is written down. The words are stable: they are searched for."""

    ACCOUNT_ADDED = "account_added"
    ACCOUNT_CHECKED = "account_checked"
    ACCOUNT_ENABLED = "account_enabled"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_DEFAULT = "account_default"
    ACCOUNT_REMOVED = "account_removed"
    KEYS_ENTERED = "keys_entered"
    KEYS_REMOVED = "keys_removed"
    SECRET_ENTERED = "secret_entered"
    SECRET_REMOVED = "secret_removed"
    TARGET_ENTERED = "target_entered"
    TARGET_REMOVED = "target_removed"
    VAULT_MADE = "vault_made"
    VAULT_UNLOCKED = "vault_unlocked"
    VAULT_LOCKED = "vault_locked"
    VAULT_REFUSED = "vault_refused"
    VAULT_PROTECTED = "vault_protected"
    VAULT_FORGOTTEN = "vault_forgotten"
    WINDOW_LOCKED = "window_locked"
    WINDOW_UNLOCKED = "window_unlocked"
    SETTINGS_SAVED = "settings_saved"
    SECRET_GUESSED = "secret_guessed"
    TOKEN_ADDED = "token_added"
    TOKEN_ROTATED = "token_rotated"
    TOKEN_REVOKED = "token_revoked"
    TOKEN_RENAMED = "token_renamed"
    TOKEN_ALLOWED = "token_allowed"
    PAUSED = "paused"
    RESUMED = "resumed"
    EXIT = "exit"
    CLOSE_ALL = "close_all"
    CANCEL_LEGS = "cancel_legs"
    PROMOTED = "promoted"
    QUEUE_REMOVED = "queue_removed"
    REPLAYED = "replayed"
    RISK_CHANGED = "risk_changed"
    RISK_RUN = "risk_run"
    FINDING_DECIDED = "finding_decided"
    BACKUP_MADE = "backup_made"
    BACKUP_FAILED = "backup_failed"
    BACKUP_RESTORED = "backup_restored"
    RECOVERED = "recovered"
    MOVED = "moved"
    EXPORTED = "exported"
    AUDIT_BROKEN = "audit_broken"
    CHECKPOINT = "checkpoint"


def chain(previous_hash: str, entry: AuditEntry) -> AuditEntry:
    """Return the entry with the hash that chains it to the one before it.

    What no database text can hold is replaced first: what is read back must be what was hashed.
    """
    told = entry.detail.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")
    entry = replace(entry, detail=told)
    return replace(entry, hash=hash_of(previous_hash, entry))


def hash_of(previous_hash: str, entry: AuditEntry) -> str:
    """Return the SHA-256 of the hash before and the entry's canonical JSON, as hexadecimal digits."""
    text = previous_hash + canonical(entry)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def canonical(entry: AuditEntry) -> str:
    """Write an entry without its hash in the one way that counts: sorted names, no spaces, ASCII, time in UTC.

    Entries from before their origin was noted are written as they were then.
    """
    at = entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    plain = {"id": entry.id, "at": at, "act": entry.act, "detail": entry.detail}
    if entry.origin:
        plain["origin"] = entry.origin
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def checkpoint(last: AuditEntry) -> AuditEntry:
    """Return what stands in for entries that are removed, `last` being the newest of them."""
    return replace(
        last,
        act=Act.CHECKPOINT,
        detail="What was written down until then was removed.",
        origin=Origin.AUTOMATIC,
    )


def news(entries: Sequence[AuditEntry]) -> str:
    """Say in a sentence or two where the chain is broken and the log itself does not tell of it yet.

    What was told once is in the log: a chain that is broken stays so, and nobody is to be asked again and again.
    """
    told = [entry for entry in entries if entry.act == Act.AUDIT_BROKEN]
    found = [fault for fault in verify(entries) if not any(fault in each.detail for each in told)]
    if not found or (len(found) > BREAKS_TOLD and any(AND_MORE in each.detail for each in told)):
        return ""
    more = f" {AND_MORE} {len(found) - BREAKS_TOLD}." if len(found) > BREAKS_TOLD else ""
    return " ".join(found[:BREAKS_TOLD]) + more


def verify(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Yield a sentence for every entry, oldest first, whose hash is not what it has to be."""
    before, first = BEGINNING, True
    for entry in entries:
        stands_in = first and entry.act == Act.CHECKPOINT
        if not stands_in and entry.hash != hash_of(before, entry):
            yield (
                f"Audit entry {entry.id} ({entry.act}) does not follow from the one before it: "
                "it was changed, or one before it was changed or taken out."
            )
        before, first = entry.hash, False
