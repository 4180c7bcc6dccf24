"""Where everything of one installation lies: one folder, and the names inside it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from execution_engine.domain.errors import EngineError

APPLICATION = "execution-engine"
VARIABLE = "EXECUTION_ENGINE_DATA_DIR"


class FolderUnusable(EngineError):
    """The data folder cannot be made or written to. The text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The data folder `root`; nothing is created by asking for a name."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "engine.sqlite"

    @property
    def paper(self) -> Path:
        """The state of the paper exchange, which a real account would keep elsewhere too."""
        return self.root / "paper.sqlite"

    @property
    def markets(self) -> Path:
        """The rules of the exchanges' markets as they were last read; made anew when they are gone."""
        return self.root / "markets"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def control(self) -> Path:
        """The socket of the command line; on Windows the name of a pipe is made from it."""
        return self.root / "control.sock"

    @property
    def vault(self) -> Path:
        """Keys and secrets, encrypted."""
        return self.root / "vault"

    @property
    def updates(self) -> Path:
        """What is known of new versions."""
        return self.root / "updates.json"

    @property
    def tunnel(self) -> Path:
        """What an earlier run left of its tunnel: its process, and its public address."""
        return self.root / "tunnel.json"

    @property
    def notifications(self) -> Path:
        """Critical notifications that are still to be told, and the day of the last summary."""
        return self.root / "notifications.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def backups(self) -> Path:
        return self.root / "backups"


def chosen_root(given: str | Path | None = None) -> Path:
    """Return where the data folder is: the given place, else `EXECUTION_ENGINE_DATA_DIR`, else the platform's."""
    chosen = given or os.environ.get(VARIABLE)
    # Roaming profiles are copied between computers; a database must not be.
    root = (
        Path(chosen).expanduser() if chosen else user_data_path(APPLICATION, appauthor=False, roaming=False)
    )
    return root.absolute()


def data_folder(given: str | Path | None = None) -> DataFolder:
    """Return the data folder at `chosen_root`.

    It and its folders exist afterwards and are this user's alone. Raises FolderUnusable.
    """
    folder = DataFolder(chosen_root(given))
    try:
        for path in (folder.root, folder.logs, folder.backups):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder.root):
            pass  # only a file that was made proves that files can be made
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FolderUnusable(
            f"The data folder {folder.root} cannot be used ({reason}). "
            "Make it writable, or choose another one with --data-dir."
        ) from error
    return folder
