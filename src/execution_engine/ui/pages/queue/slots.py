"""The pool: who holds the slots, and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import GroupStatus
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.ui.format import MISSING, exact, raw, result_token, signed_usd
from execution_engine.ui.holdings import Holding
from execution_engine.ui.pages.dashboard.positions import result_tooltip, status_cell
from execution_engine.ui.tables import (
    Cell,
    CellDelegate,
    Chip,
    Column,
    Number,
    Position,
    Progress,
    position_cell,
)
from execution_engine.ui.tables import progress_cell as bar
from execution_engine.ui.tongue import tr


def target_fraction(held: Holding) -> Decimal | None:
    """Return how far a group has come from its average entry to its common target."""
    group = held.group
    if held.price is None or group.avg_entry is None or group.aggregate_target is None:
        return None
    return (held.price - group.avg_entry) / (group.aggregate_target - group.avg_entry)


def _target(held: Holding) -> Cell:
    group = held.group
    if group.status is GroupStatus.CLOSING:
        return Cell(tr("closing now"), "text3")
    if not held.holds:
        return Cell(tr("no fill yet"), "text3")
    if group.tp_mode is TakeProfitMode.PER_LEG:
        return Cell(tr("leg by leg"), "text3")
    fraction = target_fraction(held)
    return Cell(MISSING, "text3") if fraction is None else bar(fraction)


def _target_tooltip(held: Holding) -> str:
    group, fraction = held.group, target_fraction(held)
    if group.tp_mode is TakeProfitMode.PER_LEG or fraction is None:
        return ""
    entry, target = exact(group.avg_entry), exact(group.aggregate_target)
    return f"({exact(held.price)} − {entry}) / ({target} − {entry})"


def delegates() -> dict[str, CellDelegate]:
    """Return what paints the columns."""
    return {
        "group": Position(),
        "state": Chip(),
        "target": Progress(70),
        "unrealized": Number(2),
    }


COLUMNS: Sequence[Column[Holding]] = (
    Column(
        key="group",
        title=tr("Slot held by"),
        width=200,
        cell=lambda held: position_cell(
            held.group.symbol, held.group.timeframe, long=held.group.side.sign > 0
        ),
        sort_key=lambda held: (held.group.symbol, held.group.timeframe),
        tooltip=lambda held: tr("Forced in above the limit") if held.group.forced else "",
    ),
    Column(
        key="pyramids",
        title=tr("Pyramids"),
        align="right",
        width=76,
        cell=lambda held: Cell(f"{held.group.pyramid_count} / {held.group.max_pyramids}"),
        sort_key=lambda held: held.group.pyramid_count,
        hint=tr("Entries of its key so far / how many it may have"),
    ),
    Column(
        key="state",
        title=tr("State"),
        width=136,
        cell=lambda held: status_cell(held),
        sort_key=lambda held: status_cell(held).text,
    ),
    Column(
        key="target",
        title=tr("Group target"),
        width=134,
        cell=_target,
        sort_key=target_fraction,
        tooltip=_target_tooltip,
        hint=tr("(price − average entry) / (common target − average entry)"),
    ),
    Column(
        key="unrealized",
        title=tr("Unrealized"),
        unit="USD",
        align="right",
        width=130,
        cell=lambda held: Cell(
            signed_usd(held.unrealized), result_token(held.unrealized), raw=raw(held.unrealized)
        ),
        sort_key=lambda held: held.unrealized or ZERO,
        tooltip=result_tooltip,
    ),
)
