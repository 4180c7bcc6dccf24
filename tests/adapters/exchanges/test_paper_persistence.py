"""The paper exchange keeps what it said: across restarts, and when its process is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from execution_engine.adapters.exchanges import paper_memory
from execution_engine.adapters.exchanges.paper_rows import PaperTerms
from execution_engine.domain.inputs import Fills, OrderReport, Price, Verdict
from execution_engine.domain.rows import Order, OrderStatus
from tests.adapters.exchanges.paper_world import SPOT, SWAP, D, World

ROOT = Path(__file__).resolve().parents[3]


async def test_everything_is_there_again_after_a_restart(tmp_path: Path) -> None:
    before = World(tmp_path / "paper.sqlite", leverage="3", inline=False)
    await before.price("65000")
    await before.price("65000", "BTCUSDT.P")
    resting = before.order("buy", "0.01", "64000.00")
    filled = before.order("buy", "0.02")
    cancelled = before.order("buy", "0.01", "63000.00")
    short = before.order("sell", "0.1", symbol="BTCUSDT.P")
    await before.exchange.place([resting, filled, cancelled, short])
    await before.cancel(cancelled)
    orders = (resting, filled, cancelled, short)
    told = [await before.exchange.look(order) for order in orders]
    free = (await before.free(SPOT), await before.free(SWAP))
    before.exchange.close()

    after = World(
        tmp_path / "paper.sqlite", leverage="3", terms=PaperTerms(start_balance_usd=D(5)), inline=False
    )

    assert [await after.exchange.look(order) for order in orders] == told
    assert (await after.free(SPOT), await after.free(SWAP)) == free
    assert await after.position() == D("-0.1")
    assert [report.client_order_id for report in (await after.opened()).reports] == [resting.client_order_id]
    await after.price("64000")
    assert after.said(OrderReport)[0].status is OrderStatus.FILLED
    after.exchange.close()


async def test_client_order_ids_are_remembered_for_ever(tmp_path: Path) -> None:
    before = World(tmp_path / "paper.sqlite")
    await before.price("65000")
    order = before.order("buy", "0.02")
    await before.place(order)
    before.exchange.close()

    after = World(tmp_path / "paper.sqlite")
    report = await after.place(order)

    assert report.code == "DuplicateOrderId"
    after.exchange.close()


async def test_ids_go_on_after_a_restart(tmp_path: Path) -> None:
    before = World(tmp_path / "paper.sqlite")
    await before.price("65000")
    first = await before.buy("0.02")
    before.exchange.close()

    after = World(tmp_path / "paper.sqlite")
    second = await after.buy("0.02", client_order_id="other")

    assert (first.exchange_order_id, second.exchange_order_id) == ("1", "2")
    assert (first.trades[0].trade_id, second.trades[0].trade_id) == ("1", "2")
    after.exchange.close()


async def test_a_partly_closed_position_keeps_its_cost_and_margin(tmp_path: Path) -> None:
    before = World(tmp_path / "paper.sqlite", leverage="3")
    await before.price("65000", "BTCUSDT.P")
    await before.buy("0.7", symbol="BTCUSDT.P")
    await before.price("65432.1", "BTCUSDT.P")
    await before.sell("0.2", symbol="BTCUSDT.P", reduce_only=True)
    free = await before.free(SWAP)
    before.exchange.close()

    after = World(tmp_path / "paper.sqlite", leverage="3")

    assert await after.free(SWAP) == free
    await after.sell("0.5", symbol="BTCUSDT.P", reduce_only=True, client_order_id="last")
    profit = D("0.7") * D("432.1")
    fees = (D("0.7") * 65000 + D("0.7") * D("65432.1")) * D("0.001")
    assert await after.free(SWAP) == {"USDT": 100000 + profit - fees}
    after.exchange.close()


async def test_nothing_is_answered_before_it_is_durable(tmp_path: Path) -> None:
    world = World(tmp_path / "paper.sqlite", inline=False)
    await world.price("65000")
    order = world.order("buy", "0.02")
    report = await world.place(order)

    # A second reader of the file sees only what is committed.
    other = World(tmp_path / "paper.sqlite")
    assert (await other.exchange.look(order)).trades == report.trades
    other.exchange.close()
    world.exchange.close()


async def test_many_calls_at_once_are_answered_in_their_order(tmp_path: Path) -> None:
    world = World(tmp_path / "paper.sqlite", inline=False)
    await world.price("65000")
    orders = [world.order("buy", "0.001", "64000.00") for _ in range(50)]

    reports = await asyncio.gather(*(world.place(order) for order in orders), world.price("64000"))

    assert [report.status for report in reports[:-1] if report] == [OrderStatus.OPEN] * 50
    filled = [report.client_order_id for report in world.said(OrderReport)]
    assert filled == [order.client_order_id for order in orders]
    world.exchange.close()


async def test_what_happened_is_told_although_whoever_asked_has_gone(tmp_path: Path) -> None:
    world = World(tmp_path / "paper.sqlite", inline=False)
    await world.price("65000")
    await world.buy("0.001", "64000.00")
    world.posted.clear()

    moving = asyncio.ensure_future(world.price("63000"))
    await asyncio.sleep(0)
    moving.cancel()
    await asyncio.gather(moving, return_exceptions=True)
    await world.free()

    assert [type(entry) for entry in world.posted[-2:]] == [OrderReport, Price]
    world.exchange.close()


# What runs in the process that is killed: it says on its standard output what it was told.
TRADER = """
import asyncio, sys
from pathlib import Path
from tests.adapters.exchanges.paper_world import World

