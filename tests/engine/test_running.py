"""The joined desk: what it tells about the lines to its exchanges."""

from __future__ import annotations

from collections.abc import Collection

from execution_engine.domain.inputs import Price
from execution_engine.domain.rows import Account, AccountStatus
from execution_engine.engine.breaker import Call
from execution_engine.engine.running import Running
from tests.engine.exchange import Exchange
from tests.house import D, House
from tests.waiting import until


class NoPrices:
    def want(self, markets: Collection[tuple[str, str]]) -> None: ...


def joined() -> tuple[Running, House, list[str]]:
    house = House()
    exchange = Exchange()
    running = Running(house.book, house.store, house.clock, lambda _: exchange, NoPrices())
    told: list[str] = []
    running.feed.on_released(
        lambda change: told.extend(fact.text for fact in change.facts if fact.code.startswith("line_"))
    )
    return running, house, told


async def test_a_line_that_breaks_and_comes_back_is_told_once_each_and_named_meanwhile():
    running, house, told = joined()
    way = running.ways("paper")
    for _ in range(5):
        way.answered(Call.ORDERS, well=False, probe=False)
    assert running.troubles() == ["paper: the exchange does not answer; tried again at 12:00:30 UTC"]
    house.clock.forward(seconds=30)
    assert way.breaker.lets()  # one call is let through
    assert running.troubles() == ["paper: the exchange does not answer"]
    way.answered(Call.ORDERS, well=True, probe=way.breaker.leaves())
    assert running.troubles() == []
    assert told == [
        "paper: Cannot connect to the exchange. Retrying… Entries wait; what closes is tried first.",
        "paper: The exchange answers again.",
    ]
    running.lanes.stop()


async def test_slowing_down_is_told_and_its_end_is_not_worth_a_word():
    running, house, told = joined()
    way = running.ways("paper")
    way.slow_down()
    assert running.troubles() == ["paper: slowed down by the exchange's rate limits"]
    house.clock.forward(minutes=10)
    assert running.troubles() == []
    for well in (False,) * 5 + (True,):
        house.clock.forward(seconds=31)
        way.answered(Call.ORDERS, well=well, probe=way.breaker.leaves())
    assert told[0] == "paper: Approaching the exchange's rate limits. Slowing down."
    assert told[-1] == "paper: The exchange answers again."
    running.lanes.stop()


async def test_all_that_must_not_end_is_under_way_and_a_task_that_fails_puts_every_account_in_doubt():
    running, house, _ = joined()

    async def fails() -> None:
        raise OSError("gone")

    running.start()
    assert running.tasks.names == [
        "clock",
        "pulse",
        "reconcile paper",
        "reconcile paper-perp",
        "risk",
        "watch",
    ]
    doubted: set[str] = set()
    running.feed.on_released(
        lambda change: doubted.update(
            row.name
            for row in change.rows
            if isinstance(row, Account) and row.status is AccountStatus.RECONCILING
        )
    )
    house.reconcile()
    doubted.clear()
    running.tasks.spawn("join Main", fails())
    await until(lambda: doubted == {"paper", "paper-perp"})
    assert running.tasks.failed == ["join Main"]
    await running.stop()


async def test_nothing_is_decided_after_a_sleep_on_what_was_known_before_it():
    running, house, _ = joined()
    house.clock.forward(hours=1)
    running.desk.post(Price(exchange="binance", symbol="BTCUSDT", last=D(65000), at=house.clock.now()))
    assert {account.status for account in house.book.accounts.values()} == {"reconciling"}
    await running.stop()
