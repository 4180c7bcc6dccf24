"""From the queue into the pool: free slots go to waiting signals in order, at the prices of that moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from execution_engine.domain import entry as entries
from execution_engine.domain import intake, queue
from execution_engine.domain.draft import FRESH, Draft
from execution_engine.domain.entry import Entry
from execution_engine.domain.errors import Refusal
from execution_engine.domain.grid import money
from execution_engine.domain.money import percent_change
from execution_engine.domain.pool import day_is_full, has_slot, is_ready, open_with, was_asked
from execution_engine.domain.ranking import Asked, Line, Market, Rank, joined, passed_over, placed
from execution_engine.domain.rows import Account, AccountStatus, Group, GroupStatus, QueuedSignal, World
from execution_engine.domain.settle import name
from execution_engine.domain.signal import Outcome

AT_THAT_MOMENT = timedelta(seconds=2)  # an older price is asked for anew before signals are ranked by it
ON_THE_WAY = timedelta(seconds=10)  # an answer that takes longer does not come any more

BY_HAND = "by you"
PAST_THE_LIMIT = "by you, past the limit"


def promote(draft: Draft, world: World, *, at_once: bool = False) -> None:
    """Let signals go in the order of promotion: into free slots, or as a pyramid of their key's open group.

    at_once: their prices have been asked for; what is not there now cannot be had.
    """
    if draft.engine.paused or draft.view.world_hold(world):
        return
    line = draft.line(world)
    if not any(_trades(draft, account) for account in line.accounts):
        return
    held = draft.held_keys(world)
    joins = [row.id for row, group in held if joined(row, group)]
    free = has_slot(draft, world) and _is_priced(draft, world, line, {row.id for row, _ in held}, at_once)
    if not (free or joins) or day_is_full(draft, world):
        return
    passed = {row.id: passed_over(row, group) for row, group in held}
    _go_in_order(draft, world, placed(line.order(draft.last_price, joins), passed), free=free)


def _go_in_order(draft: Draft, world: World, ranks: Iterator[Rank], *, free: bool) -> None:
    """Open what may go, one after the other, until nothing is free any more."""
    waits: set[str] = set()  # accounts of which a newer balance must be seen first
    for rank in ranks:
        if not rank.joins and not (free and has_slot(draft, world)):
            return
        row = rank.row
        if rank.passed or row.account in waits or not _may_go(draft, row):
            continue
        if _go(draft, rank) is None:
            waits.add(row.account)
        elif day_is_full(draft, world):
            return


def _trades(draft: Draft, account: str) -> bool:
    found = draft.account(account)
    return found is not None and found.status is AccountStatus.READY


def _may_go(draft: Draft, row: QueuedSignal) -> bool:
    return is_ready(draft, row) and draft.price((row.exchange, row.symbol)) is not None


def _is_priced(draft: Draft, world: World, line: Line, held: set[int], at_once: bool) -> bool:
    """Return whether the signals can be ranked now; otherwise have the prices asked for that are missing."""
    if at_once:
        return True
    asked = draft.view.asked(world)
    if asked is not None and not asked.answered and abs(draft.now - asked.at) <= ON_THE_WAY:
        return False
    one = len(line) - len(held) <= 1
    missing = frozenset(_missing(draft, world, line, held, FRESH if one else AT_THAT_MOMENT))
    if missing:
        draft.ask(Asked(world, missing, draft.now))
    return not missing


def _missing(draft: Draft, world: World, line: Line, held: set[int], within: timedelta) -> Iterable[Market]:
    """Yield the markets whose prices have to be asked for: of signals that may go, if they can be had."""
    return (
        market
        for market in line.markets
        if not draft.has_seen(market, within)
        and not was_asked(draft, world, market)
        and any(row.id not in held and is_ready(draft, row) for row in line.of(market))
    )


def _go(draft: Draft, rank: Rank) -> Refusal | Group | None:
    """Open one waiting signal; a refusal by the rules ends it. None: its account's balance is not up to date."""
    row = rank.row
    went = _enter(draft, row, rank.reason)
    if isinstance(went, Group):
        draft.tell(
            "promoted",
            f"{row.symbol} {row.timeframe} was promoted, {rank.reason}",
            group=went,
            alert=draft.alert(row.alert_id),
        )
        return went
    if went.code == "BALANCE" and not draft.view.balance_is_current(row.account):
        draft.read_balance(row.account)  # what was closed just now is not in it yet
        return None
    if went.code != "RUNAWAY":
        queue.dequeue(draft, row, Outcome.REJECTED, went.message)
    return went


