"""What the log shows, what it hides, and how its files turn over."""

import asyncio
import gzip
import io
import json
import logging
import os
import re
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from loguru import logger

from execution_engine.adapters import log_files
from execution_engine.adapters.log_files import FILE, tidy
from execution_engine.adapters.log_table import LogTable
from execution_engine.adapters.logs import Log, fact_logged
from execution_engine.adapters.security.redact import HIDDEN, Redaction, printable
from execution_engine.domain.facts import Category, Fact, Level
from execution_engine.domain.settings import Logs as LogSettings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CANARY = 'canary-8d1f/+="é'


@contextmanager
def logging_to(folder: Path, *secrets: str, **settings: Any) -> Iterator[Log]:
    log = Log(folder, Redaction(secrets))
    log.start(LogSettings(**settings))
    try:
        yield log
    finally:
        log.stop()


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / FILE).read_text(encoding="utf-8").splitlines()]


def lines(folder: Path) -> list[str]:
    """Return the file as a terminal would show it."""
    found = []
    for line in records(folder):
        about = [line[name] for name in ("code", "world") if name in line]
        about += [f"{name} {line[name]}" for name in ("alert", "group", "order") if name in line]
        end = f" [{', '.join(about)}]" if about else ""
        found.append(f"{line['at']} {line['level']: <8} {line['category']: <8} {line['text']}{end}")
        found += line.get("traceback", "").splitlines()
    return found


def test_a_line_has_time_level_category_and_message(tmp_path: Path) -> None:
    with logging_to(tmp_path):
        logger.bind(category="TRADING").info("Group 7 is open.")
    [line] = lines(tmp_path)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO     TRADING  Group 7 is open\.", line)


def test_a_fact_is_logged_with_its_code_and_what_it_is_about(tmp_path: Path) -> None:
    with logging_to(tmp_path):
        fact_logged(
            Fact(code="group_closed", text="BTCUSDT {15m} was closed.", world="paper", group_id=7, alert_id=3)
        )
        fact_logged(
            Fact(code="key_added", text="A key was added.", level=Level.WARNING, category=Category.SECURITY)
        )
    first, second = lines(tmp_path)
    assert first.endswith(
        "INFO     TRADING  BTCUSDT {15m} was closed. [group_closed, paper, alert 3, group 7]"
    )
    assert second.endswith("WARNING  SECURITY A key was added. [key_added]")


def test_the_level_follows_the_settings_at_once(tmp_path: Path) -> None:
    with logging_to(tmp_path) as log:
        logger.debug("one")
        log.apply(LogSettings(level="DEBUG"))
        logger.debug("two")
        log.apply(LogSettings(level="ERROR"))
        logger.warning("three")
        logger.error("four")
    assert [line.split()[-1] for line in lines(tmp_path)] == ["two", "four"]


def test_headless_the_log_is_on_the_terminal_as_well(tmp_path: Path) -> None:
    terminal = io.StringIO()
    log = Log(tmp_path, Redaction([CANARY]), terminal=terminal)
    log.start(LogSettings())
    logger.info("Listening with {}.", CANARY)
    log.stop()
    assert terminal.getvalue().splitlines() == lines(tmp_path)
    assert HIDDEN in terminal.getvalue()


def test_warnings_of_libraries_are_in_the_log_and_their_chatter_is_not(tmp_path: Path) -> None:
    chatty = logging.getLogger("ccxt.base")
    chatty.setLevel(logging.DEBUG)
    with logging_to(tmp_path, level="DEBUG"), warnings.catch_warnings():
        warnings.simplefilter("always")
        chatty.debug("POST /order X-MBX-APIKEY: %s", CANARY)
        chatty.warning("too fast {}")
        logging.getLogger("sqlalchemy").error("broken %s", "pipe")
        logging.getLogger("asyncio").log(35, "odd level")
        warnings.warn("old way", stacklevel=1)
    chatty.setLevel(logging.NOTSET)
    said = [line.split("Z ", 1)[1] for line in lines(tmp_path)]
    assert said[0] == "WARNING  API      ccxt.base: too fast {}"
    assert said[1] == "ERROR    SYSTEM   sqlalchemy: broken pipe"
    assert said[2].endswith("asyncio: odd level")
    assert "py.warnings" in said[3]


SECRETS = {
    "a known secret": CANARY,
    "a known secret in JSON": '{"note": "canary-8d1f/+=\\"\\u00e9"}',
    "a known secret in a URL": "https://x/?k=canary-8d1f%2F%2B%3D%22%C3%A9",
    "a webhook's path": "POST /webhook/Abc-123_x HTTP/1.1",
    "a webhook's URL": "'https://me.example/webhook/Abc-123_x'",
    "a signature": "GET /api/v3/order?symbol=BTCUSDT&signature=Abc-123_x&x=1",
    "a signature of ours": "X-Signature: sha256=Abc-123_x",
    "a bearer": "Authorization: Bearer Abc-123_x",
    "a key of Binance": "{'X-MBX-APIKEY': 'Abc-123_x'}",
    "a key of OKX": "OK-ACCESS-KEY: Abc-123_x",
    "a signature of OKX": '"OK-ACCESS-SIGN": "Abc-123_x"',
    "a passphrase of OKX": "('OK-ACCESS-PASSPHRASE', 'Abc-123_x')",
    "a key of Bybit": "X-BAPI-API-KEY=Abc-123_x",
    "a passphrase of KuCoin": "KC-API-PASSPHRASE: Abc-123_x",
    "a secret in a body": '{"secret": "Abc-123_x \\" Abc-123_x", "a": 1}',
    "a secret in a body that is cut off": '{"secret" : "Abc-123_x',
    "a secret in JSON in JSON": '"{\\"secret\\": \\"Abc-123_x\\"}"',
    "a secret in a dictionary": "{'apiKey': 'Abc-123_x', 'password': 'Abc-123_x'}",
}


