"""What the composer says: choices in words, verdicts, traps, and what an alert would come to."""

from __future__ import annotations

from collections.abc import Sequence

from execution_engine.domain.composer import Composition, SentBy
from execution_engine.domain.composer_check import Checked, Found
from execution_engine.domain.composer_rehearsal import Rehearsed
from execution_engine.domain.composer_traps import Trap, Weight
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.ui.composer.told import Entry
from execution_engine.ui.format import counted, visible
from execution_engine.ui.theme import Token

LONGEST = 400
SET_UP_TUNNEL = "Set up a tunnel"
UNKNOWN_MARKETS = "The markets are not known yet: the message cannot be checked."

SENDERS = (
    (SentBy.STRATEGY.value, "Strategy"),
    (SentBy.PRICE.value, "Price or indicator"),
    (SentBy.PINE.value, "alert() in a script"),
)
TP_MODES = {
    TakeProfitMode.PER_LEG: "Per leg",
    TakeProfitMode.AGGREGATE: "Aggregate",
    TakeProfitMode.HYBRID: "Hybrid",
}
_LOOKS: dict[Weight, tuple[str, Token]] = {
    Weight.STOPS: ("error", "danger"),
    Weight.LOOK: ("warning", "warn"),
    Weight.KNOW: ("info", "text2"),
}


def steps(chosen: Composition) -> tuple[str, str, str]:
    """Return what to do in TradingView's alert dialog."""
    if chosen.is_strategy:
        condition = "the strategy, with “Order fills only” or both kinds of events"
    else:
        condition = "your own, and as trigger “Once Per Bar Close”"
    return (
        f"On the chart press Alt+A. Condition: {condition}. Expiration: open-ended, or as late as your plan lets "
        "you; an alert that expired is silent.",
        "Message: replace all of the text by this message.",
        "Notifications: tick Webhook URL and paste the URL. TradingView asks for a paid plan and two-factor login.",
    )


def trap_entries(found: Sequence[Trap]) -> list[Entry]:
    """Return traps as they are told."""
    return [
        Entry(*_LOOKS[trap.weight], "", trap.sentence, SET_UP_TUNNEL if trap.code == "no_address" else "")
        for trap in found
    ]


def fault_entries(found: Sequence[Found]) -> list[Entry]:
    """Return faults with their field and line."""
    return [Entry("error", "danger", _where(fault), visible(fault.sentence, LONGEST)) for fault in found]


def _where(fault: Found) -> str:
    field = visible(fault.field, 60)
    return f"{field}, line {fault.line}" if fault.line else field


def outcome_entries(told: Sequence[tuple[str, Rehearsed]]) -> list[Entry]:
    """Return what each turn would come to."""
    return [Entry(*_look(rehearsed), name, would(rehearsed)) for name, rehearsed in told]


def _look(rehearsed: Rehearsed) -> tuple[str, Token]:
    if rehearsed.is_refused:
        return "warning", "warn"
    if rehearsed.type is None:
        return "info", "text2"
    return ("clock", "text2") if rehearsed.waits else ("success", "profit")


def would(rehearsed: Rehearsed) -> str:
    """Say what an alert would come to and where."""
    kind = rehearsed.type.value.title() if rehearsed.type else "Alert"
    where = " and ".join(visible(name, 40) for name in rehearsed.accounts)
    said = visible(rehearsed.sentence, LONGEST)
    return f"{kind} on {where}: {said}" if where else f"{kind}: {said}"


def valid(turn: str, rehearsed: Rehearsed) -> str:
    """Say that a message is valid and what its first turn, if it has several, would come to."""
    when = f"{turn}: " if turn else ""
    return f"Valid{', but not now' if rehearsed.is_refused else ''}. {when}{would(rehearsed)}."


def verdict(checked: Checked) -> str:
    """Say what the listener would answer."""
    if checked.status == 202:
        return f"Valid, {checked.size:,} bytes: the listener answers 202, accepted"
    return f"Refused with {checked.status}, {counted(len(checked.found), 'fault')}"


def first_fault(checked: Checked) -> str:
    """Name the first thing that is wrong with what was composed."""
    fault = checked.found[0]
    return f"Refused with {checked.status}: {visible(fault.field, 60)}: {visible(fault.sentence, LONGEST)}"
