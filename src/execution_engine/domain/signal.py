"""A signal: what a valid alert asks for, before anything is decided on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from execution_engine.domain.instrument import Market, Side


class SignalType(StrEnum):
    ENTRY = "entry"
    PYRAMID = "pyramid"
    REPLACEMENT = "replacement"
    EXIT = "exit"
    REVERSAL = "reversal"


class Outcome(StrEnum):
    """How an alert ended; `QUEUED` is on the way to another one."""

    OPENED = "opened"
    PYRAMIDED = "pyramided"
    REPLACEMENT = "replacement"
    REVERSED = "reversed"
    EXITED = "exited"
    NO_POSITION = "no_position"
    DEQUEUED = "dequeued"
    REJECTED = "rejected"
    FAILED = "failed"
    QUEUED = "queued"
    REPLACED = "replaced"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class TakeProfitMode(StrEnum):
    PER_LEG = "per_leg"
    AGGREGATE = "aggregate"
    HYBRID = "hybrid"


class Position(StrEnum):
    """What the strategy holds, in TradingView's words."""

    LONG = "long"
    SHORT = "short"
    FLAT = "flat"

    @property
    def side(self) -> Side | None:
        return None if self is Position.FLAT else Side(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A valid alert body.

    exchange, symbol: the instrument that the body's symbol was found to be (`binance`, `BTCUSDT.P`).
    timeframe: canonical (`15m`, `1h`, `1d`).
    id: the sender's own identifier; None where the body itself is the identity.
    sent_at: the body's timestamp (UTC); None where it has none.
    wants_exit: `execution_intent.type` is `exit`.
    action, position, previous, intent_side: the parts that the side and the classification follow from.
    entry_price: what the alert says the entry is at [quote]; None leaves it to the market.
    account, grid, tp_mode, capital_usd: overrides; None where absent.
    """

    exchange: str
    symbol: str
    market: Market
    timeframe: str
    id: str | None = None
    sent_at: datetime | None = None
    wants_exit: bool = False
    action: str | None = None
    position: Position | None = None
    previous: Position | None = None
    intent_side: Side | None = None
    entry_price: Decimal | None = None
    account: str | None = None
    grid: str | None = None
    tp_mode: TakeProfitMode | None = None
    capital_usd: Decimal | None = None

    @property
    def is_exit(self) -> bool:
        return self.wants_exit or self.position is Position.FLAT

    @property
    def asks_reversal(self) -> bool:
        """The strategy turned from one side to the other in this very alert."""
        before, after = self.previous, self.position
        if self.is_exit or before is None or after is None:
            return False
        return before.side is not None and after.side is not None and before is not after

    @property
    def sides(self) -> tuple[Side, ...]:
        """Every side the body names, the one that counts first."""
        if self.asks_reversal and self.position and self.position.side:
            return (self.position.side,)
        by_action = {"buy": Side.LONG, "sell": Side.SHORT}
        named = (
            self.position.side if self.position else None,
            self.intent_side,
            by_action.get(self.action or ""),
        )
        return tuple(side for side in named if side is not None)

    @property
    def side(self) -> Side | None:
        return next(iter(self.sides), None)

    @property
    def leads_to(self) -> Position:
        """What the strategy holds after this alert."""
        if self.is_exit:
            return Position.FLAT
        side = self.side
        assert side is not None  # the parser refuses entries without a side
        return Position(side.value)

    @property
    def contradicts_itself(self) -> bool:
        """Two parts of the body name different sides (never asked of an exit)."""
        return not self.is_exit and len(set(self.sides)) > 1
