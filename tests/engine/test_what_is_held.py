"""What an account holds, compared with what its groups add up to: on hold, shown, booked, explained."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal as D

import pytest

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import (
    AccountChanged,
    AccountTrade,
    AccountUnreadable,
    Balances,
    DecideFinding,
    Difference,
    ExitGroup,
    Fills,
    Fits,
    History,
    Interrupted,
    OpenOrders,
    Trade,
    Verdict,
)
from execution_engine.domain.instrument import Action
from execution_engine.domain.order import prefix
from execution_engine.domain.rows import Choice, Fill, Finding, OrderStatus
from execution_engine.engine.feed import Released
from execution_engine.engine.reconcile import Reconcile
from tests.engine.exchange import Exchange, report
from tests.engine.virtual import in_virtual_time
from tests.house import NOON, House


class Holds(Exchange):
    """Says what the test wants it to hold, and what was traded there."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self.house = house
        self.total: dict[str, D] = {}
        self.positions: dict[tuple[str, str], D] = {}
        self.trades: list[AccountTrade] = []
        self.trades_readable = True
        self.gone: set[str] = set()  # orders that rest no more, and nobody said why

    async def balances(self, account: str) -> Balances | AccountUnreadable:
        total = dict(self.total)
        return Balances(account=account, free={"USDT": D(100000)}, total=total, at=self.house.clock.time)

    async def open_orders(self, account: str) -> OpenOrders | AccountUnreadable:
        working = [o for o in self.house.working if o.account == account and o.acknowledged_at is not None]
        resting = [order for order in working if order.client_order_id not in self.gone]
        return OpenOrders(
            account=account,
            reports=tuple(replace(report(order), filled_quantity=order.filled_quantity) for order in resting),
            positions=dict(self.positions),
            at=self.house.clock.time,
        )

    async def fills(self, account: str, since: datetime) -> Fills | AccountUnreadable:
        if not self.trades_readable:
            return AccountUnreadable(account=account, reason="under maintenance")
        return Fills(account=account, since=since, trades=tuple(self.trades), at=self.house.clock.time)

    def traded(self, symbol: str, quantity: str, price: str, action: Action = Action.SELL, **more) -> None:
        number = len(self.trades) + 1
        trade = Trade(
            trade_id=f"other {number}",
            price=D(price),
            quantity=D(quantity),
            fee=D("0.01"),
            fee_currency="USDT",
            fee_value=D("0.01"),
            at=self.house.clock.time,
        )
        given = {"client_order_id": "web_1", "exchange_order_id": "y1"} | more
        self.trades.append(
            AccountTrade(exchange="binance", symbol=symbol, action=action, trade=trade, **given)
        )


class Scene:
    """One account with a filled first leg, and whoever reads it."""

    def __init__(self, symbol: str = "BTCUSDT", side: str = "buy", **settings: str) -> None:
        self.house = House({path.replace("__", "."): value for path, value in settings.items()})
        self.account = "paper-perp" if symbol.endswith(".P") else "paper"
        self.house.balance(self.account)
        self.house.price(symbol, "65000")
        self.house.first = self.house.alert(symbol=symbol, action=side, entry_price="65000")
        self.house.accept()
        self.house.fill(self.house.sent[0])
        self.held = self.house.group.open_quantity
        self.exchange = Holds(self.house)
        self.reader = Reconcile(
            self.house.book, lambda _: self.exchange, self.house.desk.post, self.house.clock
        )

    async def read(self, times: int = 1) -> None:
        for _ in range(times):
            self.house.clock.forward(seconds=1)
            await self.reader.read(self.house.book.accounts[self.account])

    @property
    def finding(self) -> Finding:
        (finding,) = self.house.book.findings.values()
        return finding

    def choose(self, choice: Choice):
        return self.house.post(DecideFinding(finding_id=self.finding.id, choice=choice))


async def test_what_fits_is_not_worth_a_word():
    scene = Scene()
    scene.exchange.total = {"BTC": scene.held + 5}  # the user's own coins are nobody's business
    await scene.read(3)
    assert scene.house.book.findings == {}
    assert scene.house.group.hold == ""


