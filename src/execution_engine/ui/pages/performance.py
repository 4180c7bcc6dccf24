"""The closed trades; curves and statistics per pair and month are to come."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import History
from execution_engine.domain.instrument import Side
from execution_engine.domain.rows import Group
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import (
    counted,
    exact,
    local_moment,
    raw,
    result_token,
    signed_usd,
    span,
    usd,
    utc_text,
    visible,
)
from execution_engine.ui.pages.page import Page
from execution_engine.ui.tables import Cell, Column, Number, Position, TableModel, TableView, position_cell
from execution_engine.ui.widgets import Label, PageBar, SearchField

MOST = 500
WIDE = {
    "closed": 130,
    "position": 196,
    "account": 110,
    "quantity": 130,
    "held": 90,
    "fees": 96,
    "realized": 124,
    "why": 260,
}
NARROW = {"closed": 130, "position": 196, "quantity": 110, "held": 80, "realized": 116, "why": 260}


class PerformancePage(Page):
    """List what was traded."""

    title = "Performance"

    def __init__(self, bridge: Bridge) -> None:
        """Read the closed groups when it is first looked at."""
        super().__init__()
        self._bridge = bridge
        self._late = True
        self._busy = False
        self._wanted: int | None = None
        self.model: TableModel[Group] = TableModel(
            _COLUMNS,
            key=lambda group: group.id,
            default_sort=lambda group: -(group.closed_at or group.created_at).timestamp(),
        )
        delegates = {"position": Position(), "realized": Number(2), "fees": Number(2)}
        self.table = TableView(self.model, delegates, name="Trades")
        self.search = SearchField()
        self.counted = Label("", "small", "text3")
        bar = PageBar(self.title)
        bar.add(self.search)
        bar.add_right(self.counted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self.table, 1)
        self.search.textChanged.connect(self._filter)
        self.table.set_empty("No trade was closed yet.")
        bridge.changed.connect(self._changed)

    def set_narrow(self, narrow: bool) -> None:
        """Show the columns for which there is room."""
        self.table.show_columns(NARROW if narrow else WIDE)

    def focus_rows(self) -> None:
        """Let the arrow keys walk through the trades."""
        self.table.setFocus()

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.search.setFocus()

    def go_to(self, key: int) -> None:
        """Show a trade, once it was read."""
        self.search.clear()
        if not self.table.select(key):
            self._wanted = key

    def shown(self) -> None:
        """Read what closed meanwhile."""
        if self._late:
            self.refresh()

    def refresh(self) -> None:
        """Read the closed groups again."""
        if not self._busy:
            self._busy, self._late = True, False
            self._bridge.run(self._bridge.doors.read_closed(MOST), self._read)

    def _read(self, closed: Sequence[History] | Refusal) -> None:
        self._busy = False
        if isinstance(closed, Refusal):
            self.table.set_empty(f"The trades could not be read: {visible(closed.message, 200)}")
            return
        self.model.replace([each.group for each in closed if each.group.filled_quantity])
        if self._wanted is not None and self.table.select(self._wanted):
            self._wanted = None
        count = len(self.model)
        last = f"the last {count:,} trades" if count >= MOST else counted(count, "trade")
        self.counted.show_text(f"{last} · curves, ratios and the calendar are to come")

    def _changed(self, batch: Batch) -> None:
        closed = (self._bridge.groups.get(id) for id in batch.groups)
        if batch.whole or any(group is None or not group.holds_slot for group in closed):
            self._late = True
            if self.isVisible():
                self.refresh()

    def _filter(self, text: str) -> None:
        wanted = text.strip().casefold()
        self.model.set_filter((lambda group: wanted in group.symbol.casefold()) if wanted else None)
        shown = f"No trade matches “{visible(text.strip(), 30)}”." if wanted else "No trade was closed yet."
        self.table.set_empty(shown, [("Clear filter", self.search.clear)] if wanted else [])


def _held(group: Group) -> str:
    begun = group.filled_at or group.created_at
    return span((group.closed_at or begun) - begun)


_COLUMNS: Sequence[Column[Group]] = (
    Column(
        key="closed",
        title="Closed",
        width=130,
        cell=lambda group: Cell(local_moment(group.closed_at), raw=str(group.closed_at or "")),
        sort_key=lambda group: group.closed_at,
        tooltip=lambda group: utc_text(group.closed_at),
    ),
    Column(
        key="position",
        title="Position",
        width=196,
        cell=lambda group: position_cell(group.symbol, group.timeframe, long=group.side is Side.LONG),
        sort_key=lambda group: (group.symbol, group.timeframe),
    ),
    Column(
        key="account",
        title="Account",
        width=110,
        cell=lambda group: Cell(group.account),
        sort_key=lambda group: group.account,
    ),
    Column(
        key="quantity",
        title="Quantity",
        align="right",
        width=130,
        cell=lambda group: Cell(exact(group.filled_quantity), raw=raw(group.filled_quantity)),
        hint="What the entries filled, in the base currency",
    ),
    Column(
        key="held",
        title="Held",
        align="right",
        width=90,
        cell=lambda group: Cell(_held(group)),
        sort_key=lambda group: (group.closed_at or group.created_at) - (group.filled_at or group.created_at),
    ),
    Column(
        key="fees",
        title="Fees",
        unit="USD",
        align="right",
        width=96,
        cell=lambda group: Cell(usd(group.fees), raw=raw(group.fees)),
        sort_key=lambda group: group.fees,
    ),
    Column(
        key="realized",
        title="Realized",
        unit="USD",
        align="right",
        width=124,
        cell=lambda group: Cell(
            signed_usd(group.realized), result_token(group.realized), raw=raw(group.realized)
        ),
        sort_key=lambda group: group.realized,
        tooltip=lambda group: f"{exact(group.realized)} {group.quote}, fees included",
    ),
    Column(
        key="why",
        title="Why",
        width=260,
        cell=lambda group: Cell(visible(group.close_reason), "text2"),
    ),
)
