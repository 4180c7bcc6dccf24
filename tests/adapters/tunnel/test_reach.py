"""Whether the public address leads here: one light, and a sentence."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from execution_engine.adapters.tunnel import Reachability
from execution_engine.adapters.tunnel.names import SystemNames
from execution_engine.adapters.webhook.probes import Probes
from execution_engine.domain.way_in import Reach
from tests.adapters.tunnel.stand_ins import NOW
from tests.adapters.webhook.house import House, listening
from tests.ports import free_port

URL = "http://alerts.example.com"


class Names(AbstractResolver):
    """Leads every name to a port of this machine, as the tunnel's provider would; 0: to nowhere."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        if not self.port:
            raise OSError(None, "Name or service not known")
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=self.port, family=family, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Nothing is kept."""


async def checked(house: House, port: int | None = None, took_s: float = 0.1) -> Reach:
    seconds: Iterator[float] = iter((10.0, 10.0 + took_s))
    reachability = Reachability(
        lambda: NOW, Names(house.port if port is None else port), lambda: next(seconds, 0.0)
    )
    probe = house.probes.new()
    return await reachability.check(URL, probe, lambda: house.probes.cautions(probe))


@asynccontextmanager
async def answering(status: int, text: str = "hello", **headers: str) -> AsyncIterator[int]:
    """Give the port of somebody else's server."""

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


@pytest.mark.parametrize(
    ("took_s", "state", "sentence"),
    [
        (0.1, "ok", "Reached from outside in 100 ms."),
        (1.5, "ok", "Reached from outside in 1500 ms."),
        (1.6, "warn", "The answer took 1.6 s; TradingView gives up after 3 s."),
        (3.1, "error", "The answer took 3.1 s; TradingView gives up after 3 s."),
    ],
)
async def test_the_light_follows_the_time_that_tradingview_would_wait(
    took_s: float, state: str, sentence: str
) -> None:
    async with listening() as house:
        found = await checked(house, took_s=took_s)
    assert (found.state, found.sentence, found.url, found.at) == (state, sentence, URL, NOW)
    assert found.took_s == pytest.approx(took_s)
    assert house.desk.alerts == house.desk.refused == []


async def test_what_would_be_refused_turns_the_light_yellow() -> None:
    async with listening(signature_required=True) as house:
        found = await checked(house)
    assert found.state == "warn"
    assert "cannot sign" in found.sentence


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (200, {}, "Something else answers at this address (status 200)"),
        (404, {}, "Something else answers"),
        (301, {"Location": "https://alerts.example.com/webhook"}, "redirect (301)"),
        (502, {}, "does not get through to the listener"),
    ],
)
@pytest.mark.fault(17)
async def test_somebody_elses_answer_is_red(status: int, headers: dict[str, str], words: str) -> None:
    async with listening() as house:
        for text in ("hello", "[]", '{"probe": "x"}', '{"probe": ["ü"]}'):
            async with answering(status, text, **headers) as port:
                found = await checked(house, port)
            assert (found.state, words in found.sentence) == ("error", True), found


async def test_names_are_looked_up_by_the_system_without_the_threads_that_the_end_waits_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "run_in_executor", None)
    names = SystemNames()
    assert [(each["host"], each["port"]) for each in await names.resolve("localhost", 8787)] == [
        ("127.0.0.1", 8787)
    ]
    for nothing in ("alerts.example.invalid", "a" * 300 + ".example"):
        with pytest.raises(OSError):  # noqa: PT011 (each system has words of its own)
            await names.resolve(nothing)


@pytest.mark.fault(17)
async def test_an_address_that_leads_nowhere_is_red() -> None:
    async with listening() as house:
        found = await checked(house, free_port())
        assert (found.state, found.took_s) == ("error", None)
        assert found.sentence.startswith("No connection can be made")
        found = await checked(house, 0)
        assert (found.state, found.sentence) == (
            "error",
            "Its name is not known (yet), or this machine is not online.",
        )


async def test_a_check_that_is_to_end_ends_also_in_the_moment_of_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answered(url: str, probe: Any) -> tuple[int, bytes]:
        await asyncio.sleep(0)
        return 200, b"{}"

    reachability = Reachability(lambda: NOW)
    monkeypatch.setattr(reachability, "_send", answered)
    for turns in range(8):
        probe = Probes(lambda: 0.0).new()
        checking = asyncio.create_task(reachability.check("http://there.test", probe, lambda: ()))
        for _ in range(turns):
            await asyncio.sleep(0)
        if checking.cancel():
            (ended,) = await asyncio.gather(checking, return_exceptions=True)
            assert isinstance(ended, asyncio.CancelledError), f"after {turns} turns of the loop"
