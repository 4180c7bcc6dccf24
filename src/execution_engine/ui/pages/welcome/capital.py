"""The third step: capital and positions, from a template."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout

from execution_engine.domain import document as documents
from execution_engine.domain.errors import SettingsError
from execution_engine.domain.exposure import worst_case
from execution_engine.domain.settings import Settings
from execution_engine.domain.templates import TEMPLATES, Template, applied
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import counted, number, usd
from execution_engine.ui.icons import Mark
from execution_engine.ui.pages.welcome.choice import ChoicePanel, Choices
from execution_engine.ui.pages.welcome.outcome import OutcomeStrip
from execution_engine.ui.pages.welcome.step import Step
from execution_engine.ui.theme import px, restyle
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Label, NumberField

CAPITAL, POSITIONS = "capital.total_usd", "pool.max_open_groups"
OWN = tr("Your own values are in force; a template takes their place.")


class CapitalStep(Step):
    """Ask for capital and positions."""

    name: ClassVar = tr("Capital and positions")
    about: ClassVar = tr("from a template")
    question: ClassVar = tr("How much, in how many positions?")
    sentence: ClassVar = tr(
        "A template is a set of values that fit together; each of them can be changed in Settings. The capital is "
        "divided evenly: so much may one position have."
    )

    def __init__(self, bridge: Bridge) -> None:
        """Begin with what is in force."""
        super().__init__(bridge)
        self.templates = Choices([(each.name, _panel(each)) for each in TEMPLATES], tr("Template"))
        self.capital = NumberField(unit="USD", step=Decimal(1000), places=2, name=tr("Capital"))
        self.positions = NumberField(step=Decimal(1), name=tr("Positions at once"))
        self.faults = {path: Label("", "small", "danger", wrap=True) for path in (CAPITAL, POSITIONS)}
        self.each = Label("", "small", "text3", wrap=True)
        self.worst = _Worst()
        self.outcome = OutcomeStrip(bridge)
        self._own = Label(OWN, "small", "text2", wrap=True)
        self.add(self.templates)
        self.add(self._own)
        self.add(self._fields())
        self.add(self.worst)
        self.add(self.said)
        self.add(self.outcome)
        self.templates.chosen.connect(self._take)
        for field in (self.capital, self.positions):
            field.textEdited.connect(lambda _: self._judge())
            field.value_changed.connect(lambda _: self._judge())
            field.returnPressed.connect(self._entered)
        bridge.changed.connect(self._changed)
        self._fill()

    def _fields(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(4))
        rows = (
            (CAPITAL, tr("Capital"), self.capital, self.each),
            (
                POSITIONS,
                tr("Positions at once"),
                self.positions,
                Label(tr("more alerts wait in the queue"), "small", "text3", wrap=True),
            ),
        )
        for line, (path, caption, field, beside) in enumerate(rows):
            label = Label(caption, "body", "text2")
            label.setBuddy(field)
            label.setMinimumWidth(px(140))
            field.setFixedWidth(px(180))
            self.faults[path].hide()
            grid.addWidget(label, 2 * line, 0)
            grid.addWidget(field, 2 * line, 1)
            grid.addWidget(beside, 2 * line, 2)
            grid.addWidget(self.faults[path], 2 * line + 1, 1, 1, 2)
        grid.setColumnStretch(2, 1)
        return grid

    # -- what is chosen

    def _fill(self) -> None:
        """Show what is in force."""
        settings = self.bridge.doors.settings()
        matching = next((each.name for each in TEMPLATES if _is_in_force(each, settings)), "")
        self.templates.set_value(matching)
        self._show(settings)

    def _show(self, settings: Settings) -> None:
        for field, value in (
            (self.capital, settings.capital.total_usd),
            (self.positions, Decimal(settings.pool.max_open_groups)),
        ):
            field.blockSignals(True)
            field.set_value(value)
            field.blockSignals(False)
        self._judge()

    def _take(self, name: str) -> None:
        """Let the fields show a template's values; the capital stays."""
        template = next(each for each in TEMPLATES if each.name == name)
        self.positions.set_value(Decimal(template.values[POSITIONS]))
        self._judge()

    def wanted(self) -> Settings | None:
        """Return what Continue would save; None while something is wrong, which is then said at its field."""
        settings = self.bridge.doors.settings()
        chosen = next((each for each in TEMPLATES if each.name == self.templates.value()), None)
        if chosen is not None:
            settings = applied(settings, chosen)
        sound = True
        for path, field in ((CAPITAL, self.capital), (POSITIONS, self.positions)):
            value, fault = field.value(), field.why or tr("Enter a number.")
            if value is not None:
                plain = int(value) if path == POSITIONS and value == value.to_integral_value() else str(value)
                try:
                    settings, fault = documents.with_value(settings, path, plain), ""
                except SettingsError as error:
                    fault = translated(error.faults[0].message)
            self.faults[path].show_text(_sentence(fault))
            self.faults[path].setVisible(bool(fault))
            field.mark(bad=bool(fault))
            sound = sound and not fault
        return settings if sound else None

    def _judge(self) -> None:
        wanted = self.wanted()
        self._own.setVisible(not self.templates.value())
        if wanted is not None:
            self.each.show_text(
                tr("{amount} USD for each position{balance}").format(
                    amount=usd(wanted.group_capital()), balance=self._balance()
                )
            )
            self.worst.show_settings(wanted)
            self.outcome.show_settings(wanted)
        self.changed.emit()

    def _balance(self) -> str:
        free = self.bridge.balances.get("paper", {}).get("USDT")
        return tr("; {amount} are free on paper").format(amount=usd(free)) if free is not None else ""

    def _entered(self) -> None:
        if self.may_go_on():
            self.go_on()

    def _changed(self, batch: Batch) -> None:
        if batch.whole or batch.settings:
            self._fill()

    # -- what the guide asks

    def verb(self) -> str:
        wanted = self.wanted()
        same = wanted is not None and wanted == self.bridge.doors.settings()
        return tr("Continue") if same else tr("Save and continue")

    def may_go_on(self) -> bool:
        return self.wanted() is not None

    def go_on(self) -> None:
        wanted = self.wanted()
        if wanted is not None:
            self.save(wanted)

    def shown(self) -> None:
        self._judge()

    def begin(self) -> None:
        self.templates.begin()


