"""The state of the engine as plain values: what `state --json` prints.

Decimals are text, times ISO 8601 UTC, symbols as charts write them, accounts by name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from execution_engine.domain.draft import is_fresh
from execution_engine.domain.inputs import History, Price
from execution_engine.domain.money import ZERO, divide, text
from execution_engine.domain.position import unrealized, unrealized_percent
from execution_engine.domain.ranking import Market, Rank, standings
from execution_engine.domain.risk_candidate import candidate
from execution_engine.domain.risk_rules import is_eligible
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Alert,
    Finding,
    FindingKind,
    Group,
    Leg,
    Order,
    Purpose,
    Pyramid,
    RiskAction,
    RiskStep,
    World,
)
from execution_engine.domain.take_profit import closing_price
from execution_engine.engine.book import Book

Plain = dict[str, Any]

CLOSED_SHOWN = 1000
ALERTS_SHOWN = 10000


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the book has let go of: finished groups, old alerts, copies counted per alert, risk actions."""

    closed: Sequence[History] = ()
    alerts: Sequence[Alert] = ()
    duplicates: Mapping[int, int] | None = None
    risk_actions: Sequence[RiskAction] = ()


def state(
    book: Book,
    past: Past,
    *,
    version: str,
    status: str,
    now: datetime | None = None,
    reasons: Sequence[str] = (),
    open_only: bool = False,
) -> Plain:
    """Return everything as the command line prints it; `now` tells which prices still count."""
    return {
        "engine": {
            "status": status,
            "reasons": [*reasons, *_missed(book)],
            "version": version,
            "worlds": {world.value: _world(book, world) for world in worlds_in_use(book)},
        },
        "accounts": [_account(account) for account in book.accounts.values()],
        "groups": _groups(book, past, now, open_only=open_only),
        "queue": _queue(book, now),
        "alerts": _alerts(book, past),
        "risk_actions": _risk_actions(book, past),
    }


def running_status(book: Book, now: datetime, *, failed: str = "") -> tuple[str, list[str]]:
    """Return the engine's one word and the reasons behind it."""
    if failed:
        return "error", [failed]
    held, reading = _holds(book), _readings(book)
    noted = [*([book.settings_fault] if book.settings_fault else []), *_silences(book, now)]
    if book.engine.recovering:
        return "hold", [book.engine.recovering, *held, *reading, *noted]
    if book.engine.paused:
        return "paused", ["paused by you", *held, *reading, *noted]
    if held:
        return "hold", [*held, *reading, *noted]
    if reading:
        return "starting", [*reading, *noted]
    return "running", noted


def _holds(book: Book) -> list[str]:
    """Return why worlds and accounts are on hold, in words."""
    worlds = [f"{hold.name} world: {hold.reason}" for hold in book.world_holds.values() if hold.reason]
    return worlds + [
        f"{account.name}: {account.reason or account.status}"
        for account in book.accounts.values()
        if account.enabled and account.status in (AccountStatus.HOLD, AccountStatus.ERROR)
    ]


def _silences(book: Book, now: datetime) -> list[str]:
    """Return which markets in use have no fresh price, in words; nothing is begun there."""
    stale = book.stale(now)
    if not stale:
        return []
    oldest = max(int((now - price.at).total_seconds()) for price in stale)
    some = ", ".join(f"{price.exchange.upper()}:{price.symbol}" for price in stale[:3])
    more = f" and {len(stale) - 3} more" if len(stale) > 3 else ""
    return [f"no fresh price of {some}{more} for {oldest} s; nothing is opened there"]


def _readings(book: Book) -> list[str]:
    """Return which accounts are being compared with their exchanges, in words."""
    return [
        f"{account.name}: {account.reason or 'reading the exchange'}"
        for account in book.accounts.values()
        if account.enabled and account.status is AccountStatus.RECONCILING
    ]


def worlds_in_use(book: Book) -> list[World]:
    """Return the worlds that have an enabled account or anything open; paper is always there."""
    used = {account.world for account in book.accounts.values() if account.enabled}
    used |= {group.world for group in book.groups.values() if group.holds_slot}
    return [world for world in World if world in used or world is World.PAPER]


def _world(book: Book, world: World) -> Plain:
    groups = [g for g in book.groups.values() if g.world is world and g.holds_slot]
    results = [unrealized_of(book, group) for group in groups]
    known = [result for result in results if result is not None]
    return {
        "slots_used": book.slots_used(world),
        "slots": book.settings.pool.max_open_groups,
        "realized_pnl_usd": text(book.realized(world)),
        "unrealized_pnl_usd": _decimal(sum(known, ZERO) if len(known) == len(results) else None),
    }


def unrealized_of(book: Book, group: Group) -> Decimal | None:
    """Return a group's unrealized result [quote]; zero while it holds nothing, None without a price."""
    if group.avg_entry is None:
        return ZERO
    price = _price(book, group)
    return unrealized(group.side, group.invested, group.open_quantity, price)


