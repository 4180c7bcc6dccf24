"""Losers paid for by winners, from the alerts that opened them to the orders that closed them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.nest import Process
from tests.stories.installation import D, Installation, Plain, legs_of, until

LOSER, FIRST, SECOND = "BINANCE:ETHUSDT", "BINANCE:SOLUSDT", "BINANCE:LTCUSDT"
ONE_LEG = {"default": [{"gap_percent": 0, "weight_percent": 100, "tp_percent": 500}]}
LATENCY_MS = 150


@pytest.fixture
def engine(tmp_path_factory: pytest.TempPathFactory, nest: Process | None) -> Iterator[Installation]:
    """Give an engine that closes losers as soon as it is asked to."""
    installation = Installation(
        tmp_path_factory.mktemp("risk") / "data",
        nest=nest,
        capital__total_usd="30000",
        pool__max_open_groups=3,
        pool__max_pyramids=1,
        grid__profiles=ONE_LEG,
        risk__post_full_wait_minutes=0,
        risk__interval_s=86400,
        signals__max_deviation_percent=1000,
        paper__latency_ms=LATENCY_MS,
    )
    try:
        yield installation.start()
    finally:
        installation.give_up()


def hold(engine: Installation, symbol: str, capital: str, entry: str) -> Plain:
    """Open a position by an alert and let its only leg fill."""
    engine.price(symbol, entry)
    engine.accepted(symbol, price=entry, capital_usd=capital)
    engine.price(symbol, entry)
    return engine.group(symbol, "active")


def worked_example(engine: Installation) -> None:
    """Hold 10 of a loser from 100 to 94, 100 of a winner from 10 to 10.5, 20 of another from 50 to 52."""
    for symbol, capital, entry in ((LOSER, "1000", "100"), (FIRST, "1000", "10"), (SECOND, "1000", "50")):
        hold(engine, symbol, capital, entry)
    for symbol, price in ((LOSER, "94"), (FIRST, "10.5"), (SECOND, "52")):
        engine.price(symbol, price)


def action(state: Plain) -> Plain:
    found: Plain = next(row for row in state["risk_actions"] if row["type"] in ("offset", "rehearsal"))
    return found


def ended(engine: Installation) -> Plain:
    return action(engine.wait_for(lambda state: action(state)["finished_at"], "the offset ends"))


def offsets(group: Plain) -> list[tuple[str, str, str]]:
    rows = [*group["orders"], *(order for leg in legs_of(group) for order in leg["orders"])]
    return [
        (row["side"], row["type"], row["filled_quantity"])
        for row in rows
        if row["purpose"] == "offset" and D(row["filled_quantity"])
    ]


def kept(engine: Installation) -> list[str]:
    return [row["type"] for row in engine.state()["risk_actions"]]


def everything_was_closed_once(engine: Installation) -> None:
    """Look at the exchange: each of the three was sold, in the quantities that the plan asks for."""
    done = ended(engine)
    assert done["status"] == "done", done
    assert offsets(engine.groups(FIRST)[-1])[0][:2] == ("sell", "market")
    lost, gave = (D(done["needed_usd"]), D(done["realized_usd"]))
    assert gave >= lost
    assert gave - lost < D("0.1")
    engine.group(LOSER, "closed")
    sold = [row for row in engine.paper_orders() if row["action"] == "sell"]
    assert [row["symbol"] for row in sold] == ["SOLUSDT", "LTCUSDT", "ETHUSDT"]
    second = engine.group(SECOND, "active")
    assert D(second["open_quantity"]) > 13


def test_winners_pay_for_a_loser_and_the_state_tells_it(engine: Installation) -> None:
    worked_example(engine)
    shown = engine.group(LOSER, "active")["risk"]
    assert (shown["eligible"], shown["blocked"]) == (True, False)
    assert shown["timer_started_at"] == shown["timer_expires_at"]
    assert engine.group(FIRST, "active")["risk"]["eligible"] is False
    engine.command("risk skip", group=int(engine.group(LOSER, "active")["id"]))
    assert "skipped once" in engine.command("risk run")
    assert engine.group(LOSER, "active")["risk"]["skip_once"] is False
    plan = engine.cli("risk", "run")
    assert plan.returncode == 0, plan.stderr
    assert plan.stdout.startswith("Paper: ETHUSDT 15m needs 6")
    everything_was_closed_once(engine)
    engine.stop()
    engine.prove_books()


@pytest.mark.fault(80)
@pytest.mark.parametrize("winners", [0, 1, 2], ids=["at the first winner", "at the second", "at the loser"])
def test_an_offset_that_was_killed_goes_on_where_it_stood(engine: Installation, winners: int) -> None:
    worked_example(engine)
    before = len(engine.paper_orders())
    engine.command("risk run")
    until(lambda: len(engine.paper_orders()) > before + winners, "the close arrives at the exchange")
    engine.restart(ready=False)
    for symbol, price in ((LOSER, "94"), (FIRST, "10.5"), (SECOND, "52")):
        engine.price(symbol, price)
    everything_was_closed_once(engine)
    engine.stop()
    engine.prove_books()


def test_two_signals_that_wait_get_the_slots_that_an_offset_frees(engine: Installation) -> None:
    worked_example(engine)
    waiting = []
    for symbol in ("BINANCE:BTCUSDT", "BINANCE:XRPUSDT"):
        engine.price(symbol, 100)
        waiting.append(engine.accepted(symbol, price=100, capital_usd="500"))
    for alert in waiting:
        engine.queued(alert)
    engine.command("risk run")
    assert ended(engine)["status"] == "done"
    # the first winner and the loser are flat: two slots, one for each
    assert [engine.outcome(alert)[0] for alert in waiting] == ["opened", "opened"]
    state = engine.state()
    assert (state["queue"], state["engine"]["worlds"]["paper"]["slots_used"]) == ([], 3)
    engine.stop()
    engine.prove_books()


def test_a_rehearsal_sends_nothing_and_switching_it_off_counts_at_once(engine: Installation) -> None:
    engine.configure(risk__rehearsal=True)
    worked_example(engine)
    assert engine.command("risk run").endswith("a rehearsal, nothing was sent.")
    engine.command("risk run")
    assert kept(engine) == ["rehearsal"]
    assert not [row for row in engine.paper_orders() if row["action"] == "sell"]
    engine.configure(risk__rehearsal=False)
    engine.command("risk run")
    engine.group(LOSER, "closed")
    assert kept(engine) == ["rehearsal", "offset"]
    engine.stop()
