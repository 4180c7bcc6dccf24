"""The same program with its window, on a screen that nobody sees."""

from collections.abc import Callable, Iterator

import pytest

from tests.stories.installation import D, Installation, legs_of

BTC, PERP = "BINANCE:BTCUSDT", "BINANCE:SOLUSDT.P"


@pytest.fixture
def engine(install: Callable[..., Installation]) -> Iterator[Installation]:
    installation = install(environment={"QT_QPA_PLATFORM": "offscreen"})
    installation.options.remove("--headless")
    installation.start()
    for symbol in (BTC, PERP):
        installation.price(symbol, 101)
    yield installation
    installation.stop()
    installation.prove_books()
    installation.prove_flat()


def test_a_trade_from_the_alert_to_its_profit(engine: Installation) -> None:
    alert = engine.accepted(BTC, price=100)
    engine.live(BTC)
    engine.price(BTC, 98)
    engine.wait_for(lambda state: [leg["status"] for leg in legs_of(state["groups"][0])].count("filled") == 4)
    engine.price(BTC, 102)
    assert D(engine.group(BTC, "closed")["realized_pnl_usd"]) > 0
    assert engine.outcome(alert)[0] == "opened"


def test_a_reversal_and_the_end_of_everything(engine: Installation) -> None:
    engine.accepted(PERP, price=101)
    engine.live(PERP)
    alert = engine.accepted(
        PERP, action="sell", market_position="short", prev_market_position="long", price=101
    )
    assert engine.live(PERP, after=1)["side"] == "short"
    assert engine.outcome(alert)[0] == "reversed"
    engine.command("close-all")
    engine.wait_for(lambda state: all(group["closed_at"] for group in state["groups"]))


def test_death_in_the_middle(engine: Installation) -> None:
    alert = engine.accepted(BTC, price=100)
    engine.restart()
    assert [leg["status"] for leg in legs_of(engine.live(BTC))] == ["open"] * 5
    assert engine.outcome(alert)[0] == "opened"
    leave = engine.accepted(BTC, type="exit")
    engine.restart()
    engine.group(BTC, "closed")
    assert engine.outcome(leave)[0] == "exited"
