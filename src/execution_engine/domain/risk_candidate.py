"""A group as the risk engine sees it: its rows, a fresh price, what holds it, what its close is charged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from execution_engine.domain.draft import is_fresh
from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.money import HUNDRED, ZERO, divide
from execution_engine.domain.routing import PAPER
from execution_engine.domain.rows import Account, AccountStatus, Group, World
from execution_engine.domain.settings import Settings
from execution_engine.domain.take_profit import closing_price
from execution_engine.domain.view import View

READ = frozenset({AccountStatus.READY, AccountStatus.DISABLED})  # what is held there is known


@dataclass(slots=True)
class Candidate:
    """One group that holds a slot; thousands of them are made for one evaluation.

    price: what a close would get [quote]; None where it is not fresh. hold: why nothing is begun with it.
    fee_percent: what a close at market is charged. unrealized: None without a position or a fresh price.
    """

    group: Group
    instrument: Instrument
    price: Decimal | None
    hold: str
    fee_percent: Decimal
    unrealized: Decimal | None

    @property
    def name(self) -> str:
        return f"{self.group.symbol} {self.group.timeframe}"

    @property
    def percent(self) -> Decimal:
        """Return the unrealized result in per cent of what is invested; asked of a position with a price."""
        return divide((self.unrealized or ZERO) * HUNDRED, self.group.invested)

    @property
    def closable(self) -> Decimal:
        """Return all that can be sold of it now [base]; asked of a position with a price."""
        return self.instrument.closable(self.group.open_quantity, self.price or ZERO)

    def fee(self, quantity: Decimal) -> Decimal:
        """Return what closing a quantity [base] is charged [quote]."""
        return (self.price or ZERO) * quantity * self.fee_percent / HUNDRED


def candidate(
    group: Group,
    instrument: Instrument,
    quote: Price | None,
    account: Account | None,
    settings: Settings,
    now: datetime,
) -> Candidate:
    """Look at a group with the newest price of its market; nothing is begun at one that is not fresh."""
    hold = group.hold or account_hold(account)
    return _look(group, instrument, quote, hold, fee_percent(instrument, account, settings), now)


def _look(
    group: Group, instrument: Instrument, quote: Price | None, hold: str, fee: Decimal, now: datetime
) -> Candidate:
    price = closing_price(quote, group.side) if quote is not None and is_fresh(quote, now) else None
    result: Decimal | None = None
    if price is not None and group.avg_entry is not None:
        result = group.side.sign * (price * group.open_quantity - group.invested)
    return Candidate(group, instrument, price, hold, fee, result)


def account_hold(account: Account | None) -> str:
    """Return why nothing is begun with the groups of an account; empty where nothing keeps it."""
    if account is None:
        return "its account is not known"
    return "" if account.status in READ else f"{account.name}: {account.reason or account.status.value}"


def fee_percent(instrument: Instrument, account: Account | None, settings: Settings) -> Decimal:
    """Return what a close at market is charged [%]; practice accounts have a fee of their own."""
    practice = account is not None and account.exchange == PAPER
    return settings.paper.taker_fee_percent if practice else instrument.taker_fee_percent


def candidates(view: View, world: World, now: datetime) -> Sequence[Candidate]:
    """Return every group of a world that holds a slot, in order of creation."""
    settings, accounts, catalogue = view.settings, view.accounts, view.catalogue
    holds = {name: account_hold(account) for name, account in accounts.items()}
    practice = settings.paper.taker_fee_percent
    papers = {name for name, account in accounts.items() if account.exchange == PAPER}
    found: list[Candidate] = []
    for id in view.open_groups():
        group = view.groups[id]
        market = (group.exchange, group.symbol)
        instrument = catalogue.get(*market)
        if group.world is not world or instrument is None:
            continue
        hold = group.hold or holds.get(group.account, "its account is not known")
        fee = practice if group.account in papers else instrument.taker_fee_percent
        found.append(_look(group, instrument, view.price(market), hold, fee, now))
    return found
