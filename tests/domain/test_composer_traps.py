"""TradingView's traps: each is told where a message walks into it, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from execution_engine.domain import composer
from execution_engine.domain import document as documents
from execution_engine.domain.composer import Composition, SentBy
from execution_engine.domain.composer_check import BodySecret
from execution_engine.domain.composer_traps import Trap, Weight, traps
from execution_engine.domain.settings import Settings
from execution_engine.domain.way_in import Reach, WayIn

PUBLIC = "https://a.example"
GOOD = WayIn(url=PUBLIC, reach=Reach(state="ok", sentence="It leads here.", url=PUBLIC, took_s=0.2))
WHOLE = '"id": "{{ticker}} {{strategy.order.id}} {{timenow}}", "timestamp": "{{timenow}}"'


def told(message: str, sent_by: SentBy = SentBy.STRATEGY, **given: Any) -> dict[str, Trap]:
    settings = Settings()
    for path, value in given.get("settings", {}).items():
        settings = documents.with_value(settings, path, value)
    found = traps(
        message,
        sent_by,
        given.get("timeframe", "1h"),
        given.get("way", GOOD),
        settings,
        given.get("secret", BodySecret()),
    )
    weights = [list(Weight).index(trap.weight) for trap in found]
    assert weights == sorted(weights), "the worst first"
    assert all(trap.sentence.endswith(".") for trap in found)
    return {trap.code: trap for trap in found}


def test_what_the_composer_writes_for_a_strategy_walks_into_none() -> None:
    found = told(composer.message(Composition()))
    assert {code for code, trap in found.items() if trap.weight is not Weight.KNOW} == set()
    assert set(found) == {"script_text"}


def test_a_price_alert_has_to_be_told_when_to_fire() -> None:
    found = told(composer.message(Composition(sent_by=SentBy.PRICE)), SentBy.PRICE)
    assert set(found) == {"trigger"}
    assert "Once Per Bar Close" in found["trigger"].sentence


@pytest.mark.parametrize(
    ("url", "reach", "code"),
    [
        ("", Reach(), "no_address"),
        ("https://a.example:8443", Reach(), "port"),
        ("https://[2001:db8::1]", Reach(), "ipv6"),
        (PUBLIC, replace(GOOD.reach, took_s=3.4), "slow"),
        (PUBLIC, replace(GOOD.reach, state="error", sentence="Nothing answers."), "unreachable"),
    ],
)
def test_an_address_that_tradingview_cannot_reach_stops_everything(url: str, reach: Reach, code: str) -> None:
    found = told(f"{{{WHOLE}}}", way=WayIn(url=url, reach=reach))
    assert found[code].weight is Weight.STOPS


@pytest.mark.parametrize("url", ["http://a.example:80", "https://a.example:443", "https://a.example"])
def test_a_check_of_another_address_says_nothing_about_this_one(url: str) -> None:
    slow = Reach(state="ok", sentence="", url="https://old.example", took_s=9)
    assert set(told(f"{{{WHOLE}}}", way=WayIn(url=url, reach=slow))) == {"script_text"}


def test_an_allowlist_without_tradingview_stops_everything() -> None:
    names = {"webhook.ip_allowlist": ["52.89.214.238", "34.212.0.0/16"]}
    found = told(f"{{{WHOLE}}}", settings=names)["allowlist"]
    assert "54.218.53.128, 52.32.178.7:" in found.sentence
    assert "52.89.214.238" not in found.sentence
    assert "allowlist" not in told(f"{{{WHOLE}}}", settings={"webhook.ip_allowlist": ["tradingview"]})


@pytest.mark.parametrize(
    ("message", "sent_by", "code", "weight"),
    [
        (f'{{{WHOLE}, "close": {{{{close}}}}}}', SentBy.STRATEGY, "unquoted", Weight.LOOK),
        (f'{{{WHOLE}, "timeframe": "{{{{interval}}}}"}}', SentBy.PRICE, "interval", Weight.STOPS),
        (f'{{{WHOLE}, "timeframe": "{{{{interval}}}}"}}', SentBy.STRATEGY, "interval", Weight.KNOW),
        ('{"id": "{{ticker}} {{time}}", "timestamp": "{{time}}"}', SentBy.PRICE, "time", Weight.STOPS),
        ('{"id": "{{ticker}} {{time}}", "timestamp": {{time}} }', SentBy.PRICE, "time", Weight.STOPS),
        ('{"close": "{{close}}"}', SentBy.PINE, "pine", Weight.STOPS),
        (" {{strategy.order.alert_message}}\n", SentBy.STRATEGY, "from_script", Weight.LOOK),
        ('{"id": "my alert"}', SentBy.STRATEGY, "same_id", Weight.STOPS),
        ('{"id": "{{ticker}} {{timenow}}"}', SentBy.STRATEGY, "same_second", Weight.LOOK),
        ('{"id": "{{timenow}}", "symbol": "{{ticker}}"}', SentBy.PRICE, "same_chart", Weight.LOOK),
        ('{"action": "buy"}', SentBy.PRICE, "no_id", Weight.LOOK),
        ('{"action": "buy"}', SentBy.PRICE, "no_timestamp", Weight.LOOK),
        ('{"secret": "abc"}', SentBy.PRICE, "secret", Weight.KNOW),
    ],
)
def test_a_message_that_walks_into_a_trap(message: str, sent_by: SentBy, code: str, weight: Weight) -> None:
    assert told(message, sent_by)[code].weight is weight


@pytest.mark.parametrize(
    ("message", "sent_by", "code"),
    [
        (f"{{{WHOLE}}}", SentBy.STRATEGY, "unquoted"),
        (f"{{{WHOLE}}}", SentBy.STRATEGY, "same_second"),
        (f'{{{WHOLE}, "symbol": "{{{{ticker}}}}"}}', SentBy.STRATEGY, "same_chart"),
        ('{"id": "{{ticker}} {{timenow}}"}', SentBy.PRICE, "same_second"),
        ('{"timestamp": "{{timenow}}"}', SentBy.PRICE, "no_id"),
        ('{"text": "no placeholder"}', SentBy.PINE, "pine"),
        ('{"action": "buy"}', SentBy.PRICE, "secret"),
    ],
)
def test_a_message_that_does_not(message: str, sent_by: SentBy, code: str) -> None:
    assert code not in told(message, sent_by)


def test_the_bars_time_is_too_old_only_where_bars_are_long() -> None:
    message = '{"timestamp": "{{time}}"}'
    assert "older than 300 s are rejected" in told(message, timeframe="15m")["time"].sentence
    assert told(message, timeframe="5m")["time"].weight is Weight.LOOK


def test_bars_of_seconds_fire_too_often() -> None:
    assert "pace" in told(f"{{{WHOLE}}}", SentBy.PRICE, timeframe="10s")
    assert "pace" not in told(f"{{{WHOLE}}}", SentBy.PRICE, timeframe="15s")


def test_a_secret_is_said_to_be_seen_and_another_one_to_be_wrong() -> None:
    message = '{"secret": "sa\\"y"}'
    assert "enough here" in told(message)["secret"].sentence
    required = {"webhook.secret_required": True}
    assert "enough here" not in told(message, settings=required)["secret"].sentence
    assert "other_secret" in told(message, secret=BodySecret("other"))
    assert "other_secret" not in told(message, secret=BodySecret('sa"y'))
    assert "other_secret" not in told(message, secret=BodySecret("other"), settings=required)
