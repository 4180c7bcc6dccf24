"""Where the paper exchange's prices come from."""

import asyncio
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from execution_engine.adapters.exchanges.feeds import ManualFeed, NoFeed
from execution_engine.adapters.exchanges.synthetic import SyntheticFeed
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Balances, NoPrice, OrderReport, Price
from execution_engine.domain.rows import OrderStatus
from tests.adapters.exchanges.paper_world import RULES, D, World, rules
from tests.waiting import until

BINANCE, OKX = ("binance", "BTCUSDT"), ("okx", "BTCUSDT")


def manual(world: World) -> ManualFeed:
    feed = ManualFeed(world.exchange, rules, world.clock, world.posted.append)
    feed.start()
    return feed


@pytest.mark.parametrize(
    ("symbol", "moved"),
    [
        ("BTCUSDT", ["binance:BTCUSDT", "bybit:BTCUSDT", "okx:BTCUSDT", "kucoin:BTCUSDT"]),
        ("BTCUSDT.P", ["binance:BTCUSDT.P", "bybit:BTCUSDT.P", "okx:BTCUSDT.P", "kucoin:BTCUSDT.P"]),
        ("BINANCE:BTCUSDT", ["binance:BTCUSDT"]),
        ("okx:btcusdt.p", ["okx:BTCUSDT.P"]),
        ("1000PEPEUSDT.P", ["binance:1000PEPEUSDT.P", "bybit:1000PEPEUSDT.P"]),
    ],
)
async def test_a_price_by_hand_moves_the_markets_it_names(symbol: str, moved: list[str]) -> None:
    world = World()

    touched = await manual(world).set_price(symbol, "64000")

    assert not isinstance(touched, Refusal)
    assert [f"{instrument.exchange}:{instrument.symbol}" for instrument in touched] == moved
    prices = world.said(Price)
    assert [f"{price.exchange}:{price.symbol}" for price in prices] == moved
    assert {(price.last, price.bid, price.ask, price.manual) for price in prices} == {
        (D(64000), D(0), D(0), True)
    }


@pytest.mark.parametrize(
    "symbol", ["NONEUSDT", "", "KRAKEN:BTCUSDT", "BTC/USDT", "BTCUSDT.P.P", "ВTCUSDT", "x" * 999]
)
async def test_an_unknown_symbol_is_refused(symbol: str) -> None:
    world = World()

    refusal = await manual(world).set_price(symbol, "64000")

    assert isinstance(refusal, Refusal)
    assert refusal.code == "unknown_symbol"
    assert world.posted == []


@pytest.mark.parametrize(
    "price",
    [
        *(
            "0",
            "-1",
            "0.000",
            "NaN",
            "Infinity",
            "1e5",
            "1,5",
            "1_000",
            " 5",
            "",
            "٣",
            "1" * 29,
            "0." + "1" * 28,
        ),
        *map(Decimal, ("NaN", "0", "-5", "1e400", "1e-400", "Infinity")),
    ],
)
async def test_a_price_that_is_none_is_refused(price: Decimal | str) -> None:
    world = World()

    refusal = await manual(world).set_price("BTCUSDT", price)

    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_price"
    assert world.posted == []


async def test_a_price_is_kept_as_given() -> None:
    world = World()
    await manual(world).set_price("BINANCE:BTCUSDT", Decimal("64000.00001"))

    assert str(world.said(Price)[0].last) == "64000.00001"
    assert (await world.buy("0.01")).trades[0].price == D("64000.00001")


async def test_setting_a_price_returns_after_everything_was_posted(tmp_path: Path) -> None:
    world = World(tmp_path / "paper.sqlite", inline=False)
    feed = manual(world)
    await feed.set_price("BTCUSDT", "65000")
    await world.buy("0.01", "64000.00")
    world.posted.clear()

    await feed.set_price("BTCUSDT", "63000")

    assert [type(entry) for entry in world.posted] == [Balances, OrderReport, *[Price] * 4]
    world.exchange.close()


async def test_prices_set_at_once_come_in_their_order(tmp_path: Path) -> None:
    world = World(tmp_path / "paper.sqlite", inline=False)
    feed = manual(world)

    await asyncio.gather(*(feed.set_price("BINANCE:BTCUSDT", str(price)) for price in range(1, 20)))

    assert [price.last for price in world.said(Price)] == list(range(1, 20))
    world.exchange.close()


