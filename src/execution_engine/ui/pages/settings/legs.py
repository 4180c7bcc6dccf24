"""The legs of a profile: three numbers each to be typed, and what follows from them at a price."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLineEdit, QScrollArea, QWidget

from execution_engine.domain.grid import GridLeg
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.money import HUNDRED, ZERO, divide
from execution_engine.ui.format import MISSING, counted, number, price, quantity
from execution_engine.ui.icons import Mark
from execution_engine.ui.pages.settings.editors import NumberEdit, shown
from execution_engine.ui.pages.settings.profiles import COLUMNS, MOST_LEGS, PROFILES, ProfileBook
from execution_engine.ui.pages.settings.row import sentence
from execution_engine.ui.theme import px, restyle
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import ElidedLabel, Label, Panel, button

ROW = 30
MOST_ROWS = 9
SPENT = tr("Spent")
TITLES = (
    tr("Leg"),
    tr("Gap %"),
    tr("Weight %"),
    tr("Target %"),
    tr("Price"),
    tr("Quantity"),
    SPENT,
    tr("Target price"),
    tr("Average so far"),
)
WIDTHS = (56, 66, 72, 72, 84, 84, 84, 88, 100)
LEFT_OUT = (tr("Quantity"), tr("Average so far"))


class Cell(NumberEdit):
    """One number of a leg. entered: it has the cursor."""

    entered = Signal()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell which leg is worked on."""
        super().focusInEvent(event)
        self.entered.emit()


