"""The panel of targets: who is told what happens while nobody looks, and whether they take it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QDialog, QFrame, QGridLayout, QHBoxLayout

from execution_engine.domain import document as documents
from execution_engine.domain.errors import Refusal
from execution_engine.domain.facts import Level
from execution_engine.domain.inputs import Answer, SaveSettings
from execution_engine.domain.notify import TargetShown
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.doors import Targets
from execution_engine.ui.format import ago, visible
from execution_engine.ui.icons import Mark
from execution_engine.ui.panels.rows import NamedRows
from execution_engine.ui.panels.target_asking import TargetDialog
from execution_engine.ui.shapes import Shape
from execution_engine.ui.theme import Token, px
from execution_engine.ui.tongue import later, tr, translated
from execution_engine.ui.widgets import ConfirmDialog, ElidedLabel, Label, Panel, button

REFRESH_MS = 1000
AS_FOR_ALL = tr("As for all")
# What addresses begin with, as people call it.
_KINDS = {
    "tgram": "Telegram",
    "discord": "Discord",
    "https": tr("Web address"),
    "mailto": tr("E-mail"),
    "mailtos": tr("E-mail"),
    "json": tr("Webhook"),
    "jsons": tr("Webhook"),
}


class TargetsPanel(Panel):
    """List the targets, add, test and remove them, and choose from which level each is told."""

    def __init__(self, bridge: Bridge) -> None:
        """Show those that there are."""
        super().__init__(tr("Targets"), tr("told outside of the window, by the rules below"))
        self._bridge = bridge
        self.dialog: QDialog | None = None
        self.add_button = button(tr("Add target…"), icon="plus", small=True)
        self.said = Label("", "small", "text2", wrap=True)
        self.said.setContentsMargins(px(12), 0, px(12), px(8))
        self.said.hide()
        self.add_right(self.add_button)
        nobody = tr("Nobody outside is told. Add Telegram, Discord, e-mail or another place.")
        self._list = NamedRows(self._row, Label(nobody, "body", "text2"))
        self.rows = self._list.rows
        self.add(self._list)
        self.add(self.said)
        self.add_button.clicked.connect(self._ask_for_new)
        bridge.changed.connect(self._changed)
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow what is sent while somebody looks."""
        self.refresh()
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody does."""
        self._timer.stop()
        super().hideEvent(event)

    def _changed(self, batch: Batch) -> None:
        if batch.whole or batch.settings:
            self.refresh()

    def refresh(self) -> None:
        """Show every target as it is now."""
        targets = self._bridge.doors.targets()
        self._list.lay_out([target.name for target in targets])
        wanted = self._bridge.doors.settings().notifications.targets
        for target in targets:
            level = wanted[target.name].level if target.name in wanted else None
            self.rows[target.name].show_target(
                target, Level(level.value) if level else None, self._bridge.doors.now()
            )

    def _row(self, name: str) -> TargetRow:
        row = TargetRow(name)
        row.test.clicked.connect(partial(self._test, name))
        row.remove.clicked.connect(partial(self._ask_to_remove, name))
        row.toggle.clicked.connect(partial(self._toggle, name))
        row.level.activated.connect(partial(self._choose_level, name))
        return row

    # -- what the user wants

    def _test(self, name: str) -> None:
        row = self.rows[name]
        row.test.setEnabled(False)
        self._say(tr("A test is on its way to {name}…").format(name=visible(name, 40)))

        def done(reply: str | Refusal) -> None:
            if (now := self.rows.get(name)) is not None:
                now.test.setEnabled(True)
            self._say(reply)

        self._act(lambda change: change.test(name), done)

    def _toggle(self, name: str) -> None:
        target = self._bridge.doors.settings().notifications.targets.get(name)
        if target is not None:
            self._save(name, "enabled", not target.enabled)

    def _choose_level(self, name: str, index: int) -> None:
        self._save(name, "level", self.rows[name].level.itemData(index))

    def _save(self, name: str, field: str, value: object) -> None:
        plain = self._bridge.doors.settings().model_dump(mode="json")
        plain["notifications"]["targets"][name][field] = value
        settings = documents.check(plain)
        note = later("target {name}: {field} changed in the window").format(name=name, field=field)
        self._bridge.wish(SaveSettings(document=documents.dump(settings), note=note), self._saved)

    def _saved(self, reply: Answer | Refusal) -> None:
        if isinstance(reply, Refusal):
            self._say(reply)
        self.refresh()

    def _ask_for_new(self) -> None:
        dialog = TargetDialog(self.window())

        def done(reply: str | Refusal) -> None:
            if isinstance(reply, Refusal):
                dialog.fail(visible(translated(reply.message), 300))
            else:
                dialog.accept()
                self._say(reply)
                self.refresh()

        def wanted() -> None:
            name, address = dialog.name.text().strip(), dialog.address
            self._act(lambda change: change.add(name, address), done)

        dialog.wanted.connect(wanted)
        self._open(dialog)

    def _ask_to_remove(self, name: str) -> None:
        shown = visible(name, 40)
        dialog = ConfirmDialog(
            tr("Remove target"),
            tr("Tell {shown} nothing any more?").format(shown=shown),
            tr("Remove"),
            explanation=tr("Its address is deleted from the vault, and what waits for it is not sent."),
            parent=self.window(),
        )

        def done(reply: str | Refusal) -> None:
            if isinstance(reply, Refusal):
                dialog.fail(visible(translated(reply.message), 240))
            else:
                dialog.accept()
                self._say(reply)
                self.refresh()

        def confirmed() -> None:
            dialog.busy()
            self._act(lambda change: change.remove(name), done)

        dialog.confirmed.connect(confirmed)
        self._open(dialog)

    def _act(self, act: Callable[[Targets], Awaitable[str]], done: Callable[[str | Refusal], None]) -> None:
        change = self._bridge.doors.change_targets
        if change is not None:
            self._bridge.run(act(change), done)

    def _open(self, dialog: QDialog) -> None:
        self.dialog = dialog
        dialog.finished.connect(dialog.deleteLater)
        dialog.finished.connect(self._answered)
        dialog.open()

    def _answered(self) -> None:
        self.dialog = None

    def _say(self, reply: str | Refusal) -> None:
        self.said.show_text(visible(translated(reply.message if isinstance(reply, Refusal) else reply), 300))
        self.said.show()


class TargetRow(QFrame):
    """One target: what it is, from which level it is told, and whether it takes it."""

    def __init__(self, name: str) -> None:
        """Take the name; the rest comes by `show_target`."""
        super().__init__()
        shown = visible(name, 40)
        self.setAccessibleName(tr("Target {shown}").format(shown=shown))
        self.light = Mark("ring", "neutral", size=px(10))
        self.kind = Label("", "small", "text2")
        self.state = ElidedLabel("", "small", "text3")
        self.level = QComboBox()
        self.level.setAccessibleName(tr("Least level that {shown} is told").format(shown=shown))
        self.level.addItem(AS_FOR_ALL, None)
        for level in Level:
            self.level.addItem(tr("Level ≥ {level}").format(level=level.value), level.value)
        self.toggle = button(tr("Turn off"), small=True)
        self.toggle.setMinimumWidth(px(68))  # in either of its words
        self.test = button(
            tr("Send test"), small=True, tip=tr("Send {shown} a message now").format(shown=shown)
        )
        self.remove = button(role="icon", icon="close", tip=tr("Remove {shown}…").format(shown=shown))
        grid = QGridLayout(self)
        grid.setContentsMargins(px(12), px(8), px(8), px(8))
        grid.setHorizontalSpacing(px(10))
        grid.setVerticalSpacing(px(2))
        top = QHBoxLayout()
        top.setSpacing(px(10))
        top.addWidget(Label(shown, "body", "text", weight=600))
        top.addWidget(self.kind)
        top.addStretch(1)
        grid.addWidget(self.light, 0, 0)
        grid.addLayout(top, 0, 1)
        grid.addWidget(self.state, 1, 1)
        grid.setColumnStretch(1, 1)
        for place, tool in enumerate((self.level, self.test, self.toggle, self.remove), 2):
            grid.addWidget(tool, 0, place, 2, 1)

    def show_target(self, target: TargetShown, level: Level | None, now: datetime) -> None:
        """Show it as it is now."""
        self.kind.show_text(_KINDS.get(target.kind, target.kind) or tr("address unknown"))
        shape, token, text = _state(target, now)
        self.light.show_shape(shape, token)
        self.state.show_text(visible(text, 300))
        self.state.setToolTip(visible(text, 600))
        self.toggle.setText(tr("Turn off") if target.enabled else tr("Turn on"))
        if not self.level.view().isVisible():
            self.level.setCurrentIndex(0 if level is None else 1 + list(Level).index(level))


def _state(target: TargetShown, now: datetime) -> tuple[Shape, Token, str]:
    if not target.enabled:
        return "ring", "neutral", tr("off")
    lost = tr(" · {lost} given up").format(lost=target.lost) if target.lost else ""
    if target.trouble:
        waiting = tr("{waiting} waiting · ").format(waiting=target.waiting) if target.waiting else ""
        return "warning", "warn", f"{waiting}{translated(target.trouble)}{lost}"
    if target.last_at is None:
        return "ring", "accent", tr("nothing told yet since the start")
    return (
        "disc",
        "profit",
        tr("{sent} told, the last {span}{lost}").format(
            sent=target.sent, span=ago(now - target.last_at), lost=lost
        ),
    )
