"""Orders on the local exchanges, sent and read by unmodified ccxt classes under the real host names."""

from __future__ import annotations

from decimal import Decimal

import ccxt
import pytest

from tests.exchanges import Fault
from tests.exchanges.trading import on_every_exchange, on_every_market, trading

# What ccxt makes of an id that is taken: no exchange has the class that is named for it.
TAKEN = {
    ("binance", "spot"): (ccxt.InvalidOrder, "-2010"),
    ("binance", "swap"): (ccxt.InvalidOrder, "-4116"),
    ("bybit", "spot"): (ccxt.InvalidOrder, "170141"),
    ("bybit", "swap"): (ccxt.InvalidOrder, "110072"),
    ("okx", "spot"): (ccxt.InvalidOrder, "51016"),
    ("okx", "swap"): (ccxt.InvalidOrder, "51016"),
    ("kucoin", "spot"): (ccxt.BadRequest, "clientOidDuplicated"),
    ("kucoin", "swap"): (ccxt.ExchangeError, "300018"),
}
SPOT_BUYS_PAY = {"binance": "BTC", "bybit": "BTC", "okx": "BTC", "kucoin": "USDT"}


@on_every_market
async def test_a_limit_order_rests_until_the_price_comes_to_it(name: str, market: str) -> None:
    async with trading(name, market) as here:
        await here.order("buy", "0.01", "60000", id="a1")
        assert await here.open_ids() == ["a1"]
        resting = await here.look("a1")
        assert (resting["status"], here.base(resting["amount"])) == ("open", Decimal("0.01"))
        here.price("59000")
        assert await here.open_ids() == []
        filled = await here.look("a1")
        assert filled["status"] == "closed"
        assert (here.base(filled["filled"]), Decimal(filled["average"])) == (Decimal("0.01"), 60000)


@on_every_market
async def test_a_market_order_fills_at_once_and_its_trade_names_the_fee(name: str, market: str) -> None:
    async with trading(name, market) as here:
        here.price("64000", bid="63999", ask="64001")
        await here.order("buy", "0.01", id="m1")
        assert (await here.look("m1"))["status"] == "closed"
        (trade,) = await here.client.fetch_my_trades(here.symbol)
        assert (here.base(trade["amount"]), Decimal(trade["price"])) == (Decimal("0.01"), 64001)
        assert trade["takerOrMaker"] == "taker"
        assert trade["fee"]["currency"] == ("USDT" if here.swap else SPOT_BUYS_PAY[name])
        percent = here.exchange.listings[here.local].rules.taker_fee_percent
        fee = Decimal(trade["fee"]["cost"]) * (64001 if trade["fee"]["currency"] == "BTC" else 1)
        assert abs(fee - Decimal("640.01") * percent / 100) < Decimal("0.001")


@on_every_market
async def test_only_some_exchanges_tell_in_their_answer_what_became_of_an_order(
    name: str, market: str
) -> None:
    async with trading(name, market) as here:
        answer = await here.order("buy", "0.01", id="m1")
        knows = name == "binance"
        assert (answer["status"] == "closed", answer["filled"] is not None) == (knows, knows)
        assert answer["id"] == here.account.orders[0].id


@on_every_market
async def test_a_cancelled_order_is_gone_and_cannot_be_cancelled_again(name: str, market: str) -> None:
    async with trading(name, market) as here:
        await here.order("buy", "0.01", "60000", id="a1")
        await here.cancel("a1")
        assert await here.open_ids() == []
        assert (await here.look("a1"))["status"] == "canceled"
        not_cancelable = ccxt.BadRequest if (name, market) == ("kucoin", "swap") else ccxt.OrderNotFound
        with pytest.raises(not_cancelable):
            await here.cancel("a1")


@on_every_market
async def test_what_a_partly_filled_order_has_filled_stays_when_it_is_cancelled(
    name: str, market: str
) -> None:
    async with trading(name, market) as here:
        await here.order("buy", "0.02", "60000", id="a1")
        here.price("59000", fills="0.005")
        partly = await here.look("a1")
        assert (partly["status"], here.base(partly["filled"])) == ("open", Decimal("0.005"))
        await here.cancel("a1")
        ended = await here.look("a1")
        # Bybit has a status of its own for this on spot, which ccxt takes for a finished order.
        status = "closed" if (name, market) == ("bybit", "spot") else "canceled"
        assert (ended["status"], here.base(ended["filled"])) == (status, Decimal("0.005"))


