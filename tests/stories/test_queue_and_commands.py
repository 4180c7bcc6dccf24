"""A full pool and who waits for it; what the user asks of a running engine."""

from collections.abc import Callable

import pytest

from execution_engine.adapters.control import CommandFailed
from tests.stories.installation import D, Installation, legs_of, orders_of

BTC, ETH, SOL, LTC = (f"BINANCE:{coin}USDT" for coin in ("BTC", "ETH", "SOL", "LTC"))
PERP = "BINANCE:BTCUSDT.P"


@pytest.fixture
def full(install: Callable[..., Installation]) -> Installation:
    """Give an engine whose only slot is taken by BTC; nothing of it has filled."""
    engine = install(capital__total_usd="1000", pool__max_open_groups=1).start()
    for symbol in (BTC, ETH, SOL, LTC):
        engine.price(symbol, 101)
    engine.accepted(BTC, price=100)
    engine.live(BTC)
    return engine


def waiting(engine: Installation) -> list[str]:
    """Return the symbols that wait, the next one first."""
    return [row["symbol"] for row in sorted(engine.state()["queue"], key=lambda row: row["rank"])]


def close(engine: Installation, symbol: str) -> None:
    engine.accepted(symbol, type="exit")
    engine.group(symbol, "closed")


def test_who_came_first_is_promoted_first(full: Installation) -> None:
    alerts = [full.accepted(symbol, price=100) for symbol in (ETH, SOL, LTC)]
    for alert in alerts:
        full.queued(alert)
    state = full.state()
    assert waiting(full) == ["ETHUSDT", "SOLUSDT", "LTCUSDT"]
    assert [row["reason"] for row in state["queue"]] == [
        "1st: no loss, came first",
        "2nd: no loss, came later",
        "3rd: no loss, came later",
    ]
    assert [full.told_of(state, alert)["reason"] for alert in alerts] == ["the pool is full"] * 3
    assert state["engine"]["worlds"]["paper"]["slots_used"] == 1
    for closed, opened, alert, why in (
        (BTC, ETH, alerts[0], "1st: no loss, came first"),
        (ETH, SOL, alerts[1], "1st: no loss, came first"),
        (SOL, LTC, alerts[2], "1st: no loss"),
    ):
        close(full, closed)
        full.live(opened)
        assert full.outcome(alert) == ("opened", f"{why}; pool 1 / 1")
    assert full.state()["queue"] == []
    full.stop()
    full.prove_books()


def test_the_deepest_loss_is_promoted_first_then_what_was_replaced_most(full: Installation) -> None:
    none, shallow = full.accepted(LTC, price=100), full.accepted(ETH, price=100)
    full.accepted(SOL, price=100)
    full.accepted(LTC, price=100)
    deep = full.accepted(SOL, price=100)
    twice = full.accepted(LTC, price=100)
    full.queued(twice)
    full.price(ETH, 99)
    full.price(SOL, "96.9")
    rows = sorted(full.state()["queue"], key=lambda row: row["rank"])
    assert [(row["symbol"], row["current_loss_percent"], row["reason"]) for row in rows] == [
        ("SOLUSDT", "-3.1", "1st: −3.1 %, replaced once"),
        ("ETHUSDT", "-1", "2nd: −1.0 %"),
        ("LTCUSDT", "0", "3rd: no loss, replaced twice"),
    ]
    full.restart()
    assert waiting(full) == ["SOLUSDT", "ETHUSDT", "LTCUSDT"]
    close(full, BTC)
    group = full.live(SOL)
    assert [order["status"] for order in orders_of(group, "entry")].count(
        "filled"
    ) > 1  # legs that were passed
    assert full.outcome(deep) == ("opened", "1st: −3.1 %, replaced once; pool 1 / 1")
    close(full, SOL)
    full.live(ETH)
    assert full.outcome(shallow) == ("opened", "1st: −1.0 %; pool 1 / 1")
    close(full, ETH)
    full.live(LTC)
    assert full.outcome(twice) == ("opened", "1st: no loss, replaced twice; pool 1 / 1")
    assert full.outcome(none)[0] == "replaced"
    full.stop()
    full.prove_books()


def test_a_signal_whose_group_is_open_again_needs_no_slot(install: Callable[..., Installation]) -> None:
    engine = install(capital__total_usd="1000", pool__max_open_groups=1, paper__latency_ms=400).start()
    for symbol in (PERP, ETH):
        engine.price(symbol, 100)
    engine.accepted(PERP, price=100, market_position="long")
    engine.live(PERP)
    engine.accepted(PERP, price=100, market_position="short", prev_market_position="long", action="sell")
    more = engine.accepted(PERP, price=100, market_position="short", action="sell")
    other = engine.accepted(ETH, price=110)
    engine.queued(other)
    assert engine.outcome(more) == ("pyramided", "pyramid 2 of 5")
    group = engine.group(PERP, "partially_filled", after=1)
    assert (group["side"], group["pyramid_count"]) == ("short", 2)
    assert waiting(engine) == ["ETHUSDT"]  # deep under water, and there is no slot for it
    assert engine.state()["engine"]["worlds"]["paper"]["slots_used"] == 1
    engine.stop()
    engine.prove_books()


