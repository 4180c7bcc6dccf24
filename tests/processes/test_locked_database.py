"""Another program holds the database: a short while only delays, a long one is told, nothing is lost or doubled."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from tests.processes.house import Engine, places
from tests.processes.ledgers import settle
from tests.stories.installation import Told, until

BTC, ETH = "BINANCE:BTCUSDT", "BINANCE:ETHUSDT"
COMPLAINTS = ["locked by another program", "cannot run", "nothing is decided any more"]


@contextmanager
def locked(engine: Engine) -> Iterator[None]:
    """Hold the database from this process, as a backup tool or a curious user would."""
    with closing(sqlite3.connect(engine.folder.database, isolation_level=None, timeout=10)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


class Sender:
    """Sends one alert and waits for its answer, however long that takes."""

    def __init__(self, engine: Engine) -> None:
        self.answers: list[Told] = []
        self._engine = engine
        self._thread = threading.Thread(target=lambda: self.answers.append(self.send()))
        self._thread.start()

    def send(self) -> Told:
        return self._engine.alert(ETH, price=100, id="the one")

    def wait(self, limit_s: float | None = None) -> None:
        self._thread.join(limit_s)


@pytest.fixture
def engine(house: Callable[..., Engine]) -> Engine:
    """Give an engine that holds three legs of one market, with targets at 101, 100 and 99.5."""
    engine = house().start()
    engine.expected_errors = COMPLAINTS
    for symbol in (BTC, ETH):
        engine.price(symbol, 101)
    engine.accepted(BTC, price=100)
    engine.live(BTC)
    engine.price(BTC, 99)
    engine.wait_for(lambda state: state["groups"][0]["filled_quantity"] != "0")
    settle(engine)
    return engine


@pytest.mark.fault(59, 89)
def test_a_lock_of_a_second_only_delays(engine: Engine) -> None:
    before = places(engine)
    with locked(engine):
        sender = Sender(engine)
        sender.wait(1.0)
        assert sender.answers == []  # what is not stored is not acknowledged
        assert places(engine) == before
    sender.wait()
    (told,) = sender.answers
    assert told.status == 202
    engine.live(ETH)
    copy = sender.send()
    assert (copy.status, copy.alert) == (200, told.alert)
    settle(engine)
    engine.stop()


@pytest.mark.fault(59, 89)
def test_a_lock_of_some_seconds_is_answered_503_and_the_alert_is_taken_when_it_comes_again(
    engine: Engine,
) -> None:
    with locked(engine):
        sender = Sender(engine)
        sender.wait()
    assert [told.status for told in sender.answers] == [503]
    until(engine.runs_again, "it runs again")
    told = sender.send()
    assert told.status == 202
    assert engine.outcome(told.alert)[0] == "opened"
    assert len(engine.groups(ETH)) == 1
    engine.live(ETH)
    settle(engine)
    engine.stop()


@pytest.mark.fault(59)
def test_a_lock_that_stays_stops_orders_and_is_told_until_it_is_gone(engine: Engine) -> None:
    with locked(engine):
        before = places(engine)
        engine.price(BTC, 101)  # every target is reached; but nothing leaves that was not committed
        sender = Sender(engine)
        sender.wait()
        assert [told.status for told in sender.answers] == [503]
        assert engine.alert(BTC, type="exit", id="leave").status == 503
        status = engine.state()["engine"]
        assert status["status"] == "error"
        assert "locked by another program" in " ".join(status["reasons"])
        assert places(engine) == before
    until(engine.runs_again, "it runs again")
    assert sender.send().status == 202
    assert engine.alert(BTC, type="exit", id="leave").status == 202
    engine.group(BTC, "closed")
    engine.live(ETH)
    settle(engine)
    engine.stop()
