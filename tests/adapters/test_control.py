"""The command socket, with both of its ends."""

import asyncio
import json
import os
import socket
import stat
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from loguru import logger
from pytestqt.qtbot import QtBot

from execution_engine.adapters.control import CommandFailed, ControlError, ControlServer, NotRunning, call
from execution_engine.adapters.control.messages import BATCH
from execution_engine.domain.errors import EngineError
from tests.waiting import until

if sys.platform == "win32":
    pytest.skip("Windows has a named pipe instead", allow_module_level=True)

from execution_engine.adapters.control import posix
from execution_engine.adapters.control.posix import MOST_PATH_BYTES, socket_path


class Engine:
    """Does what it is asked, as an engine would."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.gate = asyncio.Event()

    async def handle(self, command: str, args: dict[str, Any]) -> Any:
        self.asked.append((command, args))
        match command:
            case "state":
                return {"groups": [{"id": number, "note": "x" * 50} for number in range(args["groups"])]}
            case "wait":
                await self.gate.wait()
                return {"waited": True}
            case "refuse":
                raise EngineError("There is no group 7.")
            case "break":
                raise ZeroDivisionError("a bug")
            case "odd":
                return {"what": object()}
            case "odd late":
                return {"much": ["x" * 1000] * 1000, "what": object()}
            case "facts":
                return {
                    "price": Decimal("1E+3"),
                    "at": datetime(2026, 11, 20, tzinfo=UTC),
                    "none": {},
                    "all": [],
                }
        return {"done": command}


@asynccontextmanager
async def serving(path: Path, **options: Any) -> AsyncIterator[Engine]:
    engine = Engine()
    server = ControlServer(path, engine.handle, **options)
    await server.start()
    try:
        yield engine
    finally:
        await server.stop(grace_s=0.05)


async def ask(path: Path, command: str, args: dict[str, Any] | None = None, timeout: float = 20.0) -> Any:
    """Ask as another process would: on a thread of its own, blocking."""
    return await asyncio.to_thread(call, path, command, args, timeout)


async def raw(path: Path, data: bytes) -> Any:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(data)
    line = await reader.readline()
    writer.close()
    return json.loads(line)


def mode_of(path: Path) -> int:
    return path.stat().st_mode


def put_a_file(path: Path) -> Path:
    path.unlink(missing_ok=True)
    path.write_text("a file of the user's")
    return path


def open_to_all(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def is_there(path: Path) -> bool:
    return path.exists()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


async def test_a_command_is_carried_out_and_its_result_comes_back(path: Path) -> None:
    async with serving(path) as engine:
        assert await ask(path, "exit", {"group": 7}) == {"done": "exit"}
    assert engine.asked == [("exit", {"group": 7})]


async def test_decimals_and_times_come_back_as_text(path: Path) -> None:
    async with serving(path):
        assert await ask(path, "facts") == {
            "price": "1000",
            "at": "2026-11-20T00:00:00Z",
            "none": {},
            "all": [],
        }


@pytest.mark.parametrize("groups", [0, 1, BATCH, BATCH + 1, 100_000])
async def test_an_answer_may_be_as_large_as_it_must(path: Path, groups: int) -> None:
    async with serving(path):
        state = await ask(path, "state", {"groups": groups})
    assert [group["id"] for group in state["groups"]] == list(range(groups))


async def test_a_large_answer_leaves_the_loop_to_others(path: Path) -> None:
    async with serving(path):
        asking = asyncio.create_task(ask(path, "state", {"groups": 50_000}))
        turns = 0
        while not asking.done():
            turns += 1
            await asyncio.sleep(0)
    assert turns > 1000


async def test_a_refusal_comes_back_in_the_engines_own_words(path: Path) -> None:
    async with serving(path):
        with pytest.raises(CommandFailed, match=r"^There is no group 7\.$"):
            await ask(path, "refuse")


async def test_a_bug_in_a_command_is_a_sentence_here_and_a_traceback_in_the_log(path: Path) -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, level="ERROR")
    try:
        async with serving(path):
            with pytest.raises(CommandFailed, match="failed inside the engine; the log says more under"):
                await ask(path, "break")
            with pytest.raises(CommandFailed, match="ended before it had answered"):
                await ask(path, "odd late")
            assert await ask(path, "next") == {"done": "next"}
    finally:
        logger.remove(sink)
    assert ["ZeroDivisionError" in line or "TypeError" in line for line in lines] == [True, True]


async def test_nobody_else_can_open_the_socket(path: Path) -> None:
    before = os.umask(0)
    try:
        async with serving(path):
            assert stat.filemode(mode_of(path)) == "srw-------"
        assert os.umask(0) == 0
    finally:
        os.umask(before)


async def test_the_socket_goes_away_with_the_engine(path: Path) -> None:
    async with serving(path):
        pass
    assert not is_there(path)
    with pytest.raises(NotRunning, match="No engine is running"):
        await ask(path, "state")


async def test_a_socket_that_was_left_behind_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(NotRunning):
        await ask(path, "state")
    async with serving(path):
        assert await ask(path, "pause") == {"done": "pause"}


async def test_a_socket_that_is_answered_is_left_alone(path: Path) -> None:
    async with serving(path):
        with pytest.raises(ControlError, match="Another engine is running"):
            await ControlServer(path, Engine().handle).start()
        assert await ask(path, "pause") == {"done": "pause"}


async def test_a_file_of_the_users_is_never_removed(path: Path) -> None:
    put_a_file(path)
    with pytest.raises(ControlError, match="is in the way"):
        await ControlServer(path, Engine().handle).start()
    assert is_there(path)


async def test_an_engine_removes_no_socket_but_its_own(path: Path) -> None:
    async with serving(path):
        put_a_file(path)
    assert is_there(path)


async def test_a_path_that_is_too_long_gets_a_short_one_that_both_ends_find(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100) / "control.sock"
    short = socket_path(long)
    assert len(os.fsencode(short)) < MOST_PATH_BYTES
    assert short != socket_path(tmp_path / ("y" * 100) / "control.sock")
    async with serving(long):
        assert stat.filemode(mode_of(short.parent)) == "drwx------"
        assert await ask(long, "pause") == {"done": "pause"}
    assert not is_there(short)


async def test_a_stand_in_folder_that_others_can_enter_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    open_to_all(shared)
    monkeypatch.setattr(posix, "socket_path", lambda path: shared / "x.sock")
    long = tmp_path / ("x" * 100)
    with pytest.raises(ControlError, match="does not belong to this user alone"):
        await ControlServer(long, Engine().handle).start()
    with pytest.raises(CommandFailed, match="does not belong to this user alone"):
        await ask(long, "state")


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    put_a_file(tmp_path / "file")
    with pytest.raises(ControlError, match="cannot be opened"):
        await ControlServer(tmp_path / "file" / "control.sock", Engine().handle).start()


async def test_a_request_of_more_than_a_mebibyte_is_refused(path: Path) -> None:
    async with serving(path) as engine:
        with pytest.raises(CommandFailed, match="larger than 1 MiB"):
            await ask(path, "import", {"document": "x" * 1_100_000})
        assert engine.asked == []
        assert await ask(path, "import", {"document": "x" * 1_000_000}) == {"done": "import"}


@pytest.mark.parametrize(
    "line",
    [
        b"hello\n",
        b"[]\n",
        b"{}\n",
        b'{"command": 1}\n',
        b'{"command": "x", "args": []}\n',
        b"[" * 9999 + b"\n",
    ],
)
async def test_what_is_no_request_is_told_what_one_looks_like(path: Path, line: bytes) -> None:
    async with serving(path) as engine:
        answer = await raw(path, line)
        assert "A request is one line" in answer["error"]
        assert engine.asked == []


async def test_a_request_that_never_ends_is_given_up(path: Path) -> None:
    async with serving(path, request_s=0.02):
        assert (await raw(path, b'{"command"'))["error"] == "No whole request came in time."


async def test_a_client_that_leaves_disturbs_nobody(path: Path) -> None:
    async with serving(path) as engine:
        _, silent = await asyncio.open_unix_connection(path)
        silent.close()
        _, hasty = await asyncio.open_unix_connection(path)
        hasty.write(b'{"command": "state", "args": {"groups": 50000}}\n')
        await until(lambda: engine.asked)
        hasty.transport.abort()
        assert await ask(path, "pause") == {"done": "pause"}


async def test_a_client_waits_no_longer_than_it_was_told(path: Path) -> None:
    async with serving(path) as engine:
        with pytest.raises(CommandFailed, match=r"did not answer within 0\.05 s"):
            await ask(path, "wait", timeout=0.05)
        engine.gate.set()


async def test_stopping_lets_commands_finish_that_are_at_work(path: Path) -> None:
    engine = Engine()
    server = ControlServer(path, engine.handle)
    await server.start()
    asking = asyncio.create_task(ask(path, "wait"))
    await until(lambda: engine.asked)
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    engine.gate.set()
    await stopping
    assert await asking == {"waited": True}
    await server.stop()  # once more does no harm


async def test_who_asked_and_does_not_read_the_answer_holds_up_no_end(path: Path) -> None:
    engine = Engine()
    server = ControlServer(path, engine.handle)
    await server.start()
    with socket.socket(socket.AF_UNIX) as suspended:
        suspended.connect(str(path))
        suspended.sendall(b'{"command": "state", "args": {"groups": 100000}}\n')
        await until(lambda: engine.asked)
        async with asyncio.timeout(5):
            await server.stop(grace_s=0.3)


async def test_a_command_can_stop_the_server_that_it_came_by(path: Path) -> None:
    async def quit_(command: str, args: dict[str, Any]) -> dict[str, Any]:
        await server.stop()
        return {"stopped": True}

    server = ControlServer(path, quit_)
    await server.start()
    assert await ask(path, "quit") == {"stopped": True}


def test_an_answer_that_is_no_json_is_an_end(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def answer() -> None:
            connection, _ = listening.accept()
            connection.recv(100)
            connection.sendall(b"what?\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(CommandFailed, match="ended before"):
            call(path, "state")
        thread.join()


async def test_the_socket_works_on_the_loop_of_qt(qtbot: QtBot, path: Path) -> None:
    async with serving(path):
        assert len((await ask(path, "state", {"groups": 1000}))["groups"]) == 1000
