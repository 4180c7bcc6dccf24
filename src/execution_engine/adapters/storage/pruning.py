"""What is deleted when it is old enough, a bounded number of rows at a time."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from execution_engine.adapters.storage.codec import time_text
from execution_engine.adapters.storage.connect import transaction
from execution_engine.adapters.storage.statements import names, upsert_of
from execution_engine.adapters.storage.tables import CURRENT
from execution_engine.domain import audit
from execution_engine.domain.rows import AuditEntry

KEYS_DAYS = 90
REFUSED_KEPT = 1_000
STEP = 5_000  # rows per table and step: a few milliseconds, which a waiting order can bear

# Ids are given in the order of time, so whether the first ones are old enough is all there is to ask, without an
# index. Those that were stored while the clock was ahead stand in nobody's way.
OLD_KEYS = (
    f"SELECT id FROM (SELECT id, received_at FROM alert_keys WHERE received_at <= ? ORDER BY id LIMIT {STEP}) "
    "WHERE received_at < ?"
)
OLD_LOG = "SELECT id FROM system_log WHERE at < ? LIMIT ?"
OLD_REFUSED = (
    "SELECT id FROM refused_requests "
    "WHERE id <= (SELECT id FROM refused_requests ORDER BY id DESC LIMIT 1 OFFSET ?) LIMIT ?"
)


OLD_AUDIT = (
    f"SELECT {names(CURRENT[AuditEntry])} FROM audit_log WHERE at < ? AND act <> ? ORDER BY id DESC LIMIT 1"
)
SHORTER_AUDIT = "DELETE FROM audit_log WHERE id < ?"


def prune_some(connection: sqlite3.Connection, now: datetime, log_days: int, audit_days: int = 0) -> bool:
    """Delete one step of what is too old at `now`; return whether there may be more.

    audit_days: 0 keeps the audit log for ever.
    """
    steps = (
        ("alert_keys", OLD_KEYS, (time_text(now), time_text(now - timedelta(days=KEYS_DAYS)))),
        ("refused_requests", OLD_REFUSED, (REFUSED_KEPT, STEP)),
        ("system_log", OLD_LOG, (time_text(now - timedelta(days=log_days)), STEP)),
    )
    with transaction(connection):
        gone = [
            connection.execute(f"DELETE FROM {table} WHERE id IN ({which})", limits).rowcount
            for table, which, limits in steps
        ]
        if audit_days:
            shorten_audit(connection, now - timedelta(days=audit_days))
    return STEP in gone


def shorten_audit(connection: sqlite3.Connection, limit: datetime) -> None:
    """Let a checkpoint stand in for the audit entries from before `limit`; the chain goes on from its hash."""
    stored = CURRENT[AuditEntry]
    found = connection.execute(OLD_AUDIT, (time_text(limit), audit.Act.CHECKPOINT)).fetchone()
    if found is None:
        return
    last: AuditEntry = stored.codec.decode(found)
    connection.execute(SHORTER_AUDIT, (last.id,))
    connection.execute(upsert_of(AuditEntry, 1), stored.codec.encode(audit.checkpoint(last)))
