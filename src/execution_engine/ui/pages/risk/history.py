"""What the risk engine did: an action, its closes below it, the fills below those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from execution_engine.domain.money import ZERO
from execution_engine.domain.risk_hindsight import Hindsight
from execution_engine.domain.rows import Fill, Purpose, RiskAction, RiskRole, RiskStatus, RiskStep, RiskType
from execution_engine.ui.format import (
    MISSING,
    counted,
    exact,
    local_moment,
    local_time,
    raw,
    result_token,
    signed_usd,
    usd,
    utc_text,
    visible,
)
from execution_engine.ui.icons import StateLook, state_look
from execution_engine.ui.pages.risk.plan import LOOKS, word
from execution_engine.ui.tables import Cell, CellDelegate, Chip, Column, Number
from execution_engine.ui.theme import Token
from execution_engine.ui.tongue import inline, tr, translated

WIDE = {
    "when": 168,
    "loser": 128,
    "loss": 100,
    "winners": 250,
    "realized": 112,
    "net": 92,
    "result": 124,
    "detail": 240,
}
NARROW = {"when": 160, "loser": 120, "winners": 170, "net": 86, "result": 118, "detail": 220}

LOOK: dict[RiskStatus, StateLook] = {
    RiskStatus.PLANNED: state_look("risk", "running"),
    RiskStatus.RUNNING: state_look("risk", "running"),
    RiskStatus.DONE: state_look("risk", "complete"),
    RiskStatus.SHORTFALL: StateLook(tr("Shortfall"), "half_disc", "warn"),
    RiskStatus.INCOMPLETE: state_look("risk", "incomplete"),
    RiskStatus.CANCELLED: StateLook(tr("Cancelled"), "struck_ring", "neutral"),
}
BY_HAND: dict[RiskType, StateLook] = {
    RiskType.REHEARSAL: StateLook(tr("Rehearsed"), "dashed_ring", "neutral"),
    RiskType.MANUAL_SKIP: state_look("risk", "skipped"),
    RiskType.MANUAL_BLOCK: StateLook(tr("Blocked"), "two_bars", "neutral"),
    RiskType.MANUAL_UNBLOCK: StateLook(tr("Unblocked"), "ring", "neutral"),
}
MANUAL = {
    RiskType.MANUAL_SKIP: tr("skipped once by you"),
    RiskType.MANUAL_BLOCK: tr("blocked by you"),
    RiskType.MANUAL_UNBLOCK: tr("unblocked by you"),
}
ROLES = {
    RiskRole.WINNER: tr("winner"),
    RiskRole.STAND_IN: tr("stands in"),
    RiskRole.LOSER: tr("loser"),
    RiskRole.TOP_UP: tr("top-up"),
}


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One entry. name: of the group that it is about. hindsight: of a rehearsal."""

    action: RiskAction
    name: str
    hindsight: Hindsight | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """One close of an action."""

    action: RiskAction
    at: int

    @property
    def step(self) -> RiskStep:
        return self.action.steps[self.at]


@dataclass(frozen=True, slots=True)
class FillRow:
    """One fill of a close."""

    action_id: int
    at: int
    fill: Fill


Row: TypeAlias = ActionRow | StepRow | FillRow
RowKey: TypeAlias = tuple[int, ...]


def key(row: Row) -> RowKey:
    """Name a row by its action, its step and its fill."""
    if isinstance(row, ActionRow):
        return (row.action.id,)
    if isinstance(row, StepRow):
        return (row.action.id, row.at)
    return (row.action_id, row.at, row.fill.id)


def parent_key(row: Row) -> RowKey | None:
    """Return the key of the row above."""
    return key(row)[:-1] or None


def newest_first(row: Row) -> tuple[float, int]:
    """Return the default order of actions; what is below them has its own."""
    return (-row.action.started_at.timestamp(), -row.action.id) if isinstance(row, ActionRow) else (0, 0)


def rows(action: RiskAction, name: str, hindsight: Hindsight | None) -> Iterator[Row]:
    """Yield an action and its closes."""
    yield ActionRow(action, name, hindsight)
    for at in range(len(action.steps)):
        yield StepRow(action, at)


