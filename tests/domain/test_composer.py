"""What the composer writes: whatever is chosen, the listener understands it, and as it was meant."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution_engine.domain import composer
from execution_engine.domain.alert import ParsedAlert
from execution_engine.domain.composer import Act, Composition, Form, SentBy
from execution_engine.domain.composer_check import ONLY, BodySecret, Checked, check
from execution_engine.domain.composer_placeholders import (
    PLACEHOLDERS,
    SITUATIONS,
    Sample,
    filled,
    meaning,
    span,
    written,
)
from execution_engine.domain.composer_rehearsal import Rehearsed, rehearse
from execution_engine.domain.instrument import Side
from execution_engine.domain.settings import Webhook
from execution_engine.domain.signal import Outcome, Signal, SignalType, TakeProfitMode
from execution_engine.domain.symbols import Catalogue
from execution_engine.domain.timeframe import canonical
from tests.house import INSTRUMENTS, NOON, House, perp, spot

CATALOGUE = Catalogue(INSTRUMENTS)
SAMPLE = Sample(instrument=spot(), price=D("65000.5"), timeframe="1h", at=NOON)
NO_SECRET = BodySecret()
TIMEFRAMES = ("30s", "1m", "15m", "90m", "1h", "4h", "1d", "1w", "1M")


def judged(message: str, sent_by: SentBy = SentBy.STRATEGY, **given: Any) -> Checked:
    rules = Webhook(**{k: v for k, v in given.items() if k.endswith("required")})
    return check(
        message, given.get("sample", SAMPLE), sent_by, CATALOGUE, rules, given.get("secret", NO_SECRET)
    )


def signals(chosen: Composition, **given: Any) -> list[Signal]:
    found = judged(composer.message(chosen), chosen.sent_by, **given)
    assert (found.status, found.found) == (202, ())
    return [read.parsed.signal for read in found.reads]


names = st.text("abcXYZ019 _.-", min_size=1, max_size=32).filter(lambda name: name.strip() == name)
compositions = st.builds(
    Composition,
    sent_by=st.sampled_from((SentBy.STRATEGY, SentBy.PRICE)),
    act=st.sampled_from(Act),
    symbol=st.sampled_from(("", "BINANCE:BTCUSDT", "BINANCE:ETHUSDT.P", "BTCUSDT.P")),
    timeframe=st.sampled_from(TIMEFRAMES),
    from_chart=st.booleans(),
    account=st.just("") | names,
    grid=st.just("") | names,
    tp_mode=st.none() | st.sampled_from(TakeProfitMode),
    capital_usd=st.none() | st.decimals("0.01", "1e12", places=2),
    form=st.sampled_from(Form),
    by_name=st.booleans(),
    one_line=st.booleans(),
)


@given(compositions, st.just("") | st.text(min_size=1, max_size=40).filter(lambda text: "{{" not in text))
def test_whatever_is_chosen_the_listener_understands_as_it_was_meant(
    chosen: Composition, secret: str
) -> None:
    text = composer.message(chosen, secret)
    found = judged(text, chosen.sent_by, secret=BodySecret(secret), secret_required=bool(secret))
    assert (found.status, found.found) == (202, ())
    assert ("\n" in text) is not chosen.one_line
    assert len(found.reads) == (6 if chosen.is_strategy else 1)
    for read in found.reads:
        understood = read.parsed.signal
        assert understood.symbol == (chosen.symbol.rpartition(":")[2] or "BTCUSDT")
        assert understood.timeframe == canonical(chosen.timeframe if not _from_chart(chosen) else "60")
        assert understood.account == (chosen.account or None)
        assert understood.sent_at == NOON
        assert not understood.contradicts_itself
        assert understood.id
        if not chosen.is_exit:
            assert understood.grid == (chosen.grid or None)
            assert understood.tp_mode == chosen.tp_mode
            assert understood.capital_usd == chosen.capital_usd
    if not chosen.is_strategy:
        wanted = {Act.LONG: Side.LONG, Act.SHORT: Side.SHORT, Act.EXIT: None}[chosen.act]
        assert understood.side is wanted
        assert understood.is_exit is chosen.is_exit


def _from_chart(chosen: Composition) -> bool:
    return chosen.is_strategy and chosen.from_chart


def test_a_strategys_turns_are_told_apart() -> None:
    opens, adds, closes, turns, sells, covers = signals(Composition())
    assert [opens.side, adds.side, sells.side] == [Side.LONG, Side.LONG, Side.SHORT]
    assert closes.is_exit
    assert covers.is_exit
    assert turns.asks_reversal
    assert len({each.id for each in (opens, closes, turns)}) == 3
    assert opens.entry_price == D("65000.5")


def test_the_fields_of_the_structured_form_stand_as_the_guide_shows_them() -> None:
    body = json.loads(composer.message(Composition(account="paper", capital_usd=D("1000")), "s"))
    assert list(body) == ["secret", "id", "timestamp", "tv", "execution_intent"]
    assert body["tv"]["timeframe"] == "1h"
    assert body["execution_intent"] == {
        "type": "signal",
        "strategy": "grid",
        "account": "paper",
        "capital_usd": "1000",
    }


def test_the_flat_form_by_name_is_one_alphabet() -> None:
    body = json.loads(composer.message(Composition(form=Form.FLAT, by_name=True)))
    assert list(body) == sorted(body)
    assert {"exchange", "symbol", "market_position", "type"} <= set(body)


def test_two_accounts_and_two_charts_never_share_an_id() -> None:
    one, other = (signals(Composition(account=name))[0].id for name in ("paper", "second"))
    elsewhere = signals(Composition(), sample=Sample(instrument=perp(), price=D(1), timeframe="1h", at=NOON))[
        0
    ].id
    assert len({one, other, elsewhere, signals(Composition())[0].id}) == 4


def test_the_url_is_the_place_and_the_token() -> None:
    assert composer.url("https://a.example", "tok") == "https://a.example/webhook/tok"


# -- placeholders


@pytest.mark.parametrize(("timeframe", "name"), [("30s", "30S"), ("4h", "240"), ("1d", "1D"), ("1M", "1M")])
def test_timeframes_are_written_as_tradingview_does(timeframe: str, name: str) -> None:
    assert written(timeframe) == name
    assert canonical(name) == timeframe


def test_every_placeholder_is_explained_and_has_a_sample() -> None:
    for each in PLACEHOLDERS:
        assert each.meaning.endswith(".")
        assert meaning(each.name) == each.meaning
        assert "{{" not in filled(each.written, SAMPLE, SentBy.STRATEGY)
        assert ("{{" in filled(each.written, SAMPLE, SentBy.PRICE)) is each.strategy
        assert filled(each.written, SAMPLE, SentBy.PINE) == each.written
    assert meaning("plot_7") == meaning("plot_0")
    assert meaning("nonsense") == ""
    assert filled("{{plot_7}} {{nonsense}}", SAMPLE, SentBy.PRICE) == "65000.5 {{nonsense}}"


def test_samples_are_those_of_the_chart_at_the_moment() -> None:
    told = filled("{{exchange}} {{ticker}} {{interval}} {{time}} {{timenow}}", SAMPLE, SentBy.STRATEGY)
    assert told == "BINANCE BTCUSDT 60 2026-11-20T11:00:00Z 2026-11-20T12:00:00Z"
    assert filled("{{interval}}", SAMPLE, SentBy.PRICE) == "1"
    assert filled("{{strategy.position_size}}", SAMPLE, SentBy.STRATEGY, SITUATIONS[3]) == "-1"
    assert span("90m") == timedelta(minutes=90)


# -- checking what was pasted


def test_every_fault_is_told_at_once_with_its_line() -> None:
    found = judged(
        '{\n "exchange": "BINANCE",\n "symbol": "BTCUSD",\n "timeframe": "7x",\n "close": "{{closed}}"\n}'
    )
    assert found.status == 422
    assert [(each.field, each.line) for each in found.found] == [
        ("symbol", 3),
        ("timeframe", 4),
        ("close", 5),
    ]
    assert "nearest: BTCUSDT" in found.found[0].sentence
    assert found.reads == ()


def test_a_field_that_is_missing_stands_on_no_line() -> None:
    (fault,) = judged('{"exchange": "BINANCE", "symbol": "BTCUSDT", "action": "buy"}').found
    assert (fault.field, fault.line) == ("timeframe", 0)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ('{\n "symbol": {{ticker}}\n}', 2),
        ('{\n "id": 1,\n "id": 2\n}', 3),
        ("buy now", 1),
        ("[]", 0),
    ],
)
def test_what_is_no_json_is_refused_as_the_listener_does(message: str, line: int) -> None:
    found = judged(message)
    assert found.status == 400
    assert [each.line for each in found.found] == [line]


def test_placeholders_of_strategies_stay_unfilled_in_other_alerts() -> None:
    message = composer.message(Composition())
    price = judged(message, SentBy.PRICE)
    assert {each.field for each in price.found} >= {"tv.action", "tv.entry_price", "id"}
    assert "tv.close" not in {each.field for each in price.found}
    assert "tv.close" in {each.field for each in judged(message, SentBy.PINE).found}
    assert all("arrived unreplaced" in each.sentence for each in price.found)


def test_a_message_that_is_too_large_is_told_so() -> None:
    found = judged(json.dumps({"x": "y" * 20_000}))
    assert found.status == 413
    assert "16 KiB" in found.found[0].sentence
    assert len(found.found) > 1


PLAIN = '{"exchange": "BINANCE", "symbol": "BTCUSDT", "timeframe": "15", "action": "buy"%s}'


@pytest.mark.parametrize(
    ("body", "secret", "said"),
    [
        ("", BodySecret("right"), "is missing"),
        (', "secret": "wrong"', BodySecret("right"), "is not the one"),
        (', "secret": "right"', BodySecret(), "none is set"),
        (', "secret": "right"', BodySecret(locked=True), "locked"),
    ],
)
def test_a_wrong_secret_is_told_as_401(body: str, secret: BodySecret, said: str) -> None:
    found = judged(PLAIN % body, secret=secret, secret_required=True)
    assert found.status == 401
    assert [each.field for each in found.found] == ["secret"]
    assert said in found.found[0].sentence


def test_the_right_secret_is_let_in_and_text_that_is_no_json_has_none() -> None:
    given: dict[str, Any] = {"secret": BodySecret("right"), "secret_required": True}
    assert judged(PLAIN % ', "secret": "right"', **given).status == 202
    assert judged("no", **given).status == 400


def test_tradingview_cannot_sign() -> None:
    found = judged(PLAIN % "", signature_required=True)
    assert found.status == 401
    assert "cannot sign" in found.found[0].sentence


# -- what it would come to


def rehearsed(house: House, chosen: Composition, turn: int = 0, **given: Any) -> Rehearsed:
    found = judged(composer.message(chosen), chosen.sent_by)
    parsed: ParsedAlert = found.reads[turn].parsed
    return rehearse(house.book, house.received(parsed, **given), house.clock.now())


def test_an_entry_would_open_a_position_and_nothing_is_kept_of_it() -> None:
    house = House()
    house.price("BTCUSDT", "65000")
    before = list(house.store.committed)
    told = rehearsed(house, Composition())
    assert told == Rehearsed(SignalType.ENTRY, ("paper",), None, "opens a long position with 5 legs")
    assert not told.is_refused
    assert not house.sent
    assert not house.book.alerts
    assert house.store.committed == before


def test_an_entry_without_a_price_would_wait() -> None:
    told = rehearsed(House(), Composition())
    assert told.accounts == ("paper",)
    assert told.sentence.startswith("waits until")
    assert told.waits


def test_a_short_on_spot_would_be_rejected() -> None:
    told = rehearsed(House(), Composition(sent_by=SentBy.PRICE, act=Act.SHORT))
    assert told.is_refused
    assert told.sentence == "rejected, a spot account cannot be short"


def test_what_the_webhook_may_not_use_is_said() -> None:
    told = rehearsed(House(), Composition(account="elsewhere"))
    assert told.accounts == ()
    assert "does not exist or this webhook may not use it" in told.sentence


def test_turns_of_a_strategy_that_holds_something() -> None:
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(timeframe="60")
    house.accept()
    said = [rehearsed(house, Composition(), turn) for turn in range(4)]
    assert [each.type for each in said] == [
        SignalType.PYRAMID,
        SignalType.PYRAMID,
        SignalType.EXIT,
        SignalType.REVERSAL,
    ]
    assert said[2].sentence == "closes the position"


def test_an_exit_of_nothing_and_a_copy() -> None:
    house = House()
    exit = Composition(sent_by=SentBy.PRICE, act=Act.EXIT)
    told = rehearsed(house, exit)
    assert (told.outcome, told.accounts) == (Outcome.NO_POSITION, ())
    assert told.sentence.startswith("no position, ")
    house.post(house.received(judged(composer.message(exit), SentBy.PRICE).reads[0].parsed))
    again = rehearsed(house, exit)
    assert again.type is None
    assert "is a copy of alert" in again.sentence


def test_what_is_the_same_in_every_turn_is_asked_once() -> None:
    assert [read.situation for read in judged(PLAIN % "").reads] == [ONLY]
