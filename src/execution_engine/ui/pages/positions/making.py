"""From the bridge's rows to lines: which groups a batch concerns, and how their lines are made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.rows import Group, Leg
from execution_engine.ui.bridge import Batch, Bridge, Market
from execution_engine.ui.format import age
from execution_engine.ui.holdings import hold_of, is_old
from execution_engine.ui.pages.positions.lines import GroupLine, LegLine, Line, PyramidLine


class Change(NamedTuple):
    """Say what a batch does to the tree: lines that changed, ids that are gone, groups with a new price."""

    lines: list[Line]
    gone: list[int]
    priced: list[int]


class LineMaker:
    """Make lines from rows. `busy`: group id → what the user's wish is doing."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._groups_in: defaultdict[Market, dict[int, None]] = defaultdict(dict)
        self._legs_of: dict[int, tuple[Leg, ...]] = {}
        self._market_of: dict[int, Market] = {}
        self.busy: dict[int, str] = {}

    @property
    def now(self) -> datetime:
        return self._bridge.doors.now()

    def everything(self) -> list[Line]:
        """Read the whole state anew."""
        self._groups_in.clear()
        self._legs_of.clear()
        self._market_of.clear()
        return [line for id in self._bridge.groups for line in self._family(id)]

    def take(self, batch: Batch) -> Change:
        """Return what a batch changes; a price alone touches the lines of its groups and nothing below."""
        bridge = self._bridge
        legs = [bridge.legs[id] for id in batch.legs if id in bridge.legs]
        pyramids = [bridge.pyramids[id] for id in batch.pyramids if id in bridge.pyramids]
        touched = dict.fromkeys(batch.groups)
        touched.update(dict.fromkeys(leg.group_id for leg in legs))
        touched.update(dict.fromkeys(pyramid.group_id for pyramid in pyramids))
        if batch.accounts or batch.holds:
            touched.update(
                (id, None)
                for id, each in bridge.groups.items()
                if each.account in batch.accounts or each.world in batch.holds
            )
        gone = [id for id in touched if id not in bridge.groups]
        for id in gone:
            self._forget(id)
        for id in dict.fromkeys(leg.group_id for leg in legs):
            self._legs_of.pop(id, None)
        lines: list[Line] = [self.group(id) for id in touched if id in bridge.groups]
        lines += self._pyramids(
            dict.fromkeys([*(row.id for row in pyramids), *(leg.pyramid_id for leg in legs)])
        )
        lines += [self._leg(leg) for leg in legs]
        return Change(lines, gone, self.priced(batch.markets, touched))

    def priced(self, markets: Iterable[Market], but: Iterable[int] = ()) -> list[int]:
        """Return the groups of some markets for which a price still means something."""
        left_out, groups = set(but), self._bridge.groups
        return [
            id
            for market in markets
            for id in self._groups_in.get(market, ())
            if id not in left_out and groups[id].holds_slot
        ]

    def known(self) -> list[int]:
        """Return every group for which a price still means something."""
        return [id for id, group in self._bridge.groups.items() if group.holds_slot]

    def line(self, id: int) -> Line | None:
        """Return the line of a group, a pyramid or a leg as it is now."""
        bridge = self._bridge
        if id in bridge.groups:
            return self.group(id)
        if id in bridge.legs:
            return self._leg(bridge.legs[id])
        return next(iter(self._pyramids([id])), None)

    def group(self, id: int) -> GroupLine:
        """Return the line of a group as it is now."""
        group = self._bridge.groups[id]
        self._note_market(group)
        quote, now = self._quote(group), self.now
        return GroupLine(
            group,
            self.legs_of(id),
            self.rules(group),
            quote,
            is_old(quote, now),
            age((group.closed_at or now) - group.created_at),
            hold_of(self._bridge, group),
            self.busy.get(id, ""),
        )

    def legs_of(self, group_id: int) -> tuple[Leg, ...]:
        """Return the legs of a group, pyramid by pyramid."""
        known = self._legs_of.get(group_id)
        if known is None:
            rows = [self._bridge.legs[id] for id in self._bridge.legs_of.get(group_id, ())]
            rows.sort(key=lambda leg: (leg.pyramid_index, leg.index))
            known = self._legs_of[group_id] = tuple(rows)
        return known

    def rules(self, group: Group) -> Instrument:
        """Return the rules of a group's market; of one that is no longer listed, the finest."""
        return self._bridge.doors.catalogue.get(group.exchange, group.symbol) or _unlisted(group)

    def _family(self, id: int) -> list[Line]:
        legs = self.legs_of(id)
        pyramids = self._pyramids(self._bridge.pyramids_of.get(id, ()))
        return [self.group(id), *pyramids, *(self._leg(leg) for leg in legs)]

    def _pyramids(self, ids: Iterable[int]) -> list[Line]:
        bridge, now = self._bridge, self.now
        lines: list[Line] = []
        for id in ids:
            pyramid = bridge.pyramids.get(id)
            group = bridge.groups.get(pyramid.group_id) if pyramid else None
            if pyramid is None or group is None:
                continue
            own = tuple(leg for leg in self.legs_of(group.id) if leg.pyramid_id == id)
            quote = self._quote(group)
            since = age((group.closed_at or now) - pyramid.created_at)
            lines.append(
                PyramidLine(pyramid, own, group.side, self.rules(group), quote, is_old(quote, now), since)
            )
        return lines

    def _leg(self, leg: Leg) -> LegLine:
        group = self._bridge.groups[leg.group_id]
        quote = self._quote(group)
        return LegLine(leg, group.side, self.rules(group), group.tp_mode, quote, is_old(quote, self.now))

    def _quote(self, group: Group) -> Price | None:
        return self._bridge.prices.get((group.exchange, group.symbol))

    def _note_market(self, group: Group) -> None:
        market = (group.exchange, group.symbol)
        if self._market_of.get(group.id) != market:
            self._market_of[group.id] = market
            self._groups_in[market][group.id] = None

    def _forget(self, id: int) -> None:
        self._legs_of.pop(id, None)
        self.busy.pop(id, None)
        market = self._market_of.pop(id, None)
        if market is not None:
            self._groups_in[market].pop(id, None)


def _unlisted(group: Group) -> Instrument:
    finest = Decimal("1E-8")
    return Instrument(
        exchange=group.exchange,
        symbol=group.symbol,
        market=group.market,
        base=group.base,
        quote=group.quote,
        tick=finest,
        step=finest,
        min_qty=finest,
    )
