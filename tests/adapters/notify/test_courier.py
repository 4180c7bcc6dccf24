"""How messages get to one target that is slow, refuses, or is away."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from execution_engine.adapters.notify import memory
from execution_engine.adapters.notify.courier import MOST_WAITING, Courier
from execution_engine.adapters.notify.services import Outcome, Result
from execution_engine.domain.facts import Level
from execution_engine.domain.notify import Message
from tests.waiting import until

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SENT, LATER = Outcome(Result.SENT), Outcome(Result.LATER, "error=503 with cnrToken")


def message(text: str = "x", level: Level = Level.WARNING) -> Message:
    return Message(title="t", text=text, level=level, code="c", at=NOON)


class Told:
    """A target that is told what to answer, and whose clock moves with each pause."""

    def __init__(self, *answers: Outcome | Exception) -> None:
        self.answers = list(answers)
        self.heard: list[str] = []
        self.pauses: list[float] = []
        self.now = NOON

    def send(self, told: Message) -> Outcome:
        self.heard.append(told.text)
        answer = self.answers.pop(0) if self.answers else SENT
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)


@asynccontextmanager
async def courier(target: Told, changed: Callable[[], None] = lambda: None) -> AsyncIterator[Courier]:
    made = Courier(
        name="phone",
        send=target.send,
        now=lambda: target.now,
        pause=target.pause,
        changed=changed,
        safe=lambda text: text.replace("cnrToken", "•••"),
    )
    task = asyncio.create_task(made.keep())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_is_refused_for_now_is_tried_again_with_growing_pauses_and_in_order() -> None:
    target = Told(LATER, LATER, ValueError("cnrToken"))
    async with courier(target) as sending:
        sending.take(message("one"))
        sending.take(message("two"))
        await until(lambda: sending.sent == 2)
    assert target.heard == ["one", "one", "one", "one", "two"]
    assert target.pauses == [5, 10, 20]
    assert (sending.lost, sending.trouble) == (0, "")


async def test_what_is_refused_for_good_is_given_up_and_the_next_one_goes() -> None:
    target = Told(Outcome(Result.REFUSED, "error=404 at cnrToken"))
    async with courier(target) as sending:
        sending.take(message("one"))
        await until(lambda: sending.lost == 1)
        assert sending.trouble == "error=404 at •••"
        sending.take(message("two"))
        await until(lambda: sending.sent == 1)
    assert target.heard == ["one", "two"]


async def test_a_target_that_stays_away_is_given_up_after_an_hour_and_for_what_is_critical_after_a_day() -> (
    None
):
    target = Told(*[LATER] * 500)
    async with courier(target) as sending:
        sending.take(message("ordinary"))
        await until(lambda: sending.lost == 1)
        assert timedelta(hours=1) < target.now - NOON < timedelta(hours=1, minutes=11)
        sending.take(message("critical", Level.CRITICAL))
        await until(lambda: sending.lost == 2)
        assert timedelta(hours=24) < target.now - NOON < timedelta(hours=24, minutes=11)


async def test_the_queue_is_bounded_and_what_is_critical_stays() -> None:
    sending = Courier(name="phone", send=Told().send, now=lambda: NOON)
    sending.take(message("critical", Level.CRITICAL))
    for number in range(MOST_WAITING + 9):
        sending.take(message(str(number)))
    assert len(sending.waiting) == MOST_WAITING
    assert sending.lost == 10
    assert sending.waiting[0].text == "critical"
    assert sending.waiting[-1].text == str(MOST_WAITING + 8)


async def test_a_message_that_gives_way_while_it_is_tried_ends_nothing() -> None:
    target, go_on = Told(), threading.Event()
    send = target.send

    def slowly(told: Message) -> Outcome:
        if told.text == "first":
            target.heard.append(told.text)
            go_on.wait(10)
            return LATER
        return send(told)

    target.send = slowly  # type: ignore[method-assign]
    async with courier(target) as sending:
        sending.take(message("first", Level.CRITICAL))
        await until(lambda: target.heard)
        for number in range(MOST_WAITING):
            sending.take(message(str(number), Level.CRITICAL))
        go_on.set()
        await until(lambda: sending.sent == MOST_WAITING)
    assert (target.heard[:2], sending.lost) == (["first", "0"], 1)


async def test_a_pause_can_be_cut_short() -> None:
    target = Told(LATER)
    forever = asyncio.Event()

    async def pause(seconds: float) -> None:
        target.pauses.append(seconds)
        await forever.wait()

    async with courier(target) as sending:
        sending.pause = pause
        sending.take(message())
        await until(lambda: target.pauses)
        sending.hurry()
        await until(lambda: sending.sent == 1)
        sending.hurry()  # nothing waits: nothing happens


def test_what_must_survive_a_restart_does(tmp_path: Path) -> None:
    path = tmp_path / "notifications.json"
    kept = memory.Kept({"phone": (message("critical ü", Level.CRITICAL),)}, NOON.date())
    for _ in range(2):
        memory.save(path, kept)
    found = memory.load(path)
    assert found is not None
    assert found.waiting["phone"] == [message("critical ü", Level.CRITICAL)]
    assert found.told_on == NOON.date()
    assert path.stat().st_mode & 0o077 == 0
    memory.save(path, memory.Kept())
    assert memory.load(path) == memory.Kept()
    for rubbish in (b"", b"[]", b"{}", b'{"told_on": null, "waiting": {"a": [1]}}', b"\xff"):
        path.write_bytes(rubbish)
        assert memory.load(path) is None
    assert memory.load(tmp_path / "nothing") is None
