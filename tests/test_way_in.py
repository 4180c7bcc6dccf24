"""The way in from outside: settings, tunnel, listener and check, joined as in the application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.tunnel import Reachability
from execution_engine.core import Options
from execution_engine.domain import document as documents
from execution_engine.domain.inputs import WayInChanged
from execution_engine.domain.settings import PaperFeed
from execution_engine.domain.way_in import Word
from execution_engine.main import Application
from execution_engine.way_in import House as Around
from execution_engine.way_in import WayInKept
from tests.adapters.tunnel.stand_ins import CLOUDFLARED, LIMIT_S, WAIT, Stage
from tests.adapters.tunnel.test_reach import Names
from tests.adapters.webhook.house import House, listening
from tests.waiting import until

pytestmark = pytest.mark.skipif(not Path("/bin/sh").exists(), reason="the stand-ins are shell scripts")
PUBLIC = "http://alerts.example.com"


class Clock(SystemClock):
    seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


class Joined:
    """A listener, a folder of programs and what the trader is told, around one way in."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.clock = Clock()
        self.told: list[WayInChanged] = []
        self.restarts = 0
        self.stage = Stage(folder)
        self.names = Names(house.port)
        self.here = house.host, house.port
        self.want()
        around = Around(
            settings=lambda: self.settings,
            address=lambda: self.here,
            tell=lambda said: self.told.append(said),  # type: ignore[arg-type]
            listen_again=self._listen_again,
        )
        self.way_in = WayInKept(
            around,
            self.stage.record,
            self.clock,
            probes=house.probes,
            reachability=Reachability(self.clock.now, self.names),
            tunnel=self.stage.tunnel,
        )

    def want(self, **tunnel: Any) -> None:
        self.settings = documents.check({"tunnel": tunnel}).tunnel

    async def _listen_again(self) -> None:
        self.restarts += 1

    @property
    def light(self) -> str:
        return self.way_in.shown.light[0]


@asynccontextmanager
async def joined(folder: Path) -> AsyncIterator[Joined]:
    async with listening() as house:
        made = Joined(house, folder)
        try:
            yield made
        finally:
            await made.way_in.stop()


async def test_without_a_tunnel_and_an_address_the_light_is_off(tmp_path: Path) -> None:
    async with joined(tmp_path) as joint:
        await joint.way_in.start()
        assert (await joint.way_in.check()).state == "off"
        assert joint.light == "off"
        assert joint.way_in.shown.local == f"http://127.0.0.1:{joint.house.port}"
        assert not joint.stage.record.exists()


async def test_an_address_of_ones_own_is_checked_at_the_start_and_on_demand(tmp_path: Path) -> None:
    async with joined(tmp_path) as joint:
        joint.want(public_url=PUBLIC)
        changes: list[str] = []
        joint.way_in.on_change.append(lambda: changes.append(joint.light))
        await joint.way_in.start()
        await until(lambda: joint.light == "ok")
        assert (await joint.way_in.check()).url == PUBLIC
        assert set(changes[1:]) == {"ok"}
        assert joint.house.desk.alerts == []


@pytest.mark.fault(17)
async def test_an_address_that_leads_nowhere_is_told_after_the_second_failure_and_when_it_is_well(
    tmp_path: Path,
) -> None:
    async with joined(tmp_path) as joint:
        joint.want(public_url=PUBLIC)
        joint.names.port = 0
        await joint.way_in.check()
        assert (joint.light, joint.told) == ("error", [])
        for _ in range(3):
            await joint.way_in.check()
        assert [said.bad for said in joint.told] == [True]
        assert PUBLIC in joint.told[0].text
        joint.names.port = joint.house.port
        await joint.way_in.check()
        assert [said.bad for said in joint.told] == [True, False]
        assert joint.light == "ok"


