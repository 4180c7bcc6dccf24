"""The steps of a plan, or of an offset under way: a row per close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from execution_engine.domain.instrument import Side
from execution_engine.domain.money import HUNDRED, ZERO, divide
from execution_engine.domain.risk_plan import fee_of
from execution_engine.domain.rows import RiskRole, RiskStep, StepStatus
from execution_engine.ui.format import (
    exact,
    percent,
    places_of,
    price,
    quantity,
    raw,
    result_token,
    signed,
    signed_usd,
    usd,
    visible,
)
from execution_engine.ui.icons import StateLook
from execution_engine.ui.shapes import Shape
from execution_engine.ui.tables import Cell, CellDelegate, Chip, Column, Number, Position, position_cell
from execution_engine.ui.theme import Token
from execution_engine.ui.tongue import inline, tr, translated

PLANNED = {
    "number": 48,
    "position": 172,
    "action": 122,
    "quantity": 92,
    "held": 76,
    "price": 92,
    "unit": 104,
    "realizes": 100,
}
RUNNING = {
    "number": 48,
    "position": 172,
    "action": 122,
    "quantity": 150,
    "price": 92,
    "realizes": 104,
    "state": 110,
}

LOOKS: dict[StepStatus, StateLook] = {
    StepStatus.PLANNED: StateLook(tr("Planned"), "ring", "neutral"),
    StepStatus.RUNNING: StateLook(tr("Closing"), "arrow_to_bar", "warn"),
    StepStatus.DONE: StateLook(tr("Closed"), "tick", "profit"),
    StepStatus.SHORT: StateLook(tr("In part"), "half_disc", "warn"),
    StepStatus.FAILED: StateLook(tr("Failed"), "cross", "danger"),
    StepStatus.SKIPPED: StateLook(tr("Skipped"), "struck_ring", "neutral"),
}

_ROLES: dict[RiskRole, str] = {
    RiskRole.WINNER: tr("A winner: its profit pays for the loser"),
    RiskRole.STAND_IN: tr("Stands in for what the planned winners came to lack"),
    RiskRole.LOSER: tr("The loser, closed after the winners paid for it"),
    RiskRole.TOP_UP: tr("Makes up what the loser lost more than planned"),
}


@dataclass(frozen=True, slots=True)
class StepLine:
    """One close. number: from 1. tick, size: of its market. planned: nothing was sent yet."""

    number: int
    step: RiskStep
    tick: Decimal
    size: Decimal
    planned: bool

    @property
    def held(self) -> Decimal:
        """Return what the group held when the quantity was found [base]."""
        return self.step.quantity + self.step.left

    @property
    def of_held(self) -> Decimal:
        return divide(self.step.quantity * HUNDRED, self.held) if self.held else ZERO

    @property
    def per_unit(self) -> Decimal | None:
        return divide(self.step.expected, self.step.quantity) if self.step.quantity else None

    @property
    def realizes(self) -> Decimal:
        """Return what it came to, or is expected to come to while nothing filled [USD]."""
        return self.step.result if self.step.filled else self.step.expected


def word(step: RiskStep) -> str:
    """Return what is done with the group of a step."""
    if step.role is RiskRole.LOSER:
        return tr("Close the loser") if step.whole else tr("Close a part")
    return tr("Close all") if step.left == 0 else tr("Close a part")


def _quantity(line: StepLine) -> Cell:
    asked = quantity(line.step.quantity, line.size)
    if line.planned:
        return Cell(asked, raw=raw(line.step.quantity))
    done = quantity(line.step.filled, line.size)
    token: Token = "text" if line.step.filled else "text3"
    return Cell(
        tr("{done} of {asked}").format(done=done, asked=asked),
        token,
        raw=tr("{filled} of {quantity}").format(
            filled=raw(line.step.filled), quantity=raw(line.step.quantity)
        ),
    )


def _quantity_tooltip(line: StepLine) -> str:
    step = line.step
    return tr("{quantity} of {held} held; {left} stay open").format(
        quantity=exact(step.quantity), held=exact(line.held), left=exact(step.left)
    )


def _unit(line: StepLine) -> Cell:
    places = max(4, places_of(line.tick))
    return Cell(signed(line.per_unit, places), result_token(line.per_unit, places), raw=raw(line.per_unit))


def _unit_tooltip(line: StepLine) -> str:
    step = line.step
    at, entry = exact(step.price), exact(step.avg_entry)
    moved = f"{at} − {entry}" if step.side is Side.LONG else f"{entry} − {at}"
    return tr("{moved} − {fee_percent} % of {at} for the close = {per_unit} USD").format(
        moved=moved, fee_percent=exact(step.fee_percent), at=at, per_unit=exact(line.per_unit)
    )


def _realizes(line: StepLine) -> Cell:
    value = line.realizes
    token: Token = result_token(value) if line.planned or line.step.filled else "text3"
    return Cell(signed_usd(value), token, raw=raw(value))


def _realizes_tooltip(line: StepLine) -> str:
    step = line.step
    if step.filled:
        return tr("By its fills, fees of {fees} USD included: {result} USD").format(
            fees=exact(step.fees), result=exact(step.result)
        )
    return tr("Expected, the closing fee of {amount} USD included: {expected} USD").format(
        amount=usd(fee_of(step)), expected=exact(step.expected)
    )


def _state(line: StepLine) -> Cell:
    name, shape, token = LOOKS[line.step.status]
    kept: Shape = shape
    return Cell(name, token, shape=kept)


def tone(line: StepLine) -> Token | None:
    """Tint the loser's row."""
    return "loss" if line.step.role is RiskRole.LOSER else None


