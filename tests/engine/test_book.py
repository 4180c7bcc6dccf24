"""The open state in memory: what it answers is what its rows say, after every change and after loading."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution_engine.domain.inputs import AddToken, ExitGroup, Price, Replay
from execution_engine.domain.instrument import Side
from execution_engine.domain.rows import AlertKey, Archive, Engine, LogEntry, WebhookToken, World
from execution_engine.domain.symbols import Catalogue
from execution_engine.engine import book as books
from execution_engine.engine.book import Book, Targets
from tests.house import NOON, House


def price(last: D) -> Price:
    return Price(exchange="binance", symbol="BTCUSDT", last=last, at=NOON)


TARGET = st.decimals(1, 100, places=0)
CHANGES = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from(list(Side)), st.none() | TARGET | TARGET), max_size=40
)


@given(CHANGES, TARGET)
def test_the_nearest_targets_answer_like_a_search_through_all_of_them(changes, last):
    targets, known = Targets(), dict[int, tuple[Side, D]]()
    for group_id, side, target in changes:
        targets.set(group_id, side, target)
        known.pop(group_id, None)
        if target is not None:
            known[group_id] = (side, target)
    hit = {id for id, (side, at) in known.items() if (last >= at if side is Side.LONG else last <= at)}
    assert targets.reached(price(last)) == sorted(hit)


def house_with_a_past() -> House:
    house = House()
    house.price("BTCUSDT", "50000")
    house.alert(price="50000")
    house.accept()
    house.fill(house.sent[0])
    return house


@pytest.mark.fault(72)
def test_a_closed_group_leaves_nothing_behind_when_it_is_archived():
    house = house_with_a_past()
    trade = house.fill(house.sent[1])
    order = house.sent[1]
    assert house.book.has_trade("paper", "binance", "BTCUSDT", trade.trade_id)
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    house.fill_all("exit")
    id = house.group.id
    house.book.apply([Archive(id)])
    for rows in (house.book.groups, house.book.pyramids, house.book.legs, house.book.orders):
        assert rows == {}
    for ask in ("legs_of", "orders_of", "pyramids_of", "alerts_of"):
        assert list(getattr(house.book, ask)(id)) == []
    assert house.book.order_of(order.client_order_id) is None
    assert not house.book.has_trade("paper", "binance", "BTCUSDT", trade.trade_id)
    assert house.book.entries_on(World.PAPER, NOON.date()) == 1
    house.book.apply([Archive(id)])  # once more, as after a copy


def test_a_price_matters_only_where_it_decides_something():
    house = house_with_a_past()
    cares = house.book.cares
    assert not cares(price(D(50499)))
    assert cares(price(D(50500)))
    assert not cares(replace(price(D(60000)), symbol="ETHUSDT"))
    house.alert(symbol="ETHUSDT")  # waits for its price: whatever comes has it judged
    assert cares(price(D(1)))


def test_tokens_and_lines_of_the_log_are_rows_too():
    house = House()
    token = WebhookToken(name="TradingView", token="x" * 22, created_at=NOON)
    house.post(AddToken(name="TradingView", token="x" * 22))
    assert house.book.tokens == {"TradingView": token}
    line = LogEntry(id=10_000, at=NOON, level="INFO", category="SYSTEM", code="x", text="y")
    house.book.apply([line])
    assert house.book.counter == 10_000  # its id is taken all the same


@pytest.mark.fault(72)
def test_old_finished_alerts_are_let_go_and_open_ones_are_kept(monkeypatch: Any):
    monkeypatch.setattr(books, "ALERTS_KEPT", 5)
    monkeypatch.setattr(books, "ALERTS_AT_ONCE", 5)
    house = House({"pool.max_open_groups": 1})
    house.price("BTCUSDT", "50000")
    first = house.alert()
    queued = house.alert(symbol="ETHUSDT")
    for _ in range(20):
        house.alert(type="exit", action=None, symbol="SOLUSDT")
    assert {first.id, queued.id} <= set(house.book.alerts)
    assert len(house.book.alerts) <= 2 * 5 + 2


def test_the_last_alert_of_each_chart_is_kept_however_many_come_of_others(monkeypatch: Any):
    monkeypatch.setattr(books, "ALERTS_KEPT", 5)
    monkeypatch.setattr(books, "ALERTS_AT_ONCE", 5)
    house = House()
    older, last = (house.alert(type="exit", action=None) for _ in range(2))
    for _ in range(20):
        house.alert(type="exit", action=None, symbol="SOLUSDT")
    assert house.book.last_alert(last.chain) == last.id
    assert last.id in house.book.alerts
    assert older.id not in house.book.alerts


def test_an_alert_that_was_replayed_is_not_what_a_strategy_said_last():
    house = House()
    older, last = (house.alert(type="exit", action=None) for _ in range(2))
    house.post(Replay(alert_id=older.id, received_at=house.clock.now()))
    assert house.book.last_alert(last.chain) == last.id


def test_who_an_alert_was_is_let_go_once_a_copy_of_it_counts_as_new():
    house = House()
    keys = [
        AlertKey(id=id, key=f"k{id}", body_hash="", received_at=NOON + timedelta(days=id))
        for id in range(200)
    ]
    house.book.apply(keys)
    assert house.book.alert_key("k109") == keys[109]
    assert house.book.alert_key("k108") is None


def test_a_body_that_comes_again_and_again_keeps_no_others_from_being_let_go():
    house = House()
    for day in range(200):
        at = NOON + timedelta(days=day)
        house.book.apply(
            [
                AlertKey(id=2 * day, key="the same body", body_hash="", received_at=at),
                AlertKey(id=2 * day + 1, key=f"k{day}", body_hash="", received_at=at),
            ]
        )
    assert house.book.alert_key("k50") is None
    assert house.book.alert_key("k150") is not None


def test_many_charts_have_no_alert_looked_through_with_each_that_comes(monkeypatch: Any):
    monkeypatch.setattr(books, "ALERTS_KEPT", 5)
    monkeypatch.setattr(books, "ALERTS_AT_ONCE", 4)
    house = House()
    before, let_go = 0, 0
    for minutes in (*range(1, 31), *[45] * 20):
        house.alert(type="exit", action=None, timeframe=str(minutes))
        let_go += len(house.book.alerts) < before + 1
        before = len(house.book.alerts)
    assert len(house.book.alerts) <= 31 + 5 + 4
    assert let_go <= 20 / 4


def test_a_book_made_of_the_rows_of_another_gives_the_same_rows():
    house = house_with_a_past()
    again = Book(house.catalogue, Engine(install_key="another"))
    again.apply(house.book.rows())
    assert again.rows() == house.book.rows()
    assert again.reached(price(D(60000))) == house.book.reached(price(D(60000))) == [house.group.id]


def test_the_next_time_that_falls_due_is_the_earliest():
    house = House({"pool.max_open_groups": 1, "pool.max_queue_age_s": 60, "grid.max_unfilled_hours": 1})
    assert house.book.next_due() is None
    house.price("BTCUSDT", "50000")
    house.alert()
    assert (house.book.next_due() - NOON).total_seconds() == 3600
    house.alert(symbol="ETHUSDT")
    assert (house.book.next_due() - NOON).total_seconds() == 60


def test_a_group_whose_rules_are_missing_is_loaded_all_the_same():
    house = house_with_a_past()
    rows = [row for row in house.store.load() if not isinstance(row, Archive)]
    empty = Book(Catalogue(), house.book.engine)
    empty.apply(rows)
    assert empty.groups == house.book.groups
    assert empty.reached(price(D(60000))) == []
