"""Prices of several exchanges at once, each market from its own."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.exchanges.catalogue import VENUES
from execution_engine.adapters.exchanges.ccxt_live import LivePrices
from execution_engine.adapters.exchanges.ccxt_markets import Markets
from execution_engine.adapters.exchanges.ccxt_prices import PriceStream
from execution_engine.domain.inputs import Instruments, NoPrice, Price
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.rows import Mode
from tests.exchanges import LocalExchanges
from tests.waiting import until


async def test_each_market_is_followed_where_it_is(tmp_path: Path) -> None:
    async with LocalExchanges("bybit", "kucoin") as world:
        rules: dict[tuple[str, str], Instrument] = {}
        told: list[Any] = []
        session, clock = world.session(), SystemClock()

        def post(said: Any) -> None:
            told.append(said)
            if isinstance(said, Instruments):
                rules.update({one.key: one for one in said.instruments})

        def known(exchange: str, symbol: str) -> Instrument | None:
            return rules.get((exchange, symbol))

        made = {
            (name, market): Markets(VENUES[name], market, Mode.LIVE, tmp_path, lambda: session, clock, post)
            for name, market in (("bybit", Market.SPOT), ("kucoin", Market.SWAP))
        }
        for markets in made.values():
            await markets.refresh()
        told.clear()

        def stream(name: str, market: Market) -> PriceStream:
            return PriceStream(
                VENUES[name], market, Mode.LIVE, made[name, market], known, lambda: session, clock, post
            )

        prices = LivePrices(stream, known, post)
        world.bybit.price("BTCUSDT", "64000")
        world.kucoin.price("BTCUSDT.P", "64100")
        prices.start()
        prices.want([("bybit", "BTCUSDT"), ("kucoin", "BTCUSDT.P"), ("okx", "BTCUSDT")])
        assert told == [NoPrice(exchange="okx", symbol="BTCUSDT", reason="unknown symbol")]

        def lasts() -> dict[tuple[str, str], Decimal]:
            return {one.key: one.last for one in told if isinstance(one, Price)}

        both = {("bybit", "BTCUSDT"): Decimal(64000), ("kucoin", "BTCUSDT.P"): Decimal(64100)}
        await until(lambda: lasts() == both, 15)
        assert set(prices.ages) == set(both)
        prices.want([("bybit", "BTCUSDT")])
        world.kucoin.price("BTCUSDT.P", "64200")
        world.bybit.price("BTCUSDT", "64300")
        await until(lambda: lasts()["bybit", "BTCUSDT"] == 64300, 10)
        assert lasts()["kucoin", "BTCUSDT.P"] == 64100  # nobody wants it any more
        await prices.stop()