def name_of(action: RiskAction, names: Mapping[int, str]) -> str:
    """Return the name of the group that an action is about. names: of open groups by id."""
    step = action.loser_step
    if step is not None:
        return step.name
    known = names.get(action.loser or 0)
    return known or action.notes.partition(" on ")[0] or MISSING


def fills_of(action: RiskAction, at: int, fills: Sequence[Fill], later: datetime | None) -> list[FillRow]:
    """Return the fills of a step among those of its group.

    later: when the next offset of the same group began; its fills are not this one's.
    """
    mine = (
        fill
        for fill in fills
        if fill.purpose is Purpose.OFFSET
        and fill.at >= action.started_at
        and (later is None or fill.at < later)
    )
    return [FillRow(action.id, at, fill) for fill in mine]


def lost(action: RiskAction) -> Decimal | None:
    """Return what the loser came to: by its fills, or as planned."""
    step = action.loser_step
    if action.loss_usd is not None:
        return -action.loss_usd
    return step.expected if step is not None else None


def net(action: RiskAction) -> Decimal | None:
    """Return what all fills of an action leave together; None where nothing was sent."""
    if action.type is not RiskType.OFFSET:
        return None
    return sum((step.result for step in action.steps), ZERO)


def look(action: RiskAction) -> StateLook:
    """Return how an action ended."""
    return BY_HAND.get(action.type) or LOOK[action.status]


def short(row: ActionRow) -> str:
    """Say in a few words what there is to say of an action."""
    action = row.action
    if action.type in MANUAL:
        return MANUAL[action.type]
    if action.type is RiskType.REHEARSAL:
        gained = row.hindsight.gained if row.hindsight is not None else None
        if gained is None:
            return tr("nothing was sent")
        if not gained:
            return tr("would be the same by now")
        return (
            tr("would have gained {amount} USD") if gained > 0 else tr("would have cost {amount} USD")
        ).format(amount=usd(abs(gained)))
    if action.is_open:
        at = action.current
        return tr("step {at} of {count}").format(at=(at or 0) + 1, count=len(action.steps))
    last = action.notes.rpartition("; ")[2]
    done = sum(1 for step in action.steps if step.filled)
    return tr("{done} of {count}; {last}").format(
        done=done,
        count=counted(len(action.steps), tr("step"), tr("steps")),
        last=visible(translated(last), 200),
    )


def whole(row: Row) -> str:
    """Say everything about a row, for the line below the table and for tooltips."""
    if isinstance(row, StepRow):
        return visible(translated(row.step.note), 300)
    if isinstance(row, FillRow):
        return ""
    told = visible(translated(row.action.notes), 500)
    said = f"{told[:1].upper()}{told[1:]}." if told else ""
    return f"{said} {translated(row.hindsight.words)}." if row.hindsight is not None else said


# -- cells


def render(row: Row) -> tuple[Cell, ...]:
    """Make the cells of a row; its level decides what a column means."""
    if isinstance(row, ActionRow):
        return _action_cells(row)
    return _step_cells(row) if isinstance(row, StepRow) else _fill_cells(row)


def _money(value: Decimal | None) -> Cell:
    return Cell(signed_usd(value), result_token(value), raw=raw(value))


def _action_cells(row: ActionRow) -> tuple[Cell, ...]:
    action = row.action
    state, shape, token = look(action)
    paid = ", ".join(step.name for step in action.winners) or MISSING
    planned = action.type is RiskType.REHEARSAL or action.loss_usd is None
    loss = lost(action)
    gave = action.realized_usd if action.type is RiskType.OFFSET else None
    return (
        Cell(local_moment(action.started_at), raw=action.started_at.isoformat()),
        Cell(row.name),
        Cell(signed_usd(loss), "text3" if planned else result_token(loss), raw=raw(loss)),
        Cell(paid, "text" if action.steps else "text3"),
        _money(gave),
        _money(net(action)),
        Cell(state, token, shape=shape),
        Cell(short(row), "text2"),
    )


