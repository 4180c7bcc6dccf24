"""Start local exchanges by hand: `python -m tests.exchanges okx`, or `make exchange NAME=okx`.

Prices walk about a little, so that something happens. Lines typed in move them: `BTCUSDT 64000`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import threading
from dataclasses import asdict
from decimal import Decimal

from tests.exchanges.server import LocalExchange
from tests.exchanges.venue import Refused
from tests.exchanges.world import KINDS, LocalExchanges

PRICES = {
    "BTC": "64000",
    "ETH": "3200",
    "SOL": "150",
    "XRP": "0.6",
    "LTC": "80",
    "DOGE": "0.15",
    "ADA": "0.45",
    "BNB": "580",
    "LINK": "14",
    "AVAX": "28",
}


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.exchanges", description="Local exchanges by hand")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(KINDS)}; none means all")
    parser.add_argument("--port", type=int, default=0, help="TLS port, 0 picks one")
    parser.add_argument("--still", action="store_true", help="let prices stand still")
    parser.add_argument("--unlimited", action="store_true", help="take any number of requests")
    parser.add_argument("--markets", type=int, default=0, help="list so many more markets, made up")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(KINDS)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}, only {', '.join(KINDS)}")
    async with LocalExchanges(*asked.names, port=asked.port) as world:
        exchanges = [world[name] for name in asked.names or KINDS]
        for exchange in exchanges:
            if asked.unlimited:
                exchange.unlimited()
            exchange.add_markets(asked.markets)
            for base, price in PRICES.items():
                _move(exchange, f"{base}USDT", Decimal(price))
                _move(exchange, f"{base}USDT.P", Decimal(price))
        _introduce(world, exchanges)
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        for wish in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows, which raises KeyboardInterrupt instead
                loop.add_signal_handler(wish, ended.set)
        # A daemon: nothing waits for a line that never comes.
        threading.Thread(target=_read_prices, args=(exchanges, loop), daemon=True).start()
        walking = asyncio.create_task(_walk(exchanges)) if not asked.still else None
        await ended.wait()
        if walking:
            walking.cancel()


def _introduce(world: LocalExchanges, exchanges: list[LocalExchange]) -> None:
    print("Hosts, all served at", ":".join(map(str, next(iter(world.hosts.values())))))
    for host in world.hosts:
        print("   ", host)
    print("Certificate authority:", world.ca_file)
    print("Both as JSON:         ", world.routes_file)
    print("The application on it:  python -m tests.exchanges.application", world.routes_file)
    known = []
    for exchange in exchanges:
        for mode in exchange.modes:
            keys = exchange.account(mode, USDT=100_000, BTC=1, ETH=10).keys
            known.append(asdict(keys))
            print(f"\n{exchange.name} {mode}: 100,000 USDT, 1 BTC, 10 ETH")
            print("    api_key    ", keys.api_key)
            print("    secret     ", keys.secret)
            if exchange.name in ("okx", "kucoin"):
                print("    passphrase ", keys.passphrase)
    routes = json.loads(world.routes_file.read_text())
    world.routes_file.write_text(json.dumps(routes | {"accounts": known}))
    print("\nType `BTCUSDT 64000` to move a price, Ctrl+C to stop.", flush=True)


async def _walk(exchanges: list[LocalExchange]) -> None:
    while True:
        await asyncio.sleep(0.5)
        for exchange in exchanges:
            for base in PRICES:
                quote = exchange.venue(exchange.modes[0]).quotes[f"{base}USDT"]
                price = quote.last * Decimal(str(1 + random.uniform(-0.0005, 0.0005)))
                _move(exchange, f"{base}USDT", price)
                _move(exchange, f"{base}USDT.P", price)


def _move(exchange: LocalExchange, symbol: str, price: Decimal) -> None:
    """Move a price to the nearest tick, with the book one tick below and above it."""
    if symbol not in exchange.listings:
        return
    tick = exchange.listings[symbol].rules.tick
    last = (price / tick).quantize(Decimal(1)) * tick
    exchange.price(symbol, last, bid=last, ask=last + tick)


def _read_prices(exchanges: list[LocalExchange], loop: asyncio.AbstractEventLoop) -> None:
    for line in sys.stdin:
        loop.call_soon_threadsafe(_take, exchanges, line)


def _take(exchanges: list[LocalExchange], line: str) -> None:
    with contextlib.suppress(ValueError, ArithmeticError, Refused):
        symbol, price = line.split()
        for exchange in exchanges:
            _move(exchange, symbol, Decimal(price))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