def test_an_exit_takes_its_key_out_of_the_queue(full: Installation) -> None:
    alert = full.accepted(ETH, price=100)
    full.queued(alert)
    leave = full.accepted(ETH, type="exit")
    assert full.outcome(leave) == ("dequeued", "the waiting signal was removed")
    assert full.outcome(alert) == ("cancelled", "an exit came for its key")
    close(full, BTC)
    assert full.state()["engine"]["worlds"]["paper"]["slots_used"] == 0
    assert full.groups(ETH) == []
    full.stop()


def test_a_newer_signal_replaces_the_one_that_waits_and_keeps_its_place(full: Installation) -> None:
    first = full.accepted(ETH, price=100)
    full.queued(first)
    other = full.accepted(SOL, price=100)
    full.queued(other)
    second = full.accepted(ETH, price=99)
    assert full.outcome(first) == ("replaced", f"by alert {second}")
    (row, _) = full.state()["queue"]
    assert (row["symbol"], row["entry_price"], row["replacement_count"], row["rank"]) == (
        "ETHUSDT",
        "99",
        1,
        1,
    )
    close(full, BTC)
    group = full.live(ETH)
    assert group["pyramids"][0]["entry_price"] == "99"
    assert full.outcome(second)[0] == "opened"
    full.stop()


@pytest.mark.fault(79)
def test_promote_forces_a_signal_past_the_limit(full: Installation) -> None:
    alert = full.accepted(ETH, price=100)
    entry = full.queued(alert)
    said = full.command("promote", signal=int(entry["id"]))
    assert said == "Position group for ETHUSDT 15m has been forced into the pool."
    group = full.live(ETH)
    assert group["forced"]
    assert full.outcome(alert) == ("opened", "forced into the pool; pool 2 / 1")
    assert full.state()["queue"] == []
    full.stop()


def test_queue_remove_ends_a_waiting_signal(full: Installation) -> None:
    alert = full.accepted(ETH, price=100)
    entry = full.queued(alert)
    assert full.command("queue remove", signal=int(entry["id"])) == "ETHUSDT 15m was removed from the queue."
    assert full.outcome(alert) == ("cancelled", "removed by you")
    with pytest.raises(CommandFailed, match="no signal"):
        full.command("queue remove", signal=int(entry["id"]))
    full.stop()


def test_what_waits_too_long_expires(full: Installation) -> None:
    full.configure(pool__max_queue_age_s=1)
    alert = full.accepted(ETH, price=100)
    outcome, reason = full.outcome(alert)
    assert outcome == "expired"
    assert "longer than pool.max_queue_age_s" in reason
    assert full.state()["queue"] == []
    full.stop()


def test_a_full_queue_refuses_the_newest_or_drops_the_last(full: Installation) -> None:
    full.configure(pool__max_queue=1)
    first = full.accepted(ETH, price=100)
    full.queued(first)
    assert full.outcome(full.accepted(SOL, price=100)) == (
        "rejected",
        "the pool and the queue are full (1 signals wait)",
    )
    full.configure(pool__overflow="drop_lowest")
    full.queued(full.accepted(LTC, price=100))
    assert full.outcome(first)[0] == "rejected"
    assert waiting(full) == ["LTCUSDT"]
    full.stop()


def test_a_larger_pool_takes_in_who_waits_at_once(full: Installation) -> None:
    alert = full.accepted(ETH, price=100)
    full.queued(alert)
    full.configure(pool__max_open_groups=2, capital__total_usd="2000")
    full.live(ETH)
    assert full.outcome(alert) == ("opened", "1st: no loss; pool 2 / 2")
    full.stop()


@pytest.mark.fault(77)
def test_a_smaller_pool_closes_nothing(full: Installation) -> None:
    full.configure(pool__max_open_groups=3, capital__total_usd="3000")
    full.accepted(ETH, price=100)
    full.live(ETH)
    full.configure(pool__max_open_groups=1, capital__total_usd="1000")
    alert = full.accepted(SOL, price=100)
    full.queued(alert)
    close(full, BTC)
    assert waiting(full) == ["SOLUSDT"]
    close(full, ETH)
    assert full.outcome(alert) == ("opened", "1st: no loss; pool 1 / 1")
    full.stop()


def test_the_price_ran_away_from_who_waits(full: Installation) -> None:
    alert = full.accepted(ETH, price=100)
    full.queued(alert)
    full.price(ETH, 111)
    close(full, BTC)
    outcome, reason = full.outcome(alert)
    assert outcome == "expired"
    assert "ran" in reason
    full.stop()