@pytest.mark.fault(46)
async def test_coins_that_are_missing_hold_the_position_once_they_were_missed_twice():
    scene = Scene()
    scene.exchange.total = {"BTC": scene.held - D("0.001")}
    await scene.read()
    assert scene.house.group.hold == ""  # a fill may have been on its way
    await scene.read()
    assert scene.finding.kind == "deficit"
    assert scene.finding.choices == (Choice.BOOK, Choice.CLOSE, Choice.CHECK)
    assert scene.house.group.hold == scene.finding.found
    assert "paper holds 0.00207 BTC; its groups add up to 0.00307." in scene.finding.found
    await scene.read(3)
    assert len(scene.house.book.findings) == 1


@pytest.mark.fault(46)
async def test_what_just_filled_is_not_missed_before_an_exchange_has_had_the_time_to_show_it():
    scene = Scene()
    scene.exchange.total = {"BTC": scene.held}
    await scene.read()
    scene.house.fill(scene.house.sent[1])
    await scene.read(6)
    assert scene.house.book.findings == {}
    await scene.read()
    assert scene.finding.kind == "deficit"


async def test_what_was_just_closed_is_not_too_much_before_an_exchange_has_had_the_time_to_show_it():
    scene = Scene("BTCUSDT.P")
    scene.exchange.positions = {("binance", "BTCUSDT.P"): scene.held}
    await scene.read()
    scene.house.post(ExitGroup(group_id=scene.house.group.id))
    scene.house.confirm_cancels()
    scene.house.fill_all("exit", "65000")
    await scene.read(6)
    assert scene.house.book.findings == {}
    scene.exchange.positions = {}
    await scene.read(2)
    assert scene.house.book.findings == {}


async def test_a_target_that_rests_no_more_is_asked_about_before_what_it_sold_is_missed():
    scene = Scene(take_profit__order="limit")
    (target,) = scene.house.orders("take_profit")
    scene.house.says(target)
    scene.exchange.total = {"BTC": D("0.002")}
    await scene.read()
    scene.exchange.gone = {target.client_order_id}
    await scene.read()
    assert scene.house.book.findings == {}
    assert scene.house.book.orders[target.id].status == "unknown"


async def test_less_than_a_step_is_no_difference():
    scene = Scene()
    scene.exchange.total = {"BTC": scene.held - D("0.000009")}
    await scene.read(3)
    assert scene.house.book.findings == {}


async def test_what_is_under_way_is_not_compared():
    scene = Scene()
    scene.house.alert(timeframe="60", entry_price="65000")  # its orders are on their way
    scene.exchange.total = {"BTC": D(0)}
    await scene.read(3)
    assert scene.house.book.findings == {}
    for order in scene.house.sent[5:]:
        scene.house.says(order, Verdict.UNKNOWN)
    await scene.read(3)
    assert scene.house.book.findings == {}


async def test_a_difference_that_changes_is_seen_twice_anew():
    scene = Scene()
    for missing in ("0.001", "0.002", "0.001"):
        scene.exchange.total = {"BTC": scene.held - D(missing)}
        await scene.read()
    assert scene.house.book.findings == {}


async def test_a_position_on_hold_takes_no_pyramid_and_still_takes_its_profit():
    scene = Scene()
    scene.exchange.total = {"BTC": D(0)}
    await scene.read(2)
    second = scene.house.alert(entry_price="65000")
    assert scene.house.outcome(second) == (
        "rejected",
        f"the position is on hold: {scene.finding.found}",
    )
    scene.house.price("BTCUSDT", "65700")
    assert [order.quantity for order in scene.house.orders("take_profit")] == [scene.held]


async def test_what_fits_again_is_released_and_goes_on():
    scene = Scene()
    scene.exchange.total = {"BTC": D(0)}
    await scene.read(2)
    scene.exchange.total = {"BTC": scene.held}
    await scene.read()
    assert scene.finding.settled_at is not None
    assert scene.finding.done == "It fits again."
    assert scene.house.group.hold == ""


async def test_what_was_found_before_a_restart_is_released_after_it():
    scene = Scene()
    scene.exchange.total = {"BTC": D(0)}
    await scene.read(2)
    scene.reader = Reconcile(
        scene.house.book, lambda _: scene.exchange, scene.house.desk.post, scene.house.clock
    )
    scene.exchange.total = {"BTC": scene.held}
    await scene.read()
    assert scene.house.group.hold == ""


