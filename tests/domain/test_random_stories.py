"""Random stories: alerts, prices, answers, lost answers, fills, refusals, cancels, commands and kills in any order.

The exchange here keeps the truth; what it tells the desk may be late, lost or doubled, but never false.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal as D
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings as profile
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from execution_engine.domain.inputs import (
    CancelLegs,
    CloseAll,
    ExitGroup,
    OpenOrders,
    OrderReport,
    Pause,
    Promote,
    RemoveQueued,
    Replay,
    Resume,
    SetTakeProfitMode,
    Trade,
    Verdict,
)
from execution_engine.domain.order import LEGAL
from execution_engine.domain.rows import (
    Alert,
    Fill,
    Group,
    GroupStatus,
    Leg,
    Order,
    OrderStatus,
    OrderType,
    Row,
)
from execution_engine.domain.signal import Outcome, TakeProfitMode
from tests.house import House, InlineStore, perp, spot

S = OrderStatus
OPEN = {"waiting", "live", "partially_filled", "active"}
AFTER = {
    "waiting": OPEN | {"closing", "closed", "failed"},
    "live": OPEN - {"waiting"} | {"closing", "closed", "failed"},
    "partially_filled": OPEN - {"waiting"} | {"closing", "closed"},
    "active": OPEN - {"waiting"} | {"closing", "closed"},
    "closing": {"closing", "closed"},
    "closed": {"closed", "closing"},
    "failed": {"failed", "closing"},
}


class WatchedStore(InlineStore):
    """Refuses to commit what no rule allows."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[tuple[type, Any], Row] = {}

    def write(self, rows: tuple[Row, ...], then: Any) -> None:
        for row in rows:
            key = (type(row), getattr(row, "id", getattr(row, "name", None)))
            if (old := self.last.get(key)) is not None:
                self.check(old, row)
            self.last[key] = row
        super().write(rows, then)

    @staticmethod
    def check(old: Any, new: Any) -> None:
        if isinstance(new, Order):
            assert new.status is old.status or new.status in LEGAL[old.status], (old, new)
            assert new.filled_quantity >= old.filled_quantity
            assert (new.client_order_id, new.quantity, new.parts) == (
                old.client_order_id,
                old.quantity,
                old.parts,
            )
        elif isinstance(new, Group):
            assert new.status.value in AFTER[old.status.value], (old.status, new.status)
            assert new.filled_quantity >= old.filled_quantity
            assert new.filled_quantity == old.filled_quantity or not new.hold
        elif isinstance(new, Leg):
            assert new.filled_quantity >= old.filled_quantity
        elif isinstance(new, Alert) and old.outcome not in (None, Outcome.QUEUED):
            assert new.outcome is old.outcome, (old, new)


@dataclass
class Truth:
    """What the exchange knows of an order. `told`: how many of its trades the desk may know."""

    order: Order
    state: OrderStatus = S.OPEN
    trades: list[Trade] = field(default_factory=list)

    @property
    def filled(self) -> D:
        return sum((trade.quantity for trade in self.trades), D(0))


GRID = [
    {"gap_percent": "0", "weight_percent": "40", "tp_percent": "1"},
    {"gap_percent": "-1", "weight_percent": "30", "tp_percent": "0.5"},
    {"gap_percent": "-3", "weight_percent": "30", "tp_percent": "2"},
]
START = {"BTCUSDT": D(65000), "BTCUSDT.P": D(65000), "ETHUSDT": D(3000)}
pick = st.integers(0, 10**6)


