"""Faults on the way to the local exchanges: what ccxt makes of each, and what the exchange has done meanwhile."""

from __future__ import annotations

from typing import Any

import ccxt
import pytest

from tests.exchanges import Fault
from tests.exchanges.faults import NEVER_ACCEPTED
from tests.exchanges.trading import Trading, on_every_exchange, trading

# What follows from these is "refused": they may be shown as a failed order.
REFUSALS = (
    ccxt.AuthenticationError,
    ccxt.InsufficientFunds,
    ccxt.InvalidOrder,
    ccxt.BadRequest,
    ccxt.OperationRejected,
)
LIMITED = (Fault.TOO_MANY, Fault.TOO_MANY_BARE, Fault.BANNED)
WITHOUT_ANSWER = [each for each in Fault if each not in (*NEVER_ACCEPTED, Fault.UNKNOWN_CODE)]


async def outcome(here: Trading, id: str) -> Any:
    """Send an order and return what ccxt raised, or the order it gave back."""
    try:
        return await here.order("buy", "0.01", "60000", id=id)
    except Exception as error:  # ccxt lets AttributeError and TypeError out as well
        return error


@on_every_exchange
@pytest.mark.parametrize("accepted", [False, True])
async def test_no_broken_answer_looks_like_a_refusal_or_a_success(name: str, accepted: bool) -> None:
    async with trading(name) as here:
        here.client.timeout = 150
        for number, fault in enumerate(WITHOUT_ANSWER):
            id = f"f{number}"
            here.exchange.faults.add("create", fault, accepted=accepted)
            found = await outcome(here, id)
            assert not isinstance(found, REFUSALS), f"{fault}: {found!r}"
            assert isinstance(found, Exception) or found["id"] is None, f"{fault}: {found!r}"
            assert (here.account.find(id) is not None) is accepted, fault


@on_every_exchange
async def test_limits_and_bans_are_told_apart_from_the_rest(name: str) -> None:
    async with trading(name) as here:
        for number, fault in enumerate(LIMITED):
            here.exchange.faults.add("create", fault)
            found = await outcome(here, f"f{number}")
            assert isinstance(found, ccxt.RateLimitExceeded | ccxt.DDoSProtection), f"{fault}: {found!r}"
        assert here.account.orders == []


@on_every_exchange
async def test_an_unknown_code_is_a_plain_exchange_error(name: str) -> None:
    async with trading(name) as here:
        here.exchange.faults.add("create", Fault.UNKNOWN_CODE, accepted=True)
        assert type(await outcome(here, "f1")) is ccxt.ExchangeError
        assert here.account.find("f1") is not None


@pytest.mark.fault(24)
@on_every_exchange
async def test_maintenance_is_said_in_the_exchanges_own_words(name: str) -> None:
    async with trading(name) as here:
        here.exchange.faults.add("*", Fault.MAINTENANCE, times=None)
        # Bybit's "system error" stands for it, and is a plain exchange error to ccxt.
        expected = ccxt.ExchangeError if name == "bybit" else ccxt.ExchangeNotAvailable
        with pytest.raises(expected):
            await here.balance()
        here.exchange.faults.clear()
        await here.balance()


@on_every_exchange
@pytest.mark.parametrize(
    "call", ["cancel", "lookup", "open_orders", "trades", "balance", "ticker", "markets"]
)
async def test_every_call_can_fail(name: str, call: str) -> None:
    async with trading(name) as here:
        await here.order("buy", "0.01", "60000", id="a1")
        makes = {
            "cancel": lambda: here.cancel("a1"),
            "lookup": lambda: here.look("a1"),
            "open_orders": here.open_ids,
            "trades": lambda: here.client.fetch_my_trades(here.symbol),
            "balance": here.balance,
            "ticker": lambda: here.client.fetch_ticker(here.symbol),
            "markets": lambda: here.client.load_markets(True),
        }
        # Bybit has one route for looking an order up and for listing them.
        named = "open_orders" if (name, call) == ("bybit", "lookup") else call
        here.exchange.faults.add(named, Fault.E502, times=None)
        with pytest.raises(ccxt.ExchangeNotAvailable):
            await makes[call]()
        here.exchange.faults.clear()
        await makes[call]()


async def test_a_fault_can_be_for_one_order_alone() -> None:
    async with trading("okx") as here:
        chosen = "a2"
        here.exchange.faults.add("create", Fault.E500, when=lambda asked: asked.body[0]["clOrdId"] == chosen)
        for id in ("a1", "a2", "a3"):
            await outcome(here, id)
        assert sorted(await here.open_ids()) == ["a1", "a3"]


async def test_what_was_refused_cannot_be_said_to_have_been_accepted() -> None:
    async with trading("okx") as here:
        with pytest.raises(ValueError, match="nothing out"):
            here.exchange.faults.add("create", Fault.BANNED, accepted=True)


@on_every_exchange
async def test_too_many_requests_are_answered_as_the_exchange_does(name: str) -> None:
    async with trading(name) as here:
        limit = {"binance": "orders", "bybit": "spot_orders", "okx": "orders", "kucoin": "spot"}[name]
        here.exchange.limits[limit].most = here.exchange.limits[limit].used + 3
        found = [await outcome(here, f"a{number}") for number in range(5)]
        refused = [each for each in found if isinstance(each, ccxt.RateLimitExceeded | ccxt.DDoSProtection)]
        assert len(refused) in (2, 3)  # KuCoin asks for the account's mode first
        assert len(here.account.orders) == 5 - len(refused)


async def test_binance_says_when_to_come_back() -> None:
    async with trading("binance") as here:
        here.client.enableLastResponseHeaders = True
        here.exchange.limits["orders"].most = 0
        assert isinstance(await outcome(here, "a1"), ccxt.DDoSProtection)
        assert 1 <= int(here.client.last_response_headers["Retry-After"]) <= 10
