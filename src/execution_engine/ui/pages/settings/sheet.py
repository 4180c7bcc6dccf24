"""The settings as they stand in the forms: what is in force, and over it what is not saved yet."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from PySide6.QtCore import QObject, Signal

from execution_engine.domain import document as documents
from execution_engine.domain.changes import Change, between, of_plain
from execution_engine.domain.errors import SettingsError
from execution_engine.domain.schema import Setting
from execution_engine.domain.settings import Settings
from execution_engine.ui import schema


class Sheet(QObject):
    """Keep edits by path over the settings in force, so that both can change.

    changed: a value, a fault, or what is in force is another. refilled: fields have to show their values anew.
    """

    changed = Signal()
    refilled = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        """Begin with what is in force and no edits."""
        super().__init__(parent)
        self.base = settings
        self._plain: dict[str, Any] = settings.model_dump(mode="json")
        self._own: dict[str, Any] = {}
        self._spoilt: dict[str, str] = {}
        self._judged: Settings | None = settings
        self._faults: dict[str, str] = {}

    # -- reading

    def value(self, path: str) -> Any:
        """Return the plain value at a path: the edit, or else what is in force."""
        if path in self._own:
            return self._own[path]
        return self.saved(path)

    def saved(self, path: str) -> Any:
        """Return the plain value in force at a path."""
        value: Any = self._plain
        for step in path.split("."):
            if not isinstance(value, dict) or step not in value:
                return _usual(path)
            value = value[step]
        return value

    def is_edited(self, path: str) -> bool:
        """Tell whether a field holds something else than what is in force."""
        return path in self._own or path in self._spoilt

    def fault(self, path: str) -> str:
        """Return what is wrong at a path or below it; nothing if it is sound."""
        return next((said for at, said in self.faults.items() if at == path or at.startswith(f"{path}.")), "")

    @property
    def faults(self) -> Mapping[str, str]:
        """Return everything that is wrong, by path."""
        return self._spoilt | self._faults

    @property
    def settings(self) -> Settings | None:
        """Return the whole document with the edits; None while something is wrong with it."""
        return None if self._spoilt else self._judged

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return what saving would change, as far as it makes sense."""
        return between(self.base, self._judged) if self._judged is not None else ()

    @property
    def count(self) -> int:
        """Return how many fields are edited."""
        if self._judged is not None and not self._spoilt:
            return len(self.changes)
        return len(self.edited)

    @property
    def edited(self) -> frozenset[str]:
        """Return the paths of fields that hold something else than what is in force."""
        return frozenset(self._own) | frozenset(self._spoilt)

    @property
    def is_dirty(self) -> bool:
        """Tell whether anything is not saved."""
        return bool(self._own or self._spoilt)

    # -- writing

    def put(self, path: str, value: Any) -> None:
        """Take an edit; the value in force again is none."""
        self._take(path, value)
        self._judge()

    def put_all(self, values: Mapping[str, Any]) -> None:
        """Take several edits at once; what stands in other fields stays."""
        for path, value in values.items():
            self._take(path, value)
        self._judge()
        self.refilled.emit()

    def _take(self, path: str, value: Any) -> None:
        self._spoilt.pop(path, None)
        if _same(value, self.saved(path)):
            self._own.pop(path, None)
        else:
            self._own[path] = value

    def spoil(self, path: str, sentence: str) -> None:
        """Note that what a field holds makes no sense, and why."""
        self._own.pop(path, None)
        self._spoilt[path] = sentence
        self._judge()

    def mend(self, path: str) -> None:
        """Take back every fault that was noted at a path or below it."""
        there = [at for at in self._spoilt if at == path or at.startswith(f"{path}.")]
        for at in there:
            del self._spoilt[at]
        if there:
            self._judge()

    def discard(self) -> None:
        """Forget every edit."""
        self._own.clear()
        self._spoilt.clear()
        self._judge()
        self.refilled.emit()

    def rebase(self, settings: Settings) -> None:
        """Take what is in force now; edits stay as far as they still differ."""
        self.base = settings
        self._plain = settings.model_dump(mode="json")
        self._own = {path: value for path, value in self._own.items() if not _same(value, self.saved(path))}
        self._judge()
        self.refilled.emit()

    def _judge(self) -> None:
        document = deepcopy(self._plain)
        for path, value in self._own.items():
            _assign(document, path, value)
        try:
            self._judged, self._faults = documents.check(document), {}
            if self._judged == self.base:
                self._own.clear()  # it is only written in another way
        except SettingsError as error:
            self._judged, self._faults = None, {fault.field: fault.message for fault in error.faults}
        self.changed.emit()


def setting_at(path: str) -> Setting | None:
    """Return what the schema says of a path; None for profiles and bindings."""
    if path.startswith("accounts."):
        name = path.split(".")[1]
        return next((each for each in schema.of_account(name) if each.path == path), None)
    return schema.by_path().get(path)


def _same(one: Any, other: Any) -> bool:
    return not of_plain(one, other)


def _usual(path: str) -> Any:
    """Return the default at a path that the document leaves out: an account without settings of its own."""
    setting = setting_at(path)
    return None if setting is None else setting.default


def _assign(document: dict[str, Any], path: str, value: Any) -> None:
    *places, last = path.split(".")
    for step in places:
        document = document.setdefault(step, {})
    document[last] = value