class Stories(RuleBasedStateMachine):
    @initialize(
        mode=st.sampled_from(list(TakeProfitMode)),
        order=st.sampled_from(["market", "market", "limit"]),
        on_flat=st.sampled_from(["close", "keep_grid"]),
        slots=st.integers(1, 3),
        pyramids=st.integers(1, 3),
        first_leg=st.sampled_from(["limit", "limit", "market"]),
        opposite=st.sampled_from(["reject", "reverse"]),
        overflow=st.sampled_from(["reject_new", "drop_lowest"]),
        fee=st.sampled_from(["quote", "base", "none"]),
        largest=st.sampled_from([D(0), D(0), D("0.002")]),
    )
    def begin(self, mode, order, on_flat, slots, pyramids, first_leg, opposite, overflow, fee, largest):  # type: ignore[no-untyped-def]
        self.store = WatchedStore()
        self.house = House(
            {
                "take_profit": {"mode": mode.value, "order": order, "on_flat": on_flat},
                "pool": {
                    "max_open_groups": slots,
                    "max_pyramids": pyramids,
                    "max_queue": 2,
                    "overflow": overflow,
                },
                "capital.total_usd": 1000 * slots,
                "grid": {"profiles": {"default": GRID}, "first_leg": first_leg, "max_slippage_percent": 50},
                "signals.opposite": opposite,
                "signals.max_deviation_percent": 60,
            },
            store=self.store,
        )
        self.truth: dict[str, Truth] = {}
        self.prices = dict(START)
        self.fee = fee
        self.late: list[Truth] = []
        self.trades = 0
        for symbol in START:
            self.move(symbol, D(0))
        if largest:
            fine = {"step": D("0.0001"), "min_qty": D("0.0001")}
            self.house.catalogue.add([spot(max_qty=largest), perp(market_max_qty=largest, **fine)])

    # -- the exchange

    def move(self, symbol: str, percent: D) -> None:
        self.prices[symbol] = (self.prices[symbol] * (100 + percent) / 100).quantize(D("0.1"))
        self.house.price(symbol, str(self.prices[symbol]))

    def trade(self, truth: Truth, quantity: D) -> None:
        order = truth.order
        self.trades += 1
        price = order.price or self.prices[order.symbol]
        in_base = self.fee == "base" and order.purpose == "entry" and not order.symbol.endswith(".P")
        fee = D(0) if self.fee == "none" else quantity / 1000 * (1 if in_base else price)
        base = order.symbol.removesuffix(".P").removesuffix("USDT")
        truth.trades.append(
            Trade(
                trade_id=f"trade {self.trades}",
                price=price,
                quantity=quantity,
                fee=fee,
                fee_currency=base if in_base else "USDT",
                fee_value=fee * price if in_base else fee,
                at=self.house.clock.time,
            )
        )
        if truth.filled >= order.quantity:
            truth.state = S.FILLED

    def arrive(self, order: Order) -> Truth:
        truth = self.truth[order.client_order_id] = Truth(order)
        if order.type is OrderType.MARKET:
            self.trade(truth, order.quantity)
        return truth

    def tell(
        self, order: Order, *, about_cancel: bool = False, withhold: bool = False, lose: bool = False
    ) -> None:
        """Report what is true of an order, or that nothing is known."""
        truth = self.truth.get(order.client_order_id)
        if lose or truth is None:
            verdict = Verdict.UNKNOWN if lose else Verdict.ABSENT
            self.house.says(order, verdict, about_cancel=about_cancel, reason="?")
            return
        known = truth.trades[:-1] if withhold else truth.trades
        if len(known) < len(truth.trades):
            self.late.append(truth)
        filled = sum((trade.quantity for trade in known), D(0))
        status = truth.state
        if withhold and status is S.FILLED:
            status = S.CANCELLED
        if status is S.OPEN and filled:
            status = S.PARTIALLY_FILLED
        self.house.says(
            order, status=status, filled_quantity=filled, trades=tuple(known), about_cancel=about_cancel
        )

    def waiting(self, *, unknown: bool) -> list[Order]:
        """Return the orders that an answer, or a look-up, is owed to."""
        wanted = S.UNKNOWN if unknown else S.PENDING
        return [order for order in self.house.working if order.status is wanted and order.sent_at is not None]

    def resting(self) -> list[Truth]:
        return [truth for truth in self.truth.values() if truth.state is S.OPEN]

    # -- what comes in

    @rule(
        symbol=st.sampled_from(["BTCUSDT", "BTCUSDT", "BTCUSDT.P", "BTCUSDT.P", "ETHUSDT"]),
        timeframe=st.sampled_from(["15", "15", "60"]),
        side=st.sampled_from(["long", "long", "long", "short", "flat"]),
        previous=st.sampled_from([None, None, "long", "short", "flat"]),
        id=st.integers(0, 400),
    )
    def alert(self, symbol, timeframe, side, previous, id):  # type: ignore[no-untyped-def]
        if side == "short" and not symbol.endswith(".P") and previous != "long":
            symbol = "BTCUSDT.P"
        more = {"prev_market_position": previous} if previous else {}
        self.house.answer(symbol=symbol, timeframe=timeframe, market_position=side, id=str(id), **more)

    @rule(
        symbol=st.sampled_from(list(START)),
        percent=st.sampled_from(["-3", "-1", "-0.4", "0.3", "0.6", "1.1", "2.5"]),
    )
    def price(self, symbol, percent):  # type: ignore[no-untyped-def]
        self.move(symbol, D(percent))

    @rule(symbol=st.sampled_from(list(START)), percent=st.sampled_from(["-2", "-1", "1", "3"]))
    def price_that_fills_what_it_touches(self, symbol, percent):  # type: ignore[no-untyped-def]
        self.answer_all()
        self.move(symbol, D(percent))
        now = self.prices[symbol]
        for truth in self.resting():
            order = truth.order
            touched = now <= order.price if order.action == "buy" else now >= order.price
            if order.symbol == symbol and touched:
                self.trade(truth, order.quantity - truth.filled)
                self.tell(self.house.book.orders[order.id])
        self.answer_all()

    @precondition(lambda self: self.waiting(unknown=False))
    @rule(which=pick, how=st.sampled_from(["take", "take", "take", "refuse", "lose", "drop"]))
    def answer(self, which, how):  # type: ignore[no-untyped-def]
        orders = self.waiting(unknown=False)
        order = orders[which % len(orders)]
        if how == "refuse":
            self.house.says(
                order, Verdict.REFUSED, reason="no", code="InsufficientFundsError" if which % 2 else ""
            )
            return
        if how != "drop":
            self.arrive(order)
        self.tell(order, lose=how in ("lose", "drop"))

    @rule()
    def answer_all(self) -> None:
        for order in self.waiting(unknown=False):
            self.arrive(order)
            self.tell(order)

    @precondition(lambda self: self.waiting(unknown=True))
    @rule(which=pick, fails=st.booleans())
    def look_up(self, which, fails):  # type: ignore[no-untyped-def]
        orders = self.waiting(unknown=True)
        self.tell(orders[which % len(orders)], lose=fails)

    @precondition(lambda self: self.resting())
    @rule(
        which=pick,
        part=st.sampled_from(["1", "1", "0.5", "0.3"]),
        told=st.sampled_from([True, True, True, False]),
    )
    def fill(self, which, part, told):  # type: ignore[no-untyped-def]
        resting = self.resting()
        truth = resting[which % len(resting)]
        left = truth.order.quantity - truth.filled
        step = self.house.catalogue.get(truth.order.exchange, truth.order.symbol).step
        amount = min(left, max(step, (left * D(part)) // step * step))
        self.trade(truth, amount)
        if told:
            self.tell(self.house.book.orders[truth.order.id])

    @precondition(lambda self: [o for o in self.house.working if o.cancel_sent_at])
    @rule(
        which=pick, how=st.sampled_from(["done", "done", "done", "late", "refuse", "lose", "lost and done"])
    )
    def cancel(self, which, how):  # type: ignore[no-untyped-def]
        orders = [order for order in self.house.working if order.cancel_sent_at]
        order = orders[which % len(orders)]
        truth = self.truth.get(order.client_order_id)  # an order in doubt may never have arrived
        if truth is None:
            self.tell(order, about_cancel=True)
            return
        if how == "refuse":
            self.house.says(order, Verdict.REFUSED, about_cancel=True, reason="unknown order")
            return
        if how != "lose" and truth.state is S.OPEN:
            truth.state = S.CANCELLED
        # A close whose final report hid a fill would have been sent again; no desk can know better.
        known = order.purpose == "entry" and order.filled_quantity < truth.filled
        self.tell(order, about_cancel=True, lose=how.startswith("lo"), withhold=how == "late" and known)

    @precondition(lambda self: self.late)
    @rule()
    def late_trade(self) -> None:
        truth = self.late.pop()
        self.tell(self.house.book.orders[truth.order.id])

    @rule(seconds=st.sampled_from([0.5, 2, 5, 61, 3000]))
    def time(self, seconds):  # type: ignore[no-untyped-def]
        self.house.clock.forward(seconds=seconds)
        self.house.desk.look_at_clock()

    @rule(account=st.sampled_from(["paper", "paper-perp"]))
    def poll(self, account):  # type: ignore[no-untyped-def]
        self.house.clock.forward(seconds=1)
        self.house.balance(account)
        resting = [truth for truth in self.resting() if truth.order.account == account]
        reports = tuple(
            OrderReport(
                account=account,
                client_order_id=truth.order.client_order_id,
                verdict=Verdict.ACCEPTED,
                status=S.PARTIALLY_FILLED if truth.trades else S.OPEN,
                exchange_order_id=f"x{truth.order.id}",
                filled_quantity=truth.filled,
                trades=tuple(truth.trades),
                at=self.house.clock.time,
            )
            for truth in resting
        )
        self.house.post(OpenOrders(account=account, reports=reports, at=self.house.clock.time))

    @precondition(lambda self: self.house.groups)
    @rule(
        which=pick,
        wish=st.sampled_from(["exit", "legs", "mode", "mode"]),
        mode=st.sampled_from(list(TakeProfitMode)),
    )
    def command(self, which, wish, mode):  # type: ignore[no-untyped-def]
        groups = self.house.groups
        id = groups[which % len(groups)].id
        wishes = {
            "exit": ExitGroup(group_id=id),
            "legs": CancelLegs(group_id=id),
            "mode": SetTakeProfitMode(group_id=id, mode=mode),
        }
        self.house.post(wishes[wish])

    @precondition(lambda self: self.house.queue)
    @rule(which=pick, forced=st.booleans())
    def queue_by_hand(self, which, forced):  # type: ignore[no-untyped-def]
        id = self.house.queue[which % len(self.house.queue)].id
        self.house.post(Promote(queued_id=id) if forced else RemoveQueued(queued_id=id))

    @precondition(lambda self: self.house.book.alerts)
    @rule(which=pick)
    def replay(self, which):  # type: ignore[no-untyped-def]
        ids = list(self.house.book.alerts)
        self.house.post(Replay(alert_id=ids[which % len(ids)], received_at=self.house.clock.time))

    @rule(what=st.sampled_from([Resume(), Resume(), Resume(), Resume(), Pause(), CloseAll()]))
    def engine(self, what):  # type: ignore[no-untyped-def]
        self.house.post(what)
        if isinstance(what, CloseAll):
            self.house.post(Resume())

    @rule()
    def kill(self) -> None:
        self.house.desk.look_at_clock()  # when orders left is written with the next commit
        old = self.house.book
        self.house = self.house.restarted()
        self.house.catalogue.add(old.catalogue.instruments.values())
        self.equal(old, self.house.book)
        self.house.start()

    @staticmethod
    def equal(old: Any, new: Any) -> None:
        """Rows and every answer derived from them are the same after loading."""
        for name in ("accounts", "groups", "queue", "orders", "legs", "pyramids", "alerts"):
            assert getattr(new, name) == getattr(old, name), name
        assert (new.engine, new.settings, new.markets_in_use()) == (
            old.engine,
            old.settings,
            old.markets_in_use(),
        )
        assert list(new.undecided()) == list(old.undecided())
        assert sorted(new.open_groups()) == sorted(old.open_groups())
        for world in ("paper", "test", "live"):
            assert (new.slots_used(world), new.realized(world)) == (
                old.slots_used(world),
                old.realized(world),
            )
            assert sorted(new.waiting(world)) == sorted(old.waiting(world))
        for group in new.groups.values():
            assert sorted(new.alerts_of(group.id)) == sorted(old.alerts_of(group.id))
            for ask in ("legs_of", "orders_of", "pyramids_of"):
                assert list(getattr(new, ask)(group.id)) == list(getattr(old, ask)(group.id))
        for account in new.accounts:
            assert sorted(new.working_orders(account)) == sorted(old.working_orders(account))

    # -- what always holds

    @invariant()
    def no_defect(self) -> None:
        defects = [fact.text for fact in self.house.facts if fact.code in ("defect", "orphan")]
        assert defects == []

    @invariant()
    def sums_agree(self) -> None:
        book = self.house.book
        fills: dict[int, list[Fill]] = defaultdict(list)
        for row in self.store.committed:
            if isinstance(row, Fill):
                fills[row.order_id].append(row)
        for order in book.orders.values():
            own = fills[order.id]
            assert order.filled_quantity == sum(fill.quantity for fill in own)
            assert order.filled_cost == sum(fill.quantity * fill.price for fill in own)
            assert order.fee_value == sum(fill.fee_value for fill in own)
        for group in book.groups.values():
            legs = self.house.legs(group)
            orders = [book.orders[id] for id in book.orders_of(group.id)]
            for ours, theirs in (
                (group.filled_quantity, (leg.filled_quantity for leg in legs)),
                (group.open_quantity, (leg.open_quantity for leg in legs)),
                (group.realized, (leg.realized for leg in legs)),
                (group.fees, (leg.entry_fees + leg.exit_fees for leg in legs)),
                (group.fees, (order.fee_value for order in orders)),
            ):
                assert ours == sum(theirs)
            entries = sum(o.filled_quantity - o.fee_base for o in orders if o.purpose == "entry")
            closes = sum(o.filled_quantity + o.fee_base for o in orders if o.purpose != "entry")
            assert group.open_quantity == entries - closes
        assert book.realized("paper") == sum(group.realized for group in self.groups_ever())

    def groups_ever(self) -> list[Group]:
        return [row for row in self.store.last.values() if isinstance(row, Group)]

    @invariant()
    def nothing_is_sold_twice(self) -> None:
        for group in self.house.groups:
            orders = [self.house.book.orders[id] for id in self.house.book.orders_of(group.id)]
            reducing = sum(order.remaining for order in orders if order.purpose != "entry")
            assert reducing <= group.open_quantity or reducing == 0
            assert group.open_quantity >= 0

    @invariant()
    def no_position_crosses_zero(self) -> None:
        held: dict[tuple[str, ...], D] = defaultdict(D)
        for truth in self.truth.values():
            sign = 1 if truth.order.purpose == "entry" else -1
            held[truth.order.lane] += sign * truth.filled
        assert all(quantity >= 0 for quantity in held.values())

    @invariant()
    def slots_are_kept(self) -> None:
        holding = [group for group in self.house.groups if group.holds_slot]
        forced = sum(group.forced for group in holding)
        assert self.house.book.slots_used("paper") == len(holding)
        assert len(holding) <= self.house.book.settings.pool.max_open_groups + forced
        keys = [group.key for group in holding if group.is_open]
        assert len(keys) == len(set(keys))

    @invariant()
    def every_order_is_itself(self) -> None:
        ids = [order.client_order_id for order in self.house.orders()]
        assert len(ids) == len(set(ids))
        for truth in self.truth.values():
            assert truth.order.id in self.house.book.orders

    # -- the end of every story

    def teardown(self) -> None:
        """The faults stop: everything comes to an end, and every alert to exactly one outcome."""
        if not hasattr(self, "house"):
            return
        self.house.post(Resume())
        self.house.post(CloseAll())
        for _ in range(40):
            for truth in self.late:
                self.tell(self.house.book.orders[truth.order.id])
            self.late.clear()
            self.answer_all()
            for order in self.waiting(unknown=True):
                self.tell(order)
            for order in [order for order in self.house.working if order.cancel_sent_at]:
                truth = self.truth.get(order.client_order_id)
                if truth is not None and truth.state is S.OPEN:
                    truth.state = S.CANCELLED
                self.tell(order, about_cancel=True)
            for account in ("paper", "paper-perp"):
                self.poll(account)
            self.time(61)
        self.sums_agree()
        self.no_defect()
        assert self.house.working == []
        assert {group.status for group in self.house.groups} <= {GroupStatus.CLOSED, GroupStatus.FAILED}
        unfinished = [
            (a.id, a.signal, a.outcome) for a in self.house.book.alerts.values() if a.finished_at is None
        ]
        assert unfinished == []
        assert not any(a.outcome in (None, Outcome.QUEUED) for a in self.house.book.alerts.values())


Stories.TestCase.settings = profile(max_examples=max(150, profile().max_examples), stateful_step_count=60)
# Which lines they run is known from the tests that name what they show. They only compute: a busy machine may
# take its time.
TestStories = pytest.mark.timeout(240)(pytest.mark.no_cover(Stories.TestCase))
