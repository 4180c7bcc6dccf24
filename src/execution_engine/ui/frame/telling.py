"""From what happened to a notice in the corner."""

from __future__ import annotations

from collections.abc import Callable

from loguru import logger

from execution_engine.domain.errors import Refusal
from execution_engine.domain.facts import Category, Fact, Level
from execution_engine.ui.findings import TELLING
from execution_engine.ui.format import visible
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Notice
from execution_engine.ui.widgets.notices import Level as NoticeLevel

LONGEST = 240

_TITLES = {
    "order_rejected": tr("An order was rejected"),
    "order_unknown": tr("An order's outcome is being looked up"),
    "cancel_refused": tr("A cancel was not carried out"),
    "account_unreadable": tr("An account cannot be read"),
    "close_all": tr("Everything is being closed"),
}
_LEVELS: dict[Level, NoticeLevel] = {
    Level.DEBUG: "info",
    Level.INFO: "success",
    Level.WARNING: "warning",
    Level.ERROR: "error",
    Level.CRITICAL: "error",
}


FOUND = {f"found_{kind}": look.title for kind, look in TELLING.items()}


def notice_of(
    fact: Fact,
    show_group: Callable[[int], object],
    show_alert: Callable[[int], object],
    review: Callable[[], object],
) -> Notice:
    """Return the notice of a fact; it leads to the group or else the alert it names, or to what was found."""
    if fact.code in FOUND:
        return Notice(
            _LEVELS[fact.level],
            FOUND[fact.code],
            visible(translated(fact.text), LONGEST),
            tr("Review"),
            review,
            logged=True,
        )
    title = _TITLES.get(fact.code) or tr(fact.code.replace("_", " ").capitalize())
    # A group that closed may have won or lost: the sign says which, not a tick.
    level: NoticeLevel = "info" if fact.code == "group_closed" else _LEVELS[fact.level]
    action, then = _way(fact, show_group, show_alert)
    return Notice(level, title, visible(translated(fact.text), LONGEST), action, then, logged=True)


def _way(
    fact: Fact, show_group: Callable[[int], object], show_alert: Callable[[int], object]
) -> tuple[str, Callable[[], object] | None]:
    """Return where a notice leads: the button's word and what it does."""
    group_id, alert_id = fact.group_id, fact.alert_id
    if group_id is not None:
        return tr("Show"), lambda: show_group(group_id)
    if alert_id is not None:
        return tr("Show signal"), lambda: show_alert(alert_id)
    return "", None


def keep(notice: Notice) -> None:
    """Write a notice into the log, where it is found again once it is gone from the corner."""
    if not notice.logged:
        # An error that the window shows was answered to somebody; it is no error of the engine to be alarmed by.
        level = "WARNING" if notice.level in ("warning", "error") else "INFO"
        said = f"{notice.title}: {notice.sentence}" if notice.sentence else notice.title
        logger.bind(category=Category.SYSTEM.value).log(level, "{}", said)


def refused(what: str, refusal: Refusal) -> Notice:
    """Return the notice of a wish that was not granted."""
    return Notice("error", what, visible(translated(refusal.message), LONGEST))