async def test_booking_what_is_missing_closes_that_much_at_the_price_at_which_it_was_traded():
    scene = Scene()
    scene.exchange.total = {"BTC": D("0.001")}
    scene.exchange.traded("BTCUSDT", "0.00207", "66000")
    scene.exchange.traded("ETHUSDT", "7", "3000")
    scene.exchange.traded("BTCUSDT", "7", "3000", Action.BUY)
    await scene.read(2)
    assert "Somebody else traded 0.00207, at 66000 on average." in scene.finding.found
    answer = scene.choose(Choice.BOOK)
    assert answer.status == "done"
    assert scene.house.group.open_quantity == D("0.001")
    assert scene.house.group.realized == D("0.00207") * 1000
    assert scene.house.group.hold == ""
    assert scene.house.sent[-1].purpose == "entry"  # nothing was sent for it
    await scene.read(2)
    assert scene.finding.settled_at is not None


async def test_booking_all_of_it_closes_the_group_and_cancels_its_orders():
    scene = Scene()
    scene.exchange.total = {}
    await scene.read(2)
    scene.house.price("BTCUSDT", "64900")
    scene.choose(Choice.BOOK)
    scene.house.confirm_cancels()
    assert scene.house.group.status == "closed"
    assert scene.house.group.close_reason == "closed outside the application"
    assert scene.house.group.realized == scene.held * -100
    assert isinstance(scene.choose(Choice.BOOK), Refusal)  # once


async def test_two_groups_of_one_coin_are_booked_the_oldest_first():
    scene = Scene()
    scene.house.alert(timeframe="60", entry_price="65000")
    scene.house.accept()
    scene.house.fill(scene.house.sent[5])
    scene.exchange.total = {"BTC": scene.held * 2 - D("0.004")}
    await scene.read(2)
    assert [group.hold != "" for group in scene.house.groups] == [True, True]
    scene.choose(Choice.BOOK)
    scene.house.confirm_cancels()
    first, second = scene.house.groups
    assert (first.status, second.open_quantity) == ("closed", scene.held - (D("0.004") - scene.held))


async def test_comparing_again_at_ones_wish_reads_the_account_anew():
    scene = Scene()
    scene.exchange.total = {"BTC": D(0)}
    await scene.read(2)
    scene.exchange.total = {"BTC": scene.held}
    assert scene.choose(Choice.CHECK).status == "done"
    assert scene.house.book.accounts["paper"].status == "reconciling"
    await scene.read()
    assert scene.house.book.accounts["paper"].status == "ready"
    assert scene.house.group.hold == ""


async def test_a_choice_that_is_not_offered_is_refused():
    scene = Scene()
    scene.exchange.total = {"BTC": D(0)}
    await scene.read(2)
    refused = scene.choose(Choice.RELEASE)
    assert refused.message == "“release” cannot be chosen here; there are: book, close, check"
    assert scene.house.post(DecideFinding(finding_id=99, choice=Choice.BOOK)).code == "UNKNOWN"


# -- swaps


@pytest.mark.fault(46)
@pytest.mark.parametrize(("side", "sign"), [("buy", 1), ("sell", -1)])
async def test_a_swap_that_was_closed_by_hand_is_held_on_both_sides(side, sign):
    scene = Scene("BTCUSDT.P", side)
    scene.exchange.positions = {("binance", "BTCUSDT.P"): scene.held * sign}
    await scene.read(2)
    assert scene.house.book.findings == {}
    scene.exchange.positions = {}
    await scene.read(2)
    assert (scene.finding.kind, scene.finding.ours) == ("deficit", scene.held * sign)


async def test_a_position_on_the_other_side_is_a_loss_of_all_that_was_held():
    scene = Scene("BTCUSDT.P")
    scene.exchange.positions = {("binance", "BTCUSDT.P"): D("-0.5")}
    await scene.read(2)
    assert scene.finding.kind == "deficit"
    scene.choose(Choice.BOOK)
    scene.house.confirm_cancels()
    assert scene.house.group.status == "closed"


