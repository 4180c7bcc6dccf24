"""The messages for TradingView's dialog: filled in as TradingView does it, each is the alert that it promises."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from execution_engine.domain import alert as alerts
from execution_engine.domain.instrument import Side
from execution_engine.domain.message import Sender, message
from execution_engine.domain.symbols import Catalogue
from tests.house import INSTRUMENTS

FILLED = {
    "exchange": "BINANCE",
    "ticker": "BTCUSDT",
    "timenow": "2026-11-20T12:00:00Z",
    "close": "65000.5",
    "strategy.order.id": "Long",
    "strategy.order.action": "buy",
    "strategy.market_position": "long",
    "strategy.prev_market_position": "flat",
    "strategy.order.price": "65000.0",
}


def sent(sender: Sender, timeframe: str = "15", **other: str) -> alerts.ParsedAlert:
    text = message(sender, timeframe, **other)
    filled = re.sub(r"\{\{([^}]+)\}\}", lambda match: FILLED[match[1]], text)
    body = alerts.read(filled.encode())
    assert isinstance(body, alerts.Body)
    parsed = alerts.parse(body, Catalogue(INSTRUMENTS))
    assert isinstance(parsed, alerts.ParsedAlert), parsed
    return parsed


def test_a_strategy_says_everything_by_itself() -> None:
    signal = sent(Sender.STRATEGY, "240").signal
    assert (signal.symbol, signal.timeframe, signal.side) == ("BTCUSDT", "4h", Side.LONG)
    assert (signal.previous, signal.entry_price) == ("flat", Decimal("65000.0"))
    assert signal.id == "BTCUSDT|240|Long|long|2026-11-20T12:00:00Z"


@pytest.mark.parametrize(("sender", "side"), [(Sender.LONG, Side.LONG), (Sender.SHORT, Side.SHORT)])
def test_a_price_alert_has_its_side_written_out(sender: Sender, side: Side) -> None:
    signal = sent(sender, "1D").signal
    assert (signal.side, signal.timeframe, signal.entry_price) == (side, "1d", Decimal("65000.5"))
    assert not signal.is_exit


def test_an_exit_asks_for_no_side() -> None:
    assert sent(Sender.EXIT).signal.is_exit


def test_only_a_strategy_uses_what_only_strategies_fill() -> None:
    assert "{{strategy." in message(Sender.STRATEGY, "15")
    assert not any("{{strategy." in message(each, "15") for each in Sender if each is not Sender.STRATEGY)


def test_the_secret_stands_in_it_only_where_one_is_asked_for() -> None:
    assert "secret" not in json.loads(message(Sender.LONG, "15"))
    assert json.loads(message(Sender.LONG, "15", "open sesame"))["secret"] == "open sesame"
