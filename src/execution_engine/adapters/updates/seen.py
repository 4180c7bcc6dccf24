"""The newest version that a release document ever named, and the one that the user was told of.

A file of its own in the data folder: going back to an older database must not make an old document new again.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from loguru import logger


@dataclass(frozen=True, slots=True)
class Seen:
    """newest: by any document. told: what the user was shown; each version is shown by itself once."""

    newest: str | None = None
    told: str | None = None


def load(path: Path) -> Seen:
    """Return what is remembered; nothing if there is no file, or none that makes sense."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Seen(**{name: str(value) for name, value in found.items() if value is not None})
    except FileNotFoundError:
        return Seen()
    except (OSError, ValueError, TypeError, AttributeError) as error:
        logger.warning("{} makes no sense and is made anew ({})", path.name, type(error).__name__)
        return Seen()


def save(path: Path, seen: Seen) -> None:
    """Remember it. What cannot be written is asked about again after the next start."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(json.dumps(asdict(seen)), encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        logger.warning("{} could not be written ({})", path.name, error.strerror)