@pytest.mark.fault(46)
async def test_more_than_the_groups_hold_on_a_swap_is_shown_and_left_alone():
    scene = Scene("BTCUSDT.P")
    scene.exchange.positions = {
        ("binance", "BTCUSDT.P"): scene.held + 1,
        ("binance", "ETHUSDT.P"): D(2),
    }
    await scene.read(2)
    assert [found.kind for found in scene.house.book.findings.values()] == ["surplus", "surplus"]
    assert scene.house.group.hold == ""
    scene.exchange.positions = {("binance", "BTCUSDT.P"): scene.held}
    await scene.read(2)
    open_ones = [found for found in scene.house.book.findings.values() if found.settled_at is None]
    assert [found.ref for found in open_ones] == []


@pytest.mark.fault(45)
async def test_a_liquidation_is_booked_as_it_was_traded_and_ends_the_group():
    scene = Scene("BTCUSDT.P")
    scene.exchange.positions = {}
    half = scene.held / 2
    scene.exchange.traded("BTCUSDT.P", str(half), "60000", liquidation=True)
    scene.exchange.traded("BTCUSDT.P", "1", "59000", liquidation=True)  # others' groups went with it
    await scene.read(2)
    scene.house.confirm_cancels()
    assert scene.finding.kind == "liquidated"
    assert scene.house.group.status == "closed"
    assert scene.house.group.close_reason == "liquidated by the exchange"
    fees = D("0.01") + D("0.01") * half
    assert scene.house.group.realized == half * -5000 + half * -6000 - fees
    assert scene.choose(Choice.DISMISS).status == "done"


async def test_a_trade_by_hand_beside_a_liquidation_is_for_the_user_to_judge():
    scene = Scene("BTCUSDT.P")
    scene.exchange.positions = {}
    scene.exchange.traded("BTCUSDT.P", "0.001", "60000", liquidation=True)
    scene.exchange.traded("BTCUSDT.P", "0.002", "60000")
    await scene.read(2)
    assert scene.finding.kind == "deficit"


async def test_a_short_that_was_bought_back_by_hand_is_explained_by_that_trade():
    scene = Scene("BTCUSDT.P", "sell")
    scene.exchange.positions = {}
    scene.exchange.traded("BTCUSDT.P", "0.003", "64000", Action.BUY)
    await scene.read(2)
    assert scene.finding.price == 64000


# -- trades that explain


async def test_a_fill_that_was_missed_explains_the_difference():
    scene = Scene()
    order = scene.house.sent[1]
    scene.exchange.total = {"BTC": scene.held - D("0.001")}
    await scene.read()
    scene.exchange.traded("BTCUSDT", "0.00309", "64675", Action.BUY, client_order_id=order.client_order_id)
    scene.exchange.total = {"BTC": scene.held - D("0.001")}
    await scene.read()
    assert scene.house.book.orders[order.id].status == "filled"
    assert scene.house.group.open_quantity == scene.held + D("0.00309")


async def test_while_the_trades_cannot_be_read_nothing_is_concluded():
    scene = Scene()
    scene.exchange.trades_readable = False
    scene.exchange.total = {"BTC": D(0)}
    await scene.read(4)
    assert scene.house.book.findings == {}
    scene.exchange.trades_readable = True
    await scene.read(2)
    assert scene.finding.kind == "deficit"


async def test_trades_that_cannot_be_read_any_more_leave_a_difference_open_until_they_can():
    scene = Scene()
    scene.exchange.total = {"BTC": scene.held}
    await scene.read()
    scene.exchange.trades_readable = False
    scene.exchange.total = {"BTC": D(0)}
    await scene.read(4)
    assert scene.house.book.findings == {}
    scene.exchange.traded("BTCUSDT", str(scene.held), "66000")
    scene.exchange.trades_readable = True
    await scene.read()
    assert "66000" in scene.finding.found


@in_virtual_time
async def test_what_differs_is_looked_at_again_within_a_second_and_not_when_the_next_reading_is_due():
    scene = Scene()
    scene.exchange.total = {"BTC": D(0)}
    scene.house.post(AccountChanged(account=replace(scene.house.book.accounts["paper"], reason="")))
    keeping = asyncio.ensure_future(scene.reader.keep("paper"))
    await asyncio.sleep(2)
    assert scene.finding.kind == "deficit"
    keeping.cancel()


