"""The panels of targets and latency: what is seen, and what each button does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from execution_engine.domain import document as documents
from execution_engine.domain.errors import EngineError
from execution_engine.domain.inputs import SaveSettings
from execution_engine.domain.notify import TargetShown
from execution_engine.domain.observation import Latency, Stage
from execution_engine.ui.panels.latency import LatencyPanel
from execution_engine.ui.panels.target_asking import TargetDialog
from execution_engine.ui.panels.targets import TargetsPanel
from execution_engine.ui.widgets import ConfirmDialog
from tests.house import NOON
from tests.ui.house_bridge import WatchedHouse
from tests.waiting import until


class Outside:
    """Places that are told, and what was asked of them."""

    def __init__(self, house: WatchedHouse) -> None:
        self.house = house
        self.addresses: dict[str, str] = {}
        self.refusal = ""
        self.tested: list[str] = []
        self.state = TargetShown(name="", kind="tgram")
        self.bundles: list[Path] = []
        doors = replace(
            house.bridge.doors,
            targets=self.targets,
            change_targets=self,
            latencies=lambda: (
                Latency(stage=Stage.ANSWER, count=1204, p50_ms=3.94, p95_ms=12, p99_ms=250.4),
                Latency(stage=Stage.ORDER, count=0),
            ),
            write_diagnostics=self.write,
        )
        house.bridge.attach(doors)

    def targets(self) -> tuple[TargetShown, ...]:
        wanted = self.house.book.settings.notifications.targets
        return tuple(replace(self.state, name=name, enabled=each.enabled) for name, each in wanted.items())

    async def add(self, name: str, address: str) -> str:
        if self.refusal:
            raise EngineError(self.refusal)
        self.addresses[name] = address
        self.save(name)
        return f"{name} is told from now on."

    def save(self, *names: str) -> None:
        plain = self.house.book.settings.model_dump(mode="json")
        plain["notifications"]["targets"] = {name: {} for name in names}
        self.house.desk.post(SaveSettings(document=documents.dump(documents.check(plain)), note=""))

    async def test(self, name: str) -> str:
        self.tested.append(name)
        if self.refusal:
            raise EngineError(self.refusal)
        return f"{name} took the test message."

    async def remove(self, name: str) -> str:
        self.addresses.pop(name)
        self.save()
        return f"{name} is told nothing any more."

    async def write(self, path: Path) -> str:
        self.bundles.append(path)
        return f"{path} was written."


@pytest.fixture
def outside(qapp: QApplication) -> Outside:
    return Outside(WatchedHouse())


@pytest.fixture
def panel(outside: Outside, qtbot: QtBot) -> Iterator[TargetsPanel]:
    made = TargetsPanel(outside.house.bridge)
    qtbot.addWidget(made)
    made.resize(860, 320)
    made.show()
    yield made
    if made.dialog is not None:
        made.dialog.close()


async def test_a_target_is_added_field_by_field(qloop: object, outside: Outside, panel: TargetsPanel) -> None:
    panel.add_button.click()
    dialog = panel.dialog
    assert isinstance(dialog, TargetDialog)
    assert not dialog.confirm.isEnabled()
    dialog.name.setText("phone")
    dialog.fields["token"].setText("123:AA")
    assert dialog.fields["token"].echoMode() is QLineEdit.EchoMode.PasswordEchoOnEdit
    assert not dialog.confirm.isEnabled()
    dialog.fields["chat"].setText(" 42 ")
    outside.refusal = "This is no address that is understood."
    dialog.confirm.click()
    assert not dialog.confirm.isEnabled()  # it is at work
    await until(lambda: dialog.confirm.isEnabled())
    dialog.kind.chosen.emit("discord")
    assert list(dialog.fields) == ["address"]
    assert dialog.name.text() == "phone"
    dialog.kind.chosen.emit("telegram")
    assert dialog.fields["token"].text() == "123:AA"  # nothing that was entered is lost
    outside.refusal = ""
    dialog.confirm.click()
    await until(lambda: panel.dialog is None)
    assert outside.addresses == {"phone": "tgram://123:AA/42"}
    assert list(panel.rows) == ["phone"]
    assert panel.said.text() == "phone is told from now on."


async def test_a_test_says_what_became_of_it(qloop: object, outside: Outside, panel: TargetsPanel) -> None:
    outside.save("phone")
    panel.refresh()
    row = panel.rows["phone"]
    outside.refusal = "phone did not take the test: error=401"
    row.test.click()
    assert not row.test.isEnabled()
    await until(lambda: panel.said.text() == outside.refusal)
    assert row.test.isEnabled()
    assert outside.tested == ["phone"]


async def test_a_target_is_removed_after_a_question(
    qloop: object, outside: Outside, panel: TargetsPanel
) -> None:
    await outside.add("phone", "tgram://x")
    panel.refresh()
    panel.rows["phone"].remove.click()
    assert isinstance(panel.dialog, ConfirmDialog)
    panel.dialog.confirmed.emit()
    await until(lambda: panel.dialog is None)
    assert outside.addresses == {}
    assert panel.rows == {}


async def test_it_is_turned_off_and_told_from_a_level_on(
    qloop: object, outside: Outside, panel: TargetsPanel
) -> None:
    def target():  # type: ignore[no-untyped-def]
        return outside.house.book.settings.notifications.targets["phone"]

    outside.save("phone")
    panel.refresh()
    row = panel.rows["phone"]
    assert row.state.text() == "nothing told yet since the start"
    row.level.setCurrentIndex(4)
    row.level.activated.emit(4)
    await until(lambda: target().level is not None)
    assert target().level.value == "ERROR"
    row.toggle.click()
    await until(lambda: not target().enabled)
    panel.refresh()
    assert (row.toggle.text(), row.state.text()) == ("Turn on", "off")
    assert row.level.currentText() == "Level ≥ ERROR"


def test_a_row_says_what_is_told_and_what_is_not_taken(outside: Outside, panel: TargetsPanel) -> None:
    outside.save("phone")
    outside.state = TargetShown(
        name="", kind="tgram", sent=3, last_at=outside.house.clock.now() - timedelta(minutes=2)
    )
    panel.refresh()
    row = panel.rows["phone"]
    assert (row.kind.text(), row.state.text()) == ("Telegram", "3 told, the last 2 min ago")
    outside.state = replace(outside.state, trouble="error=503", waiting=2, lost=1, kind="")
    panel.refresh()
    assert row.state.text() == "2 waiting · error=503 · 1 given up"
    assert row.kind.text() == "address unknown"


async def test_latencies_are_shown_with_a_dash_where_nothing_was_measured(
    qloop: object, outside: Outside, qtbot: QtBot
) -> None:
    panel = LatencyPanel(outside.house.bridge)
    qtbot.addWidget(panel)
    panel.show()
    shown = {
        heading: panel.cells[Stage.ANSWER, heading].text() for heading in ("p50", "p95", "p99", "measured")
    }
    assert shown == {"p50": "3.9", "p95": "12.0", "p99": "250", "measured": "1,204"}
    assert panel.cells[Stage.ORDER, "p95"].text() == "–"
    panel.bundle.click()
    await until(lambda: "was written" in panel.said.text())
    [path] = outside.bundles
    assert path.name.startswith(f"diagnostics-{NOON.astimezone():%Y-%m-%d}")
