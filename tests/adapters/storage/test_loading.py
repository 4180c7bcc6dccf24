"""What the book starts from: everything open, everything undecided, and enough of the past to know copies."""

import gc
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

from execution_engine.adapters.storage.codec import REMEMBERED, read_decimal
from execution_engine.adapters.storage.connect import connect
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain.instrument import Market, Side
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Alert,
    AlertKey,
    Archive,
    Engine,
    EquityPoint,
    Mode,
    Order,
    QueuedSignal,
    RefusedRequest,
    RiskAction,
    Row,
    SettingsVersion,
    WebhookToken,
    World,
)
from execution_engine.domain.signal import Outcome
from tests.adapters.storage.making import NOW, D, alert, committed, family, group, leg, line, order, pyramid


def key(id: int, days: int = 0) -> AlertKey:
    return AlertKey(id=id, key=f"k{id}", body_hash="h", received_at=NOW - timedelta(days=days))


def queued(id: int, outcome: Outcome | None = None) -> QueuedSignal:
    return QueuedSignal(
        id=id,
        alert_id=1,
        account="main",
        world=World.PAPER,
        exchange="binance",
        symbol="BTCUSDT",
        timeframe="15m",
        side=Side.LONG,
        entry_price=None,
        queued_at=NOW,
        updated_at=NOW,
        outcome=outcome,
    )


def risk(id: int, **changes: object) -> RiskAction:
    made = RiskAction(id=id, world=World.PAPER, type="offset", status="running", started_at=NOW)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_what_is_alive_is_loaded_and_what_is_over_is_not(store: SqliteStore) -> None:
    account = Account(
        name="main",
        exchange="binance",
        market=Market.SPOT,
        mode=Mode.LIVE,
        world=World.LIVE,
        enabled=True,
        status=AccountStatus.READY,
        created_at=NOW,
    )
    token = WebhookToken(name="tv", token="abc", accounts=("main", "other"), created_at=NOW)
    saved = [SettingsVersion(id=id, saved_at=NOW, document=f'{{"n": {id}}}') for id in (70, 71)]
    equity = [
        EquityPoint(id=80 + n, world=world, at=NOW, realized=D(n)) for n, world in enumerate((*World, *World))
    ]
    alive = [
        Engine(install_key="k"),
        account,
        token,
        saved[1],
        *family(10),
        queued(90),
        risk(95),
        risk(96, finished_at=NOW),
        key(97),
        *equity[3:],
    ]
    over = [
        saved[0],
        *family(20),
        Archive(20),
        queued(91, Outcome.EXPIRED),
        *equity[:3],
        line(98),
        RefusedRequest(id=99, at=NOW, status=400, errors=(), body="", source=""),
    ]
    committed(store, *alive, *over)
    assert set(store.load()) == set(alive)


def test_rows_come_after_what_they_belong_to(store: SqliteStore) -> None:
    committed(store, *family(10), *family(20))
    names = [type(row).__name__ for row in store.load()]
    assert names == [name for name in ("Group", "Pyramid", "Leg", "Order", "Fill") for _ in range(2)]


def test_alerts_are_the_newest_and_all_that_have_no_outcome_yet(store: SqliteStore) -> None:
    undecided = [alert(1), alert(3, outcome=Outcome.QUEUED)]
    finished = [alert(id, outcome=Outcome.REJECTED) for id in (2, *range(4, 2_010))]
    committed(store, *undecided, *finished)
    assert list(store.load()) == [*undecided, *finished[-2_000:]]


def test_the_last_alert_of_each_chart_is_loaded_however_many_came_of_others(store: SqliteStore) -> None:
    def of(id: int, symbol: str, account: str | None = None, **more: Any) -> Alert:
        made = alert(id, symbol=symbol, outcome=Outcome.REJECTED, **more)
        return replace(made, parsed=replace(made.parsed, account=account))

    charts = [of(3, "SOLUSDT"), of(4, "SOLUSDT", "second"), of(5, "SOLUSDT", allowed=("main",))]
    older = [of(1, "SOLUSDT"), of(2, "SOLUSDT", "second"), of(6, "SOLUSDT", replay_of=1)]
    others = [of(id, "ETHUSDT") for id in range(10, 2_010)]
    committed(store, *older, *charts, *others)
    assert list(store.load()) == [*charts, *others]


def test_what_is_old_is_pruned_in_steps_and_the_rest_stays(path: Path) -> None:
    store = SqliteStore(path)
    log = [line(id, at=NOW - timedelta(days=31)) for id in range(1, 6_000)]
    refused = [
        RefusedRequest(id=id, at=NOW, status=400, errors=(), body="", source="")
        for id in range(10_000, 11_100)
    ]
    kept = [line(7_000), *refused[100:]]
    committed(store, *log, *refused, *kept, key(20_001, days=91), key(20_000, days=89))
    heard: list[object] = []
    store.prune(NOW, 30, heard.append)
    assert heard == [None]
    assert store.behind == 0
    assert list(store.load()) == [key(20_000, days=89)]
    connection = connect(path)
    assert connection.execute("SELECT id FROM system_log").fetchall() == [(7_000,)]
    assert connection.execute("SELECT min(id), count(*) FROM refused_requests").fetchone() == (10_100, 1_000)
    connection.close()
    store.close()


def test_a_key_from_the_future_keeps_no_old_one(store: SqliteStore) -> None:
    ahead = [key(id, days=-400) for id in (1, 2)]  # the clock was ahead for a while
    committed(store, *ahead, *(key(id, days=91) for id in range(3, 7_000)), key(7_001))
    store.prune(NOW, 30, lambda failure: None)
    assert list(store.load()) == [*ahead, key(7_001)]


def test_two_hundred_groups_of_35_legs_load_at_once(store: SqliteStore) -> None:
    rows: list[Row] = []
    for id in range(0, 200_000, 1_000):
        rows += [group(id + 1), pyramid(id + 2, id + 1)]
        for at in range(id + 10, id + 45):
            price = Decimal(at) / 7
            rows.append(leg(at, id + 2, id + 1, price=price, tp_price=price * 2))
            sent = NOW + timedelta(milliseconds=at)
            rows.append(order(at + 100, id + 1, pyramid_id=id + 2, leg_id=at, price=price, sent_at=sent))
    began = perf_counter()
    committed(store, *rows)
    written = perf_counter()
    loaded = store.load()
    ended = perf_counter()
    assert set(loaded) == set(rows)
    gc.collect()
    print(f"{len(rows)} rows: written in {written - began:.3f} s, loaded in {ended - written:.3f} s")  # noqa: T201


def test_rows_share_what_thousands_of_them_have_in_common(store: SqliteStore) -> None:
    committed(store, *family(10), *family(20))
    one, other = (row for row in store.load() if isinstance(row, Order))
    assert one.price is other.price
    for name in ("account", "exchange", "symbol"):
        assert getattr(one, name) is getattr(other, name)


def test_a_large_reading_leaves_few_numbers_behind(store: SqliteStore) -> None:
    committed(store, group(), pyramid(2, 1), *(leg(id, 2, price=D(id)) for id in range(3, REMEMBERED + 100)))
    assert len(store.load()) > REMEMBERED
    assert read_decimal.cache_info().currsize <= REMEMBERED