@pytest.mark.fault(17)
async def test_a_tunnel_follows_the_settings_and_a_new_address_is_a_notice(tmp_path: Path) -> None:
    async with joined(tmp_path) as joint:
        joint.stage.install("cloudflared", CLOUDFLARED + WAIT)
        joint.want(enabled=True)
        await joint.way_in.start()
        await joint.stage.until(Word.UP)
        assert joint.way_in.url == "https://calm-example-0.trycloudflare.com"
        await until(lambda: joint.way_in.reach.url == joint.way_in.url)  # checked as soon as it is up
        assert joint.stage.said("cloudflared") == [
            f"tunnel --no-autoupdate --url http://127.0.0.1:{joint.house.port}"
        ]
        await joint.stage.tunnel.again()
        await until(lambda: any("calm-example-1" in said.text for said in joint.told), LIMIT_S)
        joint.want(enabled=False)
        await joint.way_in.follow()
        assert joint.stage.tunnel.state.word is Word.OFF
        assert joint.light == "off"


async def test_settings_that_are_saved_while_it_ends_start_no_tunnel(tmp_path: Path) -> None:
    async with joined(tmp_path) as joint:
        joint.stage.install("cloudflared", CLOUDFLARED + WAIT)
        await joint.way_in.start()
        await joint.way_in.stop()
        joint.want(enabled=True)
        await joint.way_in.follow()
        for _ in range(20):  # whatever was begun gets its turn
            await asyncio.to_thread(str)
        assert joint.stage.said("cloudflared") == []
        assert joint.stage.tunnel.state.word is Word.OFF


async def test_a_new_tunnel_has_time_until_everybody_knows_its_name(tmp_path: Path) -> None:
    async with joined(tmp_path) as joint:
        joint.stage.install("cloudflared", CLOUDFLARED + WAIT)
        joint.names.port = 0
        joint.want(enabled=True)
        await joint.way_in.follow()
        await joint.stage.until(Word.UP)
        for _ in range(3):
            await joint.way_in.check()
        assert joint.light == "warn"
        assert joint.told == []
        joint.clock.seconds += 31
        await joint.way_in.check()
        assert joint.light == "error"
        assert [said.bad for said in joint.told] == [True]


@pytest.mark.fault(17)
async def test_a_listener_that_is_silent_twice_is_started_anew(tmp_path: Path) -> None:
    async with joined(tmp_path) as joint:
        assert (await joint.way_in.check_listener()).state == "ok"
        port, joint.here = joint.here[1], ("127.0.0.1", 9)
        await joint.way_in.check_listener()
        assert joint.restarts == 0
        await joint.way_in.check_listener()
        assert joint.restarts == 1
        joint.here = ("0.0.0.0", port)  # it listens everywhere; from here it is reached here
        assert (await joint.way_in.check_listener()).state == "ok"


@pytest.mark.fault(17)
async def test_a_silent_listener_is_noticed_by_itself_and_started_anew_until_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("execution_engine.way_in.AGAIN_S", 0.01)
    async with joined(tmp_path) as joint:
        here, joint.here = joint.here, ("127.0.0.1", 9)

        async def not_at_first() -> None:
            joint.restarts += 1
            if joint.restarts == 1:
                raise OSError("too many open files")
            joint.here = here

        joint.way_in._house = replace(joint.way_in._house, listen_again=not_at_first)
        await joint.way_in.start()
        await until(lambda: joint.way_in.local.state == "ok")
        assert joint.restarts == 2


async def test_who_fails_to_show_the_way_in_keeps_nobody_from_hearing(tmp_path: Path) -> None:
    async with joined(tmp_path) as joint:
        heard: list[str] = []

        def fails() -> None:
            raise RuntimeError("its window is gone")

        joint.way_in.on_change += [fails, lambda: heard.append(joint.light)]
        await joint.way_in.check()
        assert heard == ["off"]


@pytest.mark.fault(17)
async def test_the_application_listens_again_where_it_did_after_its_listener_died(tmp_path: Path) -> None:
    options = Options(data_dir=str(tmp_path / "data"), port=0, paper_feed=PaperFeed.MANUAL)
    application = Application(options)
    await asyncio.to_thread(application.open)
    try:
        await application.start()
        before, listener = application.address, application.listener
        assert listener is not None
        await application.way_in.stop()  # it checks when it is asked to, and not meanwhile
        await application.way_in.check_listener()
        await listener.stop()
        for _ in range(2):
            assert (await application.way_in.check_listener()).state == "error"
        assert application.address == before
        assert (await application.way_in.check_listener()).state == "ok"
    finally:
        await application.stop()
        application.close()
