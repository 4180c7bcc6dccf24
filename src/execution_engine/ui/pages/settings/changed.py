"""Changes of the settings, in the language of the window."""

from __future__ import annotations

from collections.abc import Sequence

from execution_engine.domain.changes import Change
from execution_engine.ui.tongue import tr, translated


def told(changes: Sequence[Change], most: int) -> str:
    """Write changes as one sentence part; more than that many are counted."""
    if not changes:
        return tr("nothing differs")
    some = "; ".join(map(_told, changes[:most]))
    more = len(changes) - most
    return some if more <= 0 else tr("{some}; and {more} more").format(some=some, more=more)


def _told(change: Change) -> str:
    if change.old is None or change.new is None:
        return translated(str(change))
    before, after = (translated(each or "empty") for each in (change.old, change.new))
    return f"{change.path} {before} → {after}"
