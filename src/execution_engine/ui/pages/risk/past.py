"""The history behind the page: what was read, what is new, and what rehearsals would have meant by now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import History
from execution_engine.domain.risk_hindsight import Hindsight, average_exit, hindsight
from execution_engine.domain.rows import Fill, RiskAction, RiskType, World
from execution_engine.domain.take_profit import closing_price
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.pages.risk import history
from execution_engine.ui.pages.risk.history import FillRow, Row

READ = 500


class Past:
    """Knows the actions of the risk engine by id, those of the database and those that came since."""

    def __init__(self, bridge: Bridge, changed: Callable[[Iterable[int]], None]) -> None:
        """Take who is told the ids of actions that look different; nothing is read yet."""
        self._bridge, self._changed = bridge, changed
        self._read: dict[int, RiskAction] = {}
        self._exits: dict[int, Decimal] = {}
        self._asked: set[int] = set()
        self._fills: dict[int, list[FillRow]] = {}
        self._touched: set[int] = set()

    def read(self) -> None:
        """Read what the bridge does not hold."""
        self._bridge.run(self._bridge.doors.read_risk_actions(READ), self._was_read)

    def _was_read(self, found: Sequence[RiskAction] | Refusal) -> None:
        if isinstance(found, Refusal):
            return
        new = [action for action in found if self._read.get(action.id) != action]
        self._read.update((action.id, action) for action in new)
        self._changed([action.id for action in new if action.id not in self._bridge.risks])

    def take(self, batch: Batch, touched: Iterable[int]) -> None:
        """Remember which groups moved; of actions with fills, read those that are new."""
        self._touched.update(touched)
        for id in batch.risks & self._fills.keys():
            self.read_fills(self._bridge.risks[id])

    def action(self, id: int) -> RiskAction | None:
        """Return an action as it is now."""
        return self._bridge.risks.get(id) or self._read.get(id)

    def actions(self, world: World) -> list[RiskAction]:
        """Return the actions of a world."""
        both = self._read | self._bridge.risks
        return [action for action in both.values() if action.world is world]

    def rows(self, action: RiskAction) -> list[Row]:
        """Return an action with its closes and the fills that were read."""
        names = {}
        group = self._bridge.groups.get(action.loser or 0)
        if group is not None:
            names[group.id] = f"{group.symbol} {group.timeframe}"
        name = history.name_of(action, names)
        return [*history.rows(action, name, self._seen_now(action)), *self._fills.get(action.id, ())]

    # -- rehearsals

    def moved(self) -> list[int]:
        """Return the rehearsals whose hindsight may be another by now."""
        touched, self._touched = self._touched, set()
        both = (self._read | self._bridge.risks).values() if touched else ()
        return [
            action.id
            for action in both
            if action.type is RiskType.REHEARSAL and any(step.group_id in touched for step in action.steps)
        ]

    def _seen_now(self, action: RiskAction) -> Hindsight | None:
        if action.type is not RiskType.REHEARSAL or not action.steps:
            return None
        prices: dict[int, Decimal] = {}
        for step in action.steps:
            price = self._price(step.group_id)
            if price is not None:
                prices[step.group_id] = price
        return hindsight(action, prices)

    def _price(self, group_id: int) -> Decimal | None:
        """Return what a close gets now, or what the closes of a group that is closed got on average."""
        bridge = self._bridge
        group = bridge.groups.get(group_id)
        if group is not None and group.holds_slot:
            quote = bridge.prices.get((group.exchange, group.symbol))
            return closing_price(quote, group.side) if quote is not None else None
        if group is not None:
            return average_exit([bridge.legs[id] for id in bridge.legs_of.get(group_id, ())])
        if group_id not in self._asked:
            self._asked.add(group_id)
            bridge.run(bridge.doors.read_closed(READ), self._closed_read)
        return self._exits.get(group_id)

    def _closed_read(self, found: Sequence[History] | Refusal) -> None:
        if isinstance(found, Refusal):
            return
        new = {each.group.id: average_exit(each.legs) for each in found}
        self._exits.update({id: price for id, price in new.items() if price is not None})
        self._touched.update(new)

    # -- fills

    def read_fills(self, action: RiskAction) -> None:
        """Read the fills of every close of an action."""
        self._fills.setdefault(action.id, [])
        for at, step in enumerate(action.steps):
            self._bridge.run(
                self._bridge.doors.read_fills(step.group_id), partial(self._fills_read, action, at)
            )

    def _fills_read(self, action: RiskAction, at: int, found: Sequence[Fill] | Refusal) -> None:
        if isinstance(found, Refusal):
            return
        later = self._next_start(action, action.steps[at].group_id)
        others = [row for row in self._fills[action.id] if row.at != at]
        self._fills[action.id] = [*others, *history.fills_of(action, at, found, later)]
        self._changed([action.id])

    def _next_start(self, action: RiskAction, group_id: int) -> datetime | None:
        """Return when the next offset that closes something of the same group began."""
        starts = (
            other.started_at
            for other in self.actions(action.world)
            if other.id > action.id
            and other.type is RiskType.OFFSET
            and any(step.group_id == group_id for step in other.steps)
        )
        return min(starts, default=None)
