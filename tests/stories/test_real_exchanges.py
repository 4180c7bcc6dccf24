"""Accounts on exchanges outside: the program, its unmodified ccxt, real sockets, and the exchanges' own ledgers."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.installation import D, Installation, until
from tests.stories.real import Outside, Trader, outside

Install = Callable[..., Installation]

PASSWORD = "a master password of the story"
EXCHANGES = ["binance", "bybit", "okx", "kucoin"]
EVERYWHERE = [(exchange, market) for exchange in EXCHANGES for market in ("spot", "swap")]
# With a process per life it takes long: `make stories` goes everywhere.
KILLED = EVERYWHERE if os.environ.get("STORIES") == "all" else [("bybit", "swap")]


@pytest.fixture(scope="module")
def four() -> Iterator[Outside]:
    with outside(*EXCHANGES) as made:
        yield made


def installed(install: Install, tmp_path: Path, led_to: Path, **settings: Any) -> Installation:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    return install(
        environment={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
        options=["--password-file", str(file)],
        routes=led_to,
        capital__total_usd="50000",
        take_profit__on_flat="close",
        **settings,
    )


def trader(engine: Installation, four: Outside, exchange: str, market: str, mode: str = "live") -> Trader:
    theirs = four.do(lambda world: world[exchange].account(mode=mode, USDT="100000"))
    return Trader(engine, four, exchange, market, mode, theirs)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_grids_live_on_the_exchange_and_close(
    install: Install, tmp_path: Path, four: Outside, exchange: str
) -> None:
    engine = installed(install, tmp_path, four.routes).start()
    both = [trader(engine, four, exchange, market) for market in ("spot", "swap")]
    for here in both:
        here.price("101")
        here.add()
    for here in both:
        here.grid()
        here.price("98.9")
    for here in both:
        legs = here.legs("fffoo")
        here.price(max(D(leg["tp_price"]) for leg in legs) + 1)
    for here in both:
        engine.group(here.symbol, "closed")
        here.prove_same()
        here.prove_flat()
    engine.stop()


@pytest.mark.parametrize(("exchange", "market"), KILLED)
def test_what_happened_while_the_program_was_dead_is_found(
    install: Install, tmp_path: Path, four: Outside, exchange: str, market: str
) -> None:
    engine = installed(install, tmp_path, four.routes).start()
    here = trader(engine, four, exchange, market, "demo" if exchange in ("bybit", "okx") else "live")
    here.price("101")
    here.add()
    here.grid()
    engine.kill()
    here.price("98.9")
    engine.start()
    here.ready()
    legs = here.legs("fffoo")
    engine.kill()
    here.price("97")
    engine.start(ready=False)
    here.ready()
    here.legs("ffffo")
    here.price(max(D(leg["tp_price"]) for leg in legs) + 1)
    engine.group(here.symbol, "closed")
    here.prove_same()
    here.prove_flat()
    engine.stop()


def test_without_streams_everything_is_asked_for(install: Install, tmp_path: Path, four: Outside) -> None:
    engine = installed(install, tmp_path, four.routes, orders__poll_s=2).start()
    here = trader(engine, four, "okx", "swap", "demo")
    here.price("101")
    here.add()
    here.grid()
    four.do(lambda world: world["okx"].streams.mute())
    try:
        here.price("98.9")
        legs = here.legs("fffoo")
        here.price(max(D(leg["tp_price"]) for leg in legs) + 1)
        engine.group(here.symbol, "closed")
    finally:
        four.do(lambda world: world["okx"].streams.unmute())
    here.prove_same()
    here.prove_flat()
    engine.stop()


def test_an_account_waits_for_its_keys_and_is_never_traded_on_paper(
    install: Install, tmp_path: Path, four: Outside
) -> None:
    engine = installed(install, tmp_path, four.routes).start()
    here = trader(engine, four, "binance", "spot")
    here.price("101")
    here.add()
    here.grid()
    engine.kill()
    where = engine.options.index("--password-file")
    opening = engine.options[where : where + 2]
    del engine.options[where : where + 2]
    here.price("98.9")
    engine.expected_errors = [f"Account {here.name} cannot be read: The keys of account"]
    engine.start(ready=False)
    told = engine.wait_for(
        lambda state: "locked vault: unlock it" in here.reason(state), "it says what to do"
    )
    assert here.status(told) == "reconciling"
    assert engine.paper_orders() == []

    # The vault is opened by the first command that brings its password along.
    assert here.command("account", "check", here.name, *opening) == [
        f"The keys of account {here.name} are fit."
    ]
    here.ready()
    legs = here.legs("fffoo")

    # A price set by hand is one of the paper exchange, whatever it is called.
    bearer = {"Authorization": f"Bearer {engine.token}"}
    refused = engine.request("POST", "/paper/price", {"symbol": here.symbol, "price": "200"}, **bearer)
    assert refused.status != 200
    engine.price(here.ticker, "200")
    assert engine.group(here.symbol, "partially_filled")
    assert engine.paper_orders() == []

    # Who trades this market on paper does so at its real prices.
    engine.accepted(here.symbol, account="paper", timeframe="1h", price="98.5")
    engine.live(here.symbol, after=1)
    here.price("98.2")
    engine.group(here.symbol, "partially_filled", after=1)
    here.price(max(D(leg["tp_price"]) for leg in legs) + 1)
    engine.wait_for(lambda state: [row["status"] for row in state["groups"]] == ["closed"] * 2, "both closed")
    here.prove_same()
    here.prove_flat()
    engine.stop()


def test_other_keys_are_used_from_the_moment_they_are_entered(
    install: Install, tmp_path: Path, four: Outside
) -> None:
    engine = installed(install, tmp_path, four.routes).start()
    here = trader(engine, four, "okx", "spot", "demo")
    here.price("101")
    here.add()
    here.theirs.revoked = True
    # It may be read before the other keys are there.
    engine.expected_errors = ["cannot be read: Invalid API credentials"]
    here.theirs = trader(engine, four, "okx", "spot", "demo").theirs
    assert here.command("account", "keys", here.name, "--stdin", stdin=here.keys())[-1] == (
        f"The keys of account {here.name} are fit."
    )
    group = here.grid()
    engine.command("exit", group=int(group["id"]))
    engine.group(here.symbol, "closed", "cancelled", "expired")
    here.prove_same()
    here.prove_flat()
    here.command("account", "remove", here.name, "--yes")
    until_quiet(four)
    engine.stop()


def until_quiet(four: Outside) -> None:
    """Wait until nobody listens to OKX any more."""
    until(lambda: four.do(lambda world: not world["okx"].streams.topics), "nobody listens")
