"""What becomes of positions when an exchange changes the rules of their market, halts it or ends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from execution_engine.domain import order as orders
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.findings import note, settle_finding
from execution_engine.domain.inputs import Reached, RulesRead, Settle
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.plan import fits
from execution_engine.domain.rows import Choice, Finding, FindingKind, Group, Purpose

# A close is tried again: ever later where the exchange says that it trades the market, and once a day, with a
# reminder, where it says that it does not.
LISTED_RETRY_LIMIT = timedelta(minutes=10)
HALTED_RETRY = timedelta(days=1)


def read(draft: Draft, news: RulesRead) -> None:
    """Look after every position of a market by the rules of now; hold them where it is not traded."""
    traded = draft.instrument(*news.key).traded
    by_account: dict[str, list[Group]] = {}
    for group in draft.groups_in(news.key):
        by_account.setdefault(group.account, []).append(group)
    for groups in by_account.values():
        if traded:
            _traded_again(draft, groups)
            for group in groups:
                _wait_no_longer(draft, group)
        else:
            _halted(draft, groups)
            for group in groups:
                _cancel_entries(draft, draft.group(group.id))
                _remind_in_a_day(draft, draft.group(group.id))
        for group in groups:
            draft.follow(Settle(group_id=group.id))


def not_traded(instrument: Instrument | None) -> Refusal | None:
    """Refuse what would be opened where it is known that nothing is traded."""
    if instrument is None or instrument.traded:
        return None
    exchange = instrument.exchange.upper()
    return Refusal("MARKET", f"{instrument.symbol} is not traded on {exchange} any more, or not now")


def order_refused(draft: Draft, group: Group, tries: int) -> timedelta:
    """Hold what is in a market that the exchange says it does not trade; return when a close is tried again."""
    if any(order.acknowledged_at is not None for order in draft.orders(group.id)):
        _halted(draft, _in_market(draft, group))
    if not draft.instrument(group.exchange, group.symbol).traded:
        return HALTED_RETRY
    return min(timedelta(seconds=2 ** min(tries, 10)), LISTED_RETRY_LIMIT)


def order_taken(draft: Draft, group: Group) -> None:
    """An order was taken, so the market is traded."""
    groups = _in_market(draft, group) if finding_of(draft, group) is not None else []
    if groups:
        _traded_again(draft, groups)
    for other in groups:
        draft.follow(Settle(group_id=other.id))


def remind(draft: Draft, group: Group) -> None:
    """Say once a day that a position is in a market that is not traded."""
    finding = finding_of(draft, group)
    if finding is not None:
        text = f"{finding.found} {finding.done}"
        draft.tell("found_halted", text, Level.ERROR, Category.TRADING, group=group, notice=True)
        _remind_in_a_day(draft, group)


def ended(draft: Draft, group: Group) -> None:
    """With the last position of a market there is nothing left to decide about it."""
    finding = finding_of(draft, group)
    if finding is not None and not _in_market(draft, group):
        settle_finding(draft, finding, "Nothing is held there any more.")


def finding_of(draft: Draft, group: Group) -> Finding | None:
    """Return what is open about a group's market; None while it is traded."""
    return draft.finding_of((group.account, FindingKind.HALTED, _ref(group)))


def _in_market(draft: Draft, group: Group) -> list[Group]:
    """Return the groups of the same account in the same market."""
    there = draft.groups_in((group.exchange, group.symbol))
    return [other for other in there if other.account == group.account]


def _ref(group: Group) -> str:
    return f"{group.exchange} {group.symbol}"


def _halted(draft: Draft, groups: Sequence[Group]) -> None:
    first = groups[0]
    note(
        draft,
        FindingKind.HALTED,
        _ref(first),
        f"{first.symbol} is not traded on {first.exchange.upper()} any more, or not now.",
        done="Nothing is added to these positions. They are looked after again as soon as it is traded.",
        account=first.account,
        world=first.world,
        exchange=first.exchange,
        symbol=first.symbol,
        groups=groups,
        choices=(Choice.CLOSE, Choice.RELEASE),
    )


def _traded_again(draft: Draft, groups: Sequence[Group]) -> None:
    first = groups[0]
    finding = finding_of(draft, first)
    if finding is None:
        return
    settle_finding(draft, finding, "It is traded again.")
    price = draft.price((first.exchange, first.symbol))
    for group in groups:
        draft.put(replace(draft.group(group.id), retry_at=None))
        if price is not None:
            draft.follow(Reached(group_id=group.id, price=price))


def _wait_no_longer(draft: Draft, group: Group) -> None:
    """Give up what the exchange refused although it keeps the rules as they are now: they were not the reason."""
    rules = draft.instrument(group.exchange, group.symbol)
    for order in draft.orders(group.id):
        if order.rules_by is not None and fits(order, draft.leg(order.leg_id or 0), rules):
            draft.put(replace(order, rules_by=None))


def _cancel_entries(draft: Draft, group: Group) -> None:
    if not group.filled_quantity:
        draft.put(replace(group, close_reason=group.hold))
    for order in draft.orders(group.id):
        if order.purpose is Purpose.ENTRY and not order.is_over:
            draft.put(orders.request_cancel(order, draft.now))


def _remind_in_a_day(draft: Draft, group: Group) -> None:
    """What holds nothing only waits for its entries to be cancelled."""
    if group.open_quantity > 0:
        draft.put(replace(group, retry_at=draft.now + HALTED_RETRY))
