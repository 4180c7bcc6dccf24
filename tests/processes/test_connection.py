"""The way to the exchange over HTTP says no more than an answer proves, whatever goes wrong on it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal as D
from itertools import count
from pathlib import Path

import pytest

from execution_engine.domain.inputs import AccountUnreadable, Input, OpenOrders, OrderReport, Price, Verdict
from execution_engine.domain.instrument import Action, Side
from execution_engine.domain.rows import Order, OrderStatus, OrderType, Purpose
from tests.nest import Process
from tests.processes.clock import SharedClock
from tests.processes.connection import HttpExchange
from tests.processes.house import Venue
from tests.processes.trouble import Trouble
from tests.waiting import until

DONE = {Trouble.UNANSWERED, Trouble.CUT, Trouble.ERROR_AFTER, Trouble.NONSENSE, Trouble.SILENT}
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory, nest: Process) -> Iterator[Venue]:
    folder = tmp_path_factory.mktemp("connection")
    SharedClock(folder / "clock")
    venue = Venue(folder / "exchange.sqlite", folder / "clock", nest)
    venue.prices({"BINANCE:BTCUSDT": 64000})
    yield venue
    venue.kill()


@asynccontextmanager
async def connected(venue: Venue, heard: list[Input] | None = None) -> AsyncIterator[HttpExchange]:
    clock = SharedClock(venue.file.parent / "clock")
    post = (heard if heard is not None else []).append
    exchange = HttpExchange(venue.url, "paper", clock, post, answer_s=0.5)
    await exchange.start()
    try:
        yield exchange
    finally:
        await exchange.stop()


def buy(price: str | None = "60000") -> Order:
    number = next(_NUMBERS)
    return Order(
        id=number,
        client_order_id=f"etest0x{number:025}",
        account="paper",
        exchange="binance",
        symbol="BTCUSDT",
        group_id=1,
        purpose=Purpose.ENTRY,
        position=Side.LONG,
        action=Action.BUY,
        type=OrderType.LIMIT if price else OrderType.MARKET,
        price=D(price) if price else None,
        quantity=D("0.001"),
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
    )


@pytest.mark.fault(19, 20)
@pytest.mark.parametrize("trouble", Trouble)
async def test_whatever_breaks_while_an_order_is_placed_only_a_look_up_tells(
    venue: Venue, trouble: Trouble
) -> None:
    order = buy()
    async with connected(venue) as exchange:
        venue.trouble(next={"place": [trouble]})
        (report,) = await exchange.place([order])
        assert report.verdict is Verdict.UNKNOWN
        found = await exchange.look(order)
    assert found.verdict is (Verdict.ACCEPTED if trouble in DONE else Verdict.ABSENT)


@pytest.mark.fault(28)
@pytest.mark.parametrize("trouble", Trouble)
async def test_whatever_breaks_while_an_order_is_cancelled_only_a_look_up_tells(
    venue: Venue, trouble: Trouble
) -> None:
    order = buy()
    async with connected(venue) as exchange:
        await exchange.place([order])
        venue.trouble(next={"cancel": [trouble]})
        (report,) = await exchange.cancel([order])
        assert (report.verdict, report.about_cancel) == (Verdict.UNKNOWN, True)
        found = await exchange.look(order)
    assert found.status is (OrderStatus.CANCELLED if trouble in DONE else OrderStatus.OPEN)


@pytest.mark.fault(22)
@pytest.mark.parametrize("trouble", Trouble)
async def test_a_look_up_that_breaks_proves_nothing(venue: Venue, trouble: Trouble) -> None:
    async with connected(venue) as exchange:
        venue.trouble(next={"look": [trouble]})
        assert (await exchange.look(buy())).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("trouble", Trouble)
async def test_a_reading_that_breaks_is_never_an_empty_list(venue: Venue, trouble: Trouble) -> None:
    since = datetime(2026, 11, 20, tzinfo=UTC)
    async with connected(venue) as exchange:
        # A reading may be repeated, and is, where a connection that was kept open turns out to be dead.
        venue.trouble(next={call: [trouble] * 2 for call in ("open_orders", "fills", "balances")})
        read = (
            await exchange.open_orders("paper"),
            await exchange.fills("paper", since),
            await exchange.balances("paper"),
        )
    venue.trouble()
    assert [type(answer) for answer in read] == [AccountUnreadable] * 3


@pytest.mark.fault(21)
async def test_an_order_that_filled_before_its_answer_was_lost_is_found_with_its_trade(venue: Venue) -> None:
    order = buy(price=None)
    async with connected(venue) as exchange:
        venue.trouble(next={"place": [Trouble.UNANSWERED]})
        await exchange.place([order])
        found = await exchange.look(order)
        listed = await exchange.open_orders("paper")
    assert (found.status, found.filled_quantity, len(found.trades)) == (OrderStatus.FILLED, D("0.001"), 1)
    assert isinstance(listed, OpenOrders)
    assert order.client_order_id not in {report.client_order_id for report in listed.reports}


async def test_what_the_exchange_says_by_itself_is_heard(venue: Venue) -> None:
    order, heard = buy("63000"), list[Input]()
    async with connected(venue, heard) as exchange:
        await exchange.place([order])
        venue.prices({"BINANCE:BTCUSDT": 62900})
        await until(lambda: any(isinstance(said, OrderReport) for said in heard))
        await until(lambda: any(isinstance(said, Price) and said.last == 62900 for said in heard))
    (report,) = [said for said in heard if isinstance(said, OrderReport)]
    assert (report.client_order_id, report.status) == (order.client_order_id, OrderStatus.FILLED)


@pytest.mark.fault(67)
async def test_an_exchange_that_is_gone_proves_nothing_and_is_heard_again_when_it_is_back(
    tmp_path: Path,
    nest: Process,
) -> None:
    SharedClock(tmp_path / "clock")
    venue = Venue(tmp_path / "exchange.sqlite", tmp_path / "clock", nest)
    venue.prices({"BINANCE:BTCUSDT": 64000})
    heard: list[Input] = []
    try:
        async with connected(venue, heard) as exchange:
            order = buy()
            await exchange.place([order])
            venue.kill()
            assert (await exchange.look(order)).verdict is Verdict.UNKNOWN
            assert (await exchange.cancel([order]))[0].verdict is Verdict.UNKNOWN
            assert isinstance(await exchange.open_orders("paper"), AccountUnreadable)
            venue.start()
            assert (await exchange.look(order)).status is OrderStatus.OPEN
            heard.clear()
            await until(lambda: heard)
    finally:
        venue.kill()
