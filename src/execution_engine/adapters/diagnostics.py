"""A bundle for whoever helps to find what is wrong: one zip, and no secret in it.

Everything passes the redaction of the log once more, whatever it is: a secret that was learnt only later may stand
in an older line.
"""

from __future__ import annotations

import asyncio
import gc
import gzip
import io
import json
import os
import platform
import sqlite3
import sys
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from execution_engine.adapters import machine
from execution_engine.adapters.log_files import FILE
from execution_engine.adapters.storage.tables import metadata
from execution_engine.domain.errors import EngineError

LIBRARIES = (
    "PySide6_Essentials", "aiohttp", "alembic", "apprise", "ccxt", "cryptography", "keyring", "loguru", "numpy",
    "prometheus-client", "pydantic", "pyqtgraph", "qasync", "SQLAlchemy",
)  # fmt: skip
LOG_BYTES = 2_000_000  # of the newest lines
README = """What is in here, so that you can look before you give it away:

about.json      versions of the program, of what it stands on, and of the system
state.json      what /health says: states, reasons, sizes of queues
settings.json   the settings; keys, secrets, tokens and addresses of targets are never part of them
database.json   how many rows each table has, and how large the file is; no row itself
tasks.txt       what each task of the program was doing at this moment
memory.json     how much memory it uses, and the most frequent kinds of objects
log.jsonl       the newest lines of the log; they name symbols, quantities and results of your trades
"""


class BundleFailed(EngineError):
    """The bundle could not be written; the text says why."""


def write(path: Path, parts: Mapping[str, str]) -> Path:
    """Write a new zip that this user alone can read. Blocking; raises BundleFailed."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in parts.items():
            bundle.writestr(name, text)
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(raw.getvalue())
    except FileExistsError:
        raise BundleFailed(f"{path} is there already; choose another name.") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise BundleFailed(f"{path} cannot be written ({reason}).") from error
    return path


def parts(
    *,
    program: str,
    now: datetime,
    state: Mapping[str, Any],
    settings: str,
    database: Path,
    logs: Path,
    tasks: str,
    safe: Callable[[str], str],
) -> dict[str, str]:
    """Return each file of the bundle, without secrets. Blocking.

    state: what `/health` says. settings: the document. tasks: see `tasks_now`. safe: hides secrets in a text.
    """
    found = {
        "README.txt": README,
        "about.json": _json(about(program, now)),
        "state.json": _json(state),
        "settings.json": settings,
        "database.json": _json(of_database(database)),
        "tasks.txt": tasks,
        "memory.json": _json(of_memory()),
        "log.jsonl": newest_lines(logs),
    }
    home = str(Path.home())
    return {name: safe(text).replace(home, "~") for name, text in found.items()}


def about(program: str, now: datetime) -> dict[str, Any]:
    """Return versions; nothing that names the user or the machine."""
    return {
        "made_at": now.isoformat(),
        "program": program,
        "python": sys.version,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "frozen": bool(getattr(sys, "frozen", False)),
        "sqlite": sqlite3.sqlite_version,
        "processors": os.cpu_count(),
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # a bundled program carries some of them without their papers
        return "unknown"


def of_database(path: Path) -> dict[str, Any]:
    """Return sizes, and the rows of each table; a file that cannot be read says why."""
    sizes = {each.name: each.stat().st_size for each in path.parent.glob(f"{path.name}*") if each.is_file()}
    found: dict[str, Any] = {"bytes": sizes}
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        ) as connection:
            connection.execute("PRAGMA query_only = 1")
            for name in ("page_count", "page_size", "freelist_count", "journal_mode"):
                found[name] = connection.execute(f"PRAGMA {name}").fetchone()[0]
            found["rows"] = {
                table: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
                for table in sorted(metadata.tables)
            }
    except sqlite3.Error as error:
        found["fault"] = str(error)
    return found


def of_memory() -> dict[str, Any]:
    """Return how much memory is used and what it is full of."""
    kinds = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    return {
        "resident_bytes": machine.resident_bytes(),
        "objects": kinds.total(),
        "most": dict(kinds.most_common(40)),
        "collections": gc.get_stats(),
    }


def tasks_now() -> str:
    """Return what each task of this loop is doing. Call it on the loop."""
    out = io.StringIO()
    for task in sorted(asyncio.all_tasks(), key=lambda task: task.get_name()):
        out.write(f"{task.get_name()}\n")
        for frame in task.get_stack(limit=6):
            # Names of files and lines, and no values of variables.
            # Of a task that waits it is the place where it does.
            summary = traceback.extract_stack(frame, limit=1)[0]
            out.write(f"    {Path(summary.filename).name}:{summary.lineno} {summary.name}\n")
    return out.getvalue()


def newest_lines(logs: Path) -> str:
    """Return the newest whole lines of the log, also from the file before this one."""
    files = sorted(
        (path for path in logs.glob("engine.*") if path.suffix in (".log", ".gz") and path.name != FILE),
        key=lambda path: path.name,
    )
    text, wanted = b"", LOG_BYTES
    for path in [logs / FILE, *reversed(files)]:
        if len(text) >= wanted:
            break
        try:
            raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        except (OSError, EOFError):
            continue
        text = raw + text  # 20 MB at most
    if len(text) > wanted:
        text = text[-wanted:].partition(b"\n")[2]
    return text.decode("utf-8", "replace")


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
