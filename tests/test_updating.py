"""The whole program asks a server of releases, tells of a new version once, and believes nothing unsigned."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from execution_engine import __version__, updating
from execution_engine.adapters.updates import seen
from execution_engine.adapters.updates.errors import Unsigned
from execution_engine.adapters.updates.source import Source
from execution_engine.domain.errors import Refusal
from execution_engine.domain.settings import Updates
from execution_engine.domain.updates import Offer, UpToDate
from execution_engine.updating import Updating
from tests.adapters.updates.server import Releases, Signer, releases
from tests.waiting import until


def asking(server: Releases, folder: Path, groups: int = 0, **settings: bool) -> Updating:
    wanted = Updates(**settings)
    return Updating(server.source, folder / "updates.json", lambda: wanted, lambda: groups, first_s=0)


async def test_a_newer_version_is_offered_and_an_older_one_never_again(tmp_path: Path):
    async with releases() as server:
        asked = asking(server, tmp_path, groups=2)
        server.publish(__version__)
        assert await asked.check() == UpToDate(__version__)
        server.publish("9.1.0")
        found = await asked.check()
        assert isinstance(found, Offer)
        assert found.asks
        server.publish("9.0.0")  # signed, and still not the newest any more
        refused = await asked.check()
        assert isinstance(refused, Refusal)
        assert refused.code == "RELEASE_OLD"
        again = asking(server, tmp_path)  # another start does not forget
        assert isinstance(await again.check(), Refusal)


async def test_what_is_signed_by_somebody_else_is_neither_offered_nor_remembered(tmp_path: Path):
    async with releases() as server:
        asked = asking(server, tmp_path)
        server.publish("99.0.0", by=Signer(b"another."))
        with pytest.raises(Unsigned):
            await asked.check()
        assert seen.load(asked.memory).newest is None


async def test_a_signed_document_of_something_else_is_refused(tmp_path: Path):
    async with releases() as server:
        server.publish("99.0.0", application="another")
        assert isinstance(await asking(server, tmp_path).check(), Refusal)


async def test_a_program_without_a_place_to_ask_asks_nobody(tmp_path: Path):
    async with releases() as server:
        asked = asking(server, tmp_path)
        asked.source = Source()
        refused = await asked.check()
        assert isinstance(refused, Refusal)
        assert refused.code == "NO_RELEASES"
        assert server.asked == []


async def told(asked: Updating, server: Releases, times: int = 1) -> list[Offer]:
    """Let it look by itself until the server was asked so often, and return what it told."""
    offers: list[Offer] = []
    asked.on_offer.append(offers.append)
    before = len(server.asked)
    task = asyncio.create_task(asked.keep())
    await until(lambda: len(server.asked) >= before + 2 * times)
    await until(lambda: offers or seen.load(asked.memory).told)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return offers


async def test_each_version_is_told_once(tmp_path: Path):
    async with releases() as server:
        server.publish("9.1.0")
        (first,) = await told(asking(server, tmp_path), server)
        assert first.release.version == "9.1.0"
        assert await told(asking(server, tmp_path), server) == []
        server.publish("9.2.0")
        asked = asking(server, tmp_path)
        seen.save(asked.memory, replace(seen.load(asked.memory), told=None))
        (next_one,) = await told(asked, server)
        assert next_one.release.version == "9.2.0"


async def test_who_does_not_want_it_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with releases() as server:
        server.publish("9.1.0")
        asked = asking(server, tmp_path, check=False)
        task = asyncio.create_task(asked.keep())
        for _ in range(20):
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        assert server.asked == []


@pytest.mark.parametrize("published", ["bad signature", "away", "older"])
async def test_looking_goes_on_whatever_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, published: str
):
    monkeypatch.setattr(updating, "AGAIN_S", 0.0)
    async with releases() as server:
        asked = asking(server, tmp_path)
        if published == "bad signature":
            server.publish("9.1.0", by=Signer(b"another."))
        elif published == "older":
            server.publish("0.0.1")
        else:
            server.has["/release.json"] = 503
        task = asyncio.create_task(asked.keep())
        await until(lambda: server.asked)
        await asyncio.sleep(0)
        if published == "away":
            server.publish("9.1.0")
            await until(lambda: seen.load(asked.memory).told == "9.1.0")
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
