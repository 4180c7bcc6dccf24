"""Alerts that never came: when that is noticed, what can be done about it, and what settles it by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from execution_engine.domain import alert as alerts
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import (
    AccountChanged,
    Answer,
    DecideFinding,
    ExitGroup,
    Pause,
    Replay,
    Resume,
)
from execution_engine.domain.origin import Origin, acting
from execution_engine.domain.rows import (
    Alert,
    AuditEntry,
    Choice,
    Finding,
    FindingKind,
    Group,
    GroupStatus,
    Mode,
    World,
)
from execution_engine.domain.signal import Outcome, Position, SignalType
from tests.house import House, InlineStore

PERP = {"symbol": "BTCUSDT.P"}
ACTIONS = {"long": "buy", "short": "sell", "flat": "sell"}


class Strategy(House):
    """A desk and a strategy that says of every alert where it was and where it is."""

    def __init__(self, settings: dict[str, Any] | None = None, **more: Any) -> None:
        super().__init__(settings, **more)
        self.price("BTCUSDT", "65000")
        self.price("BTCUSDT.P", "65000")

    def goes(self, before: str, after: str, **fields: Any) -> Alert:
        """Send what the strategy sends when it goes from one position to another."""
        self.clock.forward(seconds=60)
        given = {"prev_market_position": before, "market_position": after, "action": ACTIONS[after]}
        return self.alert(**PERP | given | fields)

    def opened(self, side: str = "long") -> Group:
        """Hold a position whose alert came."""
        before = set(self.book.groups)
        self.goes("flat", side)
        (id,) = set(self.book.groups) - before
        self.accept()
        self.fill(next(order for order in self.sent if order.group_id == id))
        return self.book.groups[id]

    def closed(self) -> None:
        """Let the exchange carry out what closes."""
        self.confirm_cancels()
        self.accept()
        self.fill_all("exit")

    @property
    def missed(self) -> list[Finding]:
        return [row for row in self.book.findings.values() if row.kind is FindingKind.MISSED]

    @property
    def open_ones(self) -> list[Finding]:
        return [row for row in self.missed if row.settled_at is None]

    def decide(self, choice: Choice, message: str = "") -> Any:
        (finding,) = self.open_ones
        return self.post(DecideFinding(finding_id=finding.id, choice=choice, message=message))

    def told(self, code: str) -> list[str]:
        return [fact.text for fact in self.facts if fact.code == code]


def body_of(house: Strategy) -> dict[str, Any]:
    (finding,) = house.open_ones
    assert finding.missed is not None
    return dict(json.loads(finding.missed.message))


# -- when it is noticed


def test_an_entry_that_never_came_is_found_with_the_next_alert():
    house = Strategy()
    alert = house.goes("long", "long")
    (finding,) = house.missed
    assert finding.found == (
        f"BTCUSDT.P 15m: the strategy was long before alert {alert.id}, you are flat: the long entry never came. "
        "No earlier one is known."
    )
    assert (finding.account, finding.world, finding.symbol) == ("paper-perp", World.PAPER, "BTCUSDT.P")
    assert finding.choices == (Choice.SEND, Choice.DISMISS)
    assert house.told("found_missed") == [f"{finding.found} Nothing is sent by itself."]
    assert all(fact.notice for fact in house.facts if fact.code == "found_missed")


def test_what_was_missed_is_kept_with_the_time_between_the_alerts_around_it():
    house = Strategy()
    house.opened()
    last = house.goes("long", "long")
    alert = house.goes("flat", "long", timestamp=(house.clock.now() + timedelta(seconds=60)).isoformat())
    (finding,) = house.missed
    assert finding.missed is not None
    assert (finding.missed.expected, finding.missed.held) == (Position.FLAT, Position.LONG)
    assert (finding.missed.since, finding.missed.told_at) == (last.received_at, alert.received_at)
    assert (finding.missed.alert_id, finding.missed.timeframe) == (alert.id, "15m")
    assert finding.missed.sent_at == alert.received_at
    assert finding.found.endswith(
        f"you are long: the exit of the long never came. The last one to come was alert {last.id}."
    )


@pytest.mark.parametrize(
    ("held", "before", "after", "choices"),
    [
        ("", "long", "long", "send dismiss"),
        ("", "short", "short", "send dismiss"),
        ("", "long", "flat", "dismiss"),  # a whole trade was missed; it is over
        ("", "long", "short", "dismiss"),
        ("", "flat", "long", None),
        ("", "flat", "flat", None),
        ("long", "long", "long", None),
        ("long", "long", "flat", None),
        ("long", "long", "short", None),
        ("long", "flat", "long", "close send dismiss"),
        ("long", "flat", "short", "close send dismiss"),
        ("long", "flat", "flat", "dismiss"),  # this exit closes it
        ("long", "short", "short", "close send dismiss"),
        ("long", "short", "long", "close dismiss"),  # a reversal would lead away from where the strategy is
        ("long", "short", "flat", "dismiss"),
        ("short", "long", "long", "close send dismiss"),
    ],
)
def test_the_choices_are_those_that_lead_to_where_the_strategy_is(
    held: str, before: str, after: str, choices: str | None
):
    house = Strategy()
    if held:
        house.opened(held)
    house.goes(before, after)
    offered = [" ".join(row.choices) for row in house.missed]
    assert offered == ([choices] if choices is not None else [])


def test_what_is_only_told_says_that_there_is_nothing_to_make_up_for():
    house = Strategy()
    group = house.opened()
    house.goes("flat", "flat")
    (finding,) = house.missed
    assert finding.done == "There is nothing left to make up for."
    assert finding.group_ids == ()
    assert house.book.groups[group.id].status is GroupStatus.CLOSING


def test_being_flat_is_no_gap_while_every_alert_came():
    house = Strategy()
    group = house.opened()
    house.post(ExitGroup(group_id=group.id))
    house.closed()
    alert = house.goes("long", "long")
    assert house.missed == []
    assert house.told("position_differs") == [
        f"BTCUSDT.P 15m: the strategy was long before alert {alert.id}, you are flat; no alert is missing."
    ]


def test_a_position_that_the_strategy_has_left_is_told_even_if_every_alert_came():
    house = Strategy()
    house.opened()
    late = house.goes("long", "flat", timestamp=(house.clock.now() - timedelta(days=30)).isoformat())
    assert house.book.alerts[late.id].outcome is Outcome.REJECTED
    house.goes("flat", "short")
    (finding,) = house.missed
    assert f"the strategy is flat since alert {late.id}, which ended rejected: the alert is" in finding.found
    assert finding.found.endswith("you are long.")
    assert finding.choices == (Choice.CLOSE, Choice.SEND, Choice.DISMISS)


def test_an_exit_that_is_still_carried_out_elsewhere_says_so():
    house = Strategy()
    house.opened()
    leave = house.goes("long", "flat")
    mine = replace(house.book.accounts["paper-perp"], name="mine")
    house.post(AccountChanged(account=mine))
    house.balance("mine")
    house.goes("flat", "long", account="mine")
    house.goes("flat", "long")
    (finding,) = house.missed
    assert finding.account == "mine"
    assert f"since alert {leave.id}, which is not carried out yet; you are long." in finding.found


def test_what_was_decided_on_before_says_nothing_of_the_next_position():
    house = Strategy()
    house.goes("long", "flat")
    house.decide(Choice.DISMISS)
    house.opened()
    house.goes("long", "flat", timestamp=(house.clock.now() - timedelta(days=30)).isoformat())
    house.goes("flat", "long")
    (finding,) = house.open_ones
    assert finding.choices == (Choice.CLOSE, Choice.SEND, Choice.DISMISS)


def test_what_is_being_closed_is_on_its_way():
    house = Strategy()
    house.opened()
    house.goes("long", "flat")
    house.goes("flat", "long")
    assert house.missed == []


def test_a_key_that_still_waits_is_late_and_not_missed():
    house = Strategy({"pool.max_open_groups": 1})
    house.price("ETHUSDT", "3000")
    house.alert(symbol="ETHUSDT")
    house.goes("flat", "long")
    house.goes("short", "short")
    assert house.missed == []


def test_an_alert_that_waits_for_its_price_is_not_missed_either():
    house = House()
    house.alert_later(market_position="long", prev_market_position="flat")
    house.alert_later(market_position="long", prev_market_position="short", id="another")
    assert house.book.findings == {}


def test_a_replay_is_not_compared():
    house = Strategy()
    first = house.goes("flat", "long")
    house.post(Replay(alert_id=first.id, received_at=house.clock.now()))
    assert house.missed == []


def test_an_alert_that_no_account_could_have_traded_misses_nothing():
    house = Strategy()
    parsed = alerts.parse(
        House.read(
            json.dumps(
                {"exchange": "BINANCE", "timeframe": "15", "market_position": "flat"}
                | PERP
                | {"prev_market_position": "long"}
            )
        ),
        house.catalogue,
    )
    assert isinstance(parsed, alerts.ParsedAlert)
    house.post(house.received(parsed, accounts=("paper",)))  # which is of the spot market
    assert house.missed == []


@pytest.mark.parametrize(
    ("limit", "gap"),
    [({}, False), ({"account": "paper-perp"}, False), ({"account": "mine"}, True)],
)
def test_what_another_account_holds_hides_no_gap(limit: dict[str, str], gap: bool):
    house = Strategy()
    house.goes("flat", "long", account="paper-perp")
    mine = replace(
        house.book.accounts["paper-perp"], name="mine", exchange="binance", mode=Mode.LIVE, world=World.LIVE
    )
    house.post(AccountChanged(account=mine))
    house.goes("long", "flat", **limit)
    assert [row.account for row in house.missed] == (["mine"] if gap else [])


def test_what_a_webhook_may_not_touch_hides_no_gap():
    house = Strategy()
    house.goes("flat", "long", account="paper-perp")
    mine = replace(house.book.accounts["paper-perp"], name="mine")
    house.post(AccountChanged(account=mine))
    fields = {"exchange": "BINANCE", "timeframe": "15", "market_position": "flat", "action": "sell"}
    parsed = alerts.parse(
        House.read(json.dumps(PERP | fields | {"prev_market_position": "long"})), house.catalogue
    )
    assert isinstance(parsed, alerts.ParsedAlert)
    house.post(house.received(parsed, accounts=("mine",)))
    assert [row.account for row in house.missed] == ["mine"]


# -- once per occurrence


def test_a_gap_that_goes_on_is_one_finding():
    house = Strategy()
    house.opened()
    house.goes("short", "short")
    house.goes("short", "short")
    (finding,) = house.missed
    assert finding.settled_at is None
    assert len(house.told("found_missed")) == 1


def test_what_was_dismissed_is_not_shown_again_while_it_goes_on():
    house = Strategy()
    house.opened()
    house.goes("short", "short")
    house.decide(Choice.DISMISS)
    house.goes("short", "short")
    assert house.open_ones == []
    assert len(house.missed) == 1


def test_the_next_time_is_another_occurrence():
    house = Strategy()
    house.opened()
    house.goes("flat", "long")
    house.decide(Choice.DISMISS)
    house.goes("flat", "long")  # it says that it was out once more
    assert len(house.missed) == 2
    assert len(house.open_ones) == 1


def test_another_gap_takes_the_place_of_the_one_before():
    house = Strategy()
    house.goes("long", "flat")
    house.goes("short", "flat")
    first, second = house.missed
    assert first.done == "A later alert tells of another gap."
    assert second.settled_at is None


def test_dismissing_is_kept_with_who_and_when():
    house = Strategy()
    house.goes("long", "long")
    house.clock.forward(minutes=5)
    with acting(Origin.WINDOW):
        reply = house.decide(Choice.DISMISS)
    assert reply == Answer(status="done", text="Noted.")
    (finding,) = house.missed
    assert (finding.choice, finding.done) == (Choice.DISMISS, "Dismissed by you (window).")
    assert finding.settled_at == house.clock.now()
    (entry,) = [row for row in house.store.committed if isinstance(row, AuditEntry)]
    assert (entry.act, entry.origin, entry.detail) == (
        "finding_decided",
        Origin.WINDOW,
        f"Dismiss: {finding.found}",
    )


# -- what can be done


def test_closing_closes_the_position_at_market():
    house = Strategy()
    group = house.opened()
    house.goes("flat", "short")
    with acting(Origin.COMMAND_LINE):
        reply = house.decide(Choice.CLOSE)
    assert reply == Answer(status="done", text="The position is being closed.")
    (finding,) = house.missed
    assert (finding.choice, finding.done) == (Choice.CLOSE, "Closed by you (command line).")
    assert house.book.groups[group.id].closing == "exit"
    house.closed()
    assert house.book.groups[group.id].status is GroupStatus.CLOSED


def test_closing_what_is_gone_already_asks_nothing_of_the_exchange():
    house = Strategy()
    group = house.opened()
    house.goes("flat", "short")
    house.book.apply([replace(house.book.groups[group.id], status=GroupStatus.CLOSED)])
    before = len(house.sent)
    assert isinstance(house.decide(Choice.CLOSE), Answer)
    assert len(house.sent) == before


@pytest.mark.parametrize(
    ("held", "before", "after", "asks"),
    [
        ("", "long", "long", {"type": "signal", "action": "buy", "from": "flat", "to": "long"}),
        ("", "short", "short", {"type": "signal", "action": "sell", "from": "flat", "to": "short"}),
        ("long", "flat", "short", {"type": "exit", "action": "sell", "from": "long", "to": "flat"}),
        ("short", "flat", "long", {"type": "exit", "action": "buy", "from": "short", "to": "flat"}),
        ("long", "short", "short", {"type": "signal", "action": "sell", "from": "long", "to": "short"}),
    ],
)
def test_what_would_be_sent_is_the_alert_that_was_missed(
    held: str, before: str, after: str, asks: dict[str, str]
):
    house = Strategy()
    if held:
        house.opened(held)
    house.goes(before, after)
    body = body_of(house)
    market, wishes = body["tv"], body["execution_intent"]
    assert (market["exchange"], market["symbol"], market["timeframe"]) == ("BINANCE", "BTCUSDT.P", "15m")
    assert wishes["account"] == "paper-perp"
    assert {
        "type": wishes["type"],
        "action": market["action"],
        "from": market["prev_market_position"],
        "to": market["market_position"],
    } == asks


@pytest.mark.parametrize(("held", "before", "kept"), [("", "long", True), ("long", "flat", False)])
def test_what_would_be_sent_has_the_wishes_of_the_alert_that_gave_it_away(held: str, before: str, kept: bool):
    house = Strategy()
    if held:
        house.opened(held)
    house.goes(before, "long", tp_mode="hybrid", capital_usd="250")
    wishes = body_of(house)["execution_intent"]
    assert (wishes.get("tp_mode"), wishes.get("capital_usd")) == (("hybrid", "250") if kept else (None, None))


@pytest.mark.parametrize(
    ("held", "before", "after", "kind"),
    [
        ("", "long", "long", SignalType.PYRAMID),  # this alert opened it already
        ("long", "flat", "short", SignalType.EXIT),
        ("long", "short", "short", SignalType.REVERSAL),
    ],
)
def test_sending_it_now_has_it_classified_like_any_signal(
    held: str, before: str, after: str, kind: SignalType
):
    house = Strategy()
    if held:
        house.opened(held)
    told = house.goes(before, after)
    reply = house.decide(Choice.SEND)
    assert isinstance(reply, Answer)
    assert reply.alert_id is not None
    sent = house.book.alerts[reply.alert_id]
    assert (sent.signal, sent.token, sent.source) == (kind, told.token, "this machine")
    assert sent.allowed == ("paper-perp",)
    (finding,) = house.missed
    assert (finding.choice, finding.done) == (Choice.SEND, f"Sent by you as alert {sent.id}.")
    acts = [row.act for row in house.store.committed if isinstance(row, AuditEntry)]
    assert acts == ["finding_decided"]


def test_what_is_sent_is_bound_by_the_limits_of_entries():
    house = Strategy()
    house.goes("long", "long")
    house.post(Pause())
    reply = house.decide(Choice.SEND)
    assert isinstance(reply, Answer)
    assert reply.alert_id is not None
    assert house.book.alerts[reply.alert_id].reason == "paused"


def test_the_message_can_be_changed_before_it_is_sent():
    house = Strategy()
    house.goes("long", "long")
    body = body_of(house)
    body["tv"]["entry_price"] = "64900"
    reply = house.decide(Choice.SEND, json.dumps(body))
    assert isinstance(reply, Answer)
    assert reply.alert_id is not None
    assert str(house.book.alerts[reply.alert_id].parsed.entry_price) == "64900"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda body: "buy", "the body is not valid JSON"),
        (lambda body: json.dumps(body | {"tv": body["tv"] | {"entry_price": "-1"}}), "entry_price"),
        (lambda body: json.dumps(body) + " " * alerts.MAX_BYTES, "longer than 16384 bytes"),
        (
            lambda body: json.dumps(body | {"tv": body["tv"] | {"timeframe": "60"}}),
            "the message is about BINANCE:BTCUSDT.P 1h, what was missed about BTCUSDT.P 15m",
        ),
        (
            lambda body: json.dumps(body | {"execution_intent": {"type": "signal"}}),
            "must name the account “paper-perp”",
        ),
    ],
)
def test_a_message_that_will_not_do_is_refused_and_nothing_is_decided(change: Any, why: str):
    house = Strategy()
    house.goes("long", "long")
    before = len(house.book.alerts)
    reply = house.decide(Choice.SEND, change(body_of(house)))
    assert isinstance(reply, Refusal)
    assert why in reply.message
    assert len(house.book.alerts) == before
    assert len(house.open_ones) == 1


def test_a_message_under_an_id_that_came_already_is_refused():
    house = Strategy()
    first = house.goes("long", "long", id="the first")
    body = body_of(house) | {"id": "the first"}
    reply = house.decide(Choice.SEND, json.dumps(body))
    assert isinstance(reply, Refusal)
    assert f"alert {first.id} came under this id already" in reply.message
    assert len(house.open_ones) == 1


def test_it_can_be_sent_long_after_the_alert_that_gave_it_away_has_left_the_memory():
    house = Strategy()
    told = house.goes("long", "long")
    del house.book.alerts[told.id]
    reply = house.decide(Choice.SEND)
    assert isinstance(reply, Answer)
    assert house.book.alerts[reply.alert_id or 0].token == ""


# -- what settles it by itself


def at(house: Strategy, **span: float) -> str:
    return (house.clock.now() + timedelta(**span)).isoformat()


def test_the_alert_that_comes_after_all_settles_it():
    house = Strategy()
    sent = at(house)
    house.goes("long", "long", timestamp=at(house, seconds=50))
    late = house.goes("flat", "long", timestamp=sent)
    (finding,) = house.missed
    assert (finding.choice, finding.done) == (None, f"The alert came after all: alert {late.id}.")


def test_one_without_a_time_is_taken_for_it_while_something_can_be_made_up_for():
    house = Strategy()
    house.goes("long", "long")
    late = house.goes("flat", "long")
    (finding,) = house.missed
    assert finding.done == f"The alert came after all: alert {late.id}."


def test_one_that_comes_after_it_was_sent_by_hand_opens_nothing_more():
    house = Strategy()
    first = at(house)
    house.goes("long", "long", timestamp=at(house, seconds=50))
    house.decide(Choice.SEND)
    (group,) = house.groups
    late = house.goes("flat", "long", timestamp=first)
    (finding,) = house.missed
    assert (late.outcome, late.reason) == (Outcome.REJECTED, finding.done)
    assert house.book.groups[group.id].pyramid_count == group.pyramid_count
    assert house.open_ones == [], "and no exit is thought to be missing"
    house.post(Replay(alert_id=late.id, received_at=house.clock.now()))
    assert house.book.groups[group.id].pyramid_count == group.pyramid_count + 1, "at the user's wish it does"


def test_one_that_comes_after_what_was_sent_came_to_nothing_is_taken():
    house = Strategy()
    first = at(house)
    house.post(Pause())
    house.goes("long", "long", timestamp=at(house, seconds=50))
    house.decide(Choice.SEND)
    house.post(Resume())
    house.goes("flat", "long", timestamp=first)
    assert [group.pyramid_count for group in house.groups] == [1]


def test_an_exit_that_comes_after_it_was_sent_by_hand_closes():
    house = Strategy()
    house.opened()
    first = at(house)
    house.goes("flat", "short", timestamp=at(house, seconds=50))
    house.decide(Choice.SEND)
    house.closed()
    group = house.opened()
    late = house.goes("long", "flat", timestamp=first)
    assert late.reason != house.missed[0].done
    assert house.book.groups[group.id].status is GroupStatus.CLOSING


def test_the_next_entry_after_one_was_sent_by_hand_is_taken():
    house = Strategy()
    house.goes("long", "long", timestamp=at(house))
    house.decide(Choice.SEND)
    (group,) = house.groups
    house.goes("long", "long", timestamp=at(house))
    assert house.book.groups[group.id].pyramid_count == group.pyramid_count + 1


def test_the_same_of_the_next_trade_is_another_alert():
    house = Strategy()
    house.goes("long", "flat", timestamp=at(house))
    house.goes("flat", "long", timestamp=at(house))
    (finding,) = house.missed
    assert finding.settled_at is None


def test_without_a_time_what_is_over_is_kept_for_reading():
    house = Strategy()
    house.goes("long", "flat")
    house.goes("flat", "long")
    (finding,) = house.missed
    assert finding.settled_at is None


def test_the_end_of_its_position_settles_it():
    house = Strategy()
    group = house.opened()
    house.goes("flat", "short")
    house.post(ExitGroup(group_id=group.id))
    assert len(house.open_ones) == 1
    house.closed()
    (finding,) = house.missed
    assert (finding.choice, finding.done) == (None, "The position is gone.")


def test_the_end_of_another_position_does_not():
    house = Strategy()
    house.goes("long", "long")  # which opens one; only the pyramid can be made up for
    (group,) = house.groups
    house.post(ExitGroup(group_id=group.id))
    house.closed()
    assert len(house.open_ones) == 1


@pytest.mark.parametrize(
    ("held", "gap", "then", "done"),
    [
        ("", ("long", "long"), ("long", "flat"), "The strategy has left that position since."),
        ("", ("long", "long"), ("long", "long"), None),
        ("long", ("short", "short"), ("short", "long"), "The strategy is where you are again."),
        ("long", ("short", "short"), ("short", "short"), None),
        ("long", ("flat", "short"), ("short", "short"), None),
    ],
)
def test_what_the_strategy_does_then(
    held: str, gap: tuple[str, str], then: tuple[str, str], done: str | None
):
    house = Strategy()
    if held:
        house.opened(held)
    house.goes(*gap)
    (first,) = house.missed
    house.goes(*then)
    after = house.book.findings[first.id]
    assert (after.done, after.settled_at is None) == (done or first.done, done is None)


def test_what_settled_itself_is_told_anew_when_it_is_there_again():
    house = Strategy()
    house.goes("long", "long")
    house.accept()
    left = house.goes("long", "flat")
    house.closed()
    del house.book.alerts[left.id]  # it is long ago
    house.goes("long", "long")
    assert [row.settled_at is None for row in house.missed] == [False, True]


def test_a_restart_keeps_it():
    store = InlineStore()
    house = Strategy(store=store)
    house.opened()
    house.goes("flat", "short")
    again = Strategy(store=store)
    (finding,) = again.open_ones
    assert finding == house.open_ones[0]
    assert isinstance(again.decide(Choice.CLOSE), Answer)
