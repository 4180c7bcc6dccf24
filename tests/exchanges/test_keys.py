"""Keys on the local exchanges: signatures, clocks, rights and environments are really checked."""

from __future__ import annotations

import aiohttp
import ccxt
import pytest

from tests.exchanges import LocalExchanges
from tests.exchanges.trading import ALL, Trading, on_every_exchange, trading

MODES = [
    ("binance", "testnet"),
    ("binance", "demo"),
    ("bybit", "testnet"),
    ("bybit", "demo"),
    ("okx", "demo"),
]
PRODUCTION = {
    "binance": {"api.binance.com", "fapi.binance.com"},
    "bybit": {"api.bybit.com"},
    "okx": {"www.okx.com"},
}


@on_every_exchange
@pytest.mark.parametrize("wrong", ["apiKey", "secret"])
async def test_a_wrong_key_or_secret_is_no_entry(name: str, wrong: str) -> None:
    async with trading(name) as here:
        setattr(here.client, wrong, "0123456789abcdef0123456789abcdef")
        with pytest.raises(ccxt.AuthenticationError):
            await here.order("buy", "0.01", "60000")
        assert here.account.orders == []


@pytest.mark.parametrize("name", ["okx", "kucoin"])
async def test_a_wrong_passphrase_is_no_entry(name: str) -> None:
    async with trading(name) as here:
        here.client.password = "something else"
        with pytest.raises(ccxt.AuthenticationError):
            await here.balance()


@on_every_exchange
@pytest.mark.parametrize("skew_ms", [-90_000, 90_000])
async def test_a_clock_that_is_wrong_is_refused_before_anything_happens(name: str, skew_ms: int) -> None:
    async with trading(name) as here:
        here.exchange.clock_skew_ms = skew_ms
        with pytest.raises(ccxt.InvalidNonce):
            await here.order("buy", "0.01", "60000")
        assert here.account.orders == []
        await here.client.load_time_difference()
        await here.order("buy", "0.01", "60000")


@on_every_exchange
async def test_a_revoked_key_is_no_entry_any_more(name: str) -> None:
    async with trading(name) as here:
        await here.balance()
        here.account.revoked = True
        # Binance's answer is what a temporary ban looks like too, and ccxt calls it that once a key has worked.
        with pytest.raises(ccxt.DDoSProtection if name == "binance" else ccxt.AuthenticationError):
            await here.balance()


@on_every_exchange
async def test_a_key_that_may_only_read_cannot_trade(name: str) -> None:
    async with trading(name) as here:
        here.account.trade = False
        # OKX's 50120 is not in ccxt's table.
        with pytest.raises(ccxt.ExchangeError if name == "okx" else ccxt.AuthenticationError):
            await here.order("buy", "0.01", "60000")
        assert here.account.orders == []


@on_every_exchange
async def test_a_key_bound_to_another_address_is_no_entry(name: str) -> None:
    async with trading(name) as here:
        here.account.ips = ("203.0.113.7",)
        with pytest.raises(ccxt.AuthenticationError):
            await here.balance()


@on_every_exchange
async def test_a_key_tells_its_rights(name: str) -> None:
    async with trading(name) as here:
        assert not await may_withdraw(here)
        here.account.withdraw = True
        assert await may_withdraw(here)


async def may_withdraw(here: Trading) -> bool:
    client = here.client
    if here.name == "binance":
        return (await client.sapiGetAccountApiRestrictions())["enableWithdrawals"] is True
    if here.name == "bybit":
        rights = (await client.privateGetV5UserQueryApi())["result"]["permissions"]
        return "Withdraw" in rights["Wallet"]
    if here.name == "okx":
        return "withdraw" in (await client.privateGetAccountConfig())["data"][0]["perm"]
    return "Withdraw" in (await client.privateGetUserApiKey())["data"]["permission"]


@pytest.mark.parametrize(("name", "mode"), MODES)
async def test_test_modes_have_hosts_accounts_and_orders_of_their_own(name: str, mode: str) -> None:
    async with trading(name, mode=mode) as here:
        await here.order("buy", "0.01", id="m1")
        assert (await here.look("m1"))["status"] == "closed"
        reached = {asked.host for asked in here.exchange.requests if asked.route and asked.route.private}
        if name != "okx":  # which has one host, and tells the mode by a header
            assert not reached & PRODUCTION[name]
        assert here.exchange.venue(mode).orders
        assert not here.exchange.venue("live").orders


async def test_binance_trades_demo_perpetuals_on_the_demo_host() -> None:
    async with trading("binance", "swap", mode="demo") as here:
        await here.order("buy", "0.01", id="m1")
        assert {asked.host for asked in here.exchange.calls("create")} == {"demo-fapi.binance.com"}


@pytest.mark.parametrize(("name", "mode"), MODES)
async def test_a_live_key_is_no_entry_to_a_test_mode(name: str, mode: str) -> None:
    async with LocalExchanges(name) as world:
        live = world[name].account("live")
        client = world.ccxt(name, mode=mode, enableRateLimit=False)
        client.apiKey, client.secret = live.keys.api_key, live.keys.secret
        client.password = live.keys.passphrase
        with pytest.raises(ccxt.AuthenticationError, match="50101" if name == "okx" else None):
            await client.fetch_balance()


async def test_kucoin_has_no_test_mode() -> None:
    async with LocalExchanges("kucoin") as world:
        with pytest.raises(ValueError, match="only live"):
            world.ccxt("kucoin", mode="testnet")
        with pytest.raises(ValueError, match="only live"):
            world.kucoin.account("demo")


async def test_all_four_can_run_at_once_and_no_other_host_can_be_reached() -> None:
    async with LocalExchanges() as world:
        for name in ALL:
            client = world.ccxt(name, world[name].account(), enableRateLimit=False)
            assert abs(await client.fetch_time() - world[name].now_ms()) < 5000
        stranger = world.ccxt("kraken")
        with pytest.raises(ccxt.ExchangeNotAvailable):
            await stranger.fetch_time()
        assert world.strangers == ["api.kraken.com"]


async def test_a_client_that_does_not_trust_the_authority_gets_no_connection() -> None:
    async with LocalExchanges("okx") as world:
        client = world.ccxt("okx")
        await client.session.close()
        connector = aiohttp.TCPConnector(resolver=world.resolver)
        client.session = aiohttp.ClientSession(connector=connector)
        with pytest.raises(ccxt.ExchangeNotAvailable):
            await client.fetch_time()
        await client.session.close()
