"""What is deleted when it is old enough, a bounded number of rows at a time."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from execution_engine.adapters.storage.codec import time_text
from execution_engine.adapters.storage.connect import transaction

KEYS_DAYS = 90
REFUSED_KEPT = 1_000
STEP = 5_000  # rows per table and step: a few milliseconds, which a waiting order can bear

OLD_KEYS = "SELECT id FROM alert_keys WHERE received_at < ? LIMIT ?"
OLD_LOG = "SELECT id FROM system_log WHERE at < ? LIMIT ?"
OLD_REFUSED = (
    "SELECT id FROM refused_requests "
    "WHERE id <= (SELECT id FROM refused_requests ORDER BY id DESC LIMIT 1 OFFSET ?) LIMIT ?"
)


def prune_some(connection: sqlite3.Connection, now: datetime, log_days: int) -> bool:
    """Delete one step of what is too old at `now`; return whether there may be more."""
    steps = (
        ("alert_keys", OLD_KEYS, time_text(now - timedelta(days=KEYS_DAYS))),
        ("refused_requests", OLD_REFUSED, REFUSED_KEPT),
        ("system_log", OLD_LOG, time_text(now - timedelta(days=log_days))),
    )
    with transaction(connection):
        gone = [
            connection.execute(f"DELETE FROM {table} WHERE id IN ({which})", (limit, STEP)).rowcount
            for table, which, limit in steps
        ]
    return STEP in gone