async def test_an_account_does_not_trade_before_its_difference_was_seen_twice_and_its_trades_were_read():
    scene = Scene()
    house = scene.house.restarted()
    house.start()
    scene.house = scene.exchange.house = house
    scene.reader = Reconcile(house.book, lambda _: scene.exchange, house.desk.post, house.clock)
    scene.exchange.total = {"BTC": D(0)}
    scene.exchange.trades_readable = False
    await scene.read(2)
    assert house.book.accounts["paper"].status == "reconciling"
    scene.exchange.trades_readable = True
    await scene.read()
    assert house.book.accounts["paper"].status == "reconciling"
    await scene.read()
    assert house.book.accounts["paper"].status == "ready"
    assert house.group.hold != ""


async def test_fills_that_happened_while_the_program_was_off_are_taken_in_once_and_told():
    scene = Scene()
    order = scene.house.sent[1]
    house = scene.house.restarted()
    house.start()
    scene.house = scene.exchange.house = house
    scene.reader = Reconcile(house.book, lambda _: scene.exchange, house.desk.post, house.clock)
    scene.exchange.traded("BTCUSDT", "0.00309", "64675", Action.BUY, client_order_id=order.client_order_id)
    scene.exchange.total = {"BTC": scene.held + D("0.00309")}
    await scene.read(3)
    assert house.book.orders[order.id].status == "filled"
    assert house.group.open_quantity == scene.held + D("0.00309")
    (found,) = house.book.findings.values()
    assert found.kind == "filled"
    assert "buy 0.00309 at 64675.00: filled" in found.found


async def test_a_trade_of_an_order_that_was_given_up_brings_it_back():
    scene = Scene()
    order = scene.house.sent[1]
    scene.house.says(order, Verdict.UNKNOWN)
    for _ in range(2):
        scene.house.clock.forward(seconds=61)
        scene.house.says(order, Verdict.ABSENT)
    assert scene.house.book.orders[order.id].status == OrderStatus.FAILED
    trade = replace(
        scene.house.trade(order, "64675", None, "0", "USDT"),
        trade_id="late 1",
    )
    scene.house.post(
        Fills(
            account="paper",
            since=scene.house.clock.time,
            trades=(
                AccountTrade(
                    exchange="binance",
                    symbol="BTCUSDT",
                    action=Action.BUY,
                    exchange_order_id="y",
                    client_order_id=order.client_order_id,
                    trade=trade,
                ),
            ),
            at=scene.house.clock.time,
        )
    )
    assert scene.house.book.orders[order.id].status == "filled"


# -- corners


def said(scene: Scene, kind, **more):
    given = {"account": scene.account, "at": scene.house.clock.time} | more
    scene.house.post(kind(**given))


def test_what_is_said_of_an_account_that_is_gone_changes_nothing():
    scene = Scene()
    said(scene, Difference, account="gone", ref="BTC", ours=D(1), theirs=D(0))
    said(scene, Fits, account="gone", refs=frozenset({"BTC"}))
    assert scene.house.book.findings == {}


def test_the_same_difference_told_again_is_the_same_finding():
    scene = Scene()
    for _ in range(2):
        said(scene, Difference, ref="BTC", ours=scene.held, theirs=D(0))
    assert [fact.code for fact in scene.house.facts].count("found_deficit") == 1


def test_a_group_that_ended_meanwhile_is_not_touched_when_the_rest_fits_again():
    scene = Scene()
    scene.house.alert(timeframe="60", entry_price="65000")
    scene.house.accept()
    scene.house.fill(scene.house.sent[5])
    said(scene, Difference, ref="BTC", ours=scene.held * 2, theirs=scene.held)
    first, second = scene.house.groups
    scene.house.post(ExitGroup(group_id=first.id))
    scene.house.confirm_cancels()
    scene.house.fill_all("exit")
    said(scene, Fits, refs=frozenset({"BTC"}))
    first, second = scene.house.groups
    assert (first.status, second.status, second.hold) == ("closed", "partially_filled", "")


def test_what_others_traded_beyond_what_is_missing_is_not_booked():
    scene = Scene("BTCUSDT.P")
    scene.house.alert(symbol="BTCUSDT.P", timeframe="60", entry_price="65000")
    scene.house.accept()  # the second group holds nothing
    scene.exchange.traded("BTCUSDT.P", "9", "60000", liquidation=True)
    said(
        scene,
        Difference,
        ref="binance BTCUSDT.P",
        ours=scene.held,
        theirs=D(0),
        trades=tuple(scene.exchange.trades),
    )
    scene.house.confirm_cancels()
    first, second = scene.house.groups
    assert (first.status, first.open_quantity) == ("closed", 0)
    assert second.status == "live"


