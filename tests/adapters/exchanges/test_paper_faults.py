"""What the engine sees of the paper exchange when something goes wrong on the way."""

import asyncio
import threading
from pathlib import Path

import pytest

from execution_engine.adapters.exchanges.paper_faults import Call, Fault
from execution_engine.adapters.exchanges.paper_rows import PaperOrder
from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.inputs import AccountUnreadable, Input, OrderReport, Verdict
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import OrderStatus
from tests.adapters.exchanges.paper_world import SPOT, World, planned

TAKEN = [(Fault.TIMEOUT_AFTER, True), (Fault.UNKNOWN, True), (Fault.TIMEOUT_BEFORE, False)]


@pytest.mark.parametrize(("fault", "taken"), TAKEN)
async def test_a_lost_answer_proves_nothing_and_a_look_tells(fault: Fault, taken: bool) -> None:
    world = World(faults=planned(fault))
    await world.price("65000")
    order = world.order("buy", "0.01")

    report = await world.place(order)

    assert (report.verdict, report.status, report.exchange_order_id) == (Verdict.UNKNOWN, None, None)
    assert report.reason
    assert world.said(OrderReport) == []
    found = await world.exchange.look(order)
    assert found.verdict is (Verdict.ACCEPTED if taken else Verdict.ABSENT)


@pytest.mark.parametrize(("fault", "cancelled"), TAKEN)
async def test_a_lost_answer_to_a_cancel_proves_nothing(fault: Fault, cancelled: bool) -> None:
    world = World(faults=planned(None, fault))
    await world.price("65000")
    order = world.order("buy", "0.01", "64000.00")
    await world.place(order)

    report = await world.cancel(order)

    assert (report.verdict, report.about_cancel) == (Verdict.UNKNOWN, True)
    found = await world.exchange.look(order)
    assert found.status is (OrderStatus.CANCELLED if cancelled else OrderStatus.OPEN)


async def test_a_planned_refusal_is_a_clear_no() -> None:
    world = World(faults=planned(Fault.REFUSE))
    await world.price("65000")
    order = world.order("buy", "0.01")

    report = await world.place(order)

    assert (report.verdict, report.code) == (Verdict.REFUSED, "GenericExchangeError")
    assert (await world.exchange.look(order)).verdict is Verdict.ABSENT


async def test_one_order_of_a_batch_may_fail_alone() -> None:
    world = World(faults=planned(None, Fault.TIMEOUT_BEFORE, None))
    await world.price("65000")

    reports = await world.exchange.place([world.order("buy", "0.01") for _ in range(3)])

    assert [report.verdict for report in reports] == [Verdict.ACCEPTED, Verdict.UNKNOWN, Verdict.ACCEPTED]


async def test_a_look_may_miss_what_is_there() -> None:
    world = World(faults=planned(None, Fault.ABSENT, Fault.TIMEOUT_AFTER, Fault.REFUSE))
    await world.price("65000")
    order = world.order("buy", "0.01", "64000.00")
    await world.place(order)

    verdicts = [(await world.exchange.look(order)).verdict for _ in range(4)]

    assert verdicts == [Verdict.ABSENT, Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.ACCEPTED]


@pytest.mark.parametrize("fault", list(Fault))
async def test_an_error_is_never_an_empty_list(fault: Fault) -> None:
    world = World(faults=planned(fault, fault))

    assert isinstance(await world.exchange.open_orders(SPOT), AccountUnreadable)
    assert isinstance(await world.exchange.balances(SPOT), AccountUnreadable)


async def test_faults_are_told_which_call_they_are_asked_for() -> None:
    asked = []
    world = World(
        faults=lambda call, account, client_order_id: asked.append((call, account, client_order_id))
    )
    await world.price("65000")
    order = world.order("buy", "0.01")

    await world.place(order)
    await world.cancel(order)
    await world.exchange.look(order)
    await world.exchange.balances(SPOT)

    calls = [Call.PLACE, Call.CANCEL, Call.LOOK]
    assert asked == [*((call, SPOT, order.client_order_id) for call in calls), (Call.BALANCES, SPOT, "")]


