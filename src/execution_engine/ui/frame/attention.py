"""What needs a look: derived from the rows alone, so that it goes when its cause goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from execution_engine.domain.rows import (
    AccountStatus,
    Group,
    GroupStatus,
    Leg,
    LegStatus,
    Order,
    OrderStatus,
    Purpose,
)
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.findings import decisions
from execution_engine.ui.findings import of_group as found_about
from execution_engine.ui.format import age, counted, local_time, visible
from execution_engine.ui.holdings import is_old
from execution_engine.ui.risk_board import board_of, risk_state, under_way
from execution_engine.ui.theme import Token
from execution_engine.ui.tongue import tr, translated

LONGEST = 200

_PURPOSES = {
    Purpose.ENTRY: tr("The entry order"),
    Purpose.TAKE_PROFIT: tr("The take-profit order"),
    Purpose.EXIT: tr("The closing order"),
    Purpose.OFFSET: tr("The offset order"),
    Purpose.EMERGENCY: tr("The emergency order"),
}


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that needs a look. page, row: where to see it; `page` is an action's key with `action`."""

    icon: str
    token: Token
    title: str
    sentence: str
    action: str
    page: str
    row: object = None


class Attention:
    """Knows what needs a look; follows the batches, so that thousands of orders are not gone through."""

    def __init__(self, bridge: Bridge) -> None:
        """Begin with everything the bridge has."""
        self._bridge, self._board = bridge, board_of(bridge)
        self._unknown: set[int] = set()
        self._refused: set[int] = set()
        self.take(Batch(whole=True))

    def take(self, batch: Batch) -> None:
        """Take in a batch."""
        bridge = self._bridge
        if batch.whole:
            self._unknown.clear()
            self._refused.clear()
        for id in bridge.orders if batch.whole else batch.orders:
            order = bridge.orders.get(id)
            wanted = order is not None and (order.status is OrderStatus.UNKNOWN or _waits_to_cancel(order))
            (self._unknown.add if wanted else self._unknown.discard)(id)
        for id in bridge.legs if batch.whole else batch.legs:
            leg = bridge.legs.get(id)
            wanted = leg is not None and leg.status in (LegStatus.REJECTED, LegStatus.FAILED)
            (self._refused.add if wanted else self._refused.discard)(id)

    def things(self, now: datetime) -> list[Thing]:
        """Return everything that needs a look, what concerns everything first."""
        bridge = self._bridge
        orders = [bridge.orders[id] for id in sorted(self._unknown) if id in bridge.orders]
        legs = [bridge.legs[id] for id in sorted(self._refused) if id in bridge.legs]
        return [
            *_engine(bridge),
            *_decisions(bridge),
            *_worlds(bridge),
            *_accounts(bridge),
            *self._offsets(now),
            *_groups(bridge, orders),
            *_rejected(bridge, legs),
            *_old(bridge, now),
        ]

    def _offsets(self, now: datetime) -> Iterator[Thing]:
        """Yield the offset of each world that is under way, or that the next evaluation would begin."""
        bridge, settings = self._bridge, self._bridge.doors.settings()
        for world in self._board.worlds():
            action = under_way(bridge, world)
            if action is not None:
                sentence = visible(translated(action.notes), LONGEST)
                yield Thing("risk", "warn", tr("An offset is under way"), sentence, tr("Show"), "risk")
            elif not risk_state(bridge, settings, world).sentence:
                plan = self._board.evaluation(world, now, lately=True).plan
                if plan is not None and plan.acts:
                    yield Thing(
                        "risk",
                        "warn",
                        tr("Offset plan is ready"),
                        f"{translated(plan.words)}.",
                        tr("Show"),
                        "risk",
                    )


def _engine(bridge: Bridge) -> Iterator[Thing]:
    if bridge.engine is not None and bridge.engine.recovering:
        sentence = tr(
            "These books are older than the last ones. Look at what was found, then let trading go on."
        )
        yield Thing("warning", "warn", tr("No order is sent"), sentence, tr("Trade again…"), "resume")
    elif bridge.engine is not None and bridge.engine.paused:
        sentence = tr("Alerts are stored, nothing is opened. Exits, targets and fills go on.")
        yield Thing("pause", "warn", tr("Paused"), sentence, tr("Resume"), "resume")


def _decisions(bridge: Bridge) -> Iterator[Thing]:
    wait = decisions(bridge)
    if wait:
        title = counted(len(wait), tr("decision"), tr("decisions")) + (
            tr(" waits") if len(wait) == 1 else tr(" wait")
        )
        sentence = visible(translated(wait[0].found), LONGEST)
        yield Thing("question", "warn", title, sentence, tr("Review"), "away", wait[0].id)


def _worlds(bridge: Bridge) -> Iterator[Thing]:
    for held in bridge.holds.values():
        title = tr("The {held} world is on hold").format(held=tr(held.name))
        yield Thing("pause", "warn", title, visible(translated(held.reason), LONGEST), "", "away")


