"""What lasts and has to be said: paused, on hold, broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from execution_engine.ui.format import visible
from execution_engine.ui.frame.header import BY_USER
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Banner

LONGEST = 300
READ_ONLY = tr("Read only: nothing can be changed by hand, the engine goes on")
PAUSED = tr("Paused: alerts are stored, nothing is opened")


def show(
    banner: Banner,
    word: str,
    reasons: Sequence[str],
    resume: Callable[[], object],
    *,
    unlock: Callable[[], object] | None = None,
    recovering: bool = False,
) -> None:
    """Show the banner of the engine's state, or hide it. unlock: goes where read only is switched off; None: it is.

    recovering: it is on hold until the user has looked at what came of a restore.
    """
    why = " · ".join(visible(translated(each), LONGEST) for each in reasons if each != BY_USER)
    if word in ("error", "stopped"):
        _say(banner, tr("Error: {why}").format(why=why or tr("the engine does not run")), "danger", "error")
    elif word == "paused":
        text = f"{PAUSED} · {why}" if why else PAUSED
        _say(banner, text, "warn", "pause", tr("Resume"), resume)
    elif word == "hold" and recovering:
        _say(banner, why, "warn", "warning", tr("Trade again…"), resume)
    elif word == "hold":
        _say(banner, tr("On hold: {why}").format(why=why), "warn", "warning")
    elif unlock is not None:
        _say(banner, READ_ONLY, "neutral", "lock", tr("Security"), unlock)
    elif not banner.isHidden():
        banner.hide()


def _say(
    banner: Banner,
    text: str,
    token: str,
    icon: str,
    action: str = "",
    then: Callable[[], object] | None = None,
) -> None:
    if banner.text() != text:
        banner.say(text, token, icon=icon, action=action, then=then)  # type: ignore[arg-type]
