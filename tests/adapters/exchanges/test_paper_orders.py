"""The paper exchange takes, fills, refuses and cancels orders as a real one does."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from execution_engine.adapters.exchanges.paper_rows import PaperTerms
from execution_engine.domain.inputs import Balances, OrderReport, Price, Verdict
from execution_engine.domain.rows import Order, OrderStatus
from tests.adapters.exchanges.paper_world import RULES, SPOT, SWAP, D, World


async def test_a_limit_order_below_the_market_rests() -> None:
    world = World()
    await world.price("65000")

    report = await world.buy("0.00307", "64000.00")

    assert (report.verdict, report.status) == (Verdict.ACCEPTED, OrderStatus.OPEN)
    assert report.exchange_order_id == "1"
    assert report.filled_quantity == 0
    assert await world.free() == {"USDT": D("99803.52")}


async def test_a_resting_order_fills_whole_at_its_own_price_when_the_price_touches_it() -> None:
    world = World()
    await world.price("65000")
    await world.buy("0.00307", "64000.00")
    await world.price("64000.01")
    assert [report.status for report in world.said(OrderReport)] == []

    await world.price("64000.00")

    (report,) = world.said(OrderReport)
    (trade,) = report.trades
    assert report.status is OrderStatus.FILLED
    assert (trade.price, trade.quantity, trade.maker) == (D("64000.00"), D("0.00307"), True)


async def test_a_gap_through_a_resting_order_still_fills_it_at_its_own_price() -> None:
    world = World()
    await world.price("65000")
    await world.buy("0.001", "64000.00")

    await world.price("50000")

    assert world.said(OrderReport)[0].trades[0].price == 64000


async def test_a_resting_sale_fills_when_the_price_rises_to_it() -> None:
    world = World()
    await world.price("65000")
    await world.buy("0.01")
    await world.sell("0.005", "66000.00")

    await world.price("66000.00")

    assert world.said(OrderReport)[-1].status is OrderStatus.FILLED


async def test_a_marketable_limit_order_fills_at_once_at_the_current_price() -> None:
    world = World()
    await world.price("65000")

    report = await world.buy("0.00307", "65500.00")

    assert report.status is OrderStatus.FILLED
    assert report.trades[0].price == 65000
    assert not report.trades[0].maker


async def test_a_market_order_buys_at_the_ask_and_sells_at_the_bid() -> None:
    world = World()
    await world.price("65000", bid="64999", ask="65001")

    bought, sold = await world.buy("0.01"), await world.sell("0.005")

    assert bought.trades[0].price == 65001
    assert sold.trades[0].price == 64999


async def test_a_quoted_resting_buy_waits_for_the_ask() -> None:
    world = World()
    await world.price("65000", bid="64999", ask="65001")
    await world.buy("0.001", "64000.00")

    await world.price("64000", bid="63999", ask="64001")
    assert world.said(OrderReport) == []
    await world.price("63999", bid="63998", ask="64000")
    assert world.said(OrderReport)[0].status is OrderStatus.FILLED


async def test_the_best_price_fills_first_and_then_the_oldest() -> None:
    world = World()
    await world.price("65000")
    for price in ("63000.00", "64000.00", "64000.00"):
        await world.buy("0.001", price)

    await world.price("60000")

    assert [report.exchange_order_id for report in world.said(OrderReport)] == ["2", "3", "1"]


async def test_prices_of_another_exchange_touch_nothing_here() -> None:
    world = World()
    await world.price("65000")
    await world.buy("0.001", "64000.00")

    await world.price("60000", exchange="bybit")

    assert world.said(OrderReport) == []


async def test_a_filled_buy_pays_its_fee_in_the_base_currency() -> None:
    world = World()
    await world.price("65000")

    report = await world.buy("0.00307")

    (trade,) = report.trades
    assert (trade.fee, trade.fee_currency, trade.fee_value) == (D("0.00000307"), "BTC", D("0.19955"))
    assert await world.free() == {"USDT": D("100000") - D("199.55"), "BTC": D("0.00306693")}


async def test_the_worked_example_leaves_its_dust() -> None:
    world = World()
    await world.price("65000")
    await world.buy("0.00307")
    await world.price("65650")

    report = await world.sell("0.00306")

    (trade,) = report.trades
    assert (trade.fee, trade.fee_currency) == (D("0.200889"), "USDT")
    free = await world.free()
    assert free["BTC"] == D("0.00000693")
    assert free["USDT"] - 100000 + D("0.45045") == D("1.588561")


@pytest.mark.parametrize(
    ("exchange", "currency"), [("binance", "BTC"), ("bybit", "BTC"), ("okx", "BTC"), ("kucoin", "USDT")]
)
async def test_each_exchange_takes_the_fee_of_a_buy_in_its_own_currency(exchange: str, currency: str) -> None:
    world = World()
    await world.price("65000", exchange=exchange)

    report = await world.buy("0.01", exchange=exchange)

    assert report.trades[0].fee_currency == currency
    assert report.trades[0].fee_value == D("0.65")


async def test_resting_orders_pay_the_maker_fee_and_others_the_taker_fee() -> None:
    world = World(terms=PaperTerms(maker_fee_percent=D("0.02"), taker_fee_percent=D("0.05")))
    await world.price("65000")
    taken = await world.buy("0.01")
    await world.sell("0.009", "66000.00")
    await world.price("66000")

    assert taken.trades[0].fee == D("0.000005")
    assert world.said(OrderReport)[0].trades[0].fee == D("0.009") * 66000 * D("0.0002")


async def test_an_order_keeps_the_fees_it_was_accepted_with() -> None:
    world = World()
    await world.price("65000")
    await world.buy("0.01", "64000.00")
    world.terms = PaperTerms(maker_fee_percent=D(5))

    await world.price("64000")

    assert world.said(OrderReport)[0].trades[0].fee == D("0.00001")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"symbol": "NONEUSDT"}, "binance has no spot market NONEUSDT."),
        ({"symbol": "BTCUSDT.P", "account": SPOT}, "binance has no spot market BTCUSDT.P."),
        ({"exchange": "nowhere"}, "nowhere has no spot market BTCUSDT."),
        ({"price": D("64000.005")}, "The price 64000.005 is no multiple of the tick 0.01."),
        ({"price": D(0)}, "The price must be above zero."),
        ({"price": D("NaN")}, "The price must be above zero."),
        ({"price": None}, "The price must be above zero."),
        ({"quantity": D("0.000015")}, "The quantity 0.000015 is no multiple of the step 0.00001."),
        ({"quantity": D(0)}, "The quantity must be above zero."),
        ({"quantity": D(-1)}, "The quantity must be above zero."),
        ({"quantity": D("Infinity")}, "The quantity must be above zero."),
        ({"quantity": D("1e40")}, "The quantity is larger than any market."),
        ({"price": D("1e40")}, "The price is higher than any market's."),
        ({"quantity": D(9001)}, "The quantity 9001 is above the maximum of 9000 BTC."),
        ({"quantity": D("0.00007")}, "The order's value 4.4800000 is below the minimum of 5 USDT."),
        ({"reduce_only": True}, "There are no reduce-only orders on spot."),
        ({"symbol": "ETHUSDT"}, "no market price"),
    ],
)
async def test_an_order_against_the_rules_is_refused(changes: dict[str, Any], reason: str) -> None:
    world = World()
    await world.price("65000")

    report = await world.place(replace(world.order("buy", "0.01", "64000.00"), **changes))

    assert (report.verdict, report.status) == (Verdict.REFUSED, OrderStatus.REJECTED)
    assert (report.code, report.reason) == ("OrderValidationError", reason)
    assert report.exchange_order_id is None
    assert world.said(Balances) == []


async def test_market_orders_have_their_own_maximum() -> None:
    world = World(terms=PaperTerms(start_balance_usd=D(10**9)))
    await world.price("65000")

    assert (await world.buy("98")).reason == "The quantity 98 is above the maximum of 97.09521512 BTC."
    assert (await world.buy("98", "64000.00")).status is OrderStatus.OPEN


async def test_a_quantity_below_the_minimum_is_refused() -> None:
    world = World()
    await world.price("65000", exchange="bybit")

    report = await world.buy("0.00001", exchange="bybit")

    assert report.reason == "The quantity 0.00001 is below the minimum of 0.000011 BTC."


async def test_an_order_without_funds_is_refused() -> None:
    world = World()
    await world.price("65000")

    bought, sold = await world.buy("2", "64000.00"), await world.sell("1")

    assert (bought.verdict, bought.code) == (Verdict.REFUSED, "InsufficientFundsError")
    assert bought.reason == "The order needs 128000.00 USDT, 100000 is free."
    assert sold.reason == "The order needs 1 BTC, 0 is free."


async def test_resting_orders_keep_their_money_from_being_spent_twice() -> None:
    world = World()
    await world.price("65000")
    await world.buy("1", "60000.00")

    assert (await world.buy("1", "60000.00")).code == "InsufficientFundsError"
    assert (await world.buy("0.5", "60000.00")).status is OrderStatus.OPEN


async def test_a_resting_sale_keeps_its_coins_from_being_sold_twice() -> None:
    world = World()
    await world.price("65000")
    await world.buy("1.1")
    await world.sell("1", "70000.00")

    assert (await world.sell("0.5")).code == "InsufficientFundsError"
    assert await world.free() == {"USDT": D(100000) - D("71500"), "BTC": D("0.0989")}


async def test_an_unknown_account_has_invalid_credentials() -> None:
    world = World()
    await world.price("65000")

    report = await world.buy("0.01", account="other")

    assert (report.verdict, report.code) == (Verdict.REFUSED, "InvalidCredentialsError")


async def test_the_two_hundred_and_first_open_order_of_a_market_is_refused() -> None:
    world = World()
    await world.price("65000")
    await world.exchange.place([world.order("buy", "0.0001", "60000.00") for _ in range(200)])

    report = await world.buy("0.0001", "60000.00")

    assert report.code == "OrderValidationError"
    assert "200 open orders" in report.reason
    assert (await world.buy("0.0001")).status is OrderStatus.FILLED


async def test_a_used_client_order_id_proves_that_the_order_is_there() -> None:
    world = World()
    await world.price("65000")
    resting = world.order("buy", "0.001", "64000.00")
    filled = world.order("buy", "0.001")
    await world.exchange.place([resting, filled])

    for order in (resting, filled):
        report = await world.place(order)
        assert (report.verdict, report.code, report.status) == (Verdict.UNKNOWN, "DuplicateOrderId", None)
        assert (await world.exchange.look(order)).verdict is Verdict.ACCEPTED
    assert len((await world.opened()).reports) == 1


async def test_the_same_client_order_id_twice_in_one_batch_is_taken_once() -> None:
    world = World()
    await world.price("65000")
    order = world.order("buy", "0.001", "64000.00")

    first, second = await world.exchange.place([order, order])

    assert first.status is OrderStatus.OPEN
    assert second.code == "DuplicateOrderId"


async def test_a_refused_order_may_come_again() -> None:
    world = World()
    order = world.order("buy", "0.001", "64000.00")
    assert (await world.place(order)).reason == "no market price"
    await world.price("65000")

    assert (await world.place(order)).status is OrderStatus.OPEN


async def test_a_batch_is_answered_in_its_order() -> None:
    world = World()
    await world.price("65000")

    reports = await world.exchange.place(
        [
            world.order("buy", "0.001", "64000.00"),
            world.order("buy", "0", "1.00"),
            world.order("buy", "0.001"),
        ]
    )

    assert [report.status for report in reports] == [
        OrderStatus.OPEN,
        OrderStatus.REJECTED,
        OrderStatus.FILLED,
    ]


async def test_balances_are_posted_before_an_order_is_answered() -> None:
    world = World()
    await world.price("65000")
    world.posted.clear()

    await world.buy("0.01", "64000.00")

    assert [type(entry) for entry in world.posted] == [Balances]
    assert world.said(Balances)[0].free["USDT"] == D("99360")


async def test_a_price_posts_balances_then_reports_then_itself() -> None:
    world = World()
    await world.price("65000")
    await world.buy("0.01", "64000.00")
    await world.buy("0.01", "63000.00")
    world.posted.clear()

    await world.price("60000")

    assert [type(entry) for entry in world.posted] == [Balances, OrderReport, OrderReport, Price]


async def test_a_cancelled_order_gives_its_money_back() -> None:
    world = World()
    await world.price("65000")
    order = world.order("buy", "1", "64000.00")
    await world.place(order)

    report = await world.cancel(order)

    assert (report.verdict, report.status, report.about_cancel) == (
        Verdict.ACCEPTED,
        OrderStatus.CANCELLED,
        True,
    )
    assert await world.free() == {"USDT": D(100000)}
    await world.price("60000")
    assert world.said(OrderReport) == []


async def test_cancelling_a_filled_order_answers_with_its_trades() -> None:
    world = World()
    await world.price("65000")
    order = world.order("buy", "0.01")
    await world.place(order)

    report = await world.cancel(order)

    assert (report.verdict, report.status, report.about_cancel) == (
        Verdict.ACCEPTED,
        OrderStatus.FILLED,
        True,
    )
    assert report.filled_quantity == D("0.01")
    assert len(report.trades) == 1


async def test_cancelling_twice_says_the_same() -> None:
    world = World()
    await world.price("65000")
    order = world.order("buy", "0.01", "64000.00")
    await world.place(order)
    await world.cancel(order)

    assert (await world.cancel(order)).status is OrderStatus.CANCELLED


async def test_an_order_that_was_never_taken_is_absent() -> None:
    world = World()
    order = world.order("buy", "0.01")

    assert (await world.exchange.look(order)).verdict is Verdict.ABSENT
    assert (await world.cancel(order)).verdict is Verdict.ABSENT


async def test_a_look_finds_open_and_closed_orders() -> None:
    world = World()
    await world.price("65000")
    orders: list[Order] = [world.order("buy", "0.01", price) for price in ("64000.00", "63000.00", None)]
    await world.exchange.place(orders)
    await world.cancel(orders[1])

    statuses = [(await world.exchange.look(order)).status for order in orders]

    assert statuses == [OrderStatus.OPEN, OrderStatus.CANCELLED, OrderStatus.FILLED]


async def test_open_orders_are_those_of_the_account() -> None:
    world = World()
    await world.price("65000")
    await world.price("65000", "BTCUSDT.P")
    await world.buy("0.01", "64000.00")
    await world.buy("0.01", "64000.0", symbol="BTCUSDT.P")

    spot, swap = await world.opened(SPOT), await world.opened(SWAP)

    assert [report.exchange_order_id for report in spot.reports] == ["1"]
    assert [report.exchange_order_id for report in swap.reports] == ["2"]
    assert spot.positions == {}


async def test_an_unknown_account_cannot_be_read() -> None:
    world = World()

    assert (await world.exchange.open_orders("other")).reason == "There is no account other."  # type: ignore[union-attr]
    assert (await world.exchange.balances("other")).reason == "There is no account other."  # type: ignore[union-attr]
    lost = await world.exchange.look(world.order("buy", "1", account="other"))
    assert lost.verdict is Verdict.UNKNOWN


async def test_opening_an_account_again_changes_nothing() -> None:
    world = World()
    await world.price("65000")
    await world.buy("0.01")
    world.terms = PaperTerms(start_balance_usd=D(5))

    world.exchange.open_account(SPOT, RULES["binance", "BTCUSDT"].market)

    assert (await world.free())["USDT"] == D(99350)


async def test_latency_is_waited_for_on_both_ways_and_the_clock_is_asked_again() -> None:
    world = World(terms=PaperTerms(latency_ms=300))
    await world.price("65000")
    begun = world.clock.now()

    report = await world.buy("0.01")

    assert world.clock.slept == [0.15, 0.15]
    assert (report.at - begun).total_seconds() == 0.15
    assert Decimal(str((world.clock.now() - begun).total_seconds())) == D("0.3")