@pytest.mark.fault(88)
@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_a_secret_is_hidden_wherever_it_stands(tmp_path: Path, text: str) -> None:
    with logging_to(tmp_path, CANARY):
        logger.info(text.replace("{", "{{").replace("}", "}}"), 1)
        logger.bind(category="API").error("{}", text)
        logging.getLogger("aiohttp").error("%s", text)
        try:
            raise ValueError(text)
        except ValueError:
            logger.exception("It failed")
    written = (tmp_path / FILE).read_text(encoding="utf-8")
    assert written.count(HIDDEN) >= 4
    for part in ("Abc-123_x", "canary", "8d1f"):
        assert part not in written


def test_what_is_no_secret_stays_readable() -> None:
    redact = Redaction([CANARY, "abc", ""])
    for text in (
        "abc",
        "POST /webhook 202",
        "the secret is out",
        "no signature",
        "a bearer of news",
        "token main",
    ):
        assert redact(text) == text


def test_a_secret_may_be_learnt_at_any_time(tmp_path: Path) -> None:
    redaction = Redaction()
    assert redaction("first-secret, second-secret") == "first-secret, second-secret"
    redaction.learn("first-secret", None)
    redaction.learn("second-secret", "second-secret-longer")
    assert redaction("first-secret, second-secret, second-secret-longer") == f"{HIDDEN}, {HIDDEN}, {HIDDEN}"


def test_a_message_cannot_fake_another_line(tmp_path: Path) -> None:
    with logging_to(tmp_path):
        logger.info("{}", "x\n2026-01-01T00:00:00.000Z CRITICAL SECURITY forged\x1b[2J\u202e\x00")
    [line] = lines(tmp_path)
    assert "\\n2026" in line
    assert line.isprintable()
    assert printable("ok ü €") == "ok ü €"


@pytest.mark.fault(88)
def test_a_traceback_is_kept_and_shows_no_values(tmp_path: Path) -> None:
    def breaks(api_key: str) -> float:
        return len(api_key) / 0

    with logging_to(tmp_path):
        try:
            breaks("Abc-123_x")
        except ZeroDivisionError:
            logger.exception("It failed")
    written = "\n".join(lines(tmp_path))
    assert "ZeroDivisionError: division by zero" in written
    assert "in breaks" in written
    assert "Abc-123_x" not in written.replace('breaks("Abc-123_x")', "")  # the test's own source line


def test_what_cannot_be_shown_stops_nobody(tmp_path: Path) -> None:
    with logging_to(tmp_path) as log:
        log._redaction = None  # type: ignore[assignment]
        logger.error("something")
    assert "could not be made safe" in lines(tmp_path)[0]


@pytest.mark.fault(73)
def test_a_log_that_cannot_be_written_stops_nobody_and_goes_on_when_it_can(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    with logging_to(tmp_path / "logs") as log:
        logger.info("lost")
        assert log.failure is not None
        (tmp_path / "logs").unlink()
        logger.info("kept")
        assert log.failure is None
    assert [line.split()[-1] for line in lines(tmp_path / "logs")] == ["kept"]


@pytest.mark.fault(73)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_disk_that_is_full_stops_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / FILE).symlink_to("/dev/full")
    with logging_to(tmp_path) as log:
        for _ in range(10):
            logger.info("lost")
        log.apply(LogSettings(level="DEBUG"))
        assert log.failure == "The log cannot be written: No space left on device."
    assert capsys.readouterr().err == ""


def test_the_files_can_be_read_by_their_user_only(tmp_path: Path) -> None:
    with logging_to(tmp_path / "logs"):
        logger.info("x")
    assert stat.filemode((tmp_path / "logs").stat().st_mode) == "drwx------"
    assert stat.filemode((tmp_path / "logs" / FILE).stat().st_mode) == "-rw-------"


def test_a_new_file_begins_before_one_grows_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_files, "TURN_BYTES", 1000)
    with logging_to(tmp_path):
        for number in range(30):
            logger.info("line {} {}", number, "x" * 50)
    files = list(tmp_path.glob("engine*.log"))
    assert len(files) > 2
    assert all(path.stat().st_size <= 1000 for path in files)
    lines = [line for path in files for line in path.read_text().splitlines()]
    assert sum("x" * 50 in line for line in lines) == 30  # what else is logged meanwhile is not ours