def _enter(draft: Draft, row: QueuedSignal, why: str, *, forced: bool = False) -> Refusal | Group:
    """Open a group, or add to the open one of its key; what ran away ends, other refusals leave it waiting."""
    account = draft.account(row.account)
    assert account is not None  # asked by the callers
    runaway = _runaway(draft, row)
    if runaway is not None:
        queue.dequeue(draft, row, Outcome.EXPIRED, runaway.message)
        return runaway
    group = draft.group_of(row.key)
    if group is not None:
        return _join(draft, row, account, group, why)
    alert = draft.alert(row.alert_id)
    entry = entries.prepare(draft, alert, account, row.side, promoted=True)
    if isinstance(entry, Entry):
        queue.dequeue(draft, row, Outcome.OPENED, why, keep_alert=True)
        return open_with(draft, alert, entry, forced=forced, why="" if why == BY_HAND else why)
    assert isinstance(entry, Refusal)  # price and balance are there
    return entry


def _join(draft: Draft, row: QueuedSignal, account: Account, group: Group, why: str) -> Refusal | Group:
    """Continue the open group of a signal's key: with a pyramid, or as one signal more than it has pyramids."""
    refusal = intake.pyramid(draft, draft.alert(row.alert_id), account, group, promoted=True)
    if refusal is not None:
        return refusal
    after = draft.group(group.id)
    outcome = Outcome.REPLACEMENT if after.pyramid_count == group.pyramid_count else Outcome.PYRAMIDED
    queue.dequeue(draft, row, outcome, why, keep_alert=True)
    return after


def _runaway(draft: Draft, row: QueuedSignal) -> Refusal | None:
    """A price that ran away on the gain side leaves nothing to enter."""
    price = draft.last_price((row.exchange, row.symbol))
    if price is None or row.entry_price is None:
        return None
    gain = percent_change(price, row.entry_price) * row.side.sign
    limit = draft.settings.signals.max_deviation_percent
    if gain <= limit:
        return None
    return Refusal("RUNAWAY", f"the price ran {money(gain)} % away on the gain side")


def force(draft: Draft, row: QueuedSignal) -> Refusal | Group:
    """Open one waiting signal past the pool's limit."""
    refusal = _cannot_be_forced(draft, row)
    if refusal is not None:
        return refusal
    past = draft.group_of(row.key) is None and not has_slot(draft, row.world)
    return _enter(draft, row, PAST_THE_LIMIT if past else BY_HAND, forced=past)


def _cannot_be_forced(draft: Draft, row: QueuedSignal) -> Refusal | None:
    if draft.engine.paused:
        return Refusal("PAUSED", "the engine is paused; resume it first")
    if held := draft.view.world_hold(row.world):
        return Refusal("HOLD", f"nothing new is begun: {held}")
    if not _trades(draft, row.account):
        return Refusal("ACCOUNT", f"account “{row.account}” is not ready")
    group = draft.group_of(row.key)
    if group is not None and group.status is GroupStatus.CLOSING:
        return Refusal("CLOSING", f"{name(group)} is still closing")
    if group is not None and group.side is not row.side:
        return Refusal("OPPOSITE", f"{name(group)} is open {group.side}")
    if draft.price((row.exchange, row.symbol)) is None:
        return Refusal("PRICE", "no market price")
    if draft.view.balance(row.account) is None:
        return Refusal("BALANCE", f"the balance of “{row.account}” is not known yet")
    return None
