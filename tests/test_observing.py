"""What the application notices about itself, and that it speaks even when the engine cannot."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from loguru import logger

from execution_engine.adapters.log_table import LogTable
from execution_engine.adapters.logs import Log, fact_logged
from execution_engine.adapters.security.redact import Redaction
from execution_engine.adapters.storage.check import open_database
from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.facts import Fact
from execution_engine.domain.inputs import Pause
from execution_engine.domain.settings import Logs as LogSettings
from execution_engine.engine.breaker import State
from execution_engine.observing import House as Observed
from execution_engine.observing import Observing
from tests.house import NOON, House
from tests.waiting import until


class Home:
    """A desk played by hand, looked at from outside. store: where the log's lines go."""

    def __init__(self, folder: Path, store: Any = None) -> None:
        self.house = House()
        self.told: list[Fact] = []
        self.ills: list[str] = []
        self.trouble = ""
        ways = SimpleNamespace(conditions=())
        self.core: Any = SimpleNamespace(
            book=self.house.book,
            desk=self.house.desk,
            store=store or SimpleNamespace(failed=None, write=self.house.store.write),
            database=folder / "engine.sqlite",
            tasks=SimpleNamespace(failed=[], names=["risk"]),
            running=SimpleNamespace(ways=ways),
        )
        self.table = LogTable()
        observed = Observed(
            core=lambda: self.core,
            status=lambda: ("running", []),
            trouble=lambda: self.trouble,
            ills=lambda: self.ills,
            tell=self.told.append,
            waiting=lambda: 4,
            folder=folder,
        )
        self.observing = Observing(observed, self.house.clock, self.table)  # type: ignore[arg-type]
        self.house.feed.on_released(self.observing.released)


async def test_old_prices_of_an_open_position_are_told_by_the_desk(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.house.price("BTCUSDT", "100", manual=False)
    home.house.alert(price="100")
    assert home.observing.stream_age_s(home.house.clock.now()) == 0
    home.house.clock.forward(seconds=121)
    await home.observing.judge()
    [fact] = [fact for fact in home.house.facts if fact.code.startswith("alarm_")]
    assert (fact.code, fact.notice) == ("alarm_stream", True)
    assert home.told == []
    health = home.observing.health()
    assert health["alarms"] == ["stream"]
    assert health["queues"] == {"signals": 0, "store": 0, "notifications": 4}
    assert health["uptime_s"] == 121
    assert health["memory_mb"] > 10
    assert health["disk_free_mb"] > 0


async def test_exchanges_streams_and_the_queue_of_the_disk_are_part_of_health(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.observing.ills() == []
    home.house.price("BTCUSDT", "100", manual=False)
    home.house.alert(price="100")
    home.house.clock.forward(seconds=121)
    silent = SimpleNamespace(account="main", breaker=State.OPEN)
    fine = SimpleNamespace(account="other", breaker=State.CLOSED)
    home.core.running.ways.conditions = (silent, fine)
    home.house.store.held = [lambda: None] * 5001
    assert home.observing.ills() == [
        "main: the exchange does not answer",
        "prices that matter are 121 s old",
        "5001 changes wait for the disk",
    ]
    assert home.observing.health()["exchanges"] == {"main": "open", "other": "closed"}


async def test_ill_health_is_told_outside_where_the_desk_cannot_speak(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.trouble = "the database cannot be written"
    home.ills = [home.trouble]
    await home.observing.judge()
    home.house.clock.forward(seconds=130)
    await home.observing.judge()
    [fact] = home.told
    assert fact.code == "alarm_health"
    assert "the database cannot be written" in fact.text
    assert not [each for each in home.house.facts if each.code == "alarm_health"]


async def test_prices_that_are_set_by_hand_do_not_age(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.house.price("BTCUSDT", "100", manual=True)
    home.house.alert(price="100")
    assert home.observing.stream_age_s(home.house.clock.now() + timedelta(days=1)) is None


async def test_the_log_is_written_into_the_database_and_ids_go_on(tmp_path: Path) -> None:
    path = tmp_path / "engine.sqlite"
    open_database(path, tmp_path / "backups", NOON)
    loop = asyncio.get_running_loop()
    store = SqliteStore(path, lambda call: loop.call_soon_threadsafe(call))
    home = Home(tmp_path, store)
    log = Log(tmp_path / "logs", Redaction(["cnrSecret1"]), table=home.table)
    log.start(LogSettings())
    try:
        for text in ("first", "second cnrSecret1"):
            await home.observing.start()
            fact_logged(Fact(code="x", text=text, group_id=7))
            await home.observing.stop()
            await until(lambda: home.observing._writing is False)
    finally:
        log.stop()
    lines = Reader(path).log(10)
    assert [(line.id, line.text, line.code, line.group_id) for line in reversed(lines)] == [
        (1, "first", "x", 7),
        (2, "second •••", "x", 7),
    ]
    await asyncio.to_thread(store.close)


async def test_a_log_that_cannot_be_written_stops_the_desk_as_any_failed_commit_does(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.house.store.broken = StoreFailed("the disk is full")
    failed: list[StoreFailed] = []
    home.house.desk.on_failed = failed.append
    log = Log(tmp_path / "logs", Redaction(), table=home.table)
    log.start(LogSettings())
    logger.info("a line")
    log.stop()
    home.observing._write_log()
    assert [str(each) for each in failed] == ["the disk is full"]
    home.observing._write_log()  # nothing more is tried
    assert home.house.post(Pause()) is not None


@pytest.mark.fault(69)
async def test_a_loop_that_stands_still_is_logged_counted_and_told_by_how_long_it_did(tmp_path: Path) -> None:
    home = Home(tmp_path)
    said: list[str] = []
    number = logger.add(lambda line: said.append(line.record["message"]), level="INFO")
    for took in (0.06, 0.3, 2.1, 2.2, 9.0):
        home.observing.stalled(took, "page.py:7 paint")
    logger.remove(number)
    assert home.observing.stalls == 3
    assert said == ["The loop stood still for 60 ms at page.py:7 paint"]  # one for a while
    [fact] = [fact for fact in home.house.facts if fact.code == "alarm_loop"]
    assert fact.text.startswith("The program stood still for 2.1 s")


async def test_metrics_name_what_matters(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.house.price("BTCUSDT", "100")
    home.house.alert(price="100")
    home.house.accept()
    home.observing.lag_s.append(0.25)
    await until(lambda: home.observing.observation.alerts["opened"])
    text = await home.observing.metrics()
    for line in (
        'execution_engine_alerts_total{outcome="opened"}',
        'execution_engine_status{status="running"} 1.0',
        "execution_engine_healthy 1.0",
        "execution_engine_store_behind 0.0",
        "execution_engine_notifications_waiting 4.0",
        "execution_engine_loop_lag_seconds 0.25",
        'execution_engine_latency_seconds_bucket{le="0.005",stage="alert_to_answer"} 1.0',
        'execution_engine_orders_total{purpose="entry",status="pending"} 5.0',
    ):
        assert line in text, text


async def test_a_beat_that_fails_is_not_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("execution_engine.observing.BEAT_S", 0.001)
    home = Home(tmp_path)
    failed: list[int] = []

    def not_at_first(most: int) -> tuple[()]:
        if not failed:
            failed.append(most)
            raise RuntimeError("a line that cannot be read")
        return ()

    home.table.take = not_at_first  # type: ignore[assignment,method-assign]
    watching = asyncio.ensure_future(home.observing._keep())
    await until(lambda: home.observing.health()["memory_mb"] is not None)
    assert failed
    watching.cancel()