@on_every_market
async def test_a_client_id_is_taken_while_its_order_is_open(name: str, market: str) -> None:
    async with trading(name, market) as here:
        await here.order("buy", "0.01", "60000", id="a1")
        error, said = TAKEN[name, market]
        with pytest.raises(error, match=said):
            await here.order("buy", "0.01", "60000", id="a1")
        assert len(here.account.orders) == 1


@on_every_market
async def test_only_bybit_remembers_a_client_id_for_ever(name: str, market: str) -> None:
    async with trading(name, market) as here:
        await here.order("buy", "0.01", id="m1")
        if name == "bybit":
            with pytest.raises(ccxt.InvalidOrder, match=TAKEN[name, market][1]):
                await here.order("buy", "0.01", id="m1")
        else:
            await here.order("buy", "0.01", id="m1")
        assert len(here.account.orders) == (1 if name == "bybit" else 2)


@on_every_market
async def test_an_id_with_characters_the_exchange_does_not_know_is_refused(name: str, market: str) -> None:
    async with trading(name, market) as here:
        bad = "under_score" if name == "okx" else "full.stop!"
        with pytest.raises(ccxt.BadRequest if (name, market) != ("binance", "swap") else ccxt.ExchangeError):
            await here.order("buy", "0.01", "60000", id=bad)
        assert here.account.orders == []


@on_every_market
async def test_more_than_there_is_money_for_is_refused(name: str, market: str) -> None:
    async with trading(name, market) as here:
        with pytest.raises(ccxt.InsufficientFunds):
            await here.order("buy", "40", "60000")
        assert here.account.orders == []


@on_every_market
async def test_rules_that_changed_after_the_markets_were_read_refuse_an_order(name: str, market: str) -> None:
    async with trading(name, market) as here:
        here.exchange.change(here.local, tick="5")
        with pytest.raises((ccxt.InvalidOrder, ccxt.BadRequest, ccxt.ExchangeError)):
            await here.order("buy", "0.01", "60001", id="a1")
        await here.order("buy", "0.01", "60005", id="a2")
        assert await here.open_ids() == ["a2"]


@on_every_exchange
async def test_an_order_of_too_little_value_is_refused(name: str) -> None:
    async with trading(name) as here:
        here.exchange.change(here.local, min_notional="700", min_qty="0.0001", step="0.0001")
        with pytest.raises((ccxt.InvalidOrder, ccxt.BadRequest)):
            await here.order("buy", "0.01", "60000")
        await here.order("buy", "0.02", "60000", id="a1")
        assert await here.open_ids() == ["a1"]


@on_every_market
async def test_a_halted_market_takes_no_orders(name: str, market: str) -> None:
    async with trading(name, market) as here:
        here.exchange.halt(here.local)
        with pytest.raises(ccxt.ExchangeError):
            await here.order("buy", "0.01", "60000")
        assert here.account.orders == []


@on_every_market
async def test_a_post_only_order_never_takes(name: str, market: str) -> None:
    async with trading(name, market) as here:
        # Binance refuses it; the others accept it and cancel it at once.
        if name == "binance":
            with pytest.raises((ccxt.OrderImmediatelyFillable, ccxt.InvalidOrder)):
                await here.order("buy", "0.01", "65000", id="p1", postOnly=True)
            assert here.account.orders == []
        else:
            await here.order("buy", "0.01", "65000", id="p1", postOnly=True)
            assert (await here.look("p1"))["status"] == "canceled"
        assert here.account.trades == []


@on_every_market
async def test_what_the_market_has_not_is_taken_from_a_market_order(name: str, market: str) -> None:
    async with trading(name, market) as here:
        here.exchange.depth(here.local, "0.004")
        await here.order("buy", "0.01", id="m1")
        order = await here.look("m1")
        assert here.base(order["filled"]) == Decimal("0.004")
        assert order["status"] in ("canceled", "expired", "closed")


@on_every_exchange
async def test_a_market_buy_by_value_spends_that_value(name: str) -> None:
    async with trading(name) as here:
        if name == "okx":
            await here.client.create_market_buy_order_with_cost(here.symbol, "320")
        else:
            await here.client.create_order(here.symbol, "market", "buy", 0, None, {"cost": "320"})
        assert here.account.orders[0].quantity == Decimal("0.005")


