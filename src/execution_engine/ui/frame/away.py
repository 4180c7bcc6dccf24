"""When what was found shows itself: after a start or a resume, and as a banner for as long as decisions wait."""

from __future__ import annotations

from collections.abc import Callable

from execution_engine.domain.rows import Account, AccountStatus
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.findings import decisions, sentences, waiting
from execution_engine.ui.format import counted
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Banner


class Homecoming:
    """Knows whether the exchanges were read again since a start or a resume, and what was shown before."""

    def __init__(self, bridge: Bridge) -> None:
        """Begin as after a start: nothing was shown yet."""
        self._bridge = bridge
        self._away = True
        self._shown: set[int] = set()

    @property
    def pending(self) -> bool:
        """Tell whether what is found now will show itself."""
        return self._away

    def brings_news(self) -> bool:
        """Tell, once after each start and each resume, whether something was found that was not shown yet."""
        if any(account.enabled and is_reading(account) for account in self._bridge.accounts.values()):
            self._away = True
            return False
        if not self._away:
            return False
        self._away = False
        return self._look()

    def seen(self) -> None:
        """Take note that the user looks at everything that waits."""
        self._look()

    def _look(self) -> bool:
        waits = {finding.id for finding in waiting(self._bridge)}
        fresh = bool(waits - self._shown)
        self._shown = waits
        return fresh


def is_reading(account: Account) -> bool:
    """Tell whether an account is being compared with its exchange."""
    return account.status is AccountStatus.RECONCILING


def show_decisions(banner: Banner, bridge: Bridge, review: Callable[[], object], *, looked_at: bool) -> None:
    """Say how many decisions wait, unless the user is looking at them."""
    wait = [] if looked_at else decisions(bridge)
    if not wait:
        if not banner.isHidden():
            banner.hide()
        return
    waits = tr("{decisions} waits: {first}") if len(wait) == 1 else tr("{decisions} wait: {first}")
    number = counted(len(wait), tr("decision"), tr("decisions"))
    text = waits.format(decisions=number, first=sentences(wait[0])[0])
    if banner.text() != text:
        banner.say(text, "warn", icon="question", action=tr("Review"), then=review)
