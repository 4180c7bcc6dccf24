"""What an alert would come to now: decided by the same rules, on a draft that is dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from execution_engine.domain.decide import decide
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import AlertReceived, Answer
from execution_engine.domain.routing import route
from execution_engine.domain.rows import Alert, Leg
from execution_engine.domain.signal import Outcome, SignalType
from execution_engine.domain.view import View

_DOES = {
    SignalType.PYRAMID: "adds a pyramid",
    SignalType.EXIT: "closes the position",
    SignalType.REVERSAL: "closes the position, then opens the other side",
}
_WAITS = "waits until its account, price and balance are known"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would happen. type: what it was found to be. accounts: where it goes. outcome: where it ends at once.

    waits: it would be stored and decided on later.
    """

    type: SignalType | None
    accounts: tuple[str, ...]
    outcome: Outcome | None
    sentence: str
    waits: bool = False

    @property
    def is_refused(self) -> bool:
        return self.outcome in (Outcome.REJECTED, Outcome.FAILED)


def rehearse(view: View, received: AlertReceived, now: datetime) -> Rehearsed:
    """Decide on an alert as if it had come, and keep nothing of it."""
    decision = decide(view, received, now)
    answer = decision.answer
    assert isinstance(answer, Answer)  # whatever happens to it, an alert is answered
    rows = [row for row in decision.rows if isinstance(row, Alert) and row.id == answer.alert_id]
    if not rows:
        return Rehearsed(None, (), None, f"is a copy of alert {answer.alert_id}: nothing more happens")
    alert = rows[-1]
    legs = sum(isinstance(row, Leg) for row in decision.rows)
    waits = alert.outcome is None and alert.decided_at is None
    accounts = _accounts(view, alert, now)
    return Rehearsed(alert.signal, accounts, alert.outcome, _sentence(alert, legs), waits)


def _accounts(view: View, alert: Alert, now: datetime) -> tuple[str, ...]:
    found = route(Draft(view, now), alert)
    return () if isinstance(found, Refusal) else tuple(account.name for account in found)


def _sentence(alert: Alert, legs: int) -> str:
    if alert.outcome is not None:
        return f"{alert.outcome.value.replace('_', ' ')}, {alert.reason}"
    if alert.decided_at is None or alert.signal is None:
        return _WAITS
    if alert.signal is SignalType.ENTRY:
        return f"opens a {alert.side} position with {legs} legs"
    return _DOES[alert.signal]
