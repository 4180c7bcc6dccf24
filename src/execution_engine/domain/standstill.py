"""Why nothing is promoted just now: what keeps all of a world's waiting signals where they are, or one account's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from execution_engine.domain.draft import Draft
from execution_engine.domain.pool import day_is_full, has_slot, is_ready
from execution_engine.domain.ranking import passed_over
from execution_engine.domain.read_only import SENTENCE as READ_ONLY
from execution_engine.domain.rows import AccountStatus, QueuedSignal, World
from execution_engine.domain.view import View

STATES = {
    AccountStatus.DISABLED: "is disabled",
    AccountStatus.RECONCILING: "is being read",
    AccountStatus.HOLD: "is on hold",
    AccountStatus.ERROR: "cannot be used",
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that is in the way, as a sentence.

    account: only its signals wait for this; own: how each of their rows says so. usual: it passes by itself.
    """

    world: World
    sentence: str
    account: str = ""
    own: str = ""
    usual: bool = False


def standstill(view: View, now: datetime) -> list[Obstacle]:
    """Return what keeps waiting signals where they are, world by world, the gravest first."""
    draft = Draft(view, now)
    return [each for world in World if draft.waiting_count(world) for each in _in(draft, world)]


def _in(draft: Draft, world: World) -> list[Obstacle]:
    found = list(_of_everything(draft, world))
    found += _of_accounts(draft, world)
    found += _of_the_pool(draft, world, others=bool(found))
    if draft.settings.security.read_only:
        found.append(Obstacle(world, READ_ONLY, usual=True))
    return found


def _of_everything(draft: Draft, world: World) -> Iterator[Obstacle]:
    if draft.engine.paused:
        yield Obstacle(world, "Paused: nothing is promoted or forced until you resume.")
    if held := draft.view.world_hold(world):
        yield Obstacle(world, f"On hold, nothing is promoted or forced: {held}.")
    if day_is_full(draft, world):
        limit = draft.settings.signals.max_entries_per_day
        entries = "1 entry" if limit == 1 else f"{limit} entries"
        yield Obstacle(
            world,
            f"The day's limit of {entries} is reached: nothing is promoted or forced before 00:00 UTC.",
        )


def _of_accounts(draft: Draft, world: World) -> Iterator[Obstacle]:
    for name in sorted(draft.line(world).accounts):
        account = draft.account(name)
        assert account is not None  # one whose signals wait is not removed
        if account.status is not AccountStatus.READY:
            yield _of_account(world, name, STATES[account.status], account.reason)
        elif draft.view.balance(name) is None:
            yield Obstacle(
                world,
                f"The balance of {name} is not known yet. Its signals wait.",
                name,
                "its balance is not known",
            )


def _of_account(world: World, name: str, what: str, why: str = "") -> Obstacle:
    because = f": {why}" if why else ""
    return Obstacle(world, f"{name} {what}{because}. Its signals wait.", name, f"its account {what}")


def _of_the_pool(draft: Draft, world: World, *, others: bool) -> Iterator[Obstacle]:
    size = draft.settings.pool.max_open_groups
    if not has_slot(draft, world):
        taken = f"All {size} slots are used" if size > 1 else "The only slot is used"
        spare = "; the risk engine rehearses and frees none" if _only_rehearses(draft, world) else ""
        yield Obstacle(world, f"{taken}: the first goes as soon as one is free{spare}.", usual=True)
    elif not others and not any(_could_go(draft, row) for row in draft.line(world).rows()):
        free = size - draft.slots_used(world)
        slots = "A slot is" if free == 1 else f"{free} slots are"
        yield Obstacle(world, f"{slots} free, but nothing that waits can go now: each row says why.")


def _could_go(draft: Draft, row: QueuedSignal) -> bool:
    holder = draft.group_of(row.key)
    return is_ready(draft, row) and not (holder is not None and passed_over(row, holder))


def _only_rehearses(draft: Draft, world: World) -> bool:
    return draft.settings.risk.enabled and draft.settings.rehearses(world)