class LegsPanel(Panel):
    """Edit the legs of the profile that is looked at. picked: another leg is worked on."""

    picked = Signal(int)

    def __init__(self, book: ProfileBook) -> None:
        """Take the profiles."""
        super().__init__(" ")
        self._book = book
        self._spent = Label(SPENT, "small", "text3")
        self.picked_leg = 0
        self.cells: list[dict[str, Cell]] = []
        self._figures: list[list[Label]] = []
        self._narrow = False
        self._laid: tuple[Sequence[GridLeg], Instrument | None, str] = ((), None, "")
        self.name = QLineEdit()
        self.name.setProperty("dense", "true")
        self.name.setFixedWidth(px(130))
        self.name.setMaxLength(64)
        self.name.setAccessibleName(tr("Name of the profile"))
        self.is_default = Label(tr("default"), "small", "accent")
        self.make_default = button(tr("Make default"), "link", small=True)
        self.sum = ElidedLabel("", "small", "text3")
        self.add_button = button(tr("Add leg"), icon="plus", small=True)
        self.remove_button = button(tr("Remove leg"), small=True)
        self.up_button = button(
            icon="up", role="icon", small=True, tip=tr("Exchange weight and target with the leg above")
        )
        self.down_button = button(
            icon="down", role="icon", small=True, tip=tr("Exchange weight and target with the leg below")
        )
        self.even_button = button(tr("Even weights"), small=True, tip=tr("Give every leg the same weight"))
        self.mark = Mark(icon="tick", token="profit", size=px(14))
        self.said = Label("", "small", "text2", wrap=True)
        self.filled = Label("", "small", "text")
        self._lay_out()
        self._listen()
        self.rebuild()

    def _lay_out(self) -> None:
        self.heading.title.hide()
        self.heading.add_left(self.name)
        self.heading.add_left(self.is_default)
        self.heading.add_left(self.make_default)
        self.heading.add_left(self.sum)
        for each in (self.even_button, self.up_button, self.down_button, self.add_button, self.remove_button):
            self.heading.add_right(each)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.add(self._area)
        foot = QFrame()
        foot.setProperty("rule", "top")
        row = QHBoxLayout(foot)
        row.setContentsMargins(px(12), px(7), px(12), px(7))
        row.setSpacing(px(8))
        row.addWidget(self.mark, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.said, 1)
        row.addWidget(self.filled, alignment=Qt.AlignmentFlag.AlignTop)
        self.add(foot)

    def _listen(self) -> None:
        book = self._book
        book.chosen.connect(self.rebuild)
        book.sheet.changed.connect(self.refresh)
        self.name.textEdited.connect(lambda _: self._named())
        self.name.editingFinished.connect(self._name_left)
        self.add_button.clicked.connect(self._add)
        self.remove_button.clicked.connect(self._remove)
        self.up_button.clicked.connect(lambda: self._move(-1))
        self.down_button.clicked.connect(lambda: self._move(1))
        self.even_button.clicked.connect(book.even_weights)
        self.make_default.clicked.connect(book.make_default)

    # -- rows

    def rebuild(self) -> None:
        """Make the rows anew: there are others."""
        ground = QFrame()
        ground.setProperty("ground", "panel")
        grid = QGridLayout(ground)
        grid.setContentsMargins(px(4), 0, px(8), px(4))
        grid.setHorizontalSpacing(px(6))
        grid.setVerticalSpacing(0)
        legs = self._book.legs
        for place, title in enumerate(TITLES):
            label = Label(title, "small", "text3")
            label.setFixedHeight(px(28))
            if title == SPENT:
                self._spent = label
            left = Qt.AlignmentFlag.AlignLeft if place == 0 else Qt.AlignmentFlag.AlignRight
            label.setAlignment(left | Qt.AlignmentFlag.AlignVCenter)
            label.setContentsMargins(px(8) if place == 0 else 0, 0, 0, 0)
            grid.addWidget(label, 0, place)
            label.setVisible(not (self._narrow and title in LEFT_OUT))
            grid.setColumnMinimumWidth(place, 0 if self._narrow and title in LEFT_OUT else px(WIDTHS[place]))
            grid.setColumnStretch(place, 0 if place < 4 or (self._narrow and title in LEFT_OUT) else 1)
        self.cells = [self._row(grid, line, leg) for line, leg in enumerate(legs)]
        grid.setRowStretch(len(legs) + 1, 1)
        had = self._area.takeWidget()
        if had is not None:
            had.deleteLater()
        self._area.setWidget(ground)
        self._area.setFixedHeight(px(28) + px(ROW) * min(len(legs), MOST_ROWS) + px(6))
        if self.name.text() != self._book.current:
            self.name.setText(self._book.current)
        self.picked_leg = min(self.picked_leg, max(0, len(legs) - 1))
        self.refresh()

    def _row(self, grid: QGridLayout, line: int, leg: dict[str, str]) -> dict[str, Cell]:
        if line == 0:
            self._figures = []
        name = Label(tr("Leg {line}").format(line=line), "body", "text")
        name.setFixedHeight(px(ROW))
        name.setContentsMargins(px(8), 0, 0, 0)
        grid.addWidget(name, line + 1, 0)
        cells: dict[str, Cell] = {}
        for place, column in enumerate(COLUMNS):
            cell = Cell(unit="%")
            cell.setProperty("dense", "cell")
            cell.setFixedWidth(px(58))
            cell.setAccessibleName(tr("Leg {line}, {titles}").format(line=line, titles=TITLES[place + 1]))
            # As many decimals as the longest of the column: points stand under one another.
            places = max(_places(each[column]) for each in self._book.legs)
            cell.setText(shown(Decimal(leg[column]), places))
            cell.edited.connect(partial(self._edited, line, column))
            cell.entered.connect(partial(self._pick, line))
            grid.addWidget(cell, line + 1, place + 1, Qt.AlignmentFlag.AlignRight)
            cells[column] = cell
        figures = [Label(MISSING, "body", "text") for _ in range(5)]
        for place, figure in enumerate(figures):
            figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(figure, line + 1, place + 4)
            figure.setVisible(not (self._narrow and TITLES[place + 4] in LEFT_OUT))
        self._figures.append(figures)
        return cells

    def set_narrow(self, narrow: bool) -> None:
        """Leave columns out of a small window."""
        if narrow != self._narrow:
            self._narrow = narrow
            self.even_button.setVisible(not narrow)
            self.rebuild()
            self.show_legs(*self._laid)

    # -- edits

    def _edited(self, line: int, column: str, value: Decimal | str) -> None:
        self._book.set_cell(line, column, value)

    def _pick(self, line: int) -> None:
        self.picked_leg = line
        self.picked.emit(line)
        self.refresh()

    def _add(self) -> None:
        self.picked_leg = self._book.add_leg()
        self._focus()

    def _remove(self) -> None:
        self._book.remove_leg(self.picked_leg)

    def _move(self, by: int) -> None:
        self.picked_leg = self._book.move_leg(self.picked_leg, by)
        self.refresh()

    def _focus(self) -> None:
        cell: QWidget = self.cells[self.picked_leg][COLUMNS[0]]
        cell.setFocus()
        self._area.ensureWidgetVisible(cell)

    def _named(self) -> None:
        fault = self._book.rename(self.name.text())
        path = f"{PROFILES}.{self._book.current}.name"
        if fault:
            self._book.sheet.spoil(path, fault)
        else:
            self._book.sheet.mend(path)

    def _name_left(self) -> None:
        """Show the name it has, once the cursor is elsewhere."""
        self._book.sheet.mend(f"{PROFILES}.{self._book.current}.name")
        self.name.setText(self._book.current)

    # -- what is said

    def refresh(self) -> None:
        """Mark what is wrong, and what can be done."""
        book, legs = self._book, self._book.legs
        prefix = f"{PROFILES}.{book.current}"
        for line, cells in enumerate(self.cells[: len(legs)]):
            for column, cell in cells.items():
                bad = bool(book.sheet.fault(f"{prefix}.{line}.{column}"))
                if (cell.property("bad") == "true") != bad:
                    restyle(cell, bad="true" if bad else "false")
        name_bad = bool(book.sheet.fault(f"{prefix}.name"))
        if (self.name.property("bad") == "true") != name_bad:
            restyle(self.name, bad="true" if name_bad else "false")
        self.is_default.setVisible(book.current == book.default)
        self.make_default.setVisible(book.current != book.default)
        total = book.weights()
        right = total == HUNDRED
        self.sum.show_text(
            tr("{count} · weights add up to {total} %").format(
                count=counted(len(legs), tr("leg"), tr("legs")), total=shown(total)
            ),
            "text3" if right else "danger",
        )
        self.add_button.setEnabled(len(legs) < MOST_LEGS)
        self.remove_button.setEnabled(len(legs) > 1)
        self.remove_button.setToolTip(tr("Remove leg {picked_leg}").format(picked_leg=self.picked_leg))
        self.up_button.setEnabled(self.picked_leg > 0)
        self.down_button.setEnabled(self.picked_leg < len(legs) - 1)

    def show_legs(self, legs: Sequence[GridLeg], instrument: Instrument | None, fault: str) -> None:
        """Show what follows from the legs at a price, and what is wrong with them."""
        self._laid = (legs, instrument, fault)
        if instrument is not None:
            self._spent.show_text(f"{SPENT} {instrument.quote}")
        cost = held = ZERO
        whole = len(legs) == len(self._figures)
        for line, labels in enumerate(self._figures):
            if not whole or instrument is None:
                for label in labels:
                    label.show_text(MISSING, "text3")
                continue
            leg = legs[line]
            cost, held = cost + leg.notional, held + leg.quantity
            average = divide(cost, held) if held else ZERO
            texts = (
                price(leg.price, instrument.tick),
                quantity(leg.quantity, instrument.step),
                number(leg.notional, 2),
                price(leg.tp_price, instrument.tick),
                price(average, instrument.tick) if held else MISSING,
            )
            for label, text in zip(labels, texts, strict=True):
                label.show_text(text, "text")
        own = self._book.fault()
        wrong = own or fault
        self.mark.show_icon("error" if wrong else "tick", "danger" if own else "warn" if wrong else "profit")
        least = (
            ""
            if instrument is None
            else tr("; every leg is above {min_notional} {quote}").format(
                min_notional=shown(instrument.min_notional), quote=instrument.quote
            )
        )
        self.said.show_text(
            sentence(wrong)
            if wrong
            else tr("Gaps move strictly away; weights add up{least}.").format(least=least),
            "danger" if own else "text2",
        )
        done = whole and instrument is not None and held
        self.filled.show_text(
            tr("All filled: {cost} {quote} at {cost_2}").format(
                cost=number(cost, 2),
                quote=instrument.quote,
                cost_2=price(divide(cost, held), instrument.tick),
            )
            if done and instrument is not None
            else ""
        )


def _places(text: str) -> int:
    """Return how many decimals are written; none where it is no number yet."""
    return max(0, -int(Decimal(text).as_tuple().exponent))
