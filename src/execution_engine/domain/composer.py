"""The message for TradingView's alert dialog, written from what the user chose."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from execution_engine.domain.money import text
from execution_engine.domain.signal import TakeProfitMode

STRATEGY = "grid"
NOTHING_YET = "1h"


class SentBy(StrEnum):
    """What makes TradingView send the message; it decides which placeholders are filled.

    PINE: an `alert()` call in a script, whose text is sent as it stands.
    """

    STRATEGY = "strategy"
    PRICE = "price"
    PINE = "pine"


class Act(StrEnum):
    """What an alert without a strategy asks for."""

    LONG = "long"
    SHORT = "short"
    EXIT = "exit"


class Form(StrEnum):
    """STRUCTURED: market fields in `tv`, wishes in `execution_intent`. FLAT: all of them at the top."""

    STRUCTURED = "structured"
    FLAT = "flat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """What the user chose; empty leaves a wish out, and the settings decide.

    act: of an alert without a strategy; a strategy's own orders say what they do.
    symbol: as BINANCE:BTCUSDT; empty takes the chart's.
    timeframe: canonical. from_chart: a strategy's alert names the chart's own instead.
    by_name: fields in the order of their names. one_line: without line breaks.
    """

    sent_by: SentBy = SentBy.STRATEGY
    act: Act = Act.LONG
    symbol: str = ""
    timeframe: str = NOTHING_YET
    from_chart: bool = False
    account: str = ""
    grid: str = ""
    tp_mode: TakeProfitMode | None = None
    capital_usd: Decimal | None = None
    form: Form = Form.STRUCTURED
    by_name: bool = False
    one_line: bool = False

    @property
    def is_strategy(self) -> bool:
        return self.sent_by is SentBy.STRATEGY

    @property
    def is_exit(self) -> bool:
        return not self.is_strategy and self.act is Act.EXIT


def message(chosen: Composition, secret: str = "") -> str:
    """Return the body to paste, with `secret` in it where there is one."""
    head = {"secret": secret} if secret else {}
    head |= {"id": _identity(chosen), "timestamp": "{{timenow}}"}
    market, wishes = _market(chosen), _wishes(chosen)
    flat = chosen.form is Form.FLAT
    whole: dict[str, Any] = head | (
        {**market, **wishes} if flat else {"tv": market, "execution_intent": wishes}
    )
    indent = None if chosen.one_line else 2
    return json.dumps(whole, indent=indent, ensure_ascii=False, sort_keys=chosen.by_name)


def url(place: str, token: str) -> str:
    """Return where the message is sent; `place` is a scheme and a host."""
    return f"{place}/webhook/{token}"


def _identity(chosen: Composition) -> str:
    """Name one firing of one alert: two charts, accounts or orders of the same second must differ."""
    parts = [chosen.symbol or "{{exchange}}:{{ticker}}", _timeframe(chosen)]
    parts += [chosen.account] if chosen.account else []
    if chosen.is_strategy:
        parts += ["{{strategy.order.id}}", "{{strategy.market_position}}"]
    else:
        parts.append(chosen.act.value)
    return "|".join([*parts, "{{timenow}}"])


def _timeframe(chosen: Composition) -> str:
    """A price alert writes it out: there, {{interval}} is always 1."""
    return "{{interval}}" if chosen.is_strategy and chosen.from_chart else chosen.timeframe


def _market(chosen: Composition) -> dict[str, str]:
    exchange, _, symbol = chosen.symbol.rpartition(":")
    named = {
        "exchange": exchange or "{{exchange}}",
        "symbol": symbol or "{{ticker}}",
        "timeframe": _timeframe(chosen),
    }
    if chosen.is_strategy:
        return named | {
            "action": "{{strategy.order.action}}",
            "market_position": "{{strategy.market_position}}",
            "prev_market_position": "{{strategy.prev_market_position}}",
            "entry_price": "{{strategy.order.price}}",
            "close": "{{close}}",
        }
    if chosen.is_exit:
        return named
    return named | {"action": "sell" if chosen.act is Act.SHORT else "buy", "close": "{{close}}"}


def _wishes(chosen: Composition) -> dict[str, str]:
    wishes = {"type": "exit" if chosen.is_exit else "signal", "strategy": STRATEGY}
    if chosen.account:
        wishes["account"] = chosen.account
    if chosen.is_exit:
        return wishes  # how it was opened counts
    if chosen.grid:
        wishes["grid"] = chosen.grid
    if chosen.tp_mode is not None:
        wishes["tp_mode"] = chosen.tp_mode.value
    if chosen.capital_usd is not None:
        wishes["capital_usd"] = text(chosen.capital_usd)
    return wishes
