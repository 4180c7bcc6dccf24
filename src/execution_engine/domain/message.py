"""The message for TradingView's alert dialog, in the structured form that the listener reads."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any


class Sender(StrEnum):
    """What the alert in TradingView is made of: only a strategy fills `{{strategy.…}}`."""

    STRATEGY = "strategy"
    LONG = "long"
    SHORT = "short"
    EXIT = "exit"


_ACTIONS = {Sender.LONG: "buy", Sender.SHORT: "sell"}


def message(sender: Sender, timeframe: str, secret: str = "") -> str:
    """Return the text to paste. timeframe: as TradingView writes it (`15`, `1D`), because {{interval}} is 1 in price
    alerts. secret: what stands in the field `secret`; without one the field is left out."""
    identity = f"{{{{ticker}}}}|{timeframe}|{_what(sender)}|{{{{timenow}}}}"
    market: dict[str, Any] = {
        "exchange": "{{exchange}}",
        "symbol": "{{ticker}}",
        "timeframe": timeframe,
        **_wish(sender),
        "close": "{{close}}",
    }
    intent = {"type": "exit" if sender is Sender.EXIT else "signal", "strategy": "grid"}
    body = {"id": identity, "timestamp": "{{timenow}}", "tv": market, "execution_intent": intent}
    return json.dumps({"secret": secret, **body} if secret else body, indent=2, ensure_ascii=False)


def _what(sender: Sender) -> str:
    """Return what tells two alerts of one moment apart."""
    if sender is Sender.STRATEGY:
        return "{{strategy.order.id}}|{{strategy.market_position}}"
    return sender.value


def _wish(sender: Sender) -> dict[str, str]:
    if sender is Sender.STRATEGY:
        return {
            "action": "{{strategy.order.action}}",
            "market_position": "{{strategy.market_position}}",
            "prev_market_position": "{{strategy.prev_market_position}}",
            "entry_price": "{{strategy.order.price}}",
        }
    return {"action": _ACTIONS[sender]} if sender in _ACTIONS else {}
