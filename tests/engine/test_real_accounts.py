"""What the engine does about accounts whose exchange cannot be asked, and about rules that are read anew."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal as D

from execution_engine.adapters.exchanges.unreachable import Unreachable
from execution_engine.domain.inputs import AccountUnreadable, Instruments, Price, Verdict
from execution_engine.engine.breaker import State
from execution_engine.engine.reconcile import Reconcile
from execution_engine.engine.way import Ways
from tests.engine.virtual import in_virtual_time
from tests.house import NOON, House

WHY = "There are no keys of account paper here: enter them again."


def test_rules_that_are_read_anew_count_at_once_and_for_what_is_open() -> None:
    house = House()
    house.price("BTCUSDT", "50000")
    house.alert(price="50000")
    house.accept()
    house.fill(house.sent[0])
    target = min(leg.tp_price for leg in house.legs() if leg.filled_quantity)
    here = Price(exchange="binance", symbol="BTCUSDT", last=target, at=NOON)
    assert house.book.reached(here)
    rules = house.book.catalogue.get("binance", "BTCUSDT")
    assert rules is not None
    house.desk.post(Instruments(instruments=(replace(rules, tick=D(1), min_notional=D(77)),)))
    known = house.book.catalogue.get("binance", "BTCUSDT")
    assert known is not None
    assert (known.tick, known.min_notional) == (D(1), D(77))
    assert house.book.reached(here)
    house.desk.post(Instruments(instruments=(replace(rules, step=D(1), min_qty=D(1)),)))
    assert not house.book.reached(here)  # what is held cannot be sold by these rules, so nothing is watched


async def test_an_exchange_that_was_not_asked_is_not_one_that_failed() -> None:
    house = House()
    ways = Ways(house.book, lambda _: Unreachable(WHY, house.clock), house.clock)
    for _ in range(20):
        answer = await ways.patient("paper").balances("paper")
        assert answer == AccountUnreadable(account="paper", reason=WHY, asked=False)
    assert ways("paper").breaker.state is State.CLOSED


async def test_without_a_way_to_the_exchange_nothing_is_sent_and_nothing_is_proven() -> None:
    house = House()
    house.price("BTCUSDT", "50000")
    house.alert(price="50000")
    orders = house.sent
    nowhere = Unreachable(WHY, house.clock)
    placed = await nowhere.place(orders)
    assert {(said.verdict, said.reason) for said in placed} == {(Verdict.REFUSED, WHY)}
    asked = [*await nowhere.cancel(orders), await nowhere.look(orders[0])]
    assert {said.verdict for said in asked} == {Verdict.UNKNOWN}
    for answer in (await nowhere.open_orders("paper"), await nowhere.fills("paper", NOON)):
        assert answer == AccountUnreadable(account="paper", reason=WHY, asked=False)


@in_virtual_time
async def test_an_account_that_could_not_be_read_is_read_at_once_when_its_keys_are_there() -> None:
    house = House()
    asked: list[float] = []
    loop = asyncio.get_running_loop()

    class Waits(Unreachable):
        async def balances(self, account: str) -> AccountUnreadable:
            asked.append(loop.time())
            return await super().balances(account)

    reader = Reconcile(house.book, lambda _: Waits(WHY, house.clock), house.desk.post, house.clock)
    keeping = asyncio.create_task(reader.keep("paper"))
    await asyncio.sleep(100)
    before = len(asked)
    reader.again("paper")
    await asyncio.sleep(0.01)
    assert len(asked) == before + 1
    assert loop.time() - asked[-1] < 1
    assert house.book.accounts["paper"].reason == WHY
    keeping.cancel()
