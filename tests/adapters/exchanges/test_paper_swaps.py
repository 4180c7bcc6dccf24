"""Perpetuals on the paper exchange: one net position per market, margin, reduce-only."""

from decimal import Decimal

from execution_engine.domain.inputs import OrderReport, Verdict
from execution_engine.domain.rows import OrderStatus
from tests.adapters.exchanges.paper_world import SWAP, D, World

PERP = "BTCUSDT.P"


async def perp_world(price: str = "65000", leverage: str = "1") -> World:
    world = World(leverage=leverage)
    await world.price(price, PERP)
    return world


async def test_a_short_is_opened_without_holding_anything() -> None:
    world = await perp_world()

    report = await world.sell("0.1", symbol=PERP)

    assert report.status is OrderStatus.FILLED
    assert await world.position() == D("-0.1")
    assert (report.trades[0].fee, report.trades[0].fee_currency) == (D("6.5"), "USDT")


async def test_buys_and_sells_of_one_market_net() -> None:
    world = await perp_world()
    await world.buy("0.3", symbol=PERP)
    await world.sell("0.5", symbol=PERP)

    assert await world.position() == D("-0.2")


async def test_a_closing_fill_adds_its_profit_less_fees() -> None:
    world = await perp_world()
    await world.buy("0.1", symbol=PERP)
    await world.price("66000", PERP)
    await world.sell("0.1", symbol=PERP, reduce_only=True)

    assert await world.free(SWAP) == {"USDT": D(100000) + 100 - D("6.5") - D("6.6")}


async def test_a_short_earns_when_the_price_falls() -> None:
    world = await perp_world()
    await world.sell("0.1", symbol=PERP)
    await world.price("64000", PERP)
    await world.buy("0.1", symbol=PERP, reduce_only=True)

    assert await world.free(SWAP) == {"USDT": D(100000) + 100 - D("6.5") - D("6.4")}


async def test_a_position_sets_its_margin_aside() -> None:
    world = await perp_world(leverage="10")
    await world.buy("1", symbol=PERP)

    assert await world.free(SWAP) == {"USDT": D(100000) - 6500 - 65}


async def test_leverage_buys_more_than_the_balance() -> None:
    plain, leveraged = await perp_world(), await perp_world(leverage="10")

    assert (await plain.buy("2", symbol=PERP)).code == "InsufficientFundsError"
    assert (await leveraged.buy("2", symbol=PERP)).status is OrderStatus.FILLED


async def test_a_resting_entry_reserves_margin_and_fee_until_it_is_cancelled() -> None:
    world = await perp_world(leverage="5")
    order = world.order("buy", "1", "60000.0", PERP)
    await world.place(order)
    assert await world.free(SWAP) == {"USDT": D(100000) - 12000 - 60}

    await world.cancel(order)

    assert await world.free(SWAP) == {"USDT": D(100000)}


async def test_a_reduce_only_order_is_trimmed_to_the_position() -> None:
    world = await perp_world()
    await world.buy("0.1", symbol=PERP)

    report = await world.sell("0.3", symbol=PERP, reduce_only=True)

    assert (report.status, report.filled_quantity) == (OrderStatus.FILLED, D("0.1"))
    assert await world.position() == 0


async def test_a_reduce_only_order_without_a_position_is_refused() -> None:
    world = await perp_world()
    flat = await world.sell("0.1", symbol=PERP, reduce_only=True)
    await world.buy("0.1", symbol=PERP)
    adding = await world.buy("0.1", symbol=PERP, reduce_only=True)

    assert (flat.verdict, flat.code) == (Verdict.REFUSED, "OrderValidationError")
    assert adding.reason == "There is no position that this reduce-only order could close."


async def test_a_reduce_only_order_is_free_of_the_minimum_value_and_of_margin() -> None:
    world = await perp_world()
    await world.buy("0.002", symbol=PERP)

    assert (await world.buy("0.001", symbol=PERP)).reason.startswith("The order's value 65.000 is below")
    assert (await world.sell("0.001", symbol=PERP, reduce_only=True)).status is OrderStatus.FILLED


async def test_resting_targets_shrink_with_the_position_and_end_with_it() -> None:
    world = await perp_world()
    await world.buy("0.1", symbol=PERP)
    for price in ("66000.0", "67000.0"):
        await world.sell("0.1", price, symbol=PERP, reduce_only=True)
    world.posted.clear()

    await world.sell("0.04", symbol=PERP, reduce_only=True)
    assert [report.status for report in world.said(OrderReport)] == [OrderStatus.OPEN, OrderStatus.OPEN]
    await world.price("66500", PERP)
    first, second = world.said(OrderReport)

    assert (first.status, first.filled_quantity) == (OrderStatus.FILLED, D("0.06"))
    assert (second.status, second.filled_quantity) == (OrderStatus.CANCELLED, Decimal(0))
    assert await world.position() == 0
    assert (await world.opened(SWAP)).reports == ()


async def test_an_order_that_may_add_risk_can_turn_the_position() -> None:
    world = await perp_world()
    await world.buy("0.1", symbol=PERP)
    await world.price("66000", PERP)

    await world.sell("0.3", symbol=PERP)

    assert await world.position() == D("-0.2")
    fees = D("6.5") + D("19.8")
    assert await world.free(SWAP) == {"USDT": D(100000) + 100 - fees - D("13200")}


async def test_a_partial_close_releases_margin_in_proportion() -> None:
    world = await perp_world(leverage="3")
    await world.buy("0.9", symbol=PERP)
    await world.sell("0.3", symbol=PERP, reduce_only=True)

    free = (await world.free(SWAP))["USDT"]

    assert free == D(100000) - 13000 - D("58.5") - D("19.5")


async def test_a_loss_beyond_everything_leaves_nothing_free() -> None:
    world = await perp_world()
    await world.sell("1.5", symbol=PERP)
    await world.price("200000", PERP)
    await world.buy("1.5", symbol=PERP, reduce_only=True)

    assert await world.free(SWAP) == {}
    assert (await world.sell("0.1", symbol=PERP)).code == "InsufficientFundsError"
