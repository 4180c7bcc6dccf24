"""The stretch of the log that is in memory: a few thousand lines, read further at either end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from execution_engine.domain.errors import Refusal
from execution_engine.domain.log_lines import LogQuestion
from execution_engine.domain.rows import LogEntry
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.tables import TableModel
from execution_engine.ui.tongue import translated

READ = 500
MOST = 3_000


class LogWindow(QObject):
    """Hold the lines around what is looked at.

    at_end, at_start: there is nothing newer, or older, than what is held. grew: lines were added, as (how many
    above, how many below). failed: the log could not be read.
    """

    grew = Signal(int, int)
    failed = Signal(str)

    def __init__(self, bridge: Bridge, model: TableModel[LogEntry], parent: QObject) -> None:
        """Begin without lines."""
        super().__init__(parent)
        self._bridge, self._model = bridge, model
        self.question = LogQuestion()
        self.at_end, self.at_start = True, False
        self._first = self._last = 0
        self._busy = False
        self._turn = 0  # what was asked before the question changed is of no interest any more

    def ask(self, question: LogQuestion) -> None:
        """Ask something else and hold the newest lines of it."""
        self.question = replace(question, limit=READ)
        self._turn += 1
        self._busy = False
        self._read(self.question, self._begun)

    def older(self) -> None:
        """Read further back."""
        if not self.at_start and self._first and not self._busy:
            self._read(replace(self.question, before_id=self._first), self._older_came)

    def newer(self) -> None:
        """Read further on."""
        if self._busy:
            return
        if not self._last:
            self.ask(self.question)
        else:
            self._read(replace(self.question, after_id=self._last), self._newer_came)

    def _read(self, question: LogQuestion, then: Callable[[Sequence[LogEntry]], None]) -> None:
        self._busy, turn = True, self._turn

        def done(lines: Sequence[LogEntry] | Refusal) -> None:
            if turn != self._turn:
                return
            self._busy = False
            if isinstance(lines, Refusal):
                self.failed.emit(translated(lines.message))
            else:
                then(lines)

        self._bridge.run(self._bridge.doors.read_log(question), done)

    def _begun(self, lines: Sequence[LogEntry]) -> None:
        self._model.replace(lines)
        self.at_start, self.at_end = len(lines) < READ, True
        self._note()
        self.grew.emit(0, len(lines))

    def _older_came(self, lines: Sequence[LogEntry]) -> None:
        self.at_start = len(lines) < READ
        held = self._model.keys()
        surplus = held[MOST - len(lines) :] if len(held) + len(lines) > MOST else []
        self._model.remove(surplus)
        self.at_end = self.at_end and not surplus
        self._model.upsert(lines)
        self._note()
        self.grew.emit(len(lines), 0)

    def _newer_came(self, lines: Sequence[LogEntry]) -> None:
        self.at_end = len(lines) < READ
        surplus = max(0, len(self._model) + len(lines) - MOST)
        self._model.remove(self._model.keys()[:surplus])
        self.at_start = self.at_start and not surplus
        self._model.upsert(lines)
        self._note()
        self.grew.emit(-surplus, len(lines))

    def _note(self) -> None:
        keys = self._model.keys()
        self._first, self._last = (int(keys[0]), int(keys[-1])) if keys else (0, 0)  # type: ignore[call-overload]
