"""Slow, many and malformed: none of them keeps a real alert out."""

import asyncio
import json
import re
from collections.abc import Callable
from contextlib import suppress

import pytest

from execution_engine.adapters.webhook import Limits
from execution_engine.adapters.webhook.connections import Guard
from tests.adapters.webhook.house import TOKEN, House, entry, listening, logged
from tests.waiting import until

BODY = json.dumps(entry()).encode()


def request(body: bytes = BODY, path: str = f"/webhook/{TOKEN}", *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in re.split(rb"HTTP/1\.[01] ", answer)[1:]]


LAST = request(BODY, f"/webhook/{TOKEN}", "Connection: close")


class Visitor:
    """A connection as the guard sees it."""

    def __init__(self, peer: str = "1.1.1.1") -> None:
        self.peer = peer
        self.since: float | None = None
        self.working = False
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True


class Watch:
    """A guard with a clock and timers that are run by hand."""

    def __init__(self, **limits: float) -> None:
        self.now = 0.0
        self.timers: list[Callable[[], None]] = []
        self.guard = Guard(Limits(**limits), lambda: self.now, self._later)  # type: ignore[arg-type]

    def _later(self, delay_s: float, run: Callable[[], None]) -> asyncio.TimerHandle:
        self.timers.append(run)
        return None  # type: ignore[return-value]

    def run_timers(self) -> None:
        timers, self.timers = self.timers, []
        for run in timers:
            run()

    def open(self, *visitors: Visitor) -> None:
        for visitor in visitors:
            self.guard.opened(visitor)


@pytest.mark.fault(9)
def test_a_connection_that_sends_no_whole_request_in_three_seconds_is_dropped() -> None:
    watch, visitor = Watch(), Visitor()
    watch.open(visitor)
    watch.now = 2.9
    watch.guard.heard(visitor)  # a byte now and then buys no time
    watch.run_timers()
    assert not visitor.dropped
    watch.now = 3.0
    watch.run_timers()
    assert visitor.dropped


def test_a_request_that_is_here_may_wait_for_the_store_as_long_as_it_takes() -> None:
    watch, visitor = Watch(), Visitor()
    watch.open(visitor)
    visitor.since, visitor.working = None, True
    watch.now = 100
    watch.run_timers()
    assert not visitor.dropped


def test_the_next_request_of_a_connection_has_three_seconds_of_its_own() -> None:
    watch, visitor = Watch(), Visitor()
    watch.open(visitor)
    visitor.since = None  # the first one was answered
    watch.now = 10
    watch.guard.heard(visitor)
    assert watch.guard.late() == []
    watch.now = 13
    assert watch.guard.late() == [visitor]


def test_beyond_the_limit_the_oldest_unfinished_connection_is_dropped() -> None:
    watch = Watch(connections=3)
    visitors = [Visitor() for _ in range(5)]
    watch.open(*visitors)
    visitors[0].working = True
    watch.run_timers()
    assert not any(visitor.dropped for visitor in visitors)  # their requests may be on the way
    watch.now = 0.5
    watch.run_timers()
    assert [visitor.dropped for visitor in visitors] == [False, True, True, False, False]


def test_a_crowd_from_one_address_pushes_out_itself_first() -> None:
    watch = Watch(connections=3)
    sender, crowd = Visitor("52.89.214.238"), [Visitor("6.6.6.6") for _ in range(9)]
    watch.open(sender, *crowd)
    watch.now = 0.5
    watch.run_timers()
    assert not sender.dropped
    assert [visitor.dropped for visitor in crowd] == [True] * 7 + [False] * 2


def test_a_flood_is_dropped_at_once() -> None:
    watch = Watch(connections=3, flood=9)
    visitors = [Visitor() for _ in range(10)]
    watch.open(*visitors)
    assert [visitor.dropped for visitor in visitors] == [True] * 7 + [False] * 3


