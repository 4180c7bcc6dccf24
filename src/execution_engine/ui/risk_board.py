"""The open groups as the risk engine sees them, and what an evaluation would find now.

Worked out by the engine's own functions from the rows and prices of the screen; only of what was touched.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QObject

from execution_engine.domain.draft import is_fresh
from execution_engine.domain.risk_candidate import Candidate, candidate
from execution_engine.domain.risk_plan import Evaluation, evaluate
from execution_engine.domain.rows import RiskAction, RiskType, World
from execution_engine.domain.settings import Settings
from execution_engine.ui.bridge import Batch, Bridge, Market
from execution_engine.ui.icons import StateLook
from execution_engine.ui.tongue import tr, translated


@dataclass(frozen=True, slots=True)
class RiskState:
    """How the risk engine stands in a world. look: as a chip. sentence: what that means; empty while it is on."""

    look: StateLook
    sentence: str = ""


def risk_state(bridge: Bridge, settings: Settings, world: World) -> RiskState:
    """Return how the risk engine stands in a world, what keeps it from acting first."""
    hold = bridge.holds.get(world)
    if not settings.risk.enabled:
        return RiskState(StateLook(tr("Off"), "struck_ring", "neutral"), tr("The risk engine does nothing."))
    if under_way(bridge, world) is not None:
        return RiskState(StateLook(tr("Running"), "arrow_to_bar", "warn"), tr("An offset is under way."))
    if bridge.engine is not None and bridge.engine.paused:
        return RiskState(
            StateLook(tr("Paused"), "two_bars", "warn"), tr("The engine is paused: no offset is begun.")
        )
    if hold is not None:
        return RiskState(
            StateLook(tr("On hold"), "two_bars", "warn"),
            tr("No offset is begun: {reason}.").format(reason=translated(hold.reason)),
        )
    if settings.rehearses(world):
        return RiskState(
            StateLook(tr("Rehearsal"), "dashed_ring", "accent"), tr("It plans and sends nothing.")
        )
    return RiskState(StateLook(tr("On"), "disc", "profit"))


def under_way(bridge: Bridge, world: World) -> RiskAction | None:
    """Return the offset that is being carried out in a world."""
    for action in reversed(bridge.risks.values()):
        if action.is_open and action.world is world and action.type is RiskType.OFFSET:
            return action
    return None


def board_of(bridge: Bridge) -> RiskBoard:
    """Return the one that everybody who looks at this bridge shares.

    Ask for it before connecting to `changed`: it has heard of a batch then when oneself hears of it.
    """
    return bridge.findChild(RiskBoard) or RiskBoard(bridge)


class RiskBoard(QObject):
    """The groups that hold a slot as candidates.

    touched: the ids of groups that may look different to the risk engine since the last batch, or are gone.
    """

    def __init__(self, bridge: Bridge) -> None:
        """Begin with everything the bridge has, and follow it."""
        super().__init__(bridge)
        self._bridge = bridge
        self._of_market: defaultdict[Market, dict[int, None]] = defaultdict(dict)
        self._known: dict[int, Candidate] = {}
        self._found: dict[World, tuple[datetime, Evaluation]] = {}
        self._outdated: set[World] = set()  # found before the last batch
        self.ids: dict[int, None] = {}
        self.touched: set[int] = set()
        self._take(Batch(whole=True))
        bridge.changed.connect(self._take)

    def _take(self, batch: Batch) -> None:
        if batch.whole:
            touched = set(self.ids) | set(self._bridge.groups)
        elif batch.settings or batch.accounts:
            touched = set(self.ids) | batch.groups
        else:
            touched = set(batch.groups)
            for market in batch.markets:
                touched.update(self._of_market.get(market, ()))
        for id in sorted(batch.groups if not batch.whole else touched):
            self._list(id)
        for id in touched:
            self._known.pop(id, None)
        if touched or batch.settings:
            self._outdated.update(self._found)
        self.touched = touched

    def _list(self, id: int) -> None:
        group = self._bridge.groups.get(id)
        if group is not None and group.holds_slot:
            self.ids[id] = None
            self._of_market[group.exchange, group.symbol][id] = None
        elif id in self.ids:
            del self.ids[id]
            for ids in self._of_market.values():
                ids.pop(id, None)

    def candidate(self, id: int, now: datetime) -> Candidate | None:
        """Return a group as the risk engine sees it; None where its market's rules are not known."""
        known = self._known.get(id)
        if known is not None:
            return known
        bridge = self._bridge
        group = bridge.groups[id]
        market = (group.exchange, group.symbol)
        instrument = bridge.doors.catalogue.get(*market)
        if instrument is None:
            return None
        account, quote = bridge.accounts.get(group.account), bridge.prices.get(market)
        found = candidate(group, instrument, quote, account, bridge.doors.settings(), now)
        self._known[id] = found
        return found

    def aged(self, now: datetime) -> set[int]:
        """Look anew at prices that became too old to act on, or fresh again; return the groups concerned."""
        aged = {
            id
            for id, found in self._known.items()
            if self._is_fresh(found, now) is not (found.price is not None)
        }
        for id in aged:
            del self._known[id]
        if aged:
            self._outdated.update(self._found)
        return aged

    def _is_fresh(self, found: Candidate, now: datetime) -> bool:
        quote = self._bridge.prices.get((found.group.exchange, found.group.symbol))
        return quote is not None and is_fresh(quote, now)

    def evaluation(self, world: World, now: datetime, *, lately: bool = False) -> Evaluation:
        """Return what an evaluation of a world would find now; nothing is written by that.

        lately: what it found within the last second will do.
        """
        kept = self._found.get(world)
        usable = kept is not None and (lately or world not in self._outdated)
        if kept is not None and usable and 0 <= (now - kept[0]).total_seconds() < 1:
            return kept[1]
        groups = self._bridge.groups
        mine = (self.candidate(id, now) for id in self.ids if groups[id].world is world)
        seen = [found for found in mine if found is not None]
        result = evaluate(world, seen, self._bridge.doors.settings().risk, now)
        self._found[world] = (now, result)
        self._outdated.discard(world)
        return result

    def worlds(self) -> list[World]:
        """Return the worlds that hold something, in the order of the risk engine."""
        used = {self._bridge.groups[id].world for id in self.ids}
        return [world for world in World if world in used]