async def test_a_newly_wanted_market_is_told_its_price_or_that_there_is_none() -> None:
    world = World()
    feed = manual(world)
    await feed.set_price("BINANCE:BTCUSDT", "64000")
    world.posted.clear()

    feed.want([BINANCE, OKX])
    assert [type(entry) for entry in world.posted] == [Price, NoPrice]
    assert world.said(NoPrice)[0].reason == "no market price"
    feed.want([BINANCE, OKX])
    assert world.posted == []
    feed.want([])
    feed.want([BINANCE])
    assert world.said(Price)[0].last == 64000


async def test_prices_that_are_asked_for_once_more_are_told_once_more() -> None:
    world = World()
    feed = manual(world)
    await feed.set_price("BINANCE:BTCUSDT", "64000")
    world.posted.clear()
    await feed.refresh([BINANCE, OKX])
    assert [(price.key, price.last, price.manual) for price in world.said(Price)] == [(BINANCE, 64000, True)]
    assert world.said(NoPrice) == []


async def test_a_price_by_hand_survives_a_restart(tmp_path: Path) -> None:
    world = World(tmp_path / "paper.sqlite")
    await manual(world).set_price("BINANCE:BTCUSDT", "64000.5")
    set_at = world.clock.now()
    world.exchange.close()

    later = World(tmp_path / "paper.sqlite")
    later.clock.advance(86400)
    feed = manual(later)
    feed.want([BINANCE])

    (price,) = later.said(Price)
    assert (price.last, price.manual, price.at) == (D("64000.5"), True, set_at)
    assert feed.prices() == (price,)
    later.exchange.close()


async def test_a_full_disk_is_told_to_whoever_sets_a_price(tmp_path: Path) -> None:
    world = World(tmp_path / "paper.sqlite")
    feed = manual(world)
    world.exchange._store._writer.execute("DROP TABLE price")

    refusal = await feed.set_price("BTCUSDT", "64000")

    assert isinstance(refusal, Refusal)
    assert refusal.code == "storage_failed"
    assert world.posted == []
    world.exchange.close()


async def test_a_feed_without_prices_says_why() -> None:
    posted: list[object] = []
    feed = NoFeed("live prices are not there yet", posted.append)
    feed.start()

    feed.want([BINANCE])
    feed.want([BINANCE])
    await feed.refresh([BINANCE])
    await feed.stop()

    assert posted == [NoPrice(exchange="binance", symbol="BTCUSDT", reason="live prices are not there yet")]
    assert feed.prices() == ()


# The made-up market.


def synthetic(world: World, seed: int = 7) -> SyntheticFeed:
    async def sleep(seconds: float) -> None:
        world.clock.advance(seconds)
        await asyncio.sleep(0)

    return SyntheticFeed(world.exchange, rules, world.clock, world.posted.append, seed, sleep=sleep)


async def ticks(
    world: World, seed: int = 7, count: int = 50, markets: tuple[tuple[str, str], ...] = (BINANCE,)
) -> list[Price]:
    """Let the made-up market tick and return every price of it."""
    feed = synthetic(world, seed)
    feed.start()
    feed.want(markets)
    for _ in range(count):
        await feed.tick()
    await feed.stop()
    return world.said(Price)


async def test_the_made_up_market_is_the_same_for_the_same_seed() -> None:
    first, again, other = await ticks(World()), await ticks(World()), await ticks(World(), seed=8)

    assert [price.last for price in first] == [price.last for price in again]
    assert [price.last for price in first] != [price.last for price in other]
    assert len({price.last for price in first}) > 25


async def test_made_up_prices_are_on_the_grid_with_a_spread() -> None:
    markets = (BINANCE, ("bybit", "SHIB1000USDT.P"), ("okx", "PEPEUSDT"), ("kucoin", "XRPUSDT"))
    for price in await ticks(World(), markets=markets):
        tick = RULES[price.key].tick
        assert not any(value % tick for value in (price.last, price.bid, price.ask))
        assert price.ask - price.bid >= tick
        assert price.bid <= price.last <= price.ask
        assert not price.manual