async def test_a_dribbled_request_is_cut_off() -> None:
    async with listening(Limits(sweep_s=0.01)) as house:
        for begun in (b"", b"POST /webh", request()[:-1], request()[:60]):
            reader, writer = await house.connect()
            writer.write(begun)
            await writer.drain()
            house.seconds += 3
            assert await reader.read() == b""
            writer.close()
    assert house.desk.alerts == []


async def test_a_second_request_cannot_dribble_in_behind_the_first() -> None:
    async with listening(Limits(sweep_s=0.01, idle_s=0.05)) as house:
        for rest in (request()[:-1], request()[:20]):
            reader, writer = await house.connect()
            writer.write(request())
            writer.write(rest)
            await reader.readuntil(b"}")
            writer.write(b"{")
            await writer.drain()
            await until_cut_off(house, reader)
            writer.close()


async def until_cut_off(house: House, reader: asyncio.StreamReader) -> None:
    reading = asyncio.create_task(reader.read())
    while not reading.done():
        house.seconds += 3
        await asyncio.wait([reading], timeout=0.01)
    # a reset instead of an end is as good
    await asyncio.gather(reading, return_exceptions=True)


async def test_an_idle_connection_is_closed_after_its_time() -> None:
    async with listening(Limits(idle_s=0.05)) as house:
        reader, writer = await house.connect()
        writer.write(request())
        assert statuses(await reader.read()) == [202]
        writer.close()


@pytest.mark.fault(9)
async def test_a_crowd_of_dribbling_sockets_does_not_delay_a_real_alert() -> None:
    async with listening(Limits(grace_s=0.02)) as house:
        sockets = [await house.connect() for _ in range(100)]
        for _, writer in sockets:
            writer.write(request()[:40])
        assert (await house.send(entry()))[0] == 202  # no time passed: nobody was dropped for it
        house.seconds += 0.5
        await until(lambda: len(house.listener._runner.server.connections) <= 64)  # type: ignore[union-attr]
        assert (await house.send(entry(id="2")))[0] == 202
        for _, writer in sockets:
            writer.close()


@pytest.mark.fault(3)
async def test_a_burst_of_real_alerts_on_as_many_connections_is_answered_in_full() -> None:
    async with listening() as house:
        answers = await asyncio.gather(
            *(
                house.raw(
                    request(json.dumps(entry(id=str(n))).encode(), f"/webhook/{TOKEN}", "Connection: close")
                )
                for n in range(300)
            )
        )
        assert [statuses(answer) for answer in answers] == [[202]] * 300
    assert len(house.desk.alerts) == 300


@pytest.mark.fault(18)
async def test_requests_in_one_piece_are_answered_in_their_order() -> None:
    async with listening() as house:
        answer = await house.raw(request() + request(b"no json") + request(BODY, "/nothing") + LAST)
    assert statuses(answer) == [202, 400, 404, 200]


@pytest.mark.fault(18)
async def test_what_follows_a_refused_body_is_never_taken_for_a_request() -> None:
    hidden = request()
    async with listening() as house:
        answer = await house.raw(request(b"x" * 17_000 + hidden) + hidden)
    assert statuses(answer) == [413]
    assert house.desk.alerts == []


SMUGGLED = {
    "two lengths": b"POST /webhook/T HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 9\r\n\r\nabcd",
    "length and chunks": b"POST /webhook/T HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a strange coding": b"POST /webhook/T HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a signed length": b"POST /webhook/T HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd",
    "a huge length": b"POST /webhook/T HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999999999999\r\n\r\nabcd",
    "a broken chunk": b"POST /webhook/T HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabcd\r\n",
    "a space in a header": b"POST /webhook/T HTTP/1.1\r\nHost: x\r\nContent-Length : 4\r\n\r\nabcd",
    "a bare line feed": b"POST /webhook/T HTTP/1.1\nHost: x\nContent-Length: 4\n\nabcd",
    "no host": b"POST /webhook/T HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a line without end": b"POST /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    "a header without end": b"POST /webhook/T HTTP/1.1\r\nHost: " + b"a" * 20_000 + b"\r\n\r\n",
    "a thousand headers": b"POST /webhook/T HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
    "an unknown method": b"HACK /webhook/T HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "a tunnel": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "a way around": b"POST /x/../webhook/T HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "an escaped path": b"POST /%77ebhook/T HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "a trace": b"TRACE /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
}


