"""A market as an exchange lists it: the rules of the shipped table, and what a test changes about them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

from execution_engine.adapters.exchanges.instruments import load
from execution_engine.domain.instrument import Instrument, Market

_TABLE = Path(__file__).parents[2] / "resources" / "instruments.json"


@dataclass(slots=True)
class Listing:
    """symbol: as charts write it (`BTCUSDT`, `BTCUSDT.P`); native: as the exchange's own messages do.

    Quantities are base units here as everywhere in the venue; a dialect that counts contracts turns them.
    """

    rules: Instrument
    native: str
    status: str = "trading"  # or "halted"
    aliases: tuple[str, ...] = field(default=())  # of the base currency, as KuCoin calls Bitcoin XBT

    @property
    def symbol(self) -> str:
        return self.rules.symbol

    @property
    def swap(self) -> bool:
        return self.rules.market is Market.SWAP

    @property
    def contract(self) -> Decimal:
        """What one unit of an order's size is [base]: the contract's size on swaps that count contracts."""
        return self.rules.contract_size

    def change(self, **rules: str | Decimal) -> None:
        self.rules = replace(self.rules, **{name: Decimal(value) for name, value in rules.items()})


@cache
def shipped(exchange: str) -> tuple[Instrument, ...]:
    """Return the rules of an exchange's markets as the application ships them."""
    return tuple(rules for rules in load(_TABLE) if rules.exchange == exchange)


def invented(exchange: str, count: int) -> list[Instrument]:
    """Make up as many further spot markets, for tests with thousands of them."""
    like = next(rules for rules in shipped(exchange) if rules.symbol == "ETHUSDT")
    return [replace(like, symbol=f"Q{number}USDT", base=f"Q{number}") for number in range(count)]