def test_a_new_file_begins_with_the_day(tmp_path: Path) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    (tmp_path / FILE).write_text("of yesterday\n")
    os.utime(tmp_path / FILE, (yesterday.timestamp(),) * 2)
    with logging_to(tmp_path):
        logger.info("of today")
        logger.info("of today, too")
    assert [line[-8:] for line in lines(tmp_path)] == ["of today", "day, too"]
    [before] = tmp_path.glob("engine.*.log")
    assert before.read_text() == "of yesterday\n"


def old(folder: Path, name: str, days: float, size: int = 100) -> Path:
    path = folder / name
    path.write_bytes(b"x" * size)
    at = (NOW - timedelta(days=days)).timestamp()
    os.utime(path, (at, at))
    return path


def test_old_files_are_compressed_and_then_removed(tmp_path: Path) -> None:
    for days in (1, 6.9, 7, 29, 30, 31):
        old(tmp_path, f"engine.{days}.log", days)
    old(tmp_path, FILE, 400)
    old(tmp_path, "engine.31.log.gz.part", 0)
    old(tmp_path, "mine.log", 400)
    tidy(tmp_path, LogSettings(), NOW)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        FILE,
        "mine.log",
        "engine.1.log",
        "engine.6.9.log",
        "engine.7.log.gz",
        "engine.29.log.gz",
    }
    packed = tmp_path / "engine.29.log.gz"
    assert gzip.decompress(packed.read_bytes()) == b"x" * 100
    tidy(tmp_path, LogSettings(), NOW + timedelta(days=2))
    assert not packed.exists()  # its age counts from when it was written


@pytest.mark.fault(73)
def test_all_files_together_stay_below_their_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "MOST_BYTES", 350)
    for days in (1, 2, 3, 4):
        old(tmp_path, f"engine.{days}.log", days)
    old(tmp_path, FILE, 0)
    tidy(tmp_path, LogSettings(), NOW)
    assert {path.name for path in tmp_path.iterdir()} == {FILE, "engine.1.log", "engine.2.log"}


def test_turning_over_tidies_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "TURN_BYTES", 100)
    with logging_to(tmp_path, compress_after_days=0) as log:
        logger.info("one {}", "x" * 90)
        logger.info("two {}", "x" * 90)
        assert log._tidying is not None
        log._tidying.join()
        log.tidy_later()
        log._tidying.join()
    assert list(tmp_path.glob("*.gz"))


async def test_a_task_that_fails_unseen_is_in_the_log(tmp_path: Path) -> None:
    with logging_to(tmp_path, CANARY):
        asyncio.get_running_loop().default_exception_handler(
            {"message": "Task exception was never retrieved", "exception": ValueError(CANARY)}
        )
    written = "\n".join(lines(tmp_path))
    assert "ERROR    SYSTEM   asyncio: Task exception was never retrieved" in written
    assert "canary" not in written


def test_in_the_file_each_line_is_an_object_with_what_it_is_about(tmp_path: Path) -> None:
    with logging_to(tmp_path):
        fact_logged(Fact(code="group_closed", text='"BTC" closed\n', world="paper", group_id=7, order_id=9))
        try:
            raise ValueError("no")
        except ValueError:
            logger.exception("It failed")
    closed, failed = records(tmp_path)
    assert closed | {"at": ""} == {
        "at": "",
        "level": "INFO",
        "category": "TRADING",
        "text": '"BTC" closed\\n',
        "code": "group_closed",
        "world": "paper",
        "group": 7,
        "order": 9,
    }
    assert failed["traceback"].splitlines()[-1] == "ValueError: no"
    assert "fact" not in failed


def test_the_table_gets_what_is_in_the_file_but_requests_and_errors_are_counted(tmp_path: Path) -> None:
    now = [100.0]
    table = LogTable(lambda: now[0])
    log = Log(tmp_path, Redaction([CANARY]), table=table)
    log.start(LogSettings())
    table.begin(41)
    fact_logged(Fact(code="group_closed", text="closed", group_id=7, alert_id=3))
    logger.bind(category="API").info("POST /webhook/… 202")
    logger.bind(category="API").warning("slow {}", CANARY)
    try:
        raise ValueError(CANARY)
    except ValueError:
        logger.exception("It failed")
    first, *rest = table.take(2)
    rest += table.take(100)
    assert (first.id, first.code, first.group_id, first.alert_id, first.level) == (
        42,
        "group_closed",
        7,
        3,
        "INFO",
    )
    assert [(entry.id, entry.text.split("\n")[0]) for entry in rest] == [
        (43, f"slow {HIDDEN}"),
        (44, "It failed"),
    ]
    assert "canary" not in rest[-1].text
    assert table.take(5) == ()
    assert table.errors_per_minute == 1
    now[0] += 61
    assert table.errors_per_minute == 0
    log.stop()


def test_after_its_end_nothing_that_others_log_is_changed(tmp_path: Path) -> None:
    with logging_to(tmp_path, "secret"):
        logger.info("a secret")
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}")
    logger.info("a secret")
    logger.remove(sink)
    assert lines == ["a secret\n"]