async def test_a_symbol_goes_the_same_way_everywhere() -> None:
    prices = await ticks(World(), markets=(BINANCE, OKX))

    here = [price.last for price in prices if price.key == BINANCE]
    there = [price.last for price in prices if price.key == OKX]
    assert all(abs(one - other) < D("0.2") for one, other in zip(here, there, strict=True))


async def test_the_made_up_market_wanders_but_does_not_run_away() -> None:
    prices = [price.last for price in await ticks(World(), count=5000)]

    assert D(50000) < min(prices) < max(prices) < D(80000)
    steps = [abs(now - then) for then, now in pairwise(prices)]
    assert max(steps) < 65000 * D("0.001")
    assert min(prices) < max(prices) * D("0.997")


async def test_the_made_up_market_has_quiet_and_wild_times() -> None:
    prices = [price.last for price in await ticks(World(), count=2400)]
    stretches = [prices[start : start + 240] for start in range(0, 2400, 240)]

    moved = [sum(abs(now - then) for then, now in pairwise(part)) for part in stretches]

    assert max(moved) > 2 * min(moved)


async def test_a_touched_order_may_fill_in_parts_and_in_the_end_whole() -> None:
    seen = set()
    for seed in range(30):
        world = World()
        feed = synthetic(world, seed)
        feed.start()
        feed.want([BINANCE])
        order = world.order("buy", "0.01", world.said(Price)[0].bid - 5)
        await world.place(order)
        for _ in range(400):
            await feed.tick()
        reports = world.said(OrderReport)
        await feed.stop()
        for report in reports:
            assert sum(trade.quantity for trade in report.trades) == report.filled_quantity <= order.quantity
            assert all(
                trade.price == order.price and not trade.quantity % D("0.00001") for trade in report.trades
            )
        if reports:
            seen.add((reports[0].status, reports[-1].status))
    assert (OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED) in seen
    assert (OrderStatus.FILLED, OrderStatus.FILLED) in seen


async def test_the_made_up_market_goes_on_from_where_it_stopped(tmp_path: Path) -> None:
    straight = [price.last for price in await ticks(World(), count=37)]

    before = World(tmp_path / "paper.sqlite")
    first = [price.last for price in await ticks(before, count=17)]
    before.exchange.close()
    after = World(tmp_path / "paper.sqlite")
    second = [price.last for price in await ticks(after, count=20)]
    after.exchange.close()

    assert first[-1] == second[0]
    assert first + second[1:] == straight


async def test_the_made_up_market_runs_twice_a_second_by_itself() -> None:
    world = World()
    begun = world.clock.now()
    feed = synthetic(world)
    feed.want([BINANCE, ("nowhere", "BTCUSDT")])
    assert world.posted == []

    feed.start()
    feed.start()
    assert [type(entry) for entry in world.posted] == [Price, NoPrice]
    await until(lambda: len(world.posted) >= 22)
    await feed.stop()
    await feed.stop()

    passed = (world.clock.now() - begun).total_seconds()
    assert (len(world.posted) - 2) / passed == pytest.approx(2, abs=0.3)


async def test_a_made_up_price_that_is_asked_for_is_the_last_one_as_of_now() -> None:
    world = World()
    feed = synthetic(world)
    feed.want([BINANCE])
    feed.start()
    await feed.stop()
    (first,) = world.said(Price)
    world.clock.advance(5)
    await feed.refresh([BINANCE, OKX])
    (again,) = world.said(Price)
    assert (again.last, (again.at - first.at).total_seconds()) == (first.last, 5)


async def test_hand_made_and_made_up_prices_are_kept_apart() -> None:
    world = World()
    by_hand = manual(world)
    await by_hand.set_price("BINANCE:BTCUSDT", "1000")
    await ticks(world)
    assert D(60000) < world.exchange.prices()[0].last < D(70000)

    by_hand.start()

    assert [price.last for price in by_hand.prices()] == [D(1000)]


async def test_a_failing_tick_does_not_end_the_market(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    feed = synthetic(world)
    real = world.exchange.move
    failures = iter([RuntimeError("once")])

    async def move(*arguments: object, **options: object) -> object:
        for failure in failures:
            raise failure
        return await real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(world.exchange, "move", move)
    feed.start()
    feed.want([BINANCE])

    await until(lambda: len(world.posted) > 5)
    await feed.stop()