def test_a_difference_is_told_beside_what_else_was_found():
    scene = Scene()
    foreign = OpenOrders(account="paper", reports=(), foreign=("x",), at=scene.house.clock.time)
    scene.house.post(foreign)
    said(scene, Difference, ref="BTC", ours=scene.held, theirs=D(0))
    assert [found.kind for found in scene.house.book.findings.values()] == ["external", "deficit"]
    assert "BTC" in scene.house.group.hold
    said(scene, Fits, refs=frozenset({"BTC", "orders"}))
    assert scene.house.group.hold == ""
    assert [found.settled_at is None for found in scene.house.book.findings.values()] == [True, False]


def test_trades_that_are_known_already_are_no_news():
    scene = Scene()
    order = scene.house.sent[0]
    (fill,) = [row for row in scene.house.store.committed if isinstance(row, Fill)]
    scene.exchange.traded("BTCUSDT", "0.00307", "65000", Action.BUY, client_order_id=order.client_order_id)
    (other,) = scene.exchange.trades
    known = replace(other, trade=replace(other.trade, trade_id=fill.trade_id))
    before = len(scene.house.store.committed)
    said(scene, Fills, since=scene.house.clock.time, trades=(known, replace(known, client_order_id="")))
    assert len(scene.house.store.committed) == before


def test_an_entry_that_turns_up_after_another_took_its_place_is_cancelled():
    scene = Scene()
    lost = scene.house.alert(timeframe="60", entry_price="65000") and scene.house.sent[5]
    scene.house.says(lost, Verdict.UNKNOWN)
    for _ in range(2):
        scene.house.says(lost, Verdict.ABSENT)
        scene.house.clock.forward(seconds=3)
    again = scene.house.sent[-1]
    assert (again.leg_id, again.attempt) == (lost.leg_id, 2)
    scene.house.says(lost)  # it was there after all
    assert scene.house.cancelled[-1].id == lost.id
    assert scene.house.book.orders[again.id].status == "pending"


def test_a_difference_whose_groups_closed_meanwhile_says_nothing():
    scene = Scene()
    said(scene, Difference, ref="ETH", ours=D(1), theirs=D(0))
    assert scene.house.book.findings == {}
    assert "defect" not in [fact.code for fact in scene.house.facts]


