"""Which symbols and timeframes use which profile: the first line that fits counts."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from execution_engine.domain import document as documents
from execution_engine.domain.errors import SettingsError
from execution_engine.domain.settings import DEFAULT_GRID, Settings
from execution_engine.domain.timeframe import canonical
from execution_engine.ui.pages.settings.editors import QuietCombo
from execution_engine.ui.pages.settings.profiles import BINDINGS, ProfileBook
from execution_engine.ui.pages.settings.row import sentence
from execution_engine.ui.theme import px, restyle
from execution_engine.ui.tongue import inline, tr
from execution_engine.ui.widgets import Label, Panel, button

USUAL = {"symbol": "*", "timeframe": "*"}


class BindingsPanel(Panel):
    """Edit the bindings, and try out what they come to."""

    def __init__(self, book: ProfileBook) -> None:
        """Take the profiles."""
        super().__init__(
            tr("Bindings"), tr("the first line that fits counts; all others use the default profile")
        )
        self._book = book
        self.lines: list[tuple[QLineEdit, QLineEdit, QuietCombo]] = []
        self._shown: list[dict[str, Any]] | None = None
        self._names: list[str] = []
        self.new = button(tr("Add binding"), icon="plus", small=True)
        self.symbol, self.timeframe = QLineEdit("BTCUSDT"), QLineEdit("15")
        self.answer = Label("", "body", "text", wrap=True)
        self.fault = Label("", "small", "danger", wrap=True)
        self._body = QWidget()
        self.add_right(self.new)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(px(12), px(8), px(12), px(8))
        self._column.addWidget(self._body)
        self._column.addWidget(self.fault)
        self.add(self._column)
        self.add(self._trial())
        self.new.clicked.connect(self._add)
        for each in (self.symbol, self.timeframe):
            each.textChanged.connect(lambda _: self._try())
        book.sheet.changed.connect(self.refresh)
        book.chosen.connect(self.refresh)
        self.refresh()

    def _trial(self) -> QFrame:
        foot = QFrame()
        foot.setProperty("rule", "top")
        row = QHBoxLayout(foot)
        row.setContentsMargins(px(12), px(8), px(12), px(8))
        row.setSpacing(px(8))
        row.addWidget(Label(tr("Which profile gets"), "body", "text2"))
        for field, name, width in (
            (self.symbol, tr("Symbol to try"), 150),
            (self.timeframe, tr("Timeframe to try"), 64),
        ):
            field.setAccessibleName(name)
            field.setProperty("dense", "true")
            field.setFixedWidth(px(width))
            row.addWidget(field)
        row.addWidget(Label("?", "body", "text2"))
        row.addWidget(self.answer, 1)
        return foot

    # -- lines

    def refresh(self) -> None:
        """Show the bindings anew, if they are others than those that were typed here."""
        bindings = [USUAL | each for each in self._book.sheet.value(BINDINGS)]
        if bindings != self._shown or self._names != self._book.names:
            self._rebuild(bindings)
        said = self._book.sheet.fault(BINDINGS)
        self.fault.show_text(sentence(said))
        self.fault.setVisible(bool(said))
        for place, line in enumerate(self.lines):
            for column, field in zip(("symbol", "timeframe"), line[:2], strict=True):
                bad = bool(self._book.sheet.fault(f"{BINDINGS}.{place}.{column}"))
                if (field.property("bad") == "true") != bad:
                    restyle(field, bad="true" if bad else "false")
        self._try()

    def _rebuild(self, bindings: list[dict[str, Any]]) -> None:
        self._shown, self._names = bindings, self._book.names
        body = QWidget()
        grid = QGridLayout(body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(px(8))
        grid.setVerticalSpacing(px(4))
        self.lines = []
        if not bindings:
            grid.addWidget(
                Label(tr("Nothing is bound: every symbol uses the default profile."), "body", "text2"), 0, 0
            )
        for place, title in enumerate(
            ("", tr("Symbols"), tr("Timeframes"), tr("Profile")) if bindings else ()
        ):
            grid.addWidget(Label(title, "small", "text3"), 0, place)
        for place, binding in enumerate(bindings):
            self._line(grid, place, binding, len(bindings))
        grid.setColumnStretch(7, 1)
        self._column.replaceWidget(self._body, body)
        self._body.deleteLater()
        self._body = body

    def _line(self, grid: QGridLayout, place: int, binding: dict[str, Any], count: int) -> None:
        symbol, timeframe = QLineEdit(str(binding["symbol"])), QLineEdit(str(binding["timeframe"]))
        profile = QuietCombo()
        profile.addItems(self._names)
        profile.setCurrentText(str(binding["profile"]))
        for widget, name, width in (
            (symbol, inline(tr("Symbols")), 170),
            (timeframe, inline(tr("Timeframes")), 100),
            (profile, inline(tr("Profile")), 180),
        ):
            widget.setAccessibleName(tr("Binding {place}, {name}").format(place=place + 1, name=name))
            widget.setFixedWidth(px(width))
        grid.addWidget(Label(f"{place + 1}", "small", "text3"), place + 1, 0, Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(symbol, place + 1, 1)
        grid.addWidget(timeframe, place + 1, 2)
        grid.addWidget(profile, place + 1, 3)
        symbol.textEdited.connect(partial(self._edited, place, "symbol"))
        timeframe.textEdited.connect(partial(self._edited, place, "timeframe"))
        profile.textActivated.connect(partial(self._edited, place, "profile"))
        acts = (
            ("up", tr("Move up"), place > 0, partial(self._move, place, -1)),
            ("down", tr("Move down"), place < count - 1, partial(self._move, place, 1)),
            ("close", tr("Remove"), True, partial(self._remove, place)),
        )
        for column, (icon, tip, able, act) in enumerate(acts, 4):
            made = button(
                icon=icon,
                role="icon",
                small=True,
                tip=tr("{tip} binding {place}").format(tip=tip, place=place + 1),
            )
            made.setEnabled(able)
            made.clicked.connect(act)
            grid.addWidget(made, place + 1, column)
        self.lines.append((symbol, timeframe, profile))

    def _bindings(self) -> list[dict[str, Any]]:
        return [USUAL | each for each in self._book.sheet.value(BINDINGS)]

    def _edited(self, place: int, column: str, typed: str) -> None:
        bindings = self._bindings()
        bindings[place] = bindings[place] | {column: typed.strip()}
        self._shown = bindings  # what stands there was typed: no new lines under the cursor
        self._book.sheet.put(BINDINGS, bindings)

    def _add(self) -> None:
        self._book.sheet.put(BINDINGS, [*self._bindings(), USUAL | {"profile": self._book.current}])
        self.lines[-1][0].setFocus()
        self.lines[-1][0].selectAll()

    def _remove(self, place: int, _: bool = False) -> None:
        bindings = self._bindings()
        del bindings[place]
        self._book.sheet.put(BINDINGS, bindings)

    def _move(self, place: int, by: int, _: bool = False) -> None:
        bindings = self._bindings()
        bindings[place], bindings[place + by] = bindings[place + by], bindings[place]
        self._book.sheet.put(BINDINGS, bindings)

    # -- trying out

    def _try(self) -> None:
        settings = self._bound()
        if settings is None:
            self.answer.show_text(tr("Known as soon as nothing is wrong with the bindings."), "text3")
            return
        said, right = which(settings, self.symbol.text(), self.timeframe.text())
        self.answer.show_text(said, "text" if right else "danger")

    def _bound(self) -> Settings | None:
        """Return settings with these bindings, whatever is wrong elsewhere; None if it is wrong with them."""
        grid = {
            "default": self._book.default,
            "profiles": dict.fromkeys(self._book.names, DEFAULT_GRID),
            "bindings": self._bindings(),
        }
        try:
            return documents.check({"grid": grid})
        except SettingsError:
            return None


def which(settings: Settings, symbol: str, timeframe: str) -> tuple[str, bool]:
    """Say which profile a symbol and timeframe get and why, or what cannot be read."""
    exchange, _, name = symbol.strip().upper().rpartition(":")
    frame = canonical(timeframe.strip())
    if not name:
        return tr("Enter a symbol, as BTCUSDT or BINANCE:BTCUSDT.P."), False
    if frame is None:
        return tr("“{timeframe}” is no timeframe, as 15, 4h or 1D.").format(
            timeframe=timeframe.strip()
        ), False
    venue = exchange.lower() or "binance"
    for number, binding in enumerate(settings.grid.bindings, 1):
        if binding.matches(venue, name, frame):
            return tr("{profile}, by line {number}: {symbol} on {timeframe}").format(
                profile=binding.profile, number=number, symbol=binding.symbol, timeframe=binding.timeframe
            ), True
    return tr("{default}, the default: no line fits {name} on {frame}").format(
        default=settings.grid.default, name=name, frame=frame
    ), True
