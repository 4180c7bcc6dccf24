"""The user: closes, pauses, changes settings, and in the end decides what is left to be decided."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from execution_engine.domain import document as documents
from execution_engine.domain.errors import SettingsError
from execution_engine.domain.inputs import (
    CancelLegs,
    CloseAll,
    DecideFinding,
    ExitGroup,
    Input,
    Pause,
    Promote,
    RemoveQueued,
    Replay,
    Resume,
    RunRisk,
    SaveSettings,
    SetRisk,
    SetTakeProfitMode,
)
from execution_engine.domain.rows import Choice, Group, QueuedSignal
from execution_engine.domain.signal import TakeProfitMode
from tests.simulation.program import Event

if TYPE_CHECKING:
    from tests.simulation.world import History

MODES = tuple(TakeProfitMode)
FIRST = ("book", "release")  # of what can be chosen; the rest as it comes
CHOICES = tuple(sorted(Choice, key=lambda choice: (choice not in FIRST, choice == "dismiss")))


class Trader:
    """Sits at the window while the program is up."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._chance = Random(f"{history.program.seed}/trader")
        self._wanted_pause = False

    def command(self, event: Event) -> None:
        """Do what the program plans, to whatever there is at that moment."""
        wish = getattr(self, f"_{event['what']}")(event)
        if wish is not None:
            self.post(wish)

    def post(self, wish: Input) -> None:
        life = self._history.machine.life
        if life is not None and life.alive:
            life.post(wish, lambda told: self._history.tell("trader", f"{type(wish).__name__}: {told}"))

    def attend(self) -> None:
        """Leave nothing undecided at the end: go on if paused, decide on what was found."""
        life = self._history.machine.life
        if life is None or not life.alive:
            return
        if life.book.engine.paused and not self._history.closing:
            self.post(Resume())
        for id in life.book.open_findings():
            finding = life.book.findings[id]
            wished = next((choice for choice in CHOICES if choice in finding.choices), None)
            if wished is not None:
                self.post(DecideFinding(finding_id=id, choice=wished))

    # -- picking

    def _groups(self) -> list[Group]:
        life = self._history.machine.life
        return [] if life is None else [life.book.groups[id] for id in life.book.open_groups()]

    def _pick(self, some: list[Any]) -> Any:
        return self._chance.choice(some) if some else None

    def _queued(self) -> QueuedSignal | None:
        life = self._history.machine.life
        return self._pick(list(life.book.queue.values())) if life is not None else None

    # -- wishes

    def _exit(self, event: Event) -> Input | None:
        group = self._pick(self._groups())
        return ExitGroup(group_id=group.id) if group else None

    def _close_all(self, event: Event) -> Input:
        return CloseAll()

    def _pause(self, event: Event) -> Input:
        return Pause()

    def _resume(self, event: Event) -> Input:
        return Resume()

    def _cancel_legs(self, event: Event) -> Input | None:
        group = self._pick(self._groups())
        return CancelLegs(group_id=group.id) if group else None

    def _mode(self, event: Event) -> Input | None:
        group = self._pick(self._groups())
        return SetTakeProfitMode(group_id=group.id, mode=self._chance.choice(MODES)) if group else None

    def _promote(self, event: Event) -> Input | None:
        row = self._queued()
        return Promote(queued_id=row.id) if row else None

    def _remove(self, event: Event) -> Input | None:
        row = self._queued()
        return RemoveQueued(queued_id=row.id) if row else None

    def _replay(self, event: Event) -> Input | None:
        life = self._history.machine.life
        alert = self._pick(list(life.book.alerts.values())) if life is not None else None
        return Replay(alert_id=alert.id, received_at=self._history.clock.now()) if alert else None

    def _risk_run(self, event: Event) -> Input:
        return RunRisk()

    def _risk_skip(self, event: Event) -> Input | None:
        group = self._pick(self._groups())
        return SetRisk(group_id=group.id, skip_once=True) if group else None

    def _risk_block(self, event: Event) -> Input | None:
        group = self._pick(self._groups())
        return SetRisk(group_id=group.id, blocked=True) if group else None

    def _risk_unblock(self, event: Event) -> Input | None:
        group = self._pick([group for group in self._groups() if group.blocked])
        return SetRisk(group_id=group.id, blocked=False) if group else None

    def _settings(self, event: Event) -> Input | None:
        life = self._history.machine.life
        if life is None:
            return None
        try:
            changed = documents.with_value(life.book.settings, event["path"], event["value"])
        except SettingsError:
            return None
        return SaveSettings(document=documents.dump(changed))