async def main():
    world = World(Path(sys.argv[1]), inline=False)
    first = int(sys.argv[2])
    await world.price("65000")
    print("ready", flush=True)
    for number in range(first, first + 100_000):
        price = None if number % 2 else "64000.00"
        report = await world.buy("0.0001", price, client_order_id=f"e{number}")
        print(number, report.exchange_order_id, report.status, len(report.trades), flush=True)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
async def test_what_was_acknowledged_survives_a_killed_process(tmp_path: Path) -> None:
    file = tmp_path / "paper.sqlite"
    acknowledged: list[list[str]] = []
    for cycle in range(4):
        acknowledged += _trade_until_killed(file, first=1 + cycle * 100_000, answers=30)

    world = World(file)
    for number, exchange_id, status, trades in acknowledged:
        report = await world.exchange.look(_named(world, number))
        assert report.verdict is Verdict.ACCEPTED
        assert (report.exchange_order_id, report.status, str(len(report.trades))) == (
            exchange_id,
            status,
            trades,
        )
    assert len(acknowledged) >= 120
    ids = [int(entry[1]) for entry in acknowledged]
    assert ids == sorted(set(ids))
    bought = sum(
        (trade.quantity - trade.fee for report in await _closed(world) for trade in report.trades), D(0)
    )
    assert (await world.free())["BTC"] == bought
    assert world.exchange.price(("binance", "BTCUSDT")) is not None
    world.exchange.close()


def _trade_until_killed(file: Path, first: int, answers: int) -> list[list[str]]:
    """Let a process trade, kill it in the middle, and return what it had been told by then."""
    process = subprocess.Popen(
        [sys.executable, "-c", TRADER, str(file), str(first)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as output:
        lines = [output.readline() for _ in range(answers + 1)]
        process.send_signal(signal.SIGKILL)
        lines += output.readlines()
    process.wait()
    # The last line may be cut off.
    return [line.split() for line in lines[1:] if line.endswith("\n")]


def _named(world: World, number: str) -> Order:
    return world.order("buy", "0.0001", client_order_id=f"e{number}")


async def _closed(world: World) -> list[OrderReport]:
    """Return every filled order of the file, acknowledged or not."""
    found = world.exchange._store.read("SELECT client_order_id FROM paper_order WHERE status = 'filled'")
    return [
        await world.exchange.look(world.order("buy", "0.0001", client_order_id=client_order_id))
        for (client_order_id,) in found
    ]


async def test_any_number_of_trades_is_read_once_each_the_oldest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper_memory, "TRADES_A_PAGE", 3)
    world = World(tmp_path / "paper.sqlite")
    await world.price("65000")
    begun = world.clock.now()
    orders = []
    for number in range(10):
        orders.append(world.order("buy", "0.001"))
        await world.place(orders[-1])
        world.clock.advance(number % 3)  # some of them in the same moment
    middle = begun.replace(microsecond=1)

    said = await world.exchange.fills(SPOT, begun)
    later = await world.exchange.fills(SPOT, middle)

    assert isinstance(said, Fills)
    assert isinstance(later, Fills)
    assert [each.client_order_id for each in said.trades] == [order.client_order_id for order in orders]
    assert later.trades == tuple(each for each in said.trades if each.trade.at >= middle)
    assert 0 < len(later.trades) < 10
    world.exchange.close()


async def test_a_page_of_trades_costs_the_same_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper_memory, "TRADES_A_PAGE", 10)
    world = World(tmp_path / "paper.sqlite")
    await world.price("65000")
    begun = world.clock.now()
    for _ in range(100):
        await world.place(world.order("buy", "0.001"))
        world.clock.advance(1)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    world.exchange._store._reader.set_progress_handler(count, 1)
    costs = []
    for page in world.exchange._memory.trades_since(SPOT, begun):
        costs.append(steps / len(page))
        steps = 0

    assert len(costs) == 10
    assert max(costs) < 60  # steps of SQLite for each trade: 28 here, 200 if a page goes through all of them
    world.exchange.close()
