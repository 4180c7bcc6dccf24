"""Own orders and trades of one account, as the exchange's private stream tells them.

What comes here is news, never proof of anything missing: nothing is replayed after a break, so a listener is
told whenever the stream begins again, and reads the account.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from loguru import logger

from execution_engine.adapters.ending import is_ending
from execution_engine.adapters.exchanges import translate
from execution_engine.adapters.exchanges.catalogue import Venue
from execution_engine.adapters.exchanges.ccxt_client import Client
from execution_engine.adapters.exchanges.ccxt_exchange import CcxtExchange
from execution_engine.adapters.exchanges.ccxt_told import telling_list
from execution_engine.adapters.exchanges.ccxt_worth import is_open
from execution_engine.domain.inputs import Input, OrderReport, Trade, Verdict
from execution_engine.domain.instrument import Action, Instrument, Side
from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import FINAL_ORDER, Order, OrderStatus, OrderType, Purpose

Json = dict[str, Any]

AGAIN_S = (0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_S = 60.0  # a stream that was up for so long is opened anew as soon as after its first break
UP_LOOK_S = 0.2
UP_WITHIN_S = 30.0  # of its beginning; otherwise it is opened anew: ccxt waits for ever for a log-in
TRADES_LATER_S = 0.3  # an order's news may come before its trades do
WITHOUT_FEES_S = 0.05
LOOK_AGAIN_S = (0.3, 1.0, 3.0)  # where a look failed, or saw less than was told
LONGEST = timedelta(days=7)
MOST_KEPT = 2_000  # orders whose news are remembered
_LOG_IN = {"authenticated"}  # as ccxt notes it among the subscriptions, before it is answered


@dataclass(slots=True)
class Known:
    """What the stream has said of one order."""

    symbol: str
    said: Json | None = None
    trades: dict[str, Trade] = field(default_factory=dict)
    id: str = ""
    timer: asyncio.TimerHandle | None = None
    flushing: bool = False


class OwnStream:
    """Listens for one account.

    post: takes `OrderReport`s. again: called with the account's name whenever the stream begins, the first time
    as well: something may have happened in between.
    """

    def __init__(
        self, exchange: CcxtExchange, prefix: str, post: Callable[[Input], None], again: Callable[[str], None]
    ) -> None:
        self._exchange = exchange
        self._prefix = prefix
        self._post = post
        self._again = again
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._up_since = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def up(self) -> bool:
        """Return whether own orders are being told right now."""
        return self._exchange.streamed

    def start(self) -> None:
        """Begin. Needs a running loop."""
        self._spawn(self._keep())

    async def stop(self) -> None:
        """End; nothing is posted any more, although the account's client may stay open."""
        self._exchange.streamed = False
        if (client := self._exchange.client) is not None:
            client.exchange.orders = client.exchange.myTrades = None
        while self._tasks:  # what was told last may still begin some
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for known in self._known.values():
            if known.timer is not None:
                known.timer.cancel()
        if client is not None:
            await client.end_streams()

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _keep(self) -> None:
        failures = 0
        while True:
            watching: list[asyncio.Task[None]] = []
            try:
                client = await self._exchange.ready_for_all()
                self._listen(client)
                calls = ("watch_orders", "watch_my_trades")
                watching = [self._spawn(self._watch(client, call)) for call in calls]
                await self._until_broken(client, watching)
            except (Exception, asyncio.CancelledError) as error:
                if is_ending():
                    raise
                logger.debug("the stream of {} broke: {}", self._exchange.account.name, error)
            finally:
                if self.up and _now() - self._up_since >= STEADY_S:
                    failures = 0
                self._exchange.streamed = False
                for task in watching:
                    task.cancel()
            await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
            failures += 1

    def _listen(self, client: Client) -> None:
        exchange = client.exchange
        if exchange.orders is None or "append" not in vars(exchange.orders):
            kind = _by_symbol_and_id()
            exchange.orders = telling_list(kind, self._order_told)
            exchange.myTrades = telling_list(kind, self._trade_told)

    @staticmethod
    async def _watch(client: Client, call: str) -> None:
        while True:
            await getattr(client.exchange, call)()

    async def _until_broken(self, client: Client, watching: list[asyncio.Task[None]]) -> None:
        """Say when the stream is up, and return or raise when one of its parts ends."""
        up, began = False, _now()
        while True:
            done, _ = await asyncio.wait(
                watching, timeout=None if up else UP_LOOK_S, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
            if done:
                return
            if not up and await _is_up(client):
                up = self._exchange.streamed = True
                self._up_since = _now()
                self._again(self._exchange.account.name)
            if not up and _now() - began >= UP_WITHIN_S:
                client.open_streams_anew("the stream did not begin")
                return

    # What is told

    def _order_told(self, said: Json) -> None:
        known = self._of(str(said.get("clientOrderId") or ""), said.get("symbol"))
        if known is None:
            return
        known.id = str(said.get("id") or known.id)
        if known.said is None or not _is_older(said, known.said):
            known.said = dict(said)
        self._flush_soon(str(said["clientOrderId"]), known)

    def _trade_told(self, said: Json) -> None:
        info = said.get("info") or {}
        client_id = str(info.get(self._exchange.venue.trade_client_id) or "")
        known = self._of(client_id, said.get("symbol"))
        if known is None or said.get("id") is None:
            return
        known.id = str(said.get("order") or known.id)
        rules = self._rules(known.symbol)
        if rules is not None:
            taken = translate.trade(_with_true_fee(said, self._exchange.venue), rules, self._exchange.now())
            known.trades[taken.trade_id] = taken
            self._flush_soon(client_id, known)

    def _of(self, client_id: str, symbol: object) -> Known | None:
        """Return what is known of an order of ours; None for anybody else's."""
        if not client_id.startswith(self._prefix) or not isinstance(symbol, str):
            return None
        known = self._known.get(client_id)
        if known is None:
            known = self._known[client_id] = Known(symbol)
            if len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        return known

    def _rules(self, symbol: str) -> Instrument | None:
        return self._exchange.rules_of(symbol)

    # What is made of it: one message often tells of the order and of its trade

    def _flush_soon(self, client_id: str, known: Known) -> None:
        if not known.flushing:
            known.flushing = True
            asyncio.get_running_loop().call_soon(self._flush, client_id, known)

    def _flush(self, client_id: str, known: Known) -> None:
        known.flushing = False
        rules = self._rules(known.symbol)
        if rules is None:
            return
        filled = translate.to_base((known.said or {}).get("filled"), rules)
        told = sum((trade.quantity for trade in known.trades.values()), ZERO)
        if (filled or told) and not self._exchange.venue.stream_fees:
            self._look_later(client_id, known, WITHOUT_FEES_S)
        elif known.said is None or told < filled:
            self._look_later(client_id, known, TRADES_LATER_S)
        else:
            if known.timer is not None:
                known.timer.cancel()
                known.timer = None
            report = self._report(client_id, known, rules)
            if any(is_open(trade, rules) for trade in report.trades):
                self._spawn(self._post_worth(known, report, rules))
            else:
                self._post(report)

    async def _post_worth(self, known: Known, report: OrderReport, rules: Instrument) -> None:
        """Post news once it is known what their fees were worth."""
        trades = await self._exchange.worth(report.trades, rules)
        known.trades.update((trade.trade_id, trade) for trade in trades)
        self._post(replace(report, trades=trades))

    def _report(self, client_id: str, known: Known, rules: Instrument) -> OrderReport:
        said = known.said or {}
        status = translate.status_of(said)
        if status is OrderStatus.FILLED and not known.trades:
            status = OrderStatus.OPEN  # done, it says, and what it did is still to come
        return OrderReport(
            account=self._exchange.account.name,
            client_order_id=client_id,
            verdict=Verdict.ACCEPTED,
            status=status,
            exchange_order_id=known.id,
            filled_quantity=translate.to_base(said.get("filled"), rules),
            trades=tuple(known.trades.values()),
            exchange=self._exchange.venue.name,
            symbol=rules.symbol,
            reduces=bool(said.get("reduceOnly")),
            at=self._exchange.now(),
        )

    def _look_later(self, client_id: str, known: Known, wait: float) -> None:
        if known.timer is None:
            known.timer = asyncio.get_running_loop().call_later(wait, self._look, client_id, known)

    def _look(self, client_id: str, known: Known) -> None:
        known.timer = None
        self._spawn(self._looked(client_id, known))

    async def _looked(self, client_id: str, known: Known) -> None:
        """Ask about an order whose news are incomplete, a few times if less is seen than was told."""
        rules = self._rules(known.symbol)
        if rules is None:
            return
        for wait in (0.0, *LOOK_AGAIN_S):
            await asyncio.sleep(wait)
            seen = await self._exchange.look(_stand_in(client_id, known, rules, self._exchange))
            if seen.verdict is Verdict.ACCEPTED:
                self._post(seen)
                if not _is_behind(seen, known, rules):
                    return


def _now() -> float:
    return asyncio.get_running_loop().time()


def _with_true_fee(said: Json, venue: Venue) -> Json:
    """Turn a fee's sign where ccxt leaves the exchange's own, by which a charge is negative."""
    fee = said.get("fee") or {}
    if not venue.stream_fee_negative or fee.get("cost") is None:
        return said
    return {**said, "fee": {**fee, "cost": -translate.decimal(fee["cost"])}}


def _by_symbol_and_id() -> Any:
    from ccxt.async_support.base.ws.cache import (  # ccxt is imported late
        ArrayCacheBySymbolById,
    )

    return ArrayCacheBySymbolById


async def _is_up(client: Client) -> bool:
    """Return whether the account's sockets are there, subscribed to something, and have said anything."""
    sockets = client.sockets
    for one in sockets:
        if one.isConnected and not one.error and not one.last_message_at:
            await one.connection.ping()  # some have nothing to say before the first order
    return bool(sockets) and all(
        one.isConnected and not one.error and one.subscriptions.keys() - _LOG_IN and one.last_message_at
        for one in sockets
    )


def _is_older(said: Json, than: Json) -> bool:
    """Return whether news are older than what is known: less filled, or open again after its end."""
    if translate.decimal(said.get("filled")) < translate.decimal(than.get("filled")):
        return True
    return translate.status_of(than) in FINAL_ORDER and translate.status_of(said) not in FINAL_ORDER


def _is_behind(seen: OrderReport, known: Known, rules: Instrument) -> bool:
    """Return whether a look saw less than the stream told: exchanges write their lists later than their streams."""
    told = translate.to_base((known.said or {}).get("filled"), rules)
    traded = sum((trade.quantity for trade in seen.trades), ZERO)
    if seen.filled_quantity < told or traded < seen.filled_quantity:
        return True
    ended = known.said is not None and translate.status_of(known.said) in FINAL_ORDER
    return ended and seen.status not in FINAL_ORDER


def _stand_in(client_id: str, known: Known, rules: Instrument, exchange: CcxtExchange) -> Order:
    """Return what a look-up needs of an order whose row is elsewhere."""
    created_ms = translate.decimal((known.said or {}).get("timestamp"))
    ahead_ms = exchange.client.offset_ms if exchange.client is not None else 0
    return Order(
        id=0,
        client_order_id=client_id,
        account=exchange.account.name,
        exchange=exchange.venue.name,
        symbol=rules.symbol,
        group_id=0,
        purpose=Purpose.ENTRY,
        position=Side.LONG,
        action=Action.BUY,
        type=OrderType.LIMIT,
        price=None,
        quantity=ZERO,
        exchange_order_id=known.id or None,
        # Orders rest for days; what they filled before the stream began is asked for as well.
        created_at=translate.time_of(created_ms and created_ms + ahead_ms, exchange.now() - LONGEST),
    )