def _panel(template: Template) -> ChoicePanel:
    return ChoicePanel(tr(template.name), _lines(template), tr(template.sentence))


def _lines(template: Template) -> Sequence[str]:
    values = template.values
    shared = values["capital.pyramid_capital"] == "split"
    pyramids = counted(int(values["pool.max_pyramids"]), tr("pyramid"), tr("pyramids"))
    return (
        tr("{count} at once").format(count=counted(int(values[POSITIONS]), tr("position"), tr("positions"))),
        tr("{pyramids}, one capital for all").format(pyramids=pyramids)
        if shared
        else tr("{pyramids}, each with its own capital").format(pyramids=pyramids),
    )


def _is_in_force(template: Template, settings: Settings) -> bool:
    return applied(settings, template) == settings


def _sentence(fault: str) -> str:
    ends = "" if fault.endswith(".") else "."
    return f"{fault[:1].upper()}{fault[1:]}{ends}" if fault else ""


class _Worst(QFrame):
    """Say the worst case in a sentence, loudly where it is more than the capital."""

    def __init__(self) -> None:
        super().__init__()
        self.mark = Mark(icon="info", token="text2", size=px(16))
        self.words = Label("", "body", "text", wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(px(12), px(10), px(12), px(10))
        row.setSpacing(px(8))
        row.addWidget(self.mark, alignment=Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.addWidget(self.words)
        row.addLayout(column, 1)
        self.setProperty("note", "warn")

    def show_settings(self, settings: Settings) -> None:
        worst = worst_case(settings)
        loud = worst.times > 1
        if (self.property("note") == "warn") != loud:
            restyle(self, note="warn" if loud else "calm")
        self.mark.show_icon("warning" if loud else "info", "warn" if loud else "text2")
        self.words.show_text(
            tr(
                "Worst case, with every position, pyramid and leg filled: {amount} USD, {times} × the "
                "capital."
            ).format(amount=usd(worst.total), times=number(worst.times, 1))
        )