def _accounts(bridge: Bridge) -> Iterator[Thing]:
    for account in bridge.accounts.values():
        if account.enabled and account.status in (AccountStatus.HOLD, AccountStatus.ERROR):
            word = tr("is on hold") if account.status is AccountStatus.HOLD else tr("cannot be used")
            sentence = visible(translated(account.reason), LONGEST) or tr(
                "No new positions are opened on it."
            )
            yield Thing(
                "key",
                "warn",
                tr("Account {account} {word}").format(account=account.name, word=word),
                sentence,
                "",
                "accounts",
            )


def _groups(bridge: Bridge, orders: list[Order]) -> Iterator[Thing]:
    unknown: defaultdict[int, list[Order]] = defaultdict(list)
    for order in orders:
        unknown[order.group_id].append(order)
    for group in bridge.groups.values():
        # What waits for a decision about it says so already.
        if group.hold and not found_about(bridge, group.id):
            yield _thing(
                "pause",
                tr("{group} is on hold").format(group=_name(group)),
                visible(translated(group.hold), LONGEST),
                group,
            )
        of_group = unknown.get(group.id, [])
        if looked_up := [order for order in of_group if order.status is OrderStatus.UNKNOWN]:
            yield _looked_up(group, looked_up)
        elif waiting := [order for order in of_group if _waits_to_cancel(order)]:  # newer than the last batch
            yield _not_cancelled(group, waiting)
        if group.status is GroupStatus.CLOSING and group.retry_at is not None:
            sentence = tr("The exchange refused the close. It is tried again at {time}.").format(
                time=local_time(group.retry_at)
            )
            yield _thing(
                "refresh", tr("{group} is not closed yet").format(group=_name(group)), sentence, group
            )


def _looked_up(group: Group, orders: list[Order]) -> Thing:
    first = orders[0]
    what = _PURPOSES[first.purpose] if len(orders) == 1 else counted(len(orders), tr("order"), tr("orders"))
    sent = (
        tr(" of {time}").format(time=local_time(first.sent_at)) if first.sent_at and len(orders) == 1 else ""
    )
    sentence = tr("{what}{sent} got no clear answer. Nothing is sent again until it is settled.").format(
        what=what, sent=sent
    )
    return _thing(
        "search", tr("{group}: outcome is being looked up").format(group=_name(group)), sentence, group
    )


def _waits_to_cancel(order: Order) -> bool:
    return order.cancel_at is not None and not order.is_final


def _not_cancelled(group: Group, orders: list[Order]) -> Thing:
    """Say why what was to be cancelled still rests, and when that is asked for again."""
    what = (
        _PURPOSES[orders[0].purpose] if len(orders) == 1 else counted(len(orders), tr("order"), tr("orders"))
    )
    reason = next((order.reason for order in orders if order.reason), "").removesuffix(".")
    why = f": {visible(translated(reason), LONGEST)}" if reason else ""
    at = min(order.cancel_at for order in orders if order.cancel_at is not None)
    rests = tr("rests") if len(orders) == 1 else tr("rest")
    sentence = tr("{what} still {rests}{why}. It is tried again at {time}.").format(
        what=what, rests=rests, why=why, time=local_time(at)
    )
    return _thing(
        "refresh", tr("{group}: a cancel was not carried out").format(group=_name(group)), sentence, group
    )


def _rejected(bridge: Bridge, legs: list[Leg]) -> Iterator[Thing]:
    rejected: defaultdict[int, list[Leg]] = defaultdict(list)
    for leg in legs:
        rejected[leg.group_id].append(leg)
    for id, of_group in rejected.items():
        group = bridge.groups.get(id)
        if group is not None and group.holds_slot:
            was = tr("was") if len(of_group) == 1 else tr("were")
            never = all(leg.status is LegStatus.FAILED for leg in of_group)
            title = (
                tr("{group}: {count} {was} not placed") if never else tr("{group}: {count} {was} rejected")
            ).format(group=_name(group), count=counted(len(of_group), tr("leg"), tr("legs")), was=was)
            unsaid = tr("It is not on the exchange.") if never else tr("The exchange gave no reason.")
            why = next((leg.reason for leg in of_group if leg.reason), unsaid)
            yield _thing("error", title, visible(translated(why), LONGEST), group)


def _old(bridge: Bridge, now: datetime) -> Iterator[Thing]:
    held = {(g.exchange, g.symbol): None for g in bridge.groups.values() if g.holds_slot and g.open_quantity}
    old = [price for market in held if is_old(price := bridge.prices.get(market), now) and price]
    if old:
        oldest = min(price.at for price in old)
        names = ", ".join(sorted(price.symbol for price in old)[:3]) + (" …" if len(old) > 3 else "")
        title = (
            tr("{count} of open positions is old")
            if len(old) == 1
            else tr("{count} of open positions are old")
        ).format(count=counted(len(old), tr("price"), tr("prices")))
        sentence = tr("{names}: up to {span}. Results shown with them may be wrong.").format(
            names=names, span=age(now - oldest)
        )
        yield Thing("clock", "warn", title, sentence, "", "prices")


def _thing(icon: str, title: str, sentence: str, group: Group) -> Thing:
    token: Token = "danger" if icon == "error" else "warn"
    return Thing(icon, token, title, sentence, tr("Show"), "positions", group.id)


def _name(group: Group) -> str:
    return f"{group.symbol} {group.timeframe}"