def _price(book: Book, group: Group) -> Decimal | None:
    quote: Price | None = book.prices.get((group.exchange, group.symbol))
    return closing_price(quote, group.side) if quote is not None else None


def _account(account: Account) -> Plain:
    return {
        "name": account.name,
        "exchange": account.exchange,
        "market": account.market.value,
        "mode": account.mode.value,
        "enabled": account.enabled,
        "status": account.status.value,
        "reason": account.reason,
    }


def _groups(book: Book, past: Past, now: datetime | None, *, open_only: bool) -> list[Plain]:
    live = [group for group in book.groups.values() if group.holds_slot or not open_only]
    shown = [_group(book, _history(book, group), now) for group in live]
    if open_only:
        return shown
    archived = [kept for kept in past.closed if kept.group.id not in book.groups]
    room = max(CLOSED_SHOWN - sum(not group.holds_slot for group in live), 0)
    return [_group(book, kept) for kept in reversed(archived[:room])] + shown


def _hold(book: Book, group: Group) -> str:
    """Return why a group is on hold, and how the command line decides about it."""
    found = (book.findings[id] for id in book.open_findings())
    own = [each for each in found if group.id in each.group_ids and each.found == group.hold]
    ways = _ways(own)
    return f"{group.hold} Decide with {ways}." if group.hold and ways else group.hold


def _missed(book: Book) -> list[str]:
    """Return which alerts were missed, and how the command line decides about each."""
    found = (book.findings[id] for id in book.open_findings())
    wait = [each for each in found if each.kind is FindingKind.MISSED and len(each.choices) > 1]
    return [f"{each.found} Decide with {_ways([each])}." for each in wait]


def _ways(findings: Sequence[Finding]) -> str:
    """Say how the command line decides about what was found."""
    return " or ".join(f"`decide {each.id} {choice.value}`" for each in findings for choice in each.choices)


def _history(book: Book, group: Group) -> History:
    return History(
        group=group,
        pyramids=tuple(book.pyramids[id] for id in book.pyramids_of(group.id)),
        legs=tuple(book.legs[id] for id in book.legs_of(group.id)),
        orders=tuple(book.orders[id] for id in book.orders_of(group.id)),
    )


def _group(book: Book, kept: History, now: datetime | None = None) -> Plain:
    group = kept.group
    result = unrealized_of(book, group) if group.holds_slot else ZERO
    of_leg, of_group = _orders(kept.orders)
    legs = _by_pyramid(kept.legs)
    return {
        "id": str(group.id),
        "account": group.account,
        "exchange": group.exchange,
        "symbol": group.symbol,
        "timeframe": group.timeframe,
        "side": group.side.value,
        "status": group.status.value,
        "hold": _hold(book, group),
        "forced": group.forced,
        "pyramid_count": group.pyramid_count,
        "max_pyramids": group.max_pyramids,
        "replacement_count": group.replacement_count,
        "filled_quantity": text(group.filled_quantity),
        "open_quantity": text(group.open_quantity),
        "weighted_avg_entry": _decimal(group.avg_entry),
        "invested_usd": text(group.invested),
        "realized_pnl_usd": text(group.realized),
        "unrealized_pnl_usd": _decimal(result),
        "unrealized_pnl_percent": _decimal(unrealized_percent(result, group.invested)),
        "tp_mode": group.tp_mode.value,
        "tp_aggregate_percent": text(group.tp_aggregate_percent),
        "risk": _risk(group, _eligible(book, group, now)),
        "created_at": iso(group.created_at),
        "closed_at": iso(group.closed_at),
        "orders": [_order(order) for order in of_group],
        "pyramids": [_pyramid(pyramid, legs[pyramid.id], of_leg) for pyramid in kept.pyramids],
    }


def _orders(orders: Iterable[Order]) -> tuple[dict[int, list[Order]], list[Order]]:
    """Divide orders into those of one leg and those that close several."""
    of_leg: dict[int, list[Order]] = defaultdict(list)
    of_group: list[Order] = []
    for order in orders:
        alone = order.leg_id if order.purpose in (Purpose.ENTRY, Purpose.TAKE_PROFIT) else None
        (of_group if alone is None else of_leg[alone]).append(order)
    return of_leg, of_group


def _by_pyramid(legs: Iterable[Leg]) -> dict[int, list[Leg]]:
    found: dict[int, list[Leg]] = defaultdict(list)
    for leg in legs:
        found[leg.pyramid_id].append(leg)
    return found


def _eligible(book: Book, group: Group, now: datetime | None) -> bool | None:
    """Return whether a group can be the loser of an offset now; None while no price tells."""
    rules, account = book.catalogue.get(group.exchange, group.symbol), book.accounts.get(group.account)
    if now is None or rules is None or not group.holds_slot:
        return None
    quote = book.prices.get((group.exchange, group.symbol))
    seen = candidate(group, rules, quote, account, book.settings, now)
    return is_eligible(seen, book.settings.risk, now)