@pytest.mark.fault(4)
def test_an_entry_while_its_key_is_closing_waits_for_that(install: Callable[..., Installation]) -> None:
    engine = install(paper__latency_ms=1000).start()  # long enough to see it wait
    engine.price(BTC, 100)
    engine.accepted(BTC, price=100)
    engine.live(BTC)
    leave = engine.accepted(BTC, type="exit")
    alert = engine.accepted(BTC, price=100)
    assert engine.queued(alert)["symbol"] == "BTCUSDT"
    engine.live(BTC, after=1)
    assert engine.outcome(leave)[0] == "exited"
    assert engine.outcome(alert)[0] == "opened"
    engine.stop()
    engine.prove_books()


# -- pause, resume, close everything


def test_pause_lets_out_and_lets_nothing_in(full: Installation) -> None:
    alert = full.accepted(ETH, price=100)
    full.queued(alert)
    full.command("pause")
    assert full.state()["engine"]["status"] == "paused"
    assert full.outcome(full.accepted(SOL, price=100)) == ("rejected", "paused")
    assert full.outcome(full.accepted(BTC, price=100)) == ("rejected", "paused")  # a pyramid
    full.price(BTC, 100)
    full.group(BTC, "partially_filled")  # fills go on
    full.price(BTC, 101)
    full.group(BTC, "closed")  # and so do targets
    assert waiting(full) == ["ETHUSDT"]  # nothing is promoted
    full.restart()
    assert full.state()["engine"]["status"] == "paused"
    assert waiting(full) == ["ETHUSDT"]
    full.command("resume")
    full.live(ETH)
    assert full.outcome(alert)[0] == "opened"
    full.command("pause")
    leave = full.accepted(ETH, type="exit")
    assert full.outcome(leave)[0] == "exited"
    full.stop()
    full.prove_books()
    full.prove_flat()


def test_close_all_pauses_empties_the_queue_and_closes_everything(full: Installation) -> None:
    full.configure(pool__max_open_groups=2, capital__total_usd="2000")
    full.accepted(ETH, price=101)
    full.group(ETH, "partially_filled")
    full.live(ETH)
    alert = full.accepted(SOL, price=100)
    full.queued(alert)
    said = full.command("close-all")
    assert said == "2 groups are being closed, 1 queued signals were removed; the engine is paused."
    full.group(BTC, "closed")
    group = full.group(ETH, "closed")
    assert [order["type"] for order in orders_of(group, "exit")] == ["market"]
    assert full.outcome(alert) == ("cancelled", "everything was closed")
    state = full.state()
    assert (state["engine"]["status"], state["queue"]) == ("paused", [])
    full.stop()
    full.prove_books()
    full.prove_flat()


def test_exit_closes_one_group(full: Installation) -> None:
    group = full.group(BTC, "live")
    full.price(BTC, 98)
    assert full.command("exit", group=int(group["id"])) == "BTCUSDT 15m is being closed."
    group = full.group(BTC, "closed")
    assert [leg["status"] for leg in legs_of(group)] == ["filled"] * 4 + ["cancelled"]
    with pytest.raises(CommandFailed, match="there is no open group"):
        full.command("exit", group=int(group["id"]))
    full.stop()


def test_a_replay_is_a_new_alert_that_says_so(full: Installation) -> None:
    alert = full.accepted(ETH, price=100, timestamp="2020-01-01T00:00:00Z")
    assert full.outcome(alert)[0] == "rejected"  # much too old; a replay counts as received now
    close(full, BTC)
    full.command("replay", alert=int(alert))
    group = full.live(ETH)
    newest = full.state()["alerts"][-1]
    assert (newest["replay_of"], newest["outcome"], newest["group_id"]) == (alert, "opened", group["id"])
    full.command("replay", alert=int(alert))
    full.wait_for(lambda state: state["alerts"][-1]["outcome"] == "pyramided")
    with pytest.raises(CommandFailed, match="there is no alert"):
        full.command("replay", alert=999_999)
    full.stop()


def test_risk_marks_are_kept_with_the_group(full: Installation) -> None:
    group = int(full.group(BTC, "live")["id"])
    full.command("risk block", group=group)
    full.command("risk skip", group=group)
    full.restart()
    shown = full.group(BTC, "live")["risk"]
    assert (shown["blocked"], shown["skip_once"]) == (True, True)
    full.command("risk unblock", group=group)
    assert full.group(BTC, "live")["risk"]["blocked"] is False
    full.stop()


def test_capital_that_is_saved_counts_for_the_next_group(full: Installation) -> None:
    before = legs_of(full.group(BTC, "live"))
    full.configure(pool__max_open_groups=2, capital__total_usd="4000")
    full.accepted(ETH, price=100)
    after = legs_of(full.live(ETH))
    assert [D(leg["quantity"]) for leg in before][:1] == [D(2)]
    assert [D(leg["quantity"]) for leg in after][:1] == [D(4)]
    assert [D(leg["quantity"]) for leg in legs_of(full.group(BTC, "live"))][:1] == [D(2)]
    full.stop()
