"""What can be wrong with the database file, each for the user to act on.

EngineError
└── StorageError
    ├── DatabaseCorrupt      choose a backup; the damaged file was set aside
    ├── DatabaseNewer        install the newer version again, or restore a backup
    ├── DatabaseUnusable     free the disk, the folder or the lock, then start again
    ├── BackupRefused        choose another file
    └── ExportRefused        choose another file
"""

from __future__ import annotations

from pathlib import Path

from execution_engine.domain.errors import EngineError


class StorageError(EngineError):
    """The database cannot be used as it is. The text is a sentence for the user."""


class DatabaseCorrupt(StorageError):
    """The database was damaged. `aside`: where it lies now; `backups`: what can be restored, newest first."""

    def __init__(self, sentence: str, aside: Path, backups: tuple[Path, ...]) -> None:
        super().__init__(sentence)
        self.aside = aside
        self.backups = backups


class DatabaseNewer(StorageError):
    """The database was written by a newer version."""


class DatabaseUnusable(StorageError):
    """The folder, the disk or another program does not let the database be used now."""


class BackupRefused(StorageError):
    """A file cannot be made a backup, or restored from. Nothing was changed."""


class ExportRefused(StorageError):
    """Rows cannot be written to this file."""
