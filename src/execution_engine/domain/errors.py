"""What can go wrong inside the rules, grouped by what the reader has to do next.

EngineError
├── SettingsError       the user: correct the named field
├── StoreFailed         the user: make the disk usable again; whoever runs the desk builds it anew
└── Defect              we: a rule of this program was broken; the scope it happened in is frozen

A refusal by our own rules (pool full, leg too small, alert too old) is no exception: it is a `Refusal`,
a value with a stable code and a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass


class EngineError(Exception):
    """Base of every exception raised on purpose."""


class SettingsError(EngineError):
    """The settings document makes no sense; each entry names the field and says what to do."""

    def __init__(self, faults: tuple[FieldFault, ...]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = faults


class StoreFailed(EngineError):
    """A commit did not happen; the store writes nothing more. The text is a sentence for the user."""


class Defect(EngineError):
    """A rule of this program was broken. Freeze the scope, keep the traceback, carry on elsewhere."""


class IllegalTransition(Defect):
    """An order was asked to take a step that its states do not allow."""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One thing wrong with one field, in a sentence the user can act on."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why our own rules said no. `code` is stable and searchable, `message` is for the reader."""

    code: str
    message: str
