"""What can go wrong inside the rules, grouped by what the reader has to do next.

EngineError
├── SettingsError       the user: correct the named field
├── StoreFailed         the user: make the disk usable again; whoever runs the desk builds it anew
├── VaultError          the user: unlock the vault of secrets, or enter them again; `trouble` says which
└── Defect              we: a rule of this program was broken; the scope it happened in is frozen

A refusal by our own rules (pool full, leg too small, alert too old) is no exception: it is a `Refusal`,
a value with a stable code and a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EngineError(Exception):
    """Base of every exception raised on purpose."""


class SettingsError(EngineError):
    """The settings document makes no sense; each entry names the field and says what to do."""

    def __init__(self, faults: tuple[FieldFault, ...]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = faults


class StoreFailed(EngineError):
    """A commit did not happen; the store writes nothing more. The text is a sentence for the user."""


class VaultTrouble(StrEnum):
    """What keeps the vault of secrets from doing what it was asked."""

    NONE = "none"  # there is no vault yet
    LOCKED = "locked"
    PASSWORD_NEEDED = "password_needed"
    PASSWORD_WRONG = "password_wrong"
    PASSWORD_WEAK = "password_weak"
    TOO_SOON = "too_soon"  # after several wrong passwords
    KEYRING_MISSING = "keyring_missing"
    KEYRING_LOCKED = "keyring_locked"
    KEYRING_SILENT = "keyring_silent"  # no answer within its time
    KEYRING_FAILED = "keyring_failed"
    KEYRING_EMPTY = "keyring_empty"  # it holds no key for this vault
    DAMAGED = "damaged"
    NEWER = "newer"
    UNREADABLE = "unreadable"  # the file cannot be read or written
    UNFIT = "unfit"  # what was entered is no key or secret


class VaultError(EngineError):
    """The vault of secrets did not do what it was asked. The text is a sentence for the user."""

    def __init__(self, trouble: VaultTrouble, text: str) -> None:
        super().__init__(text)
        self.trouble = trouble


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
