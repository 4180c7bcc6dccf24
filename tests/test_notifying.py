"""What happens in the house and what arrives outside: through the real library, at a server on this machine."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from execution_engine.adapters.notify.services import NOT_UNDERSTOOD
from execution_engine.adapters.security import vault as vaults
from execution_engine.adapters.security.password import Cost
from execution_engine.adapters.security.redact import Redaction
from execution_engine.adapters.security.vault import Vault
from execution_engine.domain import document as documents
from execution_engine.domain.errors import EngineError
from execution_engine.domain.facts import Fact, Level
from execution_engine.domain.inputs import Pause, Resume
from execution_engine.domain.notify import Day, Message, WorldDay
from execution_engine.domain.rows import AuditEntry, SettingsVersion
from execution_engine.notifying import House as Outside
from execution_engine.notifying import Notifying
from execution_engine.unlocking import Unlocking
from tests.adapters.notify.services import WebService
from tests.house import House
from tests.waiting import until

PASSWORD = "correct horse"
SECRET = "cnrTarget-91b7/x"


@pytest.fixture
def web() -> Iterator[WebService]:
    service = WebService()
    yield service
    service.close()


@pytest.fixture
def other() -> Iterator[WebService]:
    service = WebService()
    yield service
    service.close()


class Home:
    """A desk, a vault, and what tells others of it."""

    def __init__(self, folder: Path) -> None:
        self.house = House()
        self.redaction = Redaction()
        self.vault = Vault(folder / "vault", learn=self.redaction.learn)
        self.unlocking = Unlocking(self.vault, self.ask)
        self.record = folder / "notifications.json"
        self.desktop: list[Message] = []
        self.notifying = self.made()
        self.house.feed.on_released(lambda change: self.notifying.released(change))

    def made(self) -> Notifying:
        outside = Outside(
            settings=lambda: self.house.book.settings, ask=self.ask, now=self.house.clock.now, day=self.day
        )
        made = Notifying(outside, self.unlocking, self.redaction, self.record)
        made.desktop.append(self.desktop.append)
        return made

    async def ask(self, given: Any) -> Any:
        reply = self.house.post(given)
        if self.house.book.settings.notifications.targets:
            self.notifying.follow()
        return reply

    async def day(self) -> Day:
        return Day(worlds={"paper": WorldDay(trades=3, wins=2)}, queued=1)

    def set(self, **values: Any) -> None:
        settings = self.house.book.settings
        for path, value in values.items():
            settings = documents.with_value(settings, f"notifications.{path.replace('__', '.')}", value)
        self.house.book.apply(
            [SettingsVersion(id=99, saved_at=self.house.clock.now(), document=documents.dump(settings))]
        )
        self.notifying.follow()


@asynccontextmanager
async def home(folder: Path) -> AsyncIterator[Home]:
    made = Home(folder)
    await made.unlocking.ready(PASSWORD)
    await made.notifying.start()
    try:
        yield made
    finally:
        await made.notifying.stop()


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vaults, "calibrated", lambda: Cost(memory_mib=8, passes=1))


def address(service: WebService) -> str:
    return f"json://me:{SECRET.partition('/')[0]}@127.0.0.1:{service.port}/hook/{SECRET.partition('/')[0]}"


async def for_ever(seconds: float) -> None:
    await asyncio.Event().wait()


def critical(text: str) -> Fact:
    return Fact(code="defect", text=text, level=Level.CRITICAL, notice=True)


async def test_what_the_rules_name_arrives_and_nothing_else(tmp_path: Path, web: WebService) -> None:
    async with home(tmp_path) as at:
        assert await at.notifying.add("phone", address(web)) == "phone is told from now on. Send it a test."
        at.set(also=["paused"])
        at.house.post(Pause())
        at.house.post(Resume())
        await until(lambda: web.bodies)
        at.notifying.tell(critical(f"refused at https://x/{SECRET.partition('/')[0]}\x1b[2J"))
        await until(lambda: len(web.bodies) == 2)
    first, second = web.bodies
    assert "aused" in first["message"]
    assert second["title"] == "Execution Engine: act now"
    assert second["message"] == "refused at https://x/•••\\x1b[2J"
    assert [message.code for message in at.desktop] == ["paused", "defect"]


async def test_nothing_is_told_before_it_is_committed(tmp_path: Path, web: WebService) -> None:
    async with home(tmp_path) as at:
        await at.notifying.add("phone", address(web))
        at.set(also=["paused"])
        at.house.store.held = []
        at.house.post(Pause())
        await asyncio.sleep(0)
        assert at.notifying.shown()[0].waiting == 0
        assert at.desktop == []
        at.house.store.let_go()
        await until(lambda: web.bodies)


async def test_a_target_that_hangs_delays_neither_the_desk_nor_the_others(
    tmp_path: Path, web: WebService, other: WebService
) -> None:
    async with home(tmp_path) as at:
        await at.notifying.add("slow", address(web))
        await at.notifying.add("fast", address(other))
        web.gate.clear()
        for number in range(3):
            at.notifying.tell(critical(str(number)))
        await until(lambda: len(other.bodies) == 3)
        await until(
            lambda: {each.name: each.waiting for each in at.notifying.shown()} == {"slow": 3, "fast": 0}
        )
        assert at.house.post(Pause()).status == "done"
        assert web.bodies == []
        web.gate.set()


async def test_what_is_critical_survives_a_restart(tmp_path: Path, web: WebService) -> None:
    web.status = 503
    async with home(tmp_path) as at:
        await at.notifying.add("phone", address(web))
        at.notifying.tell(Fact(code="x", text="a warning", level=Level.WARNING))
        at.notifying.tell(critical("the disk is full"))
        await until(lambda: web.bodies)
    assert SECRET.partition("/")[0] not in at.record.read_text()
    web.heard.clear()
    web.status = 200
    at.notifying = at.made()
    at.notifying.tell(critical("found while it started"))
    await at.notifying.start()
    await until(lambda: len(web.bodies) == 2)
    await until(lambda: at.notifying.shown()[0].waiting == 0)
    await at.notifying.stop()
    assert [body["message"] for body in web.bodies] == ["the disk is full", "found while it started"]
    assert json.loads(at.record.read_text())["waiting"] == {}


async def test_a_locked_vault_keeps_messages_waiting_until_it_is_opened(
    tmp_path: Path, web: WebService
) -> None:
    async with home(tmp_path) as at:
        at.notifying.pause = for_ever
        await at.notifying.add("phone", address(web))
        at.vault.lock()
        at.notifying.tell(critical("while it is locked"))
        await until(lambda: "locked" in at.notifying.shown()[0].trouble)
        assert at.notifying.shown()[0].kind == ""
        await at.unlocking.open(PASSWORD)
        at.notifying.vault_opened()
        await until(lambda: web.bodies)


async def test_what_is_critical_is_written_down_at_once_and_with_the_last_moment(
    tmp_path: Path, web: WebService
) -> None:
    web.status = 503
    async with home(tmp_path) as at:
        at.notifying.pause = for_ever
        await at.notifying.add("phone", address(web))
        at.notifying.tell(critical("the first"))
        await until(lambda: web.bodies)
        at.notifying.tell(critical("before it was killed"))
        await until(lambda: at.record.exists() and "before it was killed" in at.record.read_text())
        at.notifying.tell(critical("while it ended"))
    assert "while it ended" in at.record.read_text()


async def test_a_summary_that_cannot_be_made_keeps_nothing_else_from_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("execution_engine.notifying.LOOK_EVERY_S", 0.01)

    async def nothing() -> Day:
        asked.append(1)
        raise OSError("the database is locked")

    asked: list[int] = []
    async with home(tmp_path) as at:
        local = at.house.clock.now().astimezone()
        at.notifying.house = replace(at.notifying.house, day=nothing)
        at.set(summary_at=f"{local:%H:%M}")
        at.house.clock.time += timedelta(days=1)
        await until(lambda: asked)
        later = at.house.clock.now().astimezone()
        at.set(quiet_from=f"{later:%H:%M}", quiet_until=f"{later + timedelta(hours=1):%H:%M}")
        at.notifying.tell(Fact(code="order_rejected", text="x", level=Level.WARNING))
        at.house.clock.time += timedelta(hours=1)
        await until(lambda: at.desktop)
    assert "1 × order_rejected" in at.desktop[0].text


@pytest.mark.fault(88)
async def test_addresses_are_in_the_vault_and_nowhere_else(tmp_path: Path, web: WebService) -> None:
    async with home(tmp_path) as at:
        await at.notifying.add("phone", address(web))
        assert await at.notifying.test("phone") == "phone took the test message."
        web.status = 404
        with pytest.raises(EngineError, match=r"phone did not take the test: .*404") as refused:
            await at.notifying.test("phone")
        for wrong, words in (("nothing at all", NOT_UNDERSTOOD), ("short", "too short")):
            with pytest.raises(EngineError) as caught:
                await at.notifying.add("other", wrong)
            assert words in str(caught.value)
        with pytest.raises(EngineError):
            await at.notifying.add("a name with ü", address(web))
        with pytest.raises(EngineError, match="no target “other”; there are: phone"):
            await at.notifying.test("other")
        seen = [documents.dump(at.house.book.settings), str(refused.value), repr(at.notifying.shown())]
        seen += [row.detail for row in at.house.store.committed if isinstance(row, AuditEntry)]
        assert not [text for text in seen if "cnrTarget" in text]
        shown = at.notifying.shown()[0]
        assert (shown.name, shown.kind, shown.enabled) == ("phone", "json", True)
        again = Vault(tmp_path / "vault")
        again.open(PASSWORD)
        assert dict(again.targets) == {"phone": address(web)}
        assert await at.notifying.remove("phone") == "phone is told nothing any more."
        assert at.notifying.shown() == ()
        assert dict(at.vault.targets) == {}
        with pytest.raises(EngineError, match="there are: none"):
            await at.notifying.remove("phone")
    acts = [row.act for row in at.house.store.committed if isinstance(row, AuditEntry)]
    assert acts == ["vault_made", "target_entered", "settings_saved", "target_removed", "settings_saved"]


async def test_read_only_nothing_about_targets_can_be_changed(tmp_path: Path, web: WebService) -> None:
    async with home(tmp_path) as at:
        read_only = documents.with_value(at.house.book.settings, "security.read_only", True)
        row = SettingsVersion(id=98, saved_at=at.house.clock.now(), document=documents.dump(read_only))
        at.house.book.apply([row])
        with pytest.raises(EngineError):
            await at.notifying.add("phone", address(web))
        assert dict(at.vault.targets) == {}


async def test_the_summary_comes_once_a_day_to_whom_it_may(tmp_path: Path, web: WebService) -> None:
    async with home(tmp_path) as at:
        await at.notifying.add("phone", address(web))
        local = at.house.clock.now().astimezone()
        at.set(summary_at=f"{local:%H:%M}", desktop=False)
        await at.notifying.look()
        assert at.desktop == []  # the day of the installation had its chance
        at.house.clock.time += timedelta(days=1)
        await at.notifying.look()
        await at.notifying.look()
        await until(lambda: web.bodies)
        at.set(targets__phone__summary=False, desktop=True)
        at.house.clock.time += timedelta(days=1)
        await at.notifying.look()
    assert [body["message"] for body in web.bodies] == [
        "Paper: +0.00 USD realized in 24 h (3 trades, 2 won), 0 open positions, unknown unrealized.\n"
        "Queue: 1 waiting.\nNo problems."
    ]
    assert [message.code for message in at.desktop] == ["summary"]


async def test_what_was_left_out_is_told_when_the_quiet_hours_end(tmp_path: Path) -> None:
    async with home(tmp_path) as at:
        local = at.house.clock.now().astimezone()
        at.set(quiet_from=f"{local:%H:%M}", quiet_until=f"{local + timedelta(hours=1):%H:%M}")
        at.notifying.tell(Fact(code="order_rejected", text="x", level=Level.WARNING))
        await at.notifying.look()
        assert at.desktop == []
        at.house.clock.time += timedelta(hours=1)
        await at.notifying.look()
    [message] = at.desktop
    assert "1 × order_rejected" in message.text


async def test_a_desktop_that_fails_stops_nobody(tmp_path: Path) -> None:
    async with home(tmp_path) as at:

        def broken(message: Message) -> None:
            raise OSError("no tray")

        at.notifying.desktop.insert(0, broken)
        at.notifying.tell(critical("x"))
        assert [message.text for message in at.desktop] == ["x"]
