"""Which environment an account speaks to, and that it can speak to no other."""

import pytest

from execution_engine.adapters.exchanges.catalogue import VENUES
from execution_engine.adapters.exchanges.ccxt_client import Client, NotThere, build, is_here
from execution_engine.domain.errors import Defect
from execution_engine.domain.inputs import Verdict
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import Mode
from tests.adapters.exchanges.ccxt_stage import stage
from tests.adapters.exchanges.ccxt_wire import KEYS, StillClock, Wire, wired

SPOT, SWAP = Market.SPOT, Market.SWAP
# Exactly what can be traded, and nothing else.
THERE = {
    ("binance", SPOT): {Mode.LIVE, Mode.TESTNET, Mode.DEMO},
    ("binance", SWAP): {Mode.LIVE, Mode.DEMO},
    ("bybit", SPOT): {Mode.LIVE, Mode.TESTNET, Mode.DEMO},
    ("bybit", SWAP): {Mode.LIVE, Mode.TESTNET, Mode.DEMO},
    ("okx", SPOT): {Mode.LIVE, Mode.DEMO},
    ("okx", SWAP): {Mode.LIVE, Mode.DEMO},
    ("kucoin", SPOT): {Mode.LIVE},
    ("kucoin", SWAP): {Mode.LIVE},
}
ENVIRONMENTS = [(name, market, mode) for (name, market), modes in THERE.items() for mode in sorted(modes)]
TESTS = [one for one in ENVIRONMENTS if one[2] is not Mode.LIVE]
PRODUCTION = [
    "https://api.binance.com/api/v3/order",
    "https://fapi.binance.com/fapi/v1/order",
    "wss://stream.binance.com:9443/ws",
    "https://api.bybit.com/v5/order/create",
    "wss://stream.bybit.com/v5/private",
    "https://api.kucoin.com/api/v1/hf/orders",
    "https://api-futures.kucoin.com/api/v1/orders",
    "wss://ws.okx.com:443/ws/v5/private",
]


@pytest.mark.parametrize("name", list(VENUES))
@pytest.mark.parametrize("market", list(Market))
def test_an_exchange_has_the_modes_it_has(name: str, market: Market) -> None:
    for mode in (Mode.LIVE, Mode.TESTNET, Mode.DEMO):
        assert (VENUES[name].place(market, mode) is not None) == (mode in THERE[name, market])
    for mode in {Mode.LIVE, Mode.TESTNET, Mode.DEMO} - THERE[name, market]:
        with pytest.raises(NotThere, match=f"has no {mode} mode for"):
            build(VENUES[name], market, mode, KEYS, Wire())


@pytest.mark.parametrize(("name", "market", "mode"), TESTS)
def test_no_address_of_production_is_one_of_a_test_mode(name: str, market: Market, mode: Mode) -> None:
    place = VENUES[name].place(market, mode)
    assert place is not None
    for url in PRODUCTION:
        assert not is_here(place, url), url


@pytest.mark.parametrize(("name", "market", "mode"), ENVIRONMENTS)
async def test_an_account_speaks_to_its_own_environment_over_real_sockets(
    name: str, market: Market, mode: Mode
) -> None:
    async with stage(name, market, mode) as on:
        (report,) = await on.place(on.order())
        assert report.verdict is Verdict.ACCEPTED
        assert [one.client_id for one in on.venue.orders.values()] == [report.client_order_id]
        others = [on.local.venue(other.value) for other in THERE[name, market] - {mode}]
        assert not any(venue.orders for venue in others)
        place = VENUES[name].place(market, mode)
        assert place is not None
        assert {one.host for one in on.local.requests} <= place.hosts


@pytest.mark.parametrize(("name", "market", "mode"), TESTS)
async def test_a_client_that_was_switched_back_to_production_sends_nothing(
    name: str, market: Market, mode: Mode
) -> None:
    stage = wired(name, market, mode)
    client = await stage.ours.ready()
    before = len(stage.wire.requests)
    live, _ = build(VENUES[name], market, Mode.LIVE, KEYS, stage.wire)
    client.exchange.urls["api"] = live.urls["api"]
    client.exchange.headers = {}
    with pytest.raises(Defect, match=r"environment|simulated"):
        await client.exchange.fetch_balance()
    (report,) = await stage.place(stage.order())
    assert report.verdict is Verdict.REFUSED
    assert len(stage.wire.requests) == before


async def test_a_live_account_never_carries_the_mark_of_simulated_trading() -> None:
    stage = wired("okx", SPOT)
    client = await stage.ours.ready()
    client.exchange.set_sandbox_mode(True)
    with pytest.raises(Defect, match="simulated trading"):
        await client.exchange.fetch_balance()


async def test_a_stream_of_another_environment_is_not_opened() -> None:
    exchange, place = build(VENUES["bybit"], SWAP, Mode.DEMO, KEYS, Wire())
    client = Client(VENUES["bybit"], SWAP, place, exchange, StillClock())
    with pytest.raises(Defect):
        client.exchange.client("wss://stream.bybit.com/v5/private")
    # The prices of the demo mode are production's.
    assert client.exchange.client("wss://stream.bybit.com/v5/public/linear").keepAlive == 3_000


async def test_waiting_again_and_again_for_a_market_that_does_not_move_leaves_nothing_behind() -> None:
    exchange, place = build(VENUES["bybit"], SWAP, Mode.LIVE, KEYS, Wire())
    client = Client(VENUES["bybit"], SWAP, place, exchange, StillClock())
    socket = client.exchange.client("wss://stream.bybit.com/v5/public/linear")
    awaited = {id(socket.future("ticker:XMRUSDT")) for _ in range(100)}
    assert len(awaited) == 1
    assert len(socket.futures["ticker:XMRUSDT"]._callbacks) == 1


@pytest.mark.parametrize(("name", "market", "mode"), ENVIRONMENTS)
def test_nothing_is_ever_sent_again_by_ccxt_itself(name: str, market: Market, mode: Mode) -> None:
    exchange, _ = build(VENUES[name], market, mode, KEYS, Wire())
    assert exchange.options["maxRetriesOnFailure"] == 0
    assert exchange.number is str
    assert exchange.verbose is False
    if name in ("binance", "bybit"):
        assert exchange.options["recvWindow"] == 5_000


async def test_keys_of_another_mode_are_recognised() -> None:
    async with stage("okx", SPOT, Mode.DEMO) as on:
        stranger = on.local.account(mode="live")
        on.ours._keys = lambda: type(KEYS)(  # the user entered those of production
            stranger.keys.api_key, stranger.keys.secret, stranger.keys.passphrase
        )
        (report,) = await on.place(on.order())
        assert (report.verdict, report.code) == (Verdict.REFUSED, "InvalidCredentialsError")
