"""Two ledgers, one truth: what the engine's database says and what the exchange's file says.

`at_any_time` holds at every instant, with the engine dead in the middle of anything; `at_rest` adds what has to
hold once everything was asked and answered.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from execution_engine.adapters.storage.verify import verify
from execution_engine.domain.order import prefix
from tests.processes.house import Engine, read
from tests.stories.installation import until

D = Decimal
ZERO = D(0)
FINAL = {"filled", "cancelled", "rejected", "failed"}
TOOK = {"open", "partially_filled", "filled", "cancelled"}

TRADES = "SELECT t.*, o.account, o.client_order_id FROM trade t JOIN paper_order o ON o.id = t.order_id ORDER BY t.id"

Row = sqlite3.Row
Ask = Callable[[str], list[Row]]


@contextmanager
def snapshot(path: Path) -> Iterator[Ask]:
    """Lend a way to ask a database file as it is at this moment, without writing."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")
        yield lambda statement: connection.execute(statement).fetchall()


@dataclass(frozen=True, slots=True)
class Ledgers:
    """Both sides, read once. orders, theirs: by client order id; trades of theirs by (account, trade id)."""

    database: Path
    groups: list[Row]
    legs: list[Row]
    orders: dict[str, Row]
    fills: list[Row]
    ours: str
    theirs: dict[str, Row]
    trades: dict[tuple[str, str], Row]
    balances: dict[tuple[str, str], Decimal]
    positions: dict[tuple[str, str, str], Decimal]

    @classmethod
    def read(cls, database: Path, exchange: Path) -> Ledgers:
        """Read each side in one transaction: both may be at work."""
        with snapshot(database) as here, snapshot(exchange) as there:

            def both(table: str, history: str) -> list[Row]:
                return here(f"SELECT * FROM {table}") + here(f"SELECT * FROM {history}")

            (key,) = here("SELECT install_key FROM engine")
            return cls(
                database=database,
                groups=both("position_groups", "history_groups"),
                legs=both("dca_orders", "history_legs"),
                orders={row["client_order_id"]: row for row in both("orders", "history_orders")},
                fills=both("fills", "history_fills"),
                ours=prefix(key["install_key"]),
                theirs={row["client_order_id"]: row for row in there("SELECT * FROM paper_order")},
                trades={(row["account"], str(row["id"])): row for row in there(TRADES)},
                balances={
                    (row["account"], row["currency"]): D(row["amount"])
                    for row in there("SELECT * FROM balance")
                },
                positions={
                    (row["account"], row["exchange"], row["symbol"]): D(row["quantity"])
                    for row in there("SELECT * FROM position")
                },
            )

    # -- at any time

    def at_any_time(self) -> list[str]:
        return [
            *verify(self.database),
            *self._orders_without_rows(),
            *self._legs_bought_twice(),
            *self._fills_that_are_no_trades(),
            *self._positions_that_crossed_zero(),
        ]

    def _orders_without_rows(self) -> Iterator[str]:
        """Yield what the exchange took without a committed intent, or otherwise than it was meant."""
        for id, there in self.theirs.items():
            if not id.startswith(self.ours):
                yield f"the exchange has an order of a stranger: {id}"
            elif (row := self.orders.get(id)) is None:
                yield f"the exchange has {id}, which has no row"
            else:
                for name in ("account", "exchange", "symbol", "action", "type"):
                    if row[name] != there[name]:
                        yield f"{id}: {name} is {row[name]} here and {there[name]} there"
                if row["price"] is not None and there["price"] and D(row["price"]) != D(there["price"]):
                    yield f"{id}: the price is {row['price']} here and {there['price']} there"
                if D(there["quantity"]) > D(row["quantity"]):
                    yield f"{id}: {row['quantity']} were wanted, {there['quantity']} taken"

    def _legs_bought_twice(self) -> Iterator[str]:
        """Yield the legs of which more was bought than was planned: the mark of an order sent again."""
        quantity = {leg["id"]: D(leg["quantity"]) for leg in self.legs}
        bought: defaultdict[int, Decimal] = defaultdict(Decimal)
        for id, there in self.theirs.items():
            row = self.orders.get(id)
            if row is not None and row["purpose"] == "entry":
                working = there["status"] in ("open", "partially_filled")
                bought[row["leg_id"]] += D(there["quantity"] if working else there["filled_quantity"])
        for leg, amount in bought.items():
            if amount > quantity[leg]:
                yield f"leg {leg}: {quantity[leg]} were planned, {amount} are on the exchange"

    def _fills_that_are_no_trades(self) -> Iterator[str]:
        seen: set[tuple[str, str]] = set()
        client_ids = {row["id"]: row["client_order_id"] for row in self.orders.values()}
        for fill in self.fills:
            key = (fill["account"], fill["trade_id"])
            if key in seen:
                yield f"trade {key} was booked twice"
            seen.add(key)
            trade = self.trades.get(key)
            if trade is None:
                yield f"there was never a trade {key}"
                continue
            same = all(D(fill[name]) == D(trade[name]) for name in ("price", "quantity", "fee"))
            if not same or client_ids[fill["order_id"]] != trade["client_order_id"]:
                yield f"trade {key} was booked otherwise than it was"

    def _positions_that_crossed_zero(self) -> Iterator[str]:
        sides: defaultdict[tuple[str, str, str], set[int]] = defaultdict(set)
        for group in self.groups:
            if group["status"] not in ("closed", "failed"):
                sides[_where(group)].add(1 if group["side"] == "long" else -1)
        for key, quantity in self.positions.items():
            if quantity and (1 if quantity > 0 else -1) not in sides[key]:
                yield f"{key}: {quantity} is held, and no group holds that side"

    # -- at rest

    def at_rest(self) -> list[str]:
        return [
            *self.at_any_time(),
            *self._orders_that_differ(),
            *self._trades_not_booked(),
            *self._holdings_that_differ(),
            *self._results_that_differ(),
        ]

    def _orders_that_differ(self) -> Iterator[str]:
        for id, row in self.orders.items():
            there, status = self.theirs.get(id), row["status"]
            if status in ("pending", "unknown"):
                yield f"{id} is still {status}: {row['reason']}"
            elif there is None:
                if status in TOOK and row["acknowledged_at"] is not None:
                    yield f"{id} is {status} here and was never there"
            elif status not in TOOK:
                yield f"{id} is {status} here, but the exchange took it: {there['status']}"
            elif D(row["filled_quantity"]) != D(there["filled_quantity"]):
                yield f"{id} filled {row['filled_quantity']} here and {there['filled_quantity']} there"
            elif (status in FINAL) != (there["status"] in FINAL):
                yield f"{id} is {status} here and {there['status']} there"

    def _trades_not_booked(self) -> Iterator[str]:
        booked = {(fill["account"], fill["trade_id"]) for fill in self.fills}
        for key in self.trades.keys() - booked:
            yield f"trade {key} was not booked"

    def _holdings_that_differ(self) -> Iterator[str]:
        """Compare what the legs hold, dust of closed groups with it, with wallets and positions."""
        groups = {group["id"]: group for group in self.groups}
        spot: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        swap: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        for leg in self.legs:
            group = groups[leg["group_id"]]
            if group["market"] == "spot":
                spot[group["account"], group["base"]] += D(leg["open_quantity"])
            else:
                swap[_where(group)] += D(leg["open_quantity"]) * (1 if group["side"] == "long" else -1)
        wallets = {key: amount for key, amount in self.balances.items() if key[1] != "USDT"}
        yield from _differences("held", spot, wallets)
        yield from _differences("held", swap, self.positions)
        by_group: defaultdict[int, Decimal] = defaultdict(Decimal)
        for leg in self.legs:
            by_group[leg["group_id"]] += D(leg["open_quantity"])
        for group in self.groups:
            if D(group["open_quantity"]) != by_group[group["id"]]:
                yield f"group {group['id']} holds {group['open_quantity']}, its legs {by_group[group['id']]}"

    def _results_that_differ(self) -> Iterator[str]:
        """Recompute every flat group's result from the exchange's own trades.

        What was sold brought `proceeds`; what is left is dust, at cost. Nothing of the engine's sums is used.
        """
        flows: defaultdict[int, list[tuple[Row, Row]]] = defaultdict(list)
        for trade in self.trades.values():
            if (order := self.orders.get(trade["client_order_id"])) is not None:
                flows[order["group_id"]].append((trade, self.theirs[trade["client_order_id"]]))
        for group in self.groups:
            if group["status"] != "closed":
                continue
            cash = sum((_cash(trade, there) for trade, there in flows[group["id"]]), ZERO)
            stated = D(group["realized"]) - D(group["invested"])
            if abs(cash - stated) > D("0.00001"):
                yield f"group {group['id']} earned {cash} at the exchange and {stated} here"


