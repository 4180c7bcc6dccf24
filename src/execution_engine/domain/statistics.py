"""What the closed groups of a world came to."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal

from execution_engine.domain.money import HUNDRED, divide


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Sums over the closed groups of a world [USD]. A group that never filled is not a trade.

    won, lost: sums of the results above and below zero (`lost` is negative). volume: of all fills.
    """

    trades: int
    wins: int
    losses: int
    won: Decimal
    lost: Decimal
    realized: Decimal
    fees: Decimal
    volume: Decimal

    def __add__(self, other: Statistics) -> Statistics:
        return self._joined(other, 1)

    def __sub__(self, other: Statistics) -> Statistics:
        return self._joined(other, -1)

    def _joined(self, other: Statistics, sign: int) -> Statistics:
        return Statistics(
            **{
                each.name: getattr(self, each.name) + sign * getattr(other, each.name)
                for each in fields(self)
            }
        )

    @property
    def win_rate(self) -> Decimal | None:
        """Return wins / trades [%]."""
        return divide(HUNDRED * self.wins, Decimal(self.trades)) if self.trades else None

    @property
    def average_win(self) -> Decimal | None:
        return divide(self.won, Decimal(self.wins)) if self.wins else None

    @property
    def average_loss(self) -> Decimal | None:
        return divide(self.lost, Decimal(self.losses)) if self.losses else None

    @property
    def profit_factor(self) -> Decimal | None:
        """Return sum of wins / sum of losses; None without a loss."""
        return divide(self.won, -self.lost) if self.lost else None
