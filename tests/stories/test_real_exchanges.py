"""Accounts on exchanges outside: the program, its unmodified ccxt, real sockets, and the exchanges' own ledgers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stories.installation import D, Installation
from tests.stories.real import Outside, Trader, outside

Install = Callable[..., Installation]

PASSWORD = "a master password of the story"
EXCHANGES = ["binance", "bybit", "okx", "kucoin"]


@pytest.fixture(scope="module")
def four() -> Iterator[Outside]:
    with outside(*EXCHANGES) as made:
        yield made


def installed(install: Install, tmp_path: Path, led_to: Path) -> Installation:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    return install(
        environment={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
        options=["--password-file", str(file)],
        routes=led_to,
        capital__total_usd="50000",
        take_profit__on_flat="close",
    )


def trader(engine: Installation, four: Outside, exchange: str, market: str, mode: str = "live") -> Trader:
    theirs = four.do(lambda world: world[exchange].account(mode=mode, USDT="100000"))
    return Trader(engine, four, exchange, market, mode, theirs)


@pytest.mark.parametrize("exchange", ["binance"])
def test_a_grid_lives_and_closes(install: Install, tmp_path: Path, four: Outside, exchange: str) -> None:
    engine = installed(install, tmp_path, four.routes).start()
    for market in ("spot",):
        here = trader(engine, four, exchange, market)
        here.price("101")
        here.add()
        here.grid()
        here.price("98.9")
        legs = here.legs("fffoo")
        here.price(str(max(D(leg["tp_price"]) for leg in legs) + 1))
        engine.group(here.symbol, "closed")
        here.prove_same()
        here.prove_flat(D("0.1"))
    engine.stop()
