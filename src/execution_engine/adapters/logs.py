"""The log: one line per thing that happened, in a file that turns over, without any secret.

In the file each line is a JSON object (`at`, `level`, `category`, `text`, of a fact also `code` and what it is about,
of an error `traceback`); on a terminal it is written for people.

Every record passes one place, `_safe`, whoever wrote it and wherever it goes: there secrets are hidden, in the
message and in a traceback alike, and what could break out of its line is escaped. A log that cannot be
written is a nuisance; it never stops the application.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from loguru import logger

from execution_engine.adapters.log_files import LogFile, tidy
from execution_engine.adapters.log_table import LogTable
from execution_engine.adapters.security.redact import Redaction, printable
from execution_engine.domain.facts import Category, Fact
from execution_engine.domain.settings import Logs as LogSettings

if TYPE_CHECKING:
    from loguru import Record

LINE = (
    "{time:YYYY-MM-DDTHH:mm:ss.SSS!UTC}Z {level: <8} {extra[category]: <8} "
    "{message}{extra[about]}{extra[traceback]}"
)
_NETWORK = ("aiohttp", "ccxt")


class Log:
    """The log of one data folder: `engine.log`, and beside it older ones with the time of their end.

    The file is written by whoever logs: a line costs some 20 µs, a third of what handing it to a thread does.
    """

    def __init__(
        self,
        folder: Path,
        redaction: Redaction,
        *,
        terminal: TextIO | None = None,
        table: LogTable | None = None,
    ) -> None:
        self._folder = folder
        self._redaction = redaction
        self._terminal = terminal
        self._table = table
        self._settings = LogSettings()
        self._file = LogFile(folder, self.tidy_later)
        self._sinks: list[int] = []
        self._libraries = _Libraries(logging.WARNING)
        self._tidying: threading.Thread | None = None

    @property
    def failure(self) -> str | None:
        """Return why the last line could not be written; None while all is well."""
        return self._file.failure

    def start(self, settings: LogSettings) -> None:
        """Log from now on, also what libraries warn of."""
        with contextlib.suppress(ValueError):
            logger.remove(0)  # loguru's own, which shows the values of variables
        logger.configure(
            extra={"category": Category.SYSTEM.value, "about": "", "traceback": ""}, patcher=self._safe
        )
        logging.getLogger().addHandler(self._libraries)
        logging.captureWarnings(True)
        self.apply(settings)
        self.tidy_later()

    def apply(self, settings: LogSettings) -> None:
        """Go on with other settings."""
        if self._sinks and settings == self._settings:
            return  # beginning anew takes longer than everything else about saved settings
        self._settings = settings
        before, self._sinks = self._sinks, []
        # `diagnose` would print the values of variables, `backtrace` every frame up to the loop.
        common: dict[str, Any] = {"level": settings.level.value, "diagnose": False, "backtrace": False}
        self._sinks.append(logger.add(self._file, format=_as_json, **common))
        if self._terminal is not None:
            self._sinks.append(logger.add(self._terminal, format=LINE, **common))
        if self._table is not None:
            self._sinks.append(logger.add(self._table, format=_bare, **common))
        for number in before:
            logger.remove(number)

    def stop(self) -> None:
        """Close the file and let go of what libraries say."""
        logging.captureWarnings(False)
        logging.getLogger().removeHandler(self._libraries)
        for sink in self._sinks:
            logger.remove(sink)
        self._sinks = []
        logger.configure(patcher=_as_it_is)
        self._file.close()
        if self._tidying is not None:
            self._tidying.join(5)

    def tidy_later(self) -> None:
        """Compress and remove old files on a thread: compressing one takes half a second."""
        if self._tidying is None or not self._tidying.is_alive():
            # Not waited for at the end: a half-written file is removed the next time.
            self._tidying = threading.Thread(target=self._tidy, name="log files", daemon=True)
            self._tidying.start()

    def _safe(self, record: Record) -> None:
        try:
            record["message"] = printable(self._redaction(record["message"]))
            error = record["exception"]
            if error is not None:
                lines = traceback.format_exception(error.type, error.value, error.traceback)
                text = self._redaction("".join(lines).rstrip())
                record["extra"]["traceback"] = "\n" + "\n".join(map(printable, text.split("\n")))
                record["exception"] = None
        except Exception as error:
            record["message"] = f"(a line that could not be made safe to show: {type(error).__name__})"
            record["exception"] = None

    def _tidy(self) -> None:
        try:
            tidy(self._folder, self._settings, datetime.now(UTC))
        except OSError as error:
            logger.warning("Old log files could not be tidied: {}", error.strerror)


def _as_it_is(record: Record) -> None:
    """Whatever is logged after the end is somebody else's."""


def _bare(record: Record) -> str:
    return ""  # what is read is the record


def _as_json(record: Record) -> str:
    """Put a record as one line of JSON where the format that is returned finds it."""
    extra = record["extra"]
    line: dict[str, Any] = {
        "at": f"{record['time'].astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
        "level": record["level"].name,
        "category": extra["category"],
        "text": record["message"],
        **extra.get("fact", {}),
    }
    if extra["traceback"]:
        line["traceback"] = extra["traceback"].lstrip("\n")
    extra["json"] = json.dumps(line, ensure_ascii=False)
    return "{extra[json]}\n"


def fact_logged(fact: Fact) -> None:
    """Write a fact to the log, with its code and what it is about."""
    ids = (("alert", fact.alert_id), ("group", fact.group_id), ("order", fact.order_id))
    about = [fact.code, fact.world, *(f"{name} {number}" for name, number in ids if number is not None)]
    known = {"code": fact.code, "world": str(fact.world), **dict(ids)}
    bound = logger.bind(
        category=fact.category.value,
        about=f" [{', '.join(filter(None, about))}]",
        fact={name: value for name, value in known.items() if value not in (None, "")},
    )
    bound.log(fact.level.value, fact.text)


class _Libraries(logging.Handler):
    """Takes what libraries log. Only warnings: at lower levels some of them write whole requests."""

    def emit(self, record: logging.LogRecord) -> None:
        """Hand one record on."""
        try:
            network = record.name.partition(".")[0] in _NETWORK
            bound = logger.bind(category=(Category.API if network else Category.SYSTEM).value)
            level = record.levelname if record.levelname in logging.getLevelNamesMapping() else record.levelno
            bound.opt(exception=record.exc_info).log(level, "{}: {}", record.name, record.getMessage())
        except Exception:
            self.handleError(record)
