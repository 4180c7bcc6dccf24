"""Orders that this installation has on an exchange and not in its books, as after an older backup."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from execution_engine.domain.inputs import OpenOrders, OrderReport, Verdict
from execution_engine.domain.order import prefix
from execution_engine.domain.rows import Order, OrderStatus
from execution_engine.engine.reconcile import Reconcile
from tests.engine.exchange import Exchange
from tests.house import NOON, House

OURS = prefix("a test installation")


def resting(client_order_id: str, *, reduces: bool = False) -> OrderReport:
    return OrderReport(
        account="paper",
        client_order_id=client_order_id,
        verdict=Verdict.ACCEPTED,
        status=OrderStatus.OPEN,
        exchange="binance",
        symbol="BTCUSDT",
        reduces=reduces,
        at=NOON,
    )


class Full(Exchange):
    """Has orders that nobody remembers."""

    def __init__(self, *reports: OrderReport) -> None:
        super().__init__()
        self.reports = reports
        self.cancelled: list[str] = []

    async def open_orders(self, account: str) -> OpenOrders:
        return OpenOrders(account=account, reports=self.reports, at=NOON)

    async def cancel(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        self.cancelled += [order.client_order_id for order in orders]
        assert {(order.account, order.exchange, order.symbol) for order in orders} == {
            ("paper", "binance", "BTCUSDT")
        }
        return await super().cancel(orders)


def found(house: House) -> list[str]:
    return [finding.done for finding in house.book.findings.values() if finding.kind == "orphan"]


@pytest.mark.fault(47, 61)
async def test_what_could_add_risk_is_cancelled_before_the_account_trades():
    house = House(ready=False)
    house.start()
    exchange = Full(resting(OURS + "1"), resting(OURS + "2", reduces=True), resting("anothers"))
    account = Reconcile(house.book, lambda _: exchange, house.desk.post, house.clock)
    await account.read(house.book.accounts["paper"])
    assert exchange.cancelled == [OURS + "1"]
    assert found(house) == [
        "It could add risk and was cancelled.",
        "It can only close a position and is left alone.",
    ]
    assert house.book.accounts["paper"].status == "ready"


async def test_each_is_told_once():
    house = House()
    exchange = Full(resting(OURS + "2", reduces=True))
    account = Reconcile(house.book, lambda _: exchange, house.desk.post, house.clock)
    for _ in range(3):
        await account.read(house.book.accounts["paper"])
    assert (exchange.cancelled, len(found(house))) == ([], 1)
    assert [fact.code for fact in house.facts].count("found_orphan") == 1
