"""What the key check makes of keys: rights, environment, account mode, addresses, expiry."""

from datetime import UTC, datetime
from typing import Any

import pytest

from execution_engine.adapters.exchanges.ccxt_check import CcxtKeyCheck
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import CheckResult, Keys
from execution_engine.domain.rows import Mode
from execution_engine.domain.settings import PositionMode
from tests.adapters.exchanges.ccxt_stage import Stage, stage
from tests.exchanges import Fault

BOTH = [(name, market) for name in ("binance", "bybit", "okx", "kucoin") for market in Market]
each = pytest.mark.parametrize(("name", "market"), BOTH)
ACCOUNT_WIDE_MODES = ["binance", "okx", "kucoin"]  # on Bybit only a symbol has one; its first entry asks


async def check(on: Stage, keys: Keys | None = None) -> CheckResult:
    checks = CcxtKeyCheck(on.ours._session, lambda *which: on.markets, lambda name: on.terms, on.clock)
    own = Keys(on.theirs.keys.api_key, on.theirs.keys.secret, on.theirs.keys.passphrase)
    return await checks.check(on.ours.account, keys or own)


@each
async def test_good_keys_can_read_and_trade_and_take_nothing_out(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        result = await check(on)
        assert result.faults == ()
        assert (result.can_read, result.can_trade, result.can_withdraw) == (True, True, False)
        assert result.ip_bound is False
        assert not result.is_unverified


@pytest.mark.fault(52)
@each
async def test_keys_that_may_take_money_out_are_refused(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        on.theirs.withdraw = True
        result = await check(on)
        assert result.can_withdraw is True
        assert "These keys may withdraw or transfer: make keys that may only read and trade." in result.faults


@each
async def test_keys_that_may_not_trade_are_refused(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        on.theirs.trade = False
        if (name, market) == ("binance", Market.SWAP):
            on.theirs.futures = False  # the right to trade them is the right to have them
        result = await check(on)
        assert result.can_trade is False
        assert result.faults


@pytest.mark.fault(50)
@each
async def test_wrong_and_revoked_keys_say_so(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        on.theirs.revoked = True
        result = await check(on)
        assert not result.can_read
        assert result.faults[0] == "Invalid API credentials. Please check your keys in Settings."


@pytest.mark.fault(53)
@pytest.mark.parametrize("name", ["binance", "bybit", "okx"])
async def test_keys_of_another_mode_are_suspected_of_it(name: str) -> None:
    async with stage(name, Market.SPOT, Mode.DEMO) as on:
        theirs = on.local.account(mode="live")
        result = await check(on, Keys(theirs.keys.api_key, theirs.keys.secret, theirs.keys.passphrase))
        assert any("were they made for another one" in fault and "live" in fault for fault in result.faults)


@pytest.mark.fault(43)
@pytest.mark.parametrize("name", ACCOUNT_WIDE_MODES)
async def test_the_position_mode_has_to_be_the_one_of_the_settings(name: str) -> None:
    async with stage(name, Market.SWAP) as on:
        on.theirs.hedge = True
        result = await check(on)
        assert not result.mode_fits
        assert any("is in hedge mode" in fault for fault in result.faults)
        on.terms = on.terms.model_copy(update={"position_mode": PositionMode.HEDGE})
        assert (await check(on)).faults == ()


async def test_an_okx_account_that_is_not_set_up_for_perpetuals_says_what_to_do() -> None:
    async with stage("okx", Market.SWAP) as on:
        on.theirs.futures = False
        result = await check(on)
        assert any("perpetuals need one of the futures modes" in fault for fault in result.faults)


@pytest.mark.parametrize("market", Market)
async def test_a_unified_account_on_kucoin_is_refused_in_one_sentence(market: Market) -> None:
    async with stage("kucoin", market) as on:
        on.theirs.unified = True
        on.local.faults.add("balance", Fault.UNKNOWN_CODE, times=9)  # nobody knows what it says there
        (first, *_) = (await check(on)).faults
        assert first == (
            "This is a unified trading account, which this application does not trade on KuCoin yet: "
            "make the keys for a classic account."
        )


@pytest.mark.parametrize("market", Market)
async def test_an_account_on_bybit_that_is_not_unified_is_refused_in_a_sentence(market: Market) -> None:
    async with stage("bybit", market) as on:
        on.theirs.unified = False
        assert "This is no unified trading account; change it on Bybit first." in (await check(on)).faults


@each
async def test_an_exchange_that_cannot_be_asked_is_not_taken_for_fine(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        for fault in (Fault.E502, Fault.HTML, Fault.EMPTY, Fault.UNKNOWN_CODE):
            for call in ("balance", "key"):
                on.local.faults.clear()
                on.local.faults.add(call, fault, times=9)
                result = await check(on)
                assert result.faults, (fault, call)
                assert not result.reached or not result.can_trade


@pytest.mark.parametrize("name", ["binance", "bybit", "okx", "kucoin"])
async def test_an_address_that_keys_are_bound_to_is_seen(name: str) -> None:
    async with stage(name, Market.SPOT) as on:
        on.theirs.ips = ("127.0.0.1",)
        result = await check(on)
        assert result.ip_bound is True
        on.theirs.ips = ("203.0.113.7",)
        assert (await check(on)).faults[0].startswith("Invalid API credentials.")


@pytest.mark.parametrize("name", ["binance", "bybit"])
async def test_the_day_on_which_keys_end_is_told(name: str) -> None:
    async with stage(name, Market.SPOT) as on:
        ends = datetime(2027, 2, 1, tzinfo=UTC)
        on.theirs.expires_at_ms = int(ends.timestamp() * 1000)
        result = await check(on)
        assert result.expires_at == ends


async def test_a_mode_that_an_exchange_does_not_have_says_so() -> None:
    async with stage("kucoin", Market.SPOT) as on:
        row: Any = on.ours.account
        checks = CcxtKeyCheck(on.ours._session, lambda *which: on.markets, lambda name: on.terms, on.clock)
        demo = type(row)(**{name: getattr(row, name) for name in row.__slots__} | {"mode": Mode.DEMO})
        result = await checks.check(demo, Keys("a", "b", "c"))
        assert result.faults[0] == "KuCoin has no demo mode for spot."
