"""The machine sleeps with positions open: what was true before is not believed afterwards."""

import signal
import threading
from collections.abc import Callable

import pytest

from tests.processes.house import Engine
from tests.processes.ledgers import settle
from tests.stories.installation import D, legs_of

BTC, ETH = "BINANCE:BTCUSDT", "BINANCE:ETHUSDT"
ASLEEP_S = 3.0
TEN_MINUTES_S = 600.0


def fall_asleep(engine: Engine) -> None:
    """Stop the process in the middle of whatever it does; the wall clock goes on without it."""
    assert engine.process is not None
    engine.process.send_signal(signal.SIGSTOP)


def wake_up(engine: Engine) -> int:
    """Let it go on ten minutes later; returns how many requests the exchange had seen by then."""
    threading.Event().wait(ASLEEP_S)
    seen = len(engine.venue.journal())
    assert engine.process is not None
    engine.process.send_signal(signal.SIGCONT)
    return seen


@pytest.mark.fault(65)
def test_nothing_is_traded_after_a_sleep_before_the_account_was_read_again(
    house: Callable[..., Engine],
) -> None:
    engine = house().start()
    for symbol in (BTC, ETH):
        engine.price(symbol, 101)
        engine.accepted(symbol, price=100)
        engine.live(symbol)
    engine.price(BTC, 99)  # three legs are held; their targets are 101, 100 and 99.5
    engine.wait_for(lambda state: "".join(leg["status"][0] for leg in legs_of(state["groups"][0])) == "fffoo")

    fall_asleep(engine)
    engine.price(BTC, 105)  # every target is reached, and nobody sees it
    engine.clock.forward(TEN_MINUTES_S)
    engine.price(BTC, 106)  # as fresh as a price can be when it is heard, and yet not true any more
    engine.price(BTC, "97.5")  # the fourth leg fills, and no target is anywhere near
    engine.price(ETH, "99.2")
    seen = wake_up(engine)

    engine.wait_for(lambda state: legs_of(state["groups"][0])[3]["status"] == "filled", "the fill is known")
    engine.wait_for(lambda state: state["engine"]["status"] == "running", "it trades again")
    settle(engine)
    group = engine.groups(BTC)[0]
    assert group["status"] == "partially_filled"
    assert [leg["status"] for leg in legs_of(group)] == ["filled"] * 4 + ["open"]
    assert D(group["open_quantity"]) > 0

    # What was decided after it woke up came after a reading.
    alert = engine.accepted(BTC, type="exit")
    engine.group(BTC, "closed")
    assert engine.outcome(alert)[0] == "exited"
    after = [call for call, account in engine.venue.journal()[seen:] if account == "paper"]
    assert "open_orders" in after[: after.index("place")]
    settle(engine)
    engine.stop()


@pytest.mark.fault(5, 65)
def test_an_alert_that_arrives_during_a_sleep_is_judged_by_its_age(house: Callable[..., Engine]) -> None:
    engine = house().start()
    engine.price(BTC, 101)
    sent_at = engine.clock.now().isoformat()
    fall_asleep(engine)
    engine.clock.forward(TEN_MINUTES_S)
    answers: list[str] = []
    # The system takes the request in although the process stands still.
    sender = threading.Thread(
        target=lambda: answers.append(engine.accepted(BTC, price=100, timestamp=sent_at))
    )
    sender.start()
    wake_up(engine)
    sender.join()
    (alert,) = answers
    assert engine.outcome(alert)[0] == "rejected"
    assert engine.groups(BTC) == []
    assert engine.paper_orders() == []
    engine.stop()