@pytest.mark.fault(18)
@pytest.mark.parametrize("data", SMUGGLED.values(), ids=SMUGGLED)
async def test_what_breaks_the_rules_of_http_reaches_nobody(data: bytes) -> None:
    async with logged("WARNING") as lines, listening() as house:
        reader, writer = await house.connect()
        writer.write(data.replace(b"/T", f"/{TOKEN}".encode()) + LAST)
        [status, *_] = statuses(await reader.read())
        writer.close()
        assert status in (400, 404)
        assert len(house.desk.alerts) <= (status == 404)  # what follows a whole request may be one as well
    assert lines == []


async def test_an_answer_is_empty_where_no_request_was_understood() -> None:
    async with listening() as house:
        answer = await house.raw(b"nonsense\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 400 Bad Request\r\n")
    assert answer.endswith(b"\r\n\r\n")


async def test_a_sender_that_wants_another_protocol_is_answered_in_this_one() -> None:
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    async with listening(Limits(idle_s=0.05)) as house:
        answer = await house.raw(request(BODY, f"/webhook/{TOKEN}", *upgrade))
    assert statuses(answer) == [202]


async def test_a_sender_that_asks_first_is_told_to_go_on() -> None:
    async with listening() as house:
        headers, _, body = request(
            BODY, f"/webhook/{TOKEN}", "Expect: 100-continue", "Connection: close"
        ).partition(b"\r\n\r\n")
        reader, writer = await house.connect()
        writer.write(headers + b"\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert statuses(await reader.read()) == [202]
        writer.close()


async def test_a_sender_that_leaves_before_the_answer_changes_nothing() -> None:
    async with logged("WARNING") as lines, listening() as house:
        house.desk.instead = ["later"]
        _, writer = await house.connect()
        writer.write(request())
        await until(lambda: house.desk.held)
        writer.transport.abort()
        house.desk.release()
        assert (await house.send(entry()))[0] == 200
    assert lines == []


@pytest.mark.fault(9, 18)
@pytest.mark.parametrize("line", [b"CONNECT  ", b"CONNECT  HTTP/1.1", b"CONNECT @ HTTP/1.1"])
async def test_a_request_that_the_library_breaks_on_ends_its_connection_instead_of_holding_it_for_ever(
    line: bytes,
) -> None:
    async with logged("WARNING") as lines, listening() as house:
        assert set(statuses(await house.raw(line + b"\r\nContent-Length: 0\r\n\r\n" + request()))) <= {
            400,
            404,
        }
        assert (await house.send(entry()))[0] == 202
    assert lines == []


async def test_a_header_that_comes_in_pieces_is_taken_like_one_in_one_piece() -> None:
    async with listening() as house:
        reader, writer = await house.connect()
        for at in range(0, len(LAST), 7):
            writer.write(LAST[at : at + 7])
            await writer.drain()
            await asyncio.sleep(0)
        assert statuses(await reader.read()) == [202]
        writer.close()


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00\x01", b"hello", b"PORT 1\r\n", b"P" * 9000])
async def test_what_can_be_no_request_is_answered_before_it_has_an_end(data: bytes) -> None:
    async with listening() as house:
        assert statuses(await house.raw(data)) == [400]


async def test_who_never_gets_beyond_the_door_is_let_go_when_the_listener_stops() -> None:
    async with listening() as house:
        reader, writer = await house.connect()
        writer.write(b"POST /webhook/x HTTP/1.1\r\nHost: ")
        await writer.drain()
        await house.listener.stop()
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
