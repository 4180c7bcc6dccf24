"""What is told about the vault, the backups and the audit log: facts for the screens, without any secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultShown:
    """The vault as it is now.

    exists, is_open: whether there is one, and whether keys can be used. password, keyring: what opens it; both may.
    system_keyring: whether this computer has one that can be relied upon. trouble: why it stays locked.
    keys: how many accounts and targets have something in it; 0 while it is locked.
    """

    exists: bool = False
    is_open: bool = False
    password: bool = False
    keyring: bool = False
    system_keyring: bool = False
    trouble: str = ""
    keys: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """How long a password would hold against somebody who has the vault's file.

    score: 0 (guessed at once) to 4. word: the score in a word. lasts: how long, in words. advice: sentences.
    """

    score: int
    word: str
    lasts: str
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFile:
    """One copy of the database. at: when it was made; None where its name does not say.

    kind: what made it, a word or two. version: of the program that made it; empty where that is not known.
    readable: whether this version of the program can restore it.
    """

    path: PurePath
    at: datetime | None
    size: int
    kind: str
    version: str = ""
    readable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What there is of copies, newest first, and where they lie.

    aside: databases that were set aside, because they were damaged or because a backup took their place.
    cautions: what is wrong with where the data or the backups lie, a sentence each.
    """

    folder: PurePath
    files: tuple[BackupFile, ...] = ()
    aside: tuple[BackupFile, ...] = ()
    size: int = 0
    free: int | None = None
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupState:
    """How the backups stand. busy: what is being done now, in a word or two; trouble: why the last one failed."""

    last: datetime | None = None
    next: datetime | None = None
    busy: str = ""
    trouble: str = ""