def _step_cells(row: StepRow) -> tuple[Cell, ...]:
    step, sent = row.step, row.action.type is RiskType.OFFSET
    state, shape, token = LOOKS[step.status] if sent else StateLook(tr("Planned"), "ring", "neutral")
    at = tr("{quantity} at {price}").format(quantity=exact(step.quantity), price=exact(step.price))
    done = tr("{filled} of {at}").format(filled=exact(step.filled), at=at) if sent else at
    result = step.result if step.filled else None
    open_still = not sent or step.is_open
    expected = Cell(signed_usd(step.expected), "text3", raw=raw(step.expected)) if open_still else Cell()
    loses = step.role is RiskRole.LOSER
    money = expected if result is None else _money(result)
    shade: Token = "text2"
    return (
        Cell(tr("Step {at}, {roles}").format(at=row.at + 1, roles=ROLES[step.role]), shade),
        Cell(step.name, shade),
        money if loses else Cell(),
        Cell(f"{inline(word(step))}: {done}" if not sent else done, shade),
        Cell() if loses else money,
        Cell(),
        Cell(state, token, shape=shape),
        Cell(
            visible(translated(step.note), 200)
            or (tr("fees {fees} USD").format(fees=exact(step.fees)) if step.filled else ""),
            "text3",
        ),
    )


def _fill_cells(row: FillRow) -> tuple[Cell, ...]:
    fill = row.fill
    fee = tr("fee {fee} {fee_currency}").format(fee=exact(fill.fee), fee_currency=fill.fee_currency)
    return (
        Cell(local_time(fill.at), "text3", raw=fill.at.isoformat()),
        Cell(f"{fill.action.value}", "text3"),
        Cell(),
        Cell(
            tr("{quantity} at {price}").format(quantity=exact(fill.quantity), price=exact(fill.price)),
            "text3",
        ),
        Cell(),
        Cell(),
        Cell(tr("Fill"), "text3"),
        Cell(fee, "text3"),
    )


def sentence(row: Row) -> str:
    """Say a row in words, for a screen reader."""
    return ", ".join(cell.text for cell in render(row) if cell.text)


def delegates() -> dict[str, CellDelegate]:
    """Return what paints the columns."""
    return {"loss": Number(2), "realized": Number(2), "net": Number(2), "result": Chip()}


def _when_tooltip(row: Row) -> str:
    if not isinstance(row, ActionRow):
        return ""
    ended = row.action.finished_at
    by = tr("by you") if row.action.by_hand else tr("by the timer")
    return f"{by}, {utc_text(row.action.started_at)}" + (
        tr("\nended {time}").format(time=utc_text(ended)) if ended else ""
    )


def _by(of: RiskAction, what: str) -> Decimal | None:
    return {"loss": lost(of), "realized": of.realized_usd, "net": net(of)}[what]


COLUMNS: Sequence[Column[Row]] = (
    Column(
        key="when",
        title=tr("When"),
        width=WIDE["when"],
        sort_key=lambda row: row.action.started_at if isinstance(row, ActionRow) else None,
        tooltip=_when_tooltip,
    ),
    Column(
        key="loser",
        title=tr("Loser"),
        width=WIDE["loser"],
        sort_key=lambda row: row.name if isinstance(row, ActionRow) else None,
    ),
    Column(
        key="loss",
        title=tr("Loss"),
        unit="USD",
        align="right",
        width=WIDE["loss"],
        sort_key=lambda row: _by(row.action, "loss") if isinstance(row, ActionRow) else None,
        hint=tr("What the loser came to by its fills; grey: as it was planned"),
    ),
    Column(
        key="winners",
        title=tr("Winners"),
        width=WIDE["winners"],
        tooltip=lambda row: visible(render(row)[3].text, 300),
    ),
    Column(
        key="realized",
        title=tr("Winners gave"),
        unit="USD",
        align="right",
        width=WIDE["realized"],
        sort_key=lambda row: _by(row.action, "realized") if isinstance(row, ActionRow) else None,
        hint=tr("What closing the winners came to, after fees"),
    ),
    Column(
        key="net",
        title=tr("Net"),
        unit="USD",
        align="right",
        width=WIDE["net"],
        sort_key=lambda row: _by(row.action, "net") if isinstance(row, ActionRow) else None,
        hint=tr("All closes together, after their fees and before the entry fees"),
    ),
    Column(
        key="result",
        title=tr("Result"),
        width=WIDE["result"],
        sort_key=lambda row: look(row.action).word if isinstance(row, ActionRow) else None,
    ),
    Column(key="detail", title=tr("Details"), width=WIDE["detail"], tooltip=whole),
)