def _cash(trade: Row, there: Row) -> Decimal:
    """Return what a trade put into the wallet [quote]; a fee in the base currency is part of what it bought."""
    value = D(trade["quantity"]) * D(trade["price"])
    fee = D(trade["fee"]) if trade["fee_currency"] == there["quote"] else ZERO
    return (value if there["action"] == "sell" else -value) - fee


def _where(group: Row) -> tuple[str, str, str]:
    return (group["account"], group["exchange"], group["symbol"])


def _differences(
    what: str, here: Mapping[tuple[str, ...], Decimal], there: Mapping[tuple[str, ...], Decimal]
) -> Iterator[str]:
    for key in sorted({*here, *there}):
        if here.get(key, ZERO) != there.get(key, ZERO):
            yield f"{what} of {key}: {here.get(key, ZERO)} here, {there.get(key, ZERO)} there"


@dataclass(slots=True)
class Told:
    """What the sender of one alert heard: ids from answers 2xx, and how it went otherwise."""

    ids: set[int] = field(default_factory=set)
    refused: int = 0  # answers 5xx
    broken: int = 0  # connections that ended without an answer: it may be stored, or not


def alert_faults(database: Path, told: Mapping[str, Told]) -> list[str]:
    """Compare the alerts in the database with what was answered, by the identity that the sender gave them."""
    stored: defaultdict[str, set[int]] = defaultdict(set)
    for row in read(database, "SELECT id, body FROM alerts"):
        stored[json.loads(row["body"])["id"]].add(row["id"])
    faults = [f"{name} was never sent" for name in sorted(stored.keys() - told.keys())]
    for name, heard in told.items():
        there = stored[name]
        if len(there) > 1 or (heard.ids and there != heard.ids):
            faults.append(f"{name} was answered with {sorted(heard.ids)} and is stored as {sorted(there)}")
        if there and not heard.ids and not heard.broken:
            faults.append(f"{name} is stored, though it was refused {heard.refused} times")
    return faults


def settle(engine: Engine) -> None:
    """Wait until the ledgers of a running engine and of its exchange are equal."""
    found: list[str] = []

    def equal() -> bool:
        found[:] = Ledgers.read(engine.folder.database, engine.venue.file).at_rest()
        return not found

    until(equal, "the ledgers are equal", lambda: "\n".join([*found, engine.stderr()[-4000:]]))