async def test_a_defect_at_one_order_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    await world.price("65000")
    good, bad = world.order("buy", "0.01"), world.order("buy", "0.01", client_order_id="bad")
    find = world.exchange._venue.find

    def failing(account: str, client_order_id: str) -> PaperOrder | None:
        if client_order_id == "bad":
            raise ZeroDivisionError
        return find(account, client_order_id)

    monkeypatch.setattr(world.exchange._venue, "find", failing)

    assert [report.verdict for report in await world.exchange.place([bad, good])] == [
        Verdict.UNKNOWN,
        Verdict.ACCEPTED,
    ]
    assert (await world.cancel(bad)).verdict is Verdict.UNKNOWN


async def test_a_file_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    world = World(tmp_path / "paper.sqlite")
    await world.price("65000")
    world.exchange._store._writer.execute("DROP TABLE paper_order")
    order = world.order("buy", "0.01")

    assert (await world.exchange.look(order)).verdict is Verdict.UNKNOWN
    assert (await world.place(order)).verdict is Verdict.UNKNOWN
    assert (await world.cancel(order)).verdict is Verdict.UNKNOWN
    world.exchange.close()


async def test_a_file_that_cannot_be_written_leaves_everything_unknown(tmp_path: Path) -> None:
    world = World(tmp_path / "paper.sqlite")
    await world.price("65000")
    world.exchange._store._writer.execute("DROP TABLE trade")
    world.posted.clear()

    report = await world.buy("0.01")

    assert report.verdict is Verdict.UNKNOWN
    assert "can't be written" in report.reason
    assert world.posted == []
    assert world.exchange.failed is not None
    assert isinstance(await world.exchange.balances(SPOT), AccountUnreadable)
    assert isinstance(await world.exchange.open_orders(SPOT), AccountUnreadable)
    with pytest.raises(StoreFailed):
        world.exchange.open_account("third", Market.SPOT)
    world.exchange.close()


async def test_whoever_waits_for_an_answer_has_it_although_what_is_told_meets_a_defect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path / "paper.sqlite", inline=False)
    told = world.exchange._post

    def fails(said: Input) -> None:
        told(said)
        raise ZeroDivisionError("a defect of whoever listens")

    monkeypatch.setattr(world.exchange, "_post", fails)
    async with asyncio.timeout(5):
        await world.price("65000")
    world.exchange.close()


async def test_a_closed_exchange_answers_that_it_is_closed(tmp_path: Path) -> None:
    world = World(tmp_path / "paper.sqlite", inline=False)
    await world.price("65000")
    world.exchange.close()
    world.exchange.close()

    report = await world.buy("0.01")

    assert (report.verdict, report.reason) == (Verdict.UNKNOWN, "The paper exchange is closed.")


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    world = World(tmp_path / "paper.sqlite")
    world.exchange._store._writer.execute("PRAGMA user_version = 99")
    world.exchange.close()

    with pytest.raises(StoreFailed, match="newer version"):
        World(tmp_path / "paper.sqlite")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "paper.sqlite").write_text("x" * 5000)

    with pytest.raises(StoreFailed, match=r"paper\.sqlite can't be opened"):
        World(tmp_path / "paper.sqlite")


def test_a_file_with_other_tables_is_let_go_again(tmp_path: Path) -> None:
    world = World(tmp_path / "paper.sqlite", inline=False)
    world.exchange._store._writer.executescript("DROP TABLE balance; CREATE TABLE balance (sum TEXT)")
    world.exchange._store._writer.execute("INSERT INTO balance VALUES ('1')")
    world.exchange.close()
    threads = threading.active_count()

    with pytest.raises(ValueError, match="not enough values"):
        World(tmp_path / "paper.sqlite", inline=False)

    assert threading.active_count() == threads
