"""What becomes of positions when an exchange changes the rules of their market, halts it or ends it."""

from __future__ import annotations

from execution_engine.domain.draft import Draft
from execution_engine.domain.inputs import RulesRead, Settle


def read(draft: Draft, news: RulesRead) -> None:
    """Have every position of a market looked after by the rules of now."""
    for group in draft.groups_in(news.key):
        draft.follow(Settle(group_id=group.id))
