"""What the open groups are worth at the newest prices; worked out again only for what was touched."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from PySide6.QtCore import QObject

from execution_engine.domain.inputs import Price
from execution_engine.domain.money import ZERO
from execution_engine.domain.position import unrealized, unrealized_percent
from execution_engine.domain.rows import AccountStatus, Group, World
from execution_engine.domain.take_profit import closing_price
from execution_engine.ui.bridge import Batch, Bridge, Market
from execution_engine.ui.tongue import tr, translated

STALE_AFTER = timedelta(seconds=5)


def is_old(price: Price | None, now: datetime) -> bool:
    """Tell whether a price has aged; one that was set by hand never does."""
    return price is not None and not price.manual and now - price.at > STALE_AFTER


@dataclass(frozen=True, slots=True)
class Holding:
    """A group that holds a slot, and its worth. price: what a close would get.

    unrealized, percent: None while it holds nothing or has no price. hold: see `hold_of`.
    """

    group: Group
    quote: Price | None = None
    price: Decimal | None = None
    unrealized: Decimal | None = None
    percent: Decimal | None = None
    hold: str = ""

    @property
    def holds(self) -> bool:
        return self.group.avg_entry is not None

    @property
    def state(self) -> str:
        """Return the group's state as the screen names it."""
        return "hold" if self.hold and self.group.is_open else self.group.status.value


@dataclass(frozen=True, slots=True)
class Sums:
    """What the groups of a world come to. unrealized: None where a price is missing."""

    groups: int = 0
    holding: int = 0
    invested: Decimal = ZERO
    unrealized: Decimal | None = ZERO
    old: bool = False


def holding(group: Group, quote: Price | None, hold: str = "") -> Holding:
    """Value one group."""
    if quote is None:
        return Holding(group, hold=hold)
    price = closing_price(quote, group.side)
    if group.avg_entry is None:
        return Holding(group, quote, price, hold=hold)
    result = unrealized(group.side, group.invested, group.open_quantity, price)
    return Holding(group, quote, price, result, unrealized_percent(result, group.invested), hold)


def hold_of(bridge: Bridge, group: Group) -> str:
    """Say why no new risk is taken for a group: its own reason, its account's or its world's; empty if none."""
    account, world = bridge.accounts.get(group.account), bridge.holds.get(group.world)
    if group.hold:
        return translated(group.hold)
    if account is not None and account.status in (AccountStatus.HOLD, AccountStatus.ERROR):
        return tr("account {account} is on hold{more}").format(
            account=account.name, more=f": {translated(account.reason)}" if account.reason else ""
        )
    return (
        tr("the {world} world is on hold: {reason}").format(
            world=tr(world.name), reason=translated(world.reason)
        )
        if world is not None
        else ""
    )


def holdings_of(bridge: Bridge) -> Holdings:
    """Return the one that everybody who looks at this bridge shares.

    Ask for it before connecting to `changed`: it has heard of a batch then when oneself hears of it.
    """
    return bridge.findChild(Holdings) or Holdings(bridge)


class Holdings(QObject):
    """The holdings by group id, kept up to date by batches.

    touched: the ids of groups whose holding may differ since the last batch, or is gone.
    """

    def __init__(self, bridge: Bridge) -> None:
        """Begin with everything the bridge has, and follow it."""
        super().__init__(bridge)
        self._bridge = bridge
        self.touched: set[int] = set()
        self._of_market: defaultdict[Market, set[int]] = defaultdict(set)
        self.by_id: dict[int, Holding] = {}
        self._take(Batch(whole=True))
        bridge.changed.connect(self._take)

    def _take(self, batch: Batch) -> None:
        if batch.whole:
            gone = set(self.by_id)
            self.by_id.clear()
            self._of_market.clear()
            touched = set(self._bridge.groups) | gone
        else:
            touched = set(batch.groups)
            for market in batch.markets:
                touched |= self._of_market.get(market, set())
            if batch.accounts or batch.holds:
                touched |= set(self.by_id)
        for id in touched:
            self._value(id)
        self.touched = touched

    def _value(self, id: int) -> None:
        group = self._bridge.groups.get(id)
        if group is None or not group.holds_slot:
            old = self.by_id.pop(id, None)
            if old is not None:
                self._of_market[old.group.exchange, old.group.symbol].discard(id)
            return
        market = (group.exchange, group.symbol)
        self._of_market[market].add(id)
        self.by_id[id] = holding(group, self._bridge.prices.get(market), hold_of(self._bridge, group))

    def sums(self, world: World, now: datetime) -> Sums:
        """Add up the groups of a world."""
        mine = [each for each in self.by_id.values() if each.group.world is world]
        held = [each for each in mine if each.holds]
        results = [each.unrealized for each in held if each.unrealized is not None]
        return Sums(
            groups=len(mine),
            holding=len(held),
            invested=sum((each.group.invested for each in held), ZERO),
            unrealized=sum(results, ZERO) if len(results) == len(held) else None,
            old=any(is_old(each.quote, now) for each in held),
        )
