"""The rules of one market, and how prices and quantities are made to fit them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from execution_engine.domain.money import ONE, ZERO, round_down, round_up


class Market(StrEnum):
    SPOT = "spot"
    SWAP = "swap"


class Side(StrEnum):
    """The direction of a position."""

    LONG = "long"
    SHORT = "short"

    @property
    def opposite(self) -> Side:
        return Side.SHORT if self is Side.LONG else Side.LONG

    @property
    def sign(self) -> int:
        return 1 if self is Side.LONG else -1


class Action(StrEnum):
    """The direction of an order."""

    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One market of one exchange.

    symbol: as the exchange's charts write it: `BTCUSDT` spot, `BTCUSDT.P` perpetual.
    tick, step: smallest price [quote] and quantity [base] increments. Quantities are base units throughout;
        `contract_size` [base per contract] matters to the exchange adapter alone, but `step` is already a
        whole number of contracts.
    min_notional: least price × quantity of an order [quote]; zero where the exchange has none.
    max_qty and market_max_qty: most quantity of one order [base]; zero means no limit.
    traded: the exchange takes orders there; not where it halted the market, or ended it.
    """

    exchange: str
    symbol: str
    market: Market
    base: str
    quote: str
    tick: Decimal
    step: Decimal
    min_qty: Decimal
    max_qty: Decimal = ZERO
    market_min_qty: Decimal = ZERO
    market_max_qty: Decimal = ZERO
    min_notional: Decimal = ZERO
    contract_size: Decimal = ONE
    max_leverage: Decimal = ONE
    maker_fee_percent: Decimal = Decimal("0.1")
    taker_fee_percent: Decimal = Decimal("0.1")
    traded: bool = True

    @property
    def key(self) -> tuple[str, str]:
        return (self.exchange, self.symbol)

    def entry_price(self, price: Decimal, side: Side) -> Decimal:
        """Round so that a long never pays more and a short never gets less than asked."""
        return round_down(price, self.tick) if side is Side.LONG else round_up(price, self.tick)

    def target_price(self, price: Decimal, side: Side) -> Decimal:
        """Round so that a close never earns less than its percentage."""
        return round_up(price, self.tick) if side is Side.LONG else round_down(price, self.tick)

    def quantity(self, quantity: Decimal) -> Decimal:
        """Round down: rounding up could spend more than the user allowed."""
        return round_down(quantity, self.step)

    def takes(self, quantity: Decimal, price: Decimal, *, market_order: bool) -> bool:
        """Return whether one entry order of this size [base] keeps the rules; a price only has to be on the tick."""
        least = max(self.min_qty, self.market_min_qty if market_order else ZERO)
        return (
            (market_order or not price % self.tick)
            and not quantity % self.step
            and quantity >= least
            and self.pieces(quantity, market_order=market_order) == (quantity,)
            and quantity * price >= self.min_notional
        )

    def closable(self, held: Decimal, price: Decimal) -> Decimal:
        """Return how much of `held` [base] can be closed at market now; zero when it is dust.

        A reduce-only close on a perpetual is free of the minimum notional, a spot sale is not.
        """
        quantity = self.quantity(held)
        least = max(self.min_qty, self.market_min_qty)
        too_cheap = self.market is Market.SPOT and quantity * price < self.min_notional
        return ZERO if quantity <= 0 or quantity < least or too_cheap else quantity

    def pieces(self, quantity: Decimal, *, market_order: bool) -> tuple[Decimal, ...]:
        """Split a quantity [base] into orders that the exchange's maximum allows, largest first.

        All of nearly the same size: a small rest would be below the exchange's minimum.
        """
        limit = (self.market_max_qty if market_order else ZERO) or self.max_qty
        limit = round_down(limit, self.step) if limit else ZERO
        if not limit or quantity <= limit:
            return (quantity,)
        count = int(round_up(quantity / limit, ONE))
        steps, longer = divmod(int(quantity / self.step), count)
        return ((steps + 1) * self.step,) * longer + (steps * self.step,) * (count - longer)
