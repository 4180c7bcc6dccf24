"""An account on a real exchange, through ccxt.

Nothing raises, and nothing is guessed: an order is accepted if the exchange named it and repeated our id,
refused if its code is on the tested list, and everything else is unknown and looked up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import aiohttp
from loguru import logger

from execution_engine.adapters.ending import is_ending
from execution_engine.adapters.exchanges import translate
from execution_engine.adapters.exchanges.catalogue import VENUES, Entry, Meaning, Topic
from execution_engine.adapters.exchanges.ccxt_client import (
    Blocked,
    Client,
    Clock,
    Heard,
    listening,
    native_id,
    open_client,
    refusal,
)
from execution_engine.adapters.exchanges.ccxt_find import find
from execution_engine.adapters.exchanges.ccxt_lists import (
    balances,
    forced_orders,
    positions,
    raw_open_orders,
    trades,
)
from execution_engine.adapters.exchanges.ccxt_markets import Markets
from execution_engine.adapters.exchanges.ccxt_terms import TermsDiffer, agree
from execution_engine.adapters.exchanges.ccxt_worth import Worth, is_open
from execution_engine.domain.errors import Defect, EngineError
from execution_engine.domain.inputs import (
    About,
    AccountTrade,
    AccountUnreadable,
    Balances,
    Fills,
    Input,
    OpenOrders,
    OrderReport,
    Trade,
    Verdict,
)
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.keys import Keys
from execution_engine.domain.rows import FINAL_ORDER, Account, Order, OrderStatus, OrderType, Purpose
from execution_engine.domain.settings import AccountSettings

T = TypeVar("T")
Json = Any

CLOCK_EVERY = timedelta(minutes=10)
# When a market order is looked at after it was acknowledged, and an order after its cancel was: exchanges
# acknowledge before they carry out. What comes later comes with the streams and the readings.
_FOLLOW_S = (0.15, 0.5, 1.5, 3.0)
_CANCEL_LOOKS_S = (0.0, 0.1, 0.3)
_MOST_WRITTEN = 2_000  # characters of an answer


class CcxtExchange:
    """An `Exchange` for one account.

    keys: asked when the account is first needed. session: the connections, shared by all accounts; its owner
    closes it. markets: the rules of this account's exchange. instruments: our rules by exchange and symbol.
    terms: what the account's settings ask for now. prefix: how our client order ids begin. in_use: the symbols
    that this account trades or traded of late. post: takes reports that nobody waits for.
    """

    def __init__(
        self,
        account: Account,
        keys: Callable[[], Keys | None],
        session: Callable[[], aiohttp.ClientSession],
        markets: Markets,
        instruments: Callable[[str, str], Instrument | None],
        terms: Callable[[], AccountSettings],
        prefix: str,
        in_use: Callable[[], Collection[str]],
        clock: Clock,
        post: Callable[[Input], None],
    ) -> None:
        self.account = account
        self.venue = VENUES[account.exchange]
        self._keys = keys
        self._session = session
        self._markets = markets
        self._instruments = instruments
        self._terms = terms
        self._prefix = prefix
        self._in_use = in_use
        self._clock = clock
        self._post = post
        self._client: Client | None = None
        self._opening = asyncio.Lock()
        self._clock_read: datetime | None = None
        self._agreed: dict[str, AccountSettings] = {}
        self._agreeing: dict[str, asyncio.Lock] = {}
        self._following: set[asyncio.Task[None]] = set()
        self._worth = Worth(markets, self._known)
        self._placed: dict[str, None] = {}
        self._keys_are_good = False  # something was read with them
        self.streamed = False  # whether own orders are told by a stream right now

    @property
    def client(self) -> Client | None:
        """Return the way to ccxt; None before the account was first needed."""
        return self._client

    async def ready(self, *symbols: str) -> Client:
        """Return the client, with these of our symbols known to ccxt. Raises whatever keeps it from that."""
        client = self._client
        if client is None:
            client = await self._open()
        if self._clock_read is None or self._clock.now() - self._clock_read >= CLOCK_EVERY:
            await self._read_clock(client)
        await self._markets.teach(client, symbols)
        return client

    async def ready_for_all(self) -> Client:
        """Return the client, with every symbol known to ccxt that the account trades."""
        return await self.ready(*(name for name in self._in_use() if self._known(name)))

    async def close(self) -> None:
        """End what is under way; the session stays."""
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    def forget_time(self) -> None:
        """Measure the exchange's clock again before the next call: the machine slept, or its clock was set."""
        self._clock_read = None

    def forget_terms(self) -> None:
        """Agree on leverage and modes again before the next entry: the settings changed."""
        self._agreed.clear()

    async def _open(self) -> Client:
        async with self._opening:
            if self._client is None:
                keys = self._keys()
                if keys is None:
                    raise Locked("The keys of this account are not available: unlock the vault.")
                self._client = await open_client(
                    self.venue, self.account.market, self.account.mode, keys, self._session(), self._clock
                )
                self._client.learn = partial(self._markets.teach_ids, self._client)
            return self._client

    async def _read_clock(self, client: Client) -> None:
        await client.sync_clock()
        self._clock_read = self._clock.now()

    # Placing

    async def place(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        try:
            client = await self.ready(*{order.symbol for order in orders})
        except asyncio.CancelledError:
            if is_ending():
                raise
            said = translate.SENTENCES[translate.CONNECTION]
            return [self._unclear(order, translate.CONNECTION, said) for order in orders]
        except Exception as error:
            return [self._not_sent(order, error) for order in orders]
        reports: dict[int, OrderReport] = {}
        requests: list[tuple[Order, Json]] = []
        for order in orders:
            try:
                rules = self._rules(order.symbol)
                requests.append((order, translate.request(self.venue, order, rules, self._terms())))
            except Defect as error:
                logger.error("{} was not sent: {}", order.client_order_id, error)
                reports[order.id] = self._refused(order, translate.VALIDATION, str(error), About.RULES)
        requests = await self._only_agreed(client, requests, reports)
        groups = self._groups(requests)
        if len(groups) == 1:  # most of the time, and then without a task of its own
            sent = [await self._send(client, groups[0])]
        else:
            sent = await asyncio.gather(*(self._send(client, group) for group in groups))
        reports |= {id: report for group in sent for id, report in group.items()}
        return [reports[order.id] for order in orders]

    def _groups(self, requests: list[tuple[Order, Json]]) -> list[list[tuple[Order, Json]]]:
        """Put together what one request can place: of one symbol, and limit orders where it wants those."""
        batch = self.venue.batches[self.account.market]
        alone = [[one] for one in requests if batch.limit_only and one[0].type is not OrderType.LIMIT]
        by_symbol: dict[str, list[tuple[Order, Json]]] = {}
        for one in requests:
            if [one] not in alone:
                by_symbol.setdefault(one[0].symbol, []).append(one)
        size = 1 if self.account.mode in batch.not_in else batch.place
        return alone + [
            same[start : start + size] for same in by_symbol.values() for start in range(0, len(same), size)
        ]

    async def _only_agreed(
        self, client: Client, requests: list[tuple[Order, Json]], reports: dict[int, OrderReport]
    ) -> list[tuple[Order, Json]]:
        """Keep entries back where leverage or a mode is not what was asked for; nothing else ever is."""
        if self.account.market is not Market.SWAP:
            return requests
        faults: dict[str, Exception] = {}
        for symbol in {order.symbol for order, _ in requests if order.purpose is Purpose.ENTRY}:
            try:
                await self._agree(client, symbol)
            except Exception as error:
                faults[symbol] = error
        kept = []
        for order, request in requests:
            fault = faults.get(order.symbol) if order.purpose is Purpose.ENTRY else None
            if fault is None:
                kept.append((order, request))
            elif isinstance(fault, TermsDiffer):
                reports[order.id] = self._refused(order, translate.VALIDATION, str(fault))
            else:
                reports[order.id] = self._not_sent(order, fault)
        return kept

    async def _agree(self, client: Client, symbol: str) -> None:
        """Set and read back what the settings ask for, once per symbol. Raises TermsDiffer and others."""
        terms = self._terms()
        if self._agreed.get(symbol) is terms:
            return
        async with self._agreeing.setdefault(symbol, asyncio.Lock()):
            if self._agreed.get(symbol) != terms:
                await agree(client, translate.unified(self._rules(symbol)), terms)
                self._agreed[symbol] = terms

    async def _send(self, client: Client, group: list[tuple[Order, Json]]) -> dict[int, OrderReport]:
        """Send one request, once, and say what its answer proves about each of its orders."""
        said: list[Json] = []
        error: BaseException | None = None
        with listening() as heard:
            try:
                if len(group) == 1:
                    said = [await client.call("create_order", **group[0][1])]
                else:
                    said = await client.call("create_orders", [request for _, request in group])
            except asyncio.CancelledError as stopped:
                if is_ending():
                    raise
                error = stopped
            except Exception as failed:
                error = failed
        orders = [order for order, _ in group]
        entries = self._entries(orders, heard)
        return {
            order.id: await self._judge(client, order, entry, said, heard, error)
            for order, entry in zip(orders, entries, strict=True)
        }

    def _entries(self, orders: Sequence[Order], heard: Heard) -> list[Entry | None]:
        """Return each order's part of the answer: by its client id, or by its place in a whole list."""
        answer = heard.last("POST")
        if answer is None or answer.status >= 500 or answer.document is None:
            return [None] * len(orders)
        parts = self.venue.entries(answer.document)
        if len(parts) == 1 and parts[0].code and not parts[0].client_id:
            return [parts[0]] * len(orders)  # about the request as a whole
        named = {part.client_id: part for part in parts if part.client_id}
        listed = parts if len(parts) == len(orders) else [None] * len(orders)
        found = []
        for order, part in zip(orders, listed, strict=True):
            own = named.get(order.client_order_id)
            found.append(own or (part if part is not None and not part.client_id else None))
        return found

    async def _judge(
        self,
        client: Client,
        order: Order,
        entry: Entry | None,
        said: Sequence[Json],
        heard: Heard,
        error: BaseException | None,
    ) -> OrderReport:
        if entry is not None and entry.code:
            return await self._judge_code(client, order, entry, heard)
        if error is not None:
            return self._judge_error(order, heard, error)
        if entry is None or not entry.exchange_id or entry.client_id != order.client_order_id:
            return self._unclear(order, translate.GENERIC, "The exchange's answer does not name this order.")
        shown: Json = next((one for one in said if one.get("clientOrderId") == order.client_order_id), {})
        self._remember(entry.exchange_id)
        report = self._taken(order, entry, shown)
        return replace(report, trades=await self.worth(report.trades, self._rules(order.symbol)))

    async def _judge_code(self, client: Client, order: Order, entry: Entry, heard: Heard) -> OrderReport:
        """Say what a code proves. Ours was taken before: it is looked up at once."""
        code = self._engine_error(client, entry, heard)
        logger.warning("{} on {}: {} {}", order.client_order_id, self.account.name, entry.code, entry.text)
        meaning = self.venue.meaning(entry.code, entry.text)
        if meaning is Meaning.DUPLICATE:
            seen = await self.look(order)
            return seen if seen.verdict is Verdict.ACCEPTED else self._unclear(order, code, entry.text)
        reason = self._sentence(code, entry)
        topic, about = self.venue.topic(entry.code, entry.text), None
        if topic is Topic.POSITION_MODE:
            self._agreed.pop(order.symbol, None)  # it was another one when it was read
        elif topic is Topic.MARKET:
            about = About.MARKET
        elif code == translate.VALIDATION and entry.code in self.venue.filters:
            about = About.RULES
        if about is not None:
            self._markets.doubt()
            reason = f"{reason} {translate.RULES_AGAIN}"
        if meaning in (Meaning.REFUSED, Meaning.CLOCK):
            return self._refused(order, code, reason, about)
        return self._unclear(order, code, reason)

    def _judge_error(self, order: Order, heard: Heard, error: BaseException) -> OrderReport:
        """Say what an error without a code proves: nothing, unless nothing left or it was one too many."""
        code = translate.engine_error(error)
        answer = heard.last("POST")
        too_many = answer is not None and answer.status in (418, 429)
        local = not heard.changed_something and code not in (translate.CONNECTION,)
        if isinstance(error, Blocked) or local or too_many:
            return self._refused(order, code, str(error) if local else translate.SENTENCES[code])
        logger.warning("{}: the answer proves nothing: {}", order.client_order_id, _written(error))
        return self._unclear(order, code, translate.SENTENCES[code])

    def _engine_error(self, client: Client, entry: Entry, heard: Heard) -> str:
        """Return the engine's name of a code: what ccxt makes of it, where ccxt is right."""
        if entry.code in self.venue.credentials:
            return translate.CREDENTIALS
        answer = heard.last("POST")
        try:
            client.judge(self.venue.as_error(entry), answer.url if answer else "")
        except Exception as error:
            name = translate.engine_error(error)
            return translate.VALIDATION if self._is_filter(name, entry) else name
        return translate.GENERIC

    def _is_filter(self, name: str, entry: Entry) -> bool:
        """To ccxt KuCoin's 600100, a size that breaks the rules, is a want of funds."""
        return name in (translate.GENERIC, translate.FUNDS) and entry.code in self.venue.filters

    def _taken(self, order: Order, entry: Entry, shown: Json) -> OrderReport:
        """Report an accepted order; what it filled already is told by whoever knows its trades."""
        rules, now = self._rules(order.symbol), self._clock.now()
        fills = tuple(
            translate.trade(one, rules, now) for one in shown.get("trades") or () if one.get("id") is not None
        )
        filled = translate.to_base(shown.get("filled"), rules)
        if filled and sum(one.quantity for one in fills) == filled:
            return translate.report(order, shown, rules, now, trades=fills)
        status = translate.STATUS.get(shown.get("status") or "open")
        if not filled and status in (OrderStatus.CANCELLED, OrderStatus.REJECTED):
            return translate.report(order, shown, rules, now)
        if not self.streamed and (filled or order.type is OrderType.MARKET):
            self._follow(order)
        return translate.report(order, {"id": entry.exchange_id}, rules, now)

    def _follow(self, order: Order) -> None:
        """Look a few times after an order that is expected to be done soon, and post what is seen."""
        task = asyncio.get_running_loop().create_task(self._followed(order))
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _followed(self, order: Order) -> None:
        for wait in _FOLLOW_S:
            await asyncio.sleep(wait)
            seen = await self.look(order)
            if seen.verdict is Verdict.ACCEPTED and seen.status in FINAL_ORDER:
                self._post(seen)
                return

    # Cancelling and looking up

    async def cancel(self, orders: Sequence[Order]) -> Sequence[OrderReport]:
        return await asyncio.gather(*(self._cancel(order) for order in orders))

    async def _cancel(self, order: Order) -> OrderReport:
        with listening() as heard:
            try:
                client = await self.ready(order.symbol)
                symbol = translate.unified(self._rules(order.symbol))
                named = {self.venue.look_param: order.client_order_id}
                said = await client.call("cancel_order", None, symbol, named)
            except asyncio.CancelledError:
                if is_ending():
                    raise
                return self._unclear(order, translate.CONNECTION, "The request broke off.", about_cancel=True)
            except Exception as error:
                return await self._cancel_failed(order, heard, error)
        if not self._is_acknowledged(heard):
            reason = "The exchange's answer to the cancel is none."
            return self._unclear(order, translate.GENERIC, reason, about_cancel=True)
        if said.get("status") == "canceled" and said.get("filled") and not translate.decimal(said["filled"]):
            rules = self._rules(order.symbol)
            return translate.report(order, said, rules, self._clock.now(), about_cancel=True)
        return await self._cancelled(order)

    def _is_acknowledged(self, heard: Heard) -> bool:
        answer = heard.last("POST", "DELETE")
        if answer is None or not isinstance(answer.document, dict) or not answer.document:
            return False
        return not any(entry.code for entry in self.venue.entries(answer.document))

    async def _cancel_failed(self, order: Order, heard: Heard, error: Exception) -> OrderReport:
        """`Unknown order` may mean that it filled: only looking tells."""
        answer = heard.last("POST", "DELETE")
        entries = self.venue.entries(answer.document) if answer and answer.status < 500 else []
        entry = next((one for one in entries if one.code), None)
        if entry is not None and self.venue.meaning(entry.code, entry.text) is Meaning.GONE:
            return await self._cancelled(order)
        code = translate.engine_error(error)
        if entry is not None and entry.code in self.venue.credentials:
            code = translate.CREDENTIALS
        return self._unclear(order, code, self._sentence(code, entry), about_cancel=True)

    async def _cancelled(self, order: Order) -> OrderReport:
        """Look how an order ended whose cancel was acknowledged, or that does not rest any more."""
        for wait in _CANCEL_LOOKS_S:
            await asyncio.sleep(wait)
            seen = await self.look(order)
            if seen.verdict is Verdict.ABSENT or (
                seen.verdict is Verdict.ACCEPTED and seen.status in FINAL_ORDER
            ):
                return replace(seen, about_cancel=True)
        return self._unclear(
            order,
            translate.GENERIC,
            "The cancel was acknowledged and is not to be seen yet.",
            about_cancel=True,
        )

    async def look(self, order: Order) -> OrderReport:
        now = self._clock.now()
        try:
            client = await self.ready(order.symbol)
            rules = self._rules(order.symbol)
            found = await find(client, order, rules, translate.unified(rules), now)
        except asyncio.CancelledError:
            if is_ending():
                raise
            return self._unclear(order, translate.CONNECTION, "The look-up broke off.")
        except Exception as error:
            code = translate.engine_error(error)
            logger.debug("{} could not be looked up: {}", order.client_order_id, _written(error))
            reason = str(error) if isinstance(error, EngineError) else translate.SENTENCES[code]
            return self._unclear(order, code, reason)
        fills = await self.worth(found.trades, rules)
        if found.said is not None:
            self._remember(str(found.said["id"]))
            return translate.report(order, found.said, rules, now, trades=fills)
        if fills:  # it was there, but how it ended is not to be seen yet
            unclear = self._unclear(order, "", "Its trades are there, the order is not.")
            return replace(unclear, trades=fills)
        return self._plain(order, Verdict.ABSENT, "", "There is no such order.")

    # Reading the account

    async def open_orders(self, account: str) -> OpenOrders | AccountUnreadable:
        return await self._read(self._open_orders)

    async def fills(self, account: str, since: datetime) -> Fills | AccountUnreadable:
        return await self._read(lambda client: self._fills(client, since))

    async def balances(self, account: str) -> Balances | AccountUnreadable:
        return await self._read(self._balances)

    async def _read(self, read: Callable[[Client], Coroutine[Any, Any, T]]) -> T | AccountUnreadable:
        with listening() as heard:
            try:
                found = await read(await self.ready_for_all())
                self._keys_are_good = True
                return found
            except asyncio.CancelledError:
                if is_ending():
                    raise
                return AccountUnreadable(account=self.account.name, reason="The request broke off.")
            except Exception as error:
                logger.warning("the account {} could not be read: {}", self.account.name, _written(error))
                return AccountUnreadable(account=self.account.name, reason=self._why(error, heard))

    def _why(self, error: Exception, heard: Heard) -> str:
        if isinstance(error, EngineError):
            return str(error)
        entry = refusal(self.venue, heard)
        if entry is not None and entry.code in self.venue.credentials:
            return self._sentence(translate.CREDENTIALS, entry)
        code = translate.engine_error(error)
        return self._sentence(code, entry) if code == translate.CREDENTIALS else translate.SENTENCES[code]

    def _sentence(self, code: str, entry: Entry | None) -> str:
        """Say a refusal on screen: what it is about, as far as it is known, and the exchange's own words."""
        ours = ""
        if code == translate.CREDENTIALS and self._keys_are_good:
            ours = f"{translate.SENTENCES[code]} {translate.KEYS_WERE_GOOD}"
        elif entry is not None and (topic := self.venue.topic(entry.code, entry.text)) is not None:
            ours = translate.TOPICS[topic]
        return translate.sentence(code, entry, ours)

    async def _open_orders(self, client: Client) -> OpenOrders:
        now = self._clock.now()
        raw = await raw_open_orders(client)
        held = await positions(client) if self.account.market is Market.SWAP else {}
        await self._markets.teach_ids(client, [*map(native_id, raw), *held])
        reports: list[OrderReport] = []
        foreign: list[str] = []
        for start in range(0, len(raw), _ORDERS_A_TURN):
            for said in client.parsed("parse_order", raw[start : start + _ORDERS_A_TURN]):
                rules = self._rules_of(client, said["symbol"])
                ours = str(said.get("clientOrderId") or "").startswith(self._prefix)
                if ours and rules is not None:
                    reports.append(translate.listed(self.account.name, self.venue, said, rules, now))
                else:
                    foreign.append(translate.describe(said, rules.symbol if rules else str(said["symbol"])))
            await asyncio.sleep(0)
        return OpenOrders(
            account=self.account.name,
            reports=tuple(reports),
            foreign=tuple(foreign),
            positions={
                rules.key: translate.to_base(size, rules)
                for id, size in held.items()
                if (rules := self._rules_of(client, client.symbol_of(id))) is not None
            },
            at=now,
        )

    async def _fills(self, client: Client, since: datetime) -> Fills:
        now = self._clock.now()
        symbols = [translate.unified(rules) for name in self._in_use() if (rules := self._known(name))]
        found: dict[tuple[str, str], AccountTrade] = {}
        async for page in trades(client, since, now, symbols=symbols):
            for said in page:
                rules = self._rules_of(client, said["symbol"])
                if rules is not None:
                    one = translate.account_trade(self.venue, said, rules, now)
                    (worth,) = await self.worth([one.trade], rules)
                    one = replace(one, trade=worth)
                    found[rules.symbol, one.trade.trade_id] = one
        found = await self._told_forced(client, since, found)
        ordered = sorted(found.values(), key=lambda one: (one.trade.at, one.trade.trade_id))
        return Fills(account=self.account.name, since=since, trades=tuple(ordered), at=now)

    async def _told_forced(
        self, client: Client, since: datetime, found: dict[tuple[str, str], AccountTrade]
    ) -> dict[tuple[str, str], AccountTrade]:
        """Mark what the exchange closed by force, where its trades do not say so themselves."""
        strangers = {one.exchange_order_id for one in found.values()} - self._placed.keys()
        if not strangers:
            return found
        forced = await forced_orders(client, since)
        return {
            key: replace(one, liquidation=True) if one.exchange_order_id in forced else one
            for key, one in found.items()
        }

    def _remember(self, id: str) -> None:
        """Remember an order as one that nobody forced on us."""
        self._placed[id] = None
        if len(self._placed) > _ORDERS_KEPT:
            self._placed.pop(next(iter(self._placed)))

    async def worth(self, trades: Sequence[Trade], rules: Instrument) -> tuple[Trade, ...]:
        """Return trades with the value of fees in a third currency, as far as it can be found out."""
        if self._client is None or not any(is_open(trade, rules) for trade in trades):
            return tuple(trades)
        return await self._worth.of(self._client, trades, rules)

    async def _balances(self, client: Client) -> Balances:
        now = self._clock.now()
        free, total = await balances(client)
        return Balances(account=self.account.name, free=free, total=total, at=now)

    # Words

    def now(self) -> datetime:
        return self._clock.now()

    def rules_of(self, unified: str) -> Instrument | None:
        """Return our rules of a market by ccxt's symbol; None where it is not traded or not known yet."""
        return self._rules_of(self._client, unified) if self._client is not None else None

    def _known(self, symbol: str) -> Instrument | None:
        return self._instruments(self.venue.name, symbol)

    def _rules(self, symbol: str) -> Instrument:
        rules = self._known(symbol)
        if rules is None:
            raise Defect(f"{self.venue.title} has no market {symbol}")
        return rules

    def _rules_of(self, client: Client, unified: str) -> Instrument | None:
        market = (client.exchange.markets or {}).get(unified)
        return self._known(translate.chart_symbol(market)) if market else None

    def _plain(
        self, order: Order, verdict: Verdict, code: str, reason: str, *, about_cancel: bool = False
    ) -> OrderReport:
        return OrderReport(
            account=order.account,
            client_order_id=order.client_order_id,
            verdict=verdict,
            status=OrderStatus.REJECTED if verdict is Verdict.REFUSED else None,
            code=code,
            reason=reason,
            about_cancel=about_cancel,
            at=self._clock.now(),
        )

    def _refused(self, order: Order, code: str, reason: str, about: About | None = None) -> OrderReport:
        return replace(self._plain(order, Verdict.REFUSED, code, reason), about=about)

    def _unclear(self, order: Order, code: str, reason: str, *, about_cancel: bool = False) -> OrderReport:
        return self._plain(order, Verdict.UNKNOWN, code, reason, about_cancel=about_cancel)

    def _not_sent(self, order: Order, error: Exception) -> OrderReport:
        """Report what kept an order here. Without a connection it stays in doubt, as if it had left."""
        code = translate.engine_error(error)
        if code == translate.CONNECTION:
            return self._unclear(order, code, translate.SENTENCES[code])
        return self._refused(order, code, self._why(error, Heard()))


_ORDERS_KEPT = 5_000  # ids of orders that are remembered
_ORDERS_A_TURN = 200  # that are parsed before others have their turn


class Locked(EngineError):
    """The account's keys cannot be had; the text is a sentence."""


def _written(error: BaseException) -> str:
    """Write an error down with the exchange's whole answer, which ccxt puts into its text."""
    return f"{type(error).__name__}: {error}"[:_MOST_WRITTEN]
