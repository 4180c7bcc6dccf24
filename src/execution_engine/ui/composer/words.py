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
from execution_engine.ui.tongue import tr, translated

LONGEST = 400
SET_UP_TUNNEL = tr("Set up a tunnel")
UNKNOWN_MARKETS = tr("The markets are not known yet: the message cannot be checked.")

SENDERS = (
    (SentBy.STRATEGY.value, tr("Strategy")),
    (SentBy.PRICE.value, tr("Price or indicator")),
    (SentBy.PINE.value, tr("alert() in a script")),
)
TP_MODES = {
    TakeProfitMode.PER_LEG: tr("Per leg"),
    TakeProfitMode.AGGREGATE: tr("Aggregate"),
    TakeProfitMode.HYBRID: tr("Hybrid"),
}
_LOOKS: dict[Weight, tuple[str, Token]] = {
    Weight.STOPS: ("error", "danger"),
    Weight.LOOK: ("warning", "warn"),
    Weight.KNOW: ("info", "text2"),
}


def steps(chosen: Composition) -> tuple[str, str, str]:
    """Return what to do in TradingView's alert dialog."""
    if chosen.is_strategy:
        condition = tr("the strategy, with “Order fills only” or both kinds of events")
    else:
        condition = tr("your own, and as trigger “Once Per Bar Close”")
    return (
        tr(
            "On the chart press Alt+A. Condition: {condition}. Expiration: open-ended, or as late as "
            "your plan lets you; an alert that expired is silent."
        ).format(condition=condition),
        tr("Message: replace all of the text by this message."),
        tr(
            "Notifications: tick Webhook URL and paste the URL. TradingView asks for a paid "
            "plan and two-factor login."
        ),
    )


def trap_entries(found: Sequence[Trap]) -> list[Entry]:
    """Return traps as they are told."""
    return [
        Entry(
            *_LOOKS[trap.weight],
            "",
            translated(trap.sentence),
            SET_UP_TUNNEL if trap.code == "no_address" else "",
        )
        for trap in found
    ]


def fault_entries(found: Sequence[Found]) -> list[Entry]:
    """Return faults with their field and line."""
    return [
        Entry("error", "danger", _where(fault), visible(translated(fault.sentence), LONGEST))
        for fault in found
    ]


def _where(fault: Found) -> str:
    field = visible(fault.field, 60)
    return tr("{field}, line {line}").format(field=field, line=fault.line) if fault.line else field


def outcome_entries(told: Sequence[tuple[str, Rehearsed]]) -> list[Entry]:
    """Return what each turn would come to."""
    return [Entry(*_look(rehearsed), translated(name), would(rehearsed)) for name, rehearsed in told]


def _look(rehearsed: Rehearsed) -> tuple[str, Token]:
    if rehearsed.is_refused:
        return "warning", "warn"
    if rehearsed.type is None:
        return "info", "text2"
    return ("clock", "text2") if rehearsed.waits else ("success", "profit")


def would(rehearsed: Rehearsed) -> str:
    """Say what an alert would come to and where."""
    kind = tr(rehearsed.type.value.title()) if rehearsed.type else tr("Alert")
    where = tr(" and ").join(visible(name, 40) for name in rehearsed.accounts)
    said = visible(translated(rehearsed.sentence), LONGEST)
    return (
        tr("{kind} on {where}: {said}").format(kind=kind, where=where, said=said)
        if where
        else f"{kind}: {said}"
    )


def valid(turn: str, rehearsed: Rehearsed) -> str:
    """Say that a message is valid and what its first turn, if it has several, would come to."""
    when = f"{translated(turn)}: " if turn else ""
    return (
        tr("Valid, but not now. {when}{rehearsed}.")
        if rehearsed.is_refused
        else tr("Valid. {when}{rehearsed}.")
    ).format(when=when, rehearsed=would(rehearsed))


def verdict(checked: Checked) -> str:
    """Say what the listener would answer."""
    if checked.status == 202:
        return tr("Valid, {size} bytes: the listener answers 202, accepted").format(size=f"{checked.size:,}")
    return tr("Refused with {status}, {count}").format(
        status=checked.status, count=counted(len(checked.found), tr("fault"), tr("faults"))
    )


def first_fault(checked: Checked) -> str:
    """Name the first thing that is wrong with what was composed."""
    fault = checked.found[0]
    return tr("Refused with {status}: {field}: {sentence}").format(
        status=checked.status,
        field=visible(fault.field, 60),
        sentence=visible(translated(fault.sentence), LONGEST),
    )