def sentence(line: StepLine) -> str:
    """Say a row in words, for a screen reader."""
    step = line.step
    said = tr("{step}, {quantity} at {price}, {amount} USD").format(
        step=inline(word(step)),
        quantity=exact(step.quantity),
        price=exact(step.price),
        amount=signed_usd(line.realizes),
    )
    return tr("Step {number}, {step} {side}, {said}").format(
        number=line.number, step=step.name, side=tr(step.side.value), said=said
    )


def delegates() -> dict[str, CellDelegate]:
    """Return what paints the columns."""
    return {
        "position": Position(),
        "quantity": Number(),
        "price": Number(),
        "unit": Number(),
        "realizes": Number(2),
        "state": Chip(),
    }


COLUMNS: Sequence[Column[StepLine]] = (
    Column(
        key="number",
        title=tr("Step"),
        width=PLANNED["number"],
        cell=lambda line: Cell(str(line.number)),
    ),
    Column(
        key="position",
        title=tr("Position"),
        width=PLANNED["position"],
        cell=lambda line: position_cell(
            line.step.symbol, line.step.timeframe, long=line.step.side is Side.LONG
        ),
        tooltip=lambda line: tr("on {account}").format(account=visible(line.step.account, 40)),
    ),
    Column(
        key="action",
        title=tr("Action"),
        width=PLANNED["action"],
        cell=lambda line: Cell(word(line.step)),
        tooltip=lambda line: _ROLES[line.step.role],
    ),
    Column(
        key="quantity",
        title=tr("Quantity"),
        align="right",
        width=PLANNED["quantity"],
        cell=_quantity,
        tooltip=_quantity_tooltip,
    ),
    Column(
        key="held",
        title=tr("Of held"),
        align="right",
        width=PLANNED["held"],
        cell=lambda line: Cell(percent(line.of_held, 1), raw=raw(line.of_held)),
        tooltip=_quantity_tooltip,
    ),
    Column(
        key="price",
        title=tr("Price"),
        align="right",
        width=PLANNED["price"],
        cell=lambda line: Cell(price(line.step.price, line.tick), raw=raw(line.step.price)),
        hint=tr("What a close would get now"),
    ),
    Column(
        key="unit",
        title=tr("Per unit"),
        unit="USD",
        align="right",
        width=PLANNED["unit"],
        cell=_unit,
        tooltip=_unit_tooltip,
        hint=tr("Result of closing one unit, after the fee of the close; entry fees are spent already"),
    ),
    Column(
        key="realizes",
        title=tr("Realizes"),
        unit="USD",
        align="right",
        width=PLANNED["realizes"],
        cell=_realizes,
        tooltip=_realizes_tooltip,
    ),
    Column(
        key="state",
        title=tr("State"),
        width=RUNNING["state"],
        cell=_state,
        tooltip=lambda line: visible(translated(line.step.note), 200),
        hidden=True,
    ),
)
