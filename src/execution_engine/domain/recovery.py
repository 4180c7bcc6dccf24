"""After an older state of the books took the place of the last one: nothing is sent until the user says so.

What was done since that state is on the exchanges and not in the books: positions that were closed seem to be held,
orders that were filled seem to rest. Every account is read and compared as after any start, what does not fit is
found and shown; but no order is sent by these books, not even one that closes, until the user has looked.
"""

from __future__ import annotations

from dataclasses import replace

from execution_engine.domain.audit import Act
from execution_engine.domain.closing import cancel_next
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.inputs import AdvanceOffset, Answer, DatabaseReplaced, Reached, SeenOn, Settle

NOTHING_SENT = "no order is sent before that, because newer books may be elsewhere"


def begin(draft: Draft, said: DatabaseReplaced) -> Answer | Refusal | None:
    """Hold everything back, and say why."""
    held = replace(
        draft.engine, paused=True, paused_at=draft.engine.paused_at or draft.now, recovering=said.why
    )
    draft.put(held)
    for group in draft.groups():
        cancel_next(draft, group, said.why)
    draft.record(said.act, said.detail, said.origin)
    draft.tell(said.act.value, said.why, said.level, Category.SECURITY, notice=True)
    return Answer(status="done", text=said.detail)


ELSEWHERE = (
    "These books were last used on another computer. If the application still runs there, end it there first: two of "
    "them would undo each other's work. No order is sent or cancelled here until you resume."
)


def seen_on(draft: Draft, said: SeenOn) -> None:
    """Ask before trading by books that another computer may still trade by, as after their folder was copied."""
    engine = draft.engine
    if engine.machine is None:
        draft.put(replace(engine, machine=said.machine))
    elif said.machine not in (engine.machine, engine.moved_to):
        detail = "The books of another computer were opened."
        begin(draft, DatabaseReplaced(act=Act.MOVED, detail=detail, why=ELSEWHERE, level=Level.ERROR))
        draft.put(replace(draft.engine, moved_to=said.machine))


def end(draft: Draft) -> None:
    """Trust the books again: what closes goes on where it stood, at prices as they are now."""
    engine = draft.engine
    draft.put(replace(engine, recovering="", machine=engine.moved_to or engine.machine, moved_to=None))
    draft.record(Act.RECOVERED, "Trading by these books was allowed by hand.")
    for group in draft.groups():
        draft.follow(Settle(group_id=group.id))
        price = draft.price((group.exchange, group.symbol))
        if price is not None:
            draft.follow(Reached(group_id=group.id, price=price))
    for action in draft.open_risk_actions():
        draft.follow(AdvanceOffset(action_id=action.id))