def _risk(group: Group, eligible: bool | None) -> Plain:
    return {
        "timer_started_at": iso(group.timer_started_at),
        "timer_expires_at": iso(group.timer_expires_at),
        "blocked": group.blocked,
        "skip_once": group.skip_once,
        "eligible": eligible,
    }


def _pyramid(pyramid: Pyramid, legs: Sequence[Leg], orders: Mapping[int, Sequence[Order]]) -> Plain:
    return {
        "pyramid_index": pyramid.index,
        "status": pyramid.status.value,
        "entry_price": text(pyramid.base_price),
        "created_at": iso(pyramid.created_at),
        "legs": [_leg(leg, orders.get(leg.id, ())) for leg in legs],
    }


def _leg(leg: Leg, orders: Sequence[Order]) -> Plain:
    return {
        "leg_index": leg.index,
        "status": leg.status.value,
        "gap_percent": text(leg.gap_percent),
        "weight_percent": text(leg.weight_percent),
        "tp_percent": text(leg.tp_percent),
        "price": text(leg.price),
        "quantity": text(leg.quantity),
        "tp_price": text(leg.tp_price),
        "filled_quantity": text(leg.filled_quantity),
        "open_quantity": text(leg.open_quantity),
        "avg_fill_price": _decimal(leg.avg_fill_price),
        "tp_hit": leg.tp_hit,
        "orders": [_order(order) for order in orders],
    }


def _order(order: Order) -> Plain:
    average = divide(order.filled_cost, order.filled_quantity) if order.filled_quantity else None
    return {
        "client_order_id": order.client_order_id,
        "exchange_order_id": order.exchange_order_id,
        "purpose": order.purpose.value,
        "side": order.action.value,
        "type": order.type.value,
        "price": _decimal(order.price),
        "quantity": text(order.quantity),
        "status": order.status.value,
        "filled_quantity": text(order.filled_quantity),
        "avg_fill_price": _decimal(average),
        "created_at": iso(order.created_at),
    }


def _queue(book: Book, now: datetime | None) -> list[Plain]:
    return [_queued(rank) for world in World for rank in ranks(book, world, now)]


def ranks(book: Book, world: World, now: datetime | None) -> list[Rank]:
    """Return the signals that wait in a world in the order of promotion, at the prices that count now."""

    def price_of(market: Market) -> Decimal | None:
        price = book.prices.get(market)
        return price.last if price is not None and now is not None and is_fresh(price, now) else None

    holders = {group.key: group for group in (book.groups[id] for id in book.open_groups())}
    return standings((book.queue[id] for id in book.waiting(world)), price_of, holders.get)


def _queued(rank: Rank) -> Plain:
    row = rank.row
    return {
        "id": str(row.id),
        "account": row.account,
        "symbol": row.symbol,
        "timeframe": row.timeframe,
        "side": row.side.value,
        "entry_price": _decimal(row.entry_price),
        "queued_at": iso(row.queued_at),
        "replacement_count": row.replacement_count,
        "current_loss_percent": _decimal(rank.loss_percent),
        "rank": rank.place,
        "reason": rank.reason,
    }


def _alerts(book: Book, past: Past) -> list[Plain]:
    alerts = {alert.id: alert for alert in past.alerts} | book.alerts
    newest = sorted(alerts)[-ALERTS_SHOWN:]
    copies = past.duplicates or {}
    return [_alert(alerts[id], copies.get(id, 0)) for id in newest]


def _alert(alert: Alert, duplicates: int) -> Plain:
    return {
        "id": str(alert.id),
        "received_at": iso(alert.received_at),
        "signal": alert.signal.value if alert.signal else None,
        "outcome": alert.outcome.value if alert.outcome else None,
        "reason": alert.reason,
        "group_id": _id(alert.group_id),
        "duplicates": duplicates,
        "replay_of": _id(alert.replay_of),
    }


def _risk_actions(book: Book, past: Past) -> list[Plain]:
    actions = {action.id: action for action in past.risk_actions} | book.risk_actions
    return [_risk_action(actions[id]) for id in sorted(actions)]


def _risk_action(action: RiskAction) -> Plain:
    return {
        "id": str(action.id),
        "type": action.type.value,
        "status": action.status.value,
        "loser": _id(action.loser),
        "winners": [_winner(step) for step in action.winners],
        "needed_usd": _decimal(action.needed_usd),
        "realized_usd": _decimal(action.realized_usd),
        "started_at": iso(action.started_at),
        "finished_at": iso(action.finished_at),
    }


def _winner(step: RiskStep) -> Plain:
    return {
        "group_id": str(step.group_id),
        "symbol": step.symbol,
        "timeframe": step.timeframe,
        "quantity": text(step.quantity),
        "pnl_usd": text(step.expected if step.is_open else step.result),
        "status": step.status.value,
    }


def _id(id: int | None) -> str | None:
    return None if id is None else str(id)


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else text(value)


def iso(time: datetime | None) -> str | None:
    """Write a time in UTC with its milliseconds and a Z."""
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