@on_every_market
async def test_open_orders_tie_money_up(name: str, market: str) -> None:
    async with trading(name, market) as here:
        await here.order("buy", "0.1", "60000", id="a1")
        usdt = (await here.balance())["USDT"]
        assert Decimal(usdt["total"]) == 100_000
        leverage = here.account.orders[0].leverage
        assert Decimal(usdt["free"]) == pytest.approx(100_000 - 6_000 / leverage)


@on_every_exchange
async def test_a_spot_buy_leaves_what_its_fee_leaves(name: str) -> None:
    async with trading(name) as here:
        await here.order("buy", "0.01")
        balance = await here.balance()
        pays_in_base = SPOT_BUYS_PAY[name] == "BTC"
        assert Decimal(balance["BTC"]["free"]) == (Decimal("0.00999") if pays_in_base else Decimal("0.01"))
        if pays_in_base:
            with pytest.raises(ccxt.InsufficientFunds):
                await here.order("sell", "0.01")
        else:
            await here.order("sell", "0.01")


async def test_binance_takes_fees_in_bnb_while_there_is_some() -> None:
    async with trading("binance", USDT="100000", BNB="0.001") as here:
        here.account.fees_in_bnb = True
        here.exchange.price("BNBUSDT", "600")
        await here.order("buy", "0.009")
        await here.order("buy", "0.009")
        trades = await here.client.fetch_my_trades(here.symbol)
        assert [trade["fee"]["currency"] for trade in trades] == ["BNB", "BTC"]


@on_every_market
async def test_a_lagging_read_side_misses_an_order_that_is_there(name: str, market: str) -> None:
    async with trading(name, market) as here:
        here.exchange.faults.lag(reads=2)
        await here.order("buy", "0.01", "60000", id="a1")
        assert await here.open_ids() == []
        if name == "bybit":
            assert await here.look("a1") is None
        else:
            with pytest.raises(ccxt.OrderNotFound):
                await here.look("a1")
        assert (await here.look("a1"))["status"] == "open"


@on_every_exchange
async def test_several_orders_go_in_one_request(name: str) -> None:
    async with trading(name, "swap" if name == "binance" else "spot") as here:
        orders = [
            {
                "symbol": here.symbol,
                "type": "limit",
                "side": "buy",
                "amount": "0.01",
                "price": price,
                "params": {"clientOrderId": f"a{number}"},
            }
            for number, price in enumerate(("60000", "50000", "1"))
        ]
        answers = await here.client.create_orders(orders)
        # KuCoin answers with a list where ccxt looks for one inside an object, and finds nothing.
        assert len(answers) == (0 if name == "kucoin" else 3)
        assert sorted(await here.open_ids()) == ["a0", "a1"]
        assert len(here.exchange.calls("create")) == 1


@on_every_exchange
async def test_closed_orders_can_be_listed(name: str) -> None:
    async with trading(name) as here:
        await here.order("buy", "0.01", id="m1")
        await here.order("buy", "0.01", "60000", id="a1")
        orders = await here.client.fetch_closed_orders(here.symbol)
        assert [order["clientOrderId"] for order in orders] == ["m1"]


@on_every_exchange
async def test_a_refusal_made_up_by_a_test_reaches_ccxt(name: str) -> None:
    async with trading(name) as here:
        body = '{"code": "-1", "retCode": 999, "msg": "Not today.", "data": []}'
        here.exchange.faults.add("create", Fault.REFUSED, says=(400, body))
        with pytest.raises(ccxt.ExchangeError, match="Not today"):
            await here.order("buy", "0.01", "60000")


@on_every_market
async def test_a_list_from_a_start_on_ends_where_the_exchange_ends_it(name: str, market: str) -> None:
    async with trading(name, market) as here:
        await here.order("buy", "0.01")
        day_ms = 86_400_000
        long_ago = here.exchange.now_ms() - 9 * day_ms
        trades = await here.client.fetch_my_trades(here.symbol, long_ago)
        # A week from then on, which is over before anything was traded; spot of Binance and OKX know no such end.
        endless = name == "okx" or (name, market) == ("binance", "spot")
        assert len(trades) == (1 if endless else 0)
        assert len(await here.client.fetch_my_trades(here.symbol, here.exchange.now_ms() - day_ms)) == 1


async def test_binance_names_the_filter_that_market_orders_fail() -> None:
    async with trading("binance") as here:
        here.exchange.change(here.local, market_max_qty="0.01")
        with pytest.raises(ccxt.InvalidOrder, match="MARKET_LOT_SIZE"):
            await here.order("buy", "0.02")
        await here.order("buy", "0.02", "60000")