class Archive:
    """Keeps one archived group."""

    def __init__(self, past: History) -> None:
        self.past = past
        self.read = 0

    async def group_of(self, client_order_id: str) -> History | None:
        self.read += 1
        known = [order.client_order_id for order in self.past.orders]
        return self.past if client_order_id in known else None

    async def trades_of(self, client_order_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        trades = frozenset(fill.trade_id for fill in self.past.fills)
        known = {order.client_order_id for order in self.past.orders}
        return {id: trades for id in client_order_ids if id in known}


async def test_an_archived_group_is_brought_back_by_a_trade_that_it_lacks_and_by_no_other():
    scene = Scene()
    house = scene.house
    (fill,) = [row for row in house.store.committed if isinstance(row, Fill)]
    past = History(
        group=house.group,
        pyramids=tuple(house.pyramids()),
        legs=tuple(house.legs()),
        orders=tuple(house.orders()),
        fills=(fill,),
    )
    other = House()
    other.price("BTCUSDT", "65000")
    scene.house = scene.exchange.house = other
    scene.reader = Reconcile(
        other.book, lambda _: scene.exchange, other.desk.post, other.clock, Archive(past)
    )
    first, second, *_ = house.sent
    scene.exchange.traded("BTCUSDT", "0.00307", "65000", Action.BUY, client_order_id=first.client_order_id)
    (known,) = scene.exchange.trades
    scene.exchange.trades = [replace(known, trade=replace(known.trade, trade_id=fill.trade_id))]
    other.book.accounts["paper"] = replace(other.book.accounts["paper"], checked_at=NOON)
    await scene.read()
    assert other.groups == []
    scene.exchange.traded("BTCUSDT", "0.00309", "64675", Action.BUY, client_order_id=second.client_order_id)
    other.post(Interrupted(reason="the machine slept"))
    await scene.read()
    assert other.group.open_quantity == scene.held + D("0.00309")
    assert [found.kind for found in other.book.findings.values()] == ["filled"]


async def test_no_archived_group_is_read_for_a_nights_trades_that_are_known():
    scene = Scene()
    house = scene.house
    fills = [row for row in house.store.committed if isinstance(row, Fill)]
    past = History(
        group=house.group, pyramids=(), legs=(), orders=tuple(house.orders()), fills=tuple(fills[:1])
    )
    other = House()
    other.price("BTCUSDT", "65000")
    scene.house = scene.exchange.house = other
    archive = Archive(past)
    scene.reader = Reconcile(other.book, lambda _: scene.exchange, other.desk.post, other.clock, archive)
    for order in house.sent:
        scene.exchange.traded("BTCUSDT", "0.001", "65000", Action.BUY, client_order_id=order.client_order_id)
    known = replace(scene.exchange.trades[0].trade, trade_id=fills[0].trade_id)
    scene.exchange.trades = [replace(each, trade=known) for each in scene.exchange.trades]
    other.book.accounts["paper"] = replace(other.book.accounts["paper"], checked_at=NOON)
    await scene.read()
    assert len(house.sent) > 3
    assert archive.read == 0
    assert other.groups == []


async def test_a_trade_of_an_order_that_nobody_knows_any_more_is_told():
    scene = Scene()
    lost = prefix("a test installation") + "1"
    scene.reader = Reconcile(
        scene.house.book,
        lambda _: scene.exchange,
        scene.house.desk.post,
        scene.house.clock,
        Archive(History(group=scene.house.group, pyramids=(), legs=(), orders=())),
    )
    scene.exchange.total = {"BTC": D(1)}
    scene.exchange.traded("BTCUSDT", "0.5", "65000", Action.BUY, client_order_id=lost)
    await scene.read(2)
    assert scene.finding.found.endswith("is not in its books: buy 0.5 BTCUSDT at 65000.")


def test_an_order_that_the_exchange_had_and_does_not_know_any_more_is_told():
    scene = Scene()
    order = scene.house.sent[1]
    scene.house.says(order, Verdict.UNKNOWN)
    for _ in range(3):
        scene.house.says(order, Verdict.ABSENT)
        scene.house.clock.forward(seconds=31)
    assert scene.house.book.orders[order.id].status == "failed"
    assert scene.finding.kind == "lost"
    assert len(scene.house.orders()) == 5  # it is not sent again


async def test_closing_the_rest_books_what_is_missing_and_sells_what_is_there():
    scene = Scene()
    scene.exchange.total = {"BTC": D("0.002")}
    await scene.read(2)
    assert scene.choose(Choice.CLOSE).status == "done"
    scene.house.confirm_cancels()
    close = scene.house.sent[-1]
    assert (close.purpose, close.quantity) == ("exit", D("0.002"))
    scene.house.fill(close)
    assert scene.house.group.status == "closed"


async def test_booking_waits_for_a_close_that_is_on_its_way_and_revokes_one_that_is_not():
    scene = Scene()
    scene.exchange.total = {"BTC": D(0)}
    await scene.read(2)
    scene.house.price("BTCUSDT", "65700")
    (close,) = scene.house.orders("take_profit")
    refused = scene.choose(Choice.BOOK)
    assert refused.code == "BUSY"
    assert scene.choose(Choice.CLOSE).code == "BUSY"
    assert scene.finding.settled_at is None
    scene.house.book.apply([replace(scene.house.book.orders[close.id], sent_at=None)])
    assert scene.choose(Choice.BOOK).status == "done"
    assert scene.house.book.orders[close.id].status == "cancelled"
    scene.house.confirm_cancels()
    assert scene.house.group.status == "closed"


async def test_booking_what_another_group_lacks_leaves_a_close_that_waits_alone():
    scene = Scene()
    scene.house.alert(timeframe="60", entry_price="65000")
    scene.house.accept()
    scene.house.fill(scene.house.sent[5])
    scene.exchange.total = {"BTC": scene.held * 2 - D("0.001")}
    await scene.read(2)
    first, second = scene.house.groups
    scene.house.post(ExitGroup(group_id=second.id))
    scene.house.confirm_cancels()
    (close,) = scene.house.orders("exit")
    scene.house.book.apply([replace(scene.house.book.orders[close.id], sent_at=None)])  # its lane is busy
    assert scene.choose(Choice.BOOK).status == "done"
    first, second = scene.house.groups
    assert first.open_quantity == scene.held - D("0.001")
    waiting = [
        order.quantity
        for order in scene.house.orders("exit")
        if order.group_id == second.id and not order.is_final
    ]
    assert (second.status, waiting) == ("closing", [scene.held])


async def test_a_target_that_rests_gives_way_to_what_is_booked_and_is_laid_anew():
    scene = Scene(take_profit__order="limit")
    (target,) = scene.house.orders("take_profit")
    scene.house.says(target)
    scene.exchange.total = {"BTC": D("0.002")}
    await scene.read(2)
    assert scene.choose(Choice.BOOK).status == "done"
    assert scene.house.group.open_quantity == D("0.002")
    scene.house.confirm_cancels()
    assert [order.quantity for order in scene.house.working if order.purpose == "take_profit"] == [D("0.002")]


async def test_nothing_is_booked_by_a_comparison_that_a_fill_has_overtaken():
    scene = Scene()
    scene.exchange.total = {"BTC": D("0.002")}
    await scene.read(2)
    scene.house.fill(scene.house.sent[1])
    refused = scene.choose(Choice.BOOK)
    assert refused.code == "BUSY"
    assert "has changed since it was compared" in refused.message
    await scene.read(7)  # what just filled may not be shown before
    assert scene.choose(Choice.BOOK).status == "done"
    assert scene.house.group.open_quantity == D("0.002")


def test_a_difference_that_a_fill_has_explained_meanwhile_holds_nothing():
    scene = Scene()
    scene.house.post(
        Difference(
            account="paper", ref="BTC", ours=scene.held + 1, theirs=scene.held, at=scene.house.clock.time
        )
    )
    assert scene.house.book.findings == {}
    assert scene.house.group.hold == ""


async def test_nothing_is_booked_while_the_account_is_read_again():
    scene = Scene()
    scene.exchange.total = {"BTC": D(0)}
    await scene.read(2)
    scene.house.post(Interrupted(reason="the machine slept"))
    assert scene.choose(Choice.BOOK).message == "the exchange is being read again; decide once that is done"


async def test_what_differs_still_after_it_was_settled_is_found_anew():
    scene = Scene()
    scene.exchange.total = {"BTC": D(0)}
    await scene.read(2)
    scene.reader.released(Released((replace(scene.finding, settled_at=NOON),), ()))
    scene.house.book.apply([replace(scene.finding, settled_at=NOON)])
    await scene.read(3)
    assert len(scene.house.book.open_findings()) == 1


def test_two_closes_of_the_same_legs_that_both_filled_close_no_leg_twice():
    scene = Scene("BTCUSDT.P")
    house = scene.house
    house.fill(house.sent[1])
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    (lost,) = house.orders("exit")
    house.says(lost, Verdict.UNKNOWN)
    house.clock.forward(seconds=3)
    house.post(
        OpenOrders(
            account="paper-perp",
            reports=(),
            known=frozenset(order.client_order_id for order in house.working),
            positions={("binance", "BTCUSDT.P"): house.group.open_quantity},
            at=house.clock.time,
        )
    )
    second = house.orders("exit")[1]
    house.fill(second, price="64000", quantity="0.004")
    house.fill(lost, price="63000", quantity="0.002")
    house.says(second, status=OrderStatus.CANCELLED, filled_quantity=D("0.004"))
    house.says(lost, status=OrderStatus.CANCELLED, filled_quantity=D("0.002"))
    assert house.group.status == "closed"
    assert [leg.open_quantity for leg in house.legs()[:2]] == [0, 0]
    spent = D("0.003") * (D(65000) + house.sent[1].price)
    assert house.group.realized == D("0.004") * 64000 + D("0.002") * 63000 - spent


def test_more_than_all_legs_held_is_booked_on_the_leg_that_was_meant():
    scene = Scene("BTCUSDT.P")
    house = scene.house
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    (close,) = house.orders("exit")
    house.fill(close, quantity="0.004")
    assert house.group.open_quantity == D("-0.001")
