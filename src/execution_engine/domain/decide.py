"""The rules as one function: what an input changes.

Pure: the same book, input and time give the same decision. A defect stays where it happened: the draft is
dropped, the group it concerned is frozen, an alert ends `failed` and is stored all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from execution_engine.domain import account_commands as own
from execution_engine.domain import (
    alarms,
    choices,
    commands,
    holdings,
    intake,
    listings,
    market,
    pool,
    promotion,
    read_only,
    readiness,
    recovery,
    reports,
    way_in,
)
from execution_engine.domain import inputs as i
from execution_engine.domain import order as orders
from execution_engine.domain import risk_offset as offsets
from execution_engine.domain import risk_run as risks
from execution_engine.domain import token_commands as tokens
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.facts import Category, Fact, Level
from execution_engine.domain.findings import NOBODY, note, note_about
from execution_engine.domain.origin import Origin
from execution_engine.domain.ranking import Asked
from execution_engine.domain.rows import Choice, Finding, FindingKind, Group, Row, World, WorldHold
from execution_engine.domain.settle import finish, name, settle
from execution_engine.domain.signal import Outcome
from execution_engine.domain.view import View


@dataclass(frozen=True, slots=True)
class Decision:
    """What an input came to.

    rows: new versions of rows, the only way anything changes. facts: what happened, for whoever listens.
    answer: for whoever asked. next: inputs to be decided right after this one.
    asked: prices to be asked for. outdated: accounts of which something waits for a newer balance.
    defect: the exception that was contained, for the log.
    """

    rows: tuple[Row, ...] = ()
    facts: tuple[Fact, ...] = ()
    answer: i.Answer | Refusal | None = None
    next: tuple[i.Input, ...] = ()
    asked: Asked | None = None
    outdated: tuple[str, ...] = ()
    defect: Exception | None = None


SEE_LOG = "an internal error; the log has the details"

Handler = Callable[[Draft, Any], i.Answer | Refusal | None]

_HANDLERS: dict[type, Handler] = {
    i.AlertReceived: intake.receive,
    i.RequestRefused: intake.refuse,
    i.Replay: intake.replay,
    i.Judge: lambda draft, wish: intake.judge_again(draft, wish.alert_id),
    i.Price: market.price,
    i.NoPrice: lambda draft, said: readiness.judge_undecided(draft, (said.exchange, said.symbol)),
    i.Balances: market.balances,
    i.Reached: lambda draft, hit: market.take_profit(draft, draft.group(hit.group_id), hit.price),
    i.DueRow: lambda draft, row: market.due_row(draft, row.id),
    i.Sending: reports.sending,
    i.OrderReport: reports.report,
    i.OrderReports: reports.together,
    i.Fills: reports.account_trades,
    i.History: reports.bring_back,
    i.Difference: holdings.differs,
    i.Fits: holdings.fits,
    i.OpenOrders: readiness.open_orders,
    i.AccountUnreadable: readiness.unreadable,
    i.Interrupted: readiness.interrupted,
    i.LineChanged: readiness.line_changed,
    i.RulesRead: listings.read,
    i.Started: lambda draft, _: _started(draft),
    i.Settle: lambda draft, wish: settle(draft, wish.group_id),
    i.SecondHalf: lambda draft, wish: pool.second_half(draft, wish.group_id, wish.alert_id),
    i.PromoteWaiting: lambda draft, wish: promotion.promote(draft, wish.world),
    i.PricesAsked: lambda draft, told: promotion.promote(draft, told.world, at_once=True),
    i.ExitGroup: commands.exit_group,
    i.Evaluate: risks.evaluate_world,
    i.AdvanceOffset: offsets.advance,
    i.CancelLegs: commands.cancel_legs,
    i.SetTakeProfitMode: commands.set_take_profit_mode,
    i.SetRisk: commands.set_risk,
    i.RunRisk: risks.run,
    i.DecideFinding: choices.decide_finding,
    i.CloseAll: lambda draft, _: commands.close_all(draft),
    i.Pause: lambda draft, _: commands.pause(draft),
    i.Resume: lambda draft, _: commands.resume(draft),
    i.Promote: commands.promote,
    i.RemoveQueued: commands.remove_queued,
    i.SaveSettings: commands.save_settings,
    i.MayChange: lambda draft, _: i.Answer(status="done"),
    i.AccountChanged: commands.change_account,
    i.AddAccount: own.add,
    i.EnableAccount: own.enable,
    i.DisableAccount: own.disable,
    i.RemoveAccount: own.remove,
    i.DefaultAccount: own.make_default,
    i.KeysChanged: own.keys_changed,
    i.KeysChecked: own.checked,
    i.SecurityAct: own.note,
    i.DatabaseReplaced: recovery.begin,
    i.SeenOn: recovery.seen_on,
    i.AddToken: tokens.add,
    i.RotateToken: tokens.rotate,
    i.RevokeToken: tokens.revoke,
    i.RenameToken: tokens.rename,
    i.AllowAccounts: tokens.allow,
    i.TokenUsed: tokens.used,
    i.WayInChanged: way_in.changed,
    i.AlarmChanged: alarms.changed,
}


def _started(draft: Draft) -> None:
    readiness.restart(draft)
    offsets.restarted(draft)


def decide(view: View, given: i.Input, now: datetime, origin: Origin = Origin.AUTOMATIC) -> Decision:
    """Return what an input changes. Never raises: a defect is contained and told.

    origin: who gave it, for the audit log.
    """
    if (refused := read_only.refusal(view.settings, given)) is not None:
        return Decision(answer=refused)
    draft = Draft(view, now, origin)
    try:
        answer = _HANDLERS[type(given)](draft, given)
    except Exception as defect:
        return _contain(Draft(view, now), given, defect)
    return Decision(
        draft.rows, tuple(draft.facts), answer, tuple(draft.next), draft.asked, tuple(draft.outdated)
    )


def _contain(draft: Draft, given: i.Input, defect: Exception) -> Decision:
    """Freeze the scope of a defect and tell it; everything else goes on."""
    answer: i.Answer | Refusal | None = Refusal("DEFECT", SEE_LOG)
    group_id = _group_of(draft, given)
    scope = type(given).__name__
    if group_id is not None:
        scope = _freeze_group(draft, draft.group(group_id))
        _ask_again(draft, given)
    elif isinstance(given, i.AlertReceived):
        alert = intake.store(draft, given)
        finish(draft, alert, Outcome.FAILED, SEE_LOG)
        answer = i.Answer(status="accepted", alert_id=alert.id)
    elif isinstance(given, i.Judge | i.SecondHalf) and (judged := draft.alert_or_none(given.alert_id)):
        finish(draft, judged, Outcome.FAILED, SEE_LOG)
    elif isinstance(given, i.PromoteWaiting | i.PricesAsked):
        scope = _freeze_world(draft, given.world)
    elif isinstance(given, i.AdvanceOffset):
        offsets.failed(draft, given.action_id, SEE_LOG)
    if group_id is not None and not any(isinstance(row, Finding) for row in draft.rows):
        return Decision(draft.rows, (), answer, defect=defect)  # it is frozen already, and that was told
    draft.tell(
        "defect",
        f"{scope}: an internal error was contained: {defect!r}",
        Level.CRITICAL,
        Category.SYSTEM,
        notice=True,
    )
    return Decision(draft.rows, tuple(draft.facts), answer, defect=defect)


def _ask_again(draft: Draft, given: i.Input) -> None:
    """Have orders looked up whose report could not be taken in: it may come no second time by itself."""
    said = given.reports if isinstance(given, i.OrderReports) else (given,)
    for report in said:
        order = draft.order_of(report.client_order_id) if isinstance(report, i.OrderReport) else None
        if order is not None and not order.is_final:
            draft.put(orders.unknown(order, draft.now, f"its report could not be taken in: {SEE_LOG}"))


def _freeze_group(draft: Draft, group: Group) -> str:
    note_about(
        draft,
        group,
        FindingKind.DEFECT,
        f"group {group.id}",
        f"{name(group)}: {SEE_LOG}",
        done="The position is on hold: nothing is added to it.",
        choices=(Choice.RELEASE,),
    )
    return name(group)


def _freeze_world(draft: Draft, world: World) -> str:
    draft.put(WorldHold(name=world, reason=f"promoting failed: {SEE_LOG}", since=draft.now))
    note(
        draft,
        FindingKind.DEFECT,
        f"world {world}",
        f"Signals that wait in the {world} world: {SEE_LOG}",
        done="Nothing new is begun there.",
        account=NOBODY,
        world=world,
        choices=(Choice.RELEASE,),
    )
    return f"the {world} world"


def _group_of(draft: Draft, given: i.Input) -> int | None:
    if isinstance(given, i.OrderReport):
        order = draft.order_of(given.client_order_id)
        return order.group_id if order is not None else None
    if isinstance(given, i.SecondHalf):
        return None  # the group is closed; what failed is its alert
    if isinstance(given, i.DueRow) and (due := draft.view.order(given.id)) is not None:
        return due.group_id
    id = given.id if isinstance(given, i.DueRow) else getattr(given, "group_id", None)
    return id if id is not None and draft.view.group(id) is not None else None
