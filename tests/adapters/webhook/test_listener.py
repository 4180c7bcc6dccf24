"""Starting, stopping, and the port."""

import asyncio
import errno

import pytest
from pytestqt.qtbot import QtBot

from execution_engine.adapters.webhook import Limits, ListenError
from tests.adapters.webhook.house import House, entry, listening, logged
from tests.ports import free_port
from tests.waiting import until


async def test_port_0_picks_a_free_one() -> None:
    async with listening() as house:
        assert house.host == "127.0.0.1"
        assert house.port > 0


@pytest.mark.fault(17)
async def test_a_port_in_use_is_named_together_with_what_to_do() -> None:
    async with listening() as house:
        with pytest.raises(ListenError, match=f"Port {house.port} on 127.0.0.1 is used by another program"):
            await House(Limits()).listener.start("127.0.0.1", house.port)
        assert (await house.send(entry()))[0] == 202


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
async def test_an_address_of_another_machine_is_named(host: str) -> None:
    with pytest.raises(ListenError, match=f"This machine has no address “{host}”"):
        await House(Limits()).listener.start(host, 0)


async def test_a_port_that_is_forbidden_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "permission denied")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_server", forbidden)
    with pytest.raises(ListenError, match="does not let this user listen on port 80"):
        await House(Limits()).listener.start("127.0.0.1", 80)


async def test_a_stopped_listener_leaves_its_port_to_the_next_one() -> None:
    house, port = House(Limits()), free_port()
    for _ in range(3):
        assert await house.listener.start("127.0.0.1", port) == ("127.0.0.1", port)
        await house.listener.stop()
    await house.listener.stop()  # once more does no harm


async def test_stopping_lets_an_alert_at_work_be_answered() -> None:
    async with listening() as house:
        house.desk.instead = ["later"]
        sending = asyncio.create_task(house.send(entry()))
        await until(lambda: house.desk.held)
        stopping = asyncio.create_task(house.listener.stop())
        await asyncio.sleep(0)
        house.desk.release()
        await stopping
        assert (await sending)[0] == 202


async def test_an_alert_whose_fate_is_open_when_the_listener_stops_gets_no_answer() -> None:
    async with listening(Limits(stop_s=0.01)) as house:
        house.desk.instead = ["later"]
        reader, writer = await house.connect()
        body = b'{"exchange":"BINANCE","symbol":"BTCUSDT","timeframe":"15","action":"buy"}'
        writer.write(
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
            % (house.url().partition(str(house.port))[2].encode(), len(body))
            + body
        )
        await until(lambda: house.desk.held)
        await house.listener.stop()
        # A 5xx would have it sent again although it may be stored.
        assert await reader.read() == b""
        writer.close()


async def test_a_request_is_logged_with_method_route_status_time_and_id() -> None:
    async with logged("INFO") as lines, listening() as house:
        await house.send(entry())
    [line] = lines
    assert line.startswith("INFO POST /webhook/… 202 0.0 ms ")
    assert len(line.split()[-1]) == 12


async def test_a_flood_of_strangers_does_not_fill_the_log() -> None:
    async with logged("INFO") as lines, listening() as house:
        for _ in range(100):
            await house.send(b"", "/wp-login.php", "GET")
    assert len(lines) == 60


async def test_the_listener_runs_on_the_loop_of_qt(qtbot: QtBot) -> None:
    async with listening() as house:
        answers = await asyncio.gather(*(house.send(entry(id=str(number))) for number in range(20)))
    assert {status for status, _ in answers} == {202}
