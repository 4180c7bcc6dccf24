"""What the user does by hand is written down, chained, and says whom it concerned."""

from __future__ import annotations

import pytest

from execution_engine.domain import audit
from execution_engine.domain.inputs import (
    AddToken,
    CancelLegs,
    CloseAll,
    ExitGroup,
    Input,
    Pause,
    Promote,
    RemoveQueued,
    Replay,
    Resume,
    SaveSettings,
    SetRisk,
    SetTakeProfitMode,
)
from execution_engine.domain.rows import AuditEntry
from execution_engine.domain.signal import TakeProfitMode
from tests.house import NOON, House


def full() -> House:
    house = House({"pool.max_open_groups": 1})
    house.price("BTCUSDT", "65000")
    house.alert(entry_price="65000")
    house.accept()
    house.alert(timeframe="60", entry_price="65000")
    return house


def written(house: House) -> list[AuditEntry]:
    return [row for row in house.store.committed if isinstance(row, AuditEntry)]


@pytest.mark.parametrize(
    ("wish", "act", "detail"),
    [
        (lambda h: ExitGroup(group_id=h.group.id), "exit", "BTCUSDT 15m on paper was closed by hand."),
        (
            lambda h: CancelLegs(group_id=h.group.id),
            "cancel_legs",
            "The open legs of BTCUSDT 15m on paper were cancelled by hand.",
        ),
        (
            lambda h: SetTakeProfitMode(group_id=h.group.id, mode=TakeProfitMode.HYBRID),
            "risk_changed",
            "BTCUSDT 15m on paper takes its profit hybrid now.",
        ),
        (
            lambda h: SetRisk(group_id=h.group.id, blocked=True),
            "risk_changed",
            "BTCUSDT 15m on paper for the risk engine: blocked True, skipped once False.",
        ),
        (lambda h: Pause(), "paused", "Paused by hand."),
        (
            lambda h: Promote(queued_id=h.queue[0].id),
            "promoted",
            "BTCUSDT 1h on paper was forced into the pool.",
        ),
        (
            lambda h: RemoveQueued(queued_id=h.queue[0].id),
            "queue_removed",
            "BTCUSDT 1h on paper was taken out of the queue.",
        ),
        (
            lambda h: Replay(alert_id=min(h.book.alerts), received_at=NOON),
            "replayed",
            "(BTCUSDT 15m) was replayed by hand.",
        ),
        (
            lambda h: SaveSettings(document="{}", note="calmer"),
            "settings_saved",
            "Settings were saved (calmer): pool.max_open_groups 1 → 10.",
        ),
        (
            lambda h: AddToken(name="second", token="t" * 32),
            "token_added",
            "Webhook second was added; it may use every account.",
        ),
    ],
)
def test_each_act_leaves_one_entry(wish, act: str, detail: str):
    house = full()
    before = len(written(house))
    given: Input = wish(house)
    house.post(given)
    (entry,) = written(house)[before:]
    assert entry.act == act
    assert entry.detail.endswith(detail)


def test_what_was_refused_leaves_none():
    house = full()
    before = len(written(house))
    house.post(ExitGroup(group_id=99))
    house.post(Resume())  # it runs
    assert len(written(house)) == before


def test_the_entries_are_one_chain():
    house = full()
    for wish in (Pause(), Resume(), CloseAll(), Resume()):
        house.post(wish)
    entries = written(house)
    assert [entry.act for entry in entries[-5:]] == ["paused", "resumed", "paused", "close_all", "resumed"]
    assert list(audit.verify(entries[-5:]))[1:] == []
