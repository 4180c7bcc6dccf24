"""The trading of one exchange in one mode: orders in, fills, refusals and events out. Knows no wire format."""

from __future__ import annotations

import itertools
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from execution_engine.domain.instrument import Instrument
from tests.exchanges.listing import Listing

ZERO = Decimal(0)
MOST_OPEN_ORDERS = 200


class Why(StrEnum):
    """Why an order is refused. Each dialect has its own code for each."""

    SYMBOL = "unknown symbol"
    HALTED = "market is closed"
    NO_PRICE = "no price"
    STEP = "quantity is no multiple of the step"
    TOO_LITTLE = "quantity below the minimum"
    TOO_MUCH = "quantity above the maximum"
    TICK = "price is no multiple of the tick"
    BAND = "price too far from the market"
    NOTIONAL = "value below the minimum"
    FUNDS = "not enough money"
    DUPLICATE = "client order id was used before"
    CLIENT_ID = "client order id is malformed"
    REDUCE = "nothing to reduce"
    REDUCE_ON_SPOT = "no reduce-only orders on spot"
    POSITION_SIDE = "position side does not fit the position mode"
    MARGIN_MODE = "margin mode does not fit"
    WOULD_TAKE = "post-only order would take"
    TOO_MANY = "too many open orders"
    LEVERAGE = "leverage out of range"
    UNCHANGED = "it is so already"
    HAS_POSITION = "open orders or positions are in the way"
    NO_SWAPS = "the account is not set up for perpetuals"
    PARAMETER = "a parameter is missing or makes no sense"
    NOT_FOUND = "no such order"


class Refused(Exception):
    """The venue says no. order: the duplicate id's first owner, or the order that is over already."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(why, detail)
        self.why = why
        self.detail = detail


@dataclass(slots=True)
class Quote:
    last: Decimal
    bid: Decimal
    ask: Decimal


@dataclass(slots=True, kw_only=True)
class Trade:
    id: int
    order: Order
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    maker: bool
    profit: Decimal  # of what it closed [quote]
    at_ms: int


@dataclass(slots=True, kw_only=True, eq=False)
class Order:
    """status: new, partial, filled, cancelled, expired (what an immediate order could not fill)."""

    number: int
    id: str = ""
    client_id: str
    account: Account
    listing: Listing
    action: str  # buy, sell
    kind: str  # limit, market
    price: Decimal | None
    quantity: Decimal
    cost: Decimal | None = None  # a market buy by value [quote]
    reduce_only: bool = False
    position_side: str = "both"  # or long, short
    margin_mode: str = "cross"
    leverage: Decimal = Decimal(1)
    forced: bool = False  # the exchange's own doing: a liquidation
    lasts: str = "GTC"  # IOC, FOK, PO
    status: str = "new"
    filled: Decimal = ZERO
    value: Decimal = ZERO
    trades: list[Trade] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)  # the request, for what a dialect must repeat
    created_ms: int = 0
    updated_ms: int = 0
    unseen: int = 0  # so many reads miss it yet

    def forget(self) -> None:
        """Let the exchange forget the order, as all of them do in time with what ended without a fill."""
        self.unseen = 1 << 60

    @property
    def open(self) -> bool:
        return self.status in ("new", "partial")

    @property
    def left(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def average(self) -> Decimal:
        return self.value / self.filled if self.filled else ZERO

    @property
    def sign(self) -> int:
        return 1 if self.action == "buy" else -1

    @property
    def symbol(self) -> str:
        return self.listing.symbol


@dataclass(slots=True)
class Position:
    """quantity: negative for short [base]."""

    listing: Listing
    side: str  # both, long, short
    quantity: Decimal = ZERO
    cost: Decimal = ZERO  # [quote], of what is held
    leverage: Decimal = Decimal(1)
    margin_mode: str = "cross"
    realized: Decimal = ZERO
    opened_ms: int = 0
    updated_ms: int = 0

    @property
    def entry(self) -> Decimal:
        return abs(self.cost / self.quantity) if self.quantity else ZERO

    @property
    def margin(self) -> Decimal:
        return self.cost / self.leverage

    def profit(self, mark: Decimal) -> Decimal:
        return self.quantity * mark - self.cost * (1 if self.quantity > 0 else -1)


@dataclass(frozen=True, slots=True)
class Keys:
    exchange: str
    mode: str
    api_key: str
    secret: str
    passphrase: str


@dataclass(slots=True, eq=False)
class Account:
    """One user's account in one mode. What a test may set stands first."""

    keys: Keys
    unified: bool
    withdraw: bool = False
    trade: bool = True
    read: bool = True
    futures: bool = True
    ips: tuple[str, ...] = ()
    expires_at_ms: int | None = None
    revoked: bool = False
    hedge: bool = False
    fees_in_bnb: bool = False
    number: int = 0
    opened_ms: int = 0
    wallets: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    positions: dict[tuple[str, str], Position] = field(default_factory=dict)
    leverage: dict[str, Decimal] = field(default_factory=dict)
    margin_mode: dict[str, str] = field(default_factory=dict)
    resting: dict[str, Order] = field(default_factory=dict, repr=False)
    by_client_id: dict[str, list[Order]] = field(default_factory=dict, repr=False)

    def wallet(self, market: str = "spot") -> dict[str, Decimal]:
        """Return what is there by currency; a unified account has one wallet for all markets."""
        return self.wallets.setdefault("unified" if self.unified else market, defaultdict(Decimal))

    @property
    def open_orders(self) -> list[Order]:
        return list(self.resting.values())

    def find(self, client_id: str, swap: bool | None = None) -> Order | None:
        """Return the newest order with a client id, of one kind of market or of both."""
        for order in reversed(self.by_client_id.get(client_id, [])):
            if swap in (None, order.listing.swap):
                return order
        return None

    def position(self, symbol: str, side: str = "both") -> Decimal:
        held = self.positions.get((symbol, side))
        return held.quantity if held else ZERO

    def reserved(self, currency: str, market: str = "spot") -> Decimal:
        """Return what open orders and positions keep from being spent."""
        kept = sum((_needs(order, order.left)[1] for order in self._holding(currency, market)), ZERO)
        if currency == "USDT" and (self.unified or market == "swap"):
            kept += sum((position.margin for position in self.positions.values()), ZERO)
        return kept

    def free(self, currency: str, market: str = "spot") -> Decimal:
        return max(ZERO, self.wallet(market).get(currency, ZERO) - self.reserved(currency, market))

    def _holding(self, currency: str, market: str) -> Iterable[Order]:
        for order in self.open_orders:
            same = self.unified or order.listing.rules.market == market
            if same and _needs(order, order.left)[0] == currency:
                yield order


@dataclass(slots=True, kw_only=True)
class Happened:
    """Something the streams may want to tell. kind: order, position, balance, quote, print."""

    kind: str
    listing: Listing | None = None
    account: Account | None = None
    order: Order | None = None
    what: str = ""  # of an order: new, trade, cancelled, expired
    trade: Trade | None = None
    position: Position | None = None
    currencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How an exchange differs in trading itself."""

    fee_in_base: bool = True  # a spot buy's fee
    ids_forever: bool = False  # a client id may never come again; otherwise not while its order is open
    ids_of_account: bool = False  # spot and perpetuals share their client ids
    unified: bool = False  # one wallet for spot and perpetuals
    margin_mode: str = "cross"  # of a new account
    leverage: Decimal = Decimal(1)
    late_post_only: bool = False  # a post-only order that would take is accepted, and cancelled at once
    checks_notional_on_exit: bool = False


class Venue:
    """All accounts and all markets of one mode."""

    def __init__(
        self, mode: str, terms: Terms, listings: dict[str, Listing], now_ms: Callable[[], int]
    ) -> None:
        self.mode = mode
        self.terms = terms
        self.listings = listings
        self.now_ms = now_ms
        self.accounts: dict[str, Account] = {}
        self.orders: dict[str, Order] = {}
        self.quotes: dict[str, Quote] = {}
        self.depths: dict[str, Decimal] = {}
        self._resting: defaultdict[str, dict[str, Order]] = defaultdict(dict)
        self.listeners: list[Callable[[Happened], None]] = []
        self.name_order: Callable[[Order], str] = lambda order: str(order.number)
        self.lag_reads = 0
        self._numbers = itertools.count(int(now_ms()) * 1000)
        self._trade_numbers = itertools.count(1_000_001)

    # Accounts

    def open_account(self, exchange: str, wallet: dict[str, Decimal]) -> Account:
        token = secrets.token_hex(16)
        keys = Keys(exchange, self.mode, token, secrets.token_hex(16), "word-" + secrets.token_hex(4))
        account = Account(
            keys=keys,
            unified=self.terms.unified,
            number=10_001 + len(self.accounts),
            opened_ms=self.now_ms(),
        )
        for market in ("spot", "swap"):
            account.wallet(market).update(wallet)
        self.accounts[token] = account
        return account

    def margin_mode(self, account: Account, symbol: str) -> str:
        # "*" where an exchange has one mode for the whole account.
        return account.margin_mode.get(symbol, account.margin_mode.get("*", self.terms.margin_mode))

    def leverage(self, account: Account, symbol: str) -> Decimal:
        return account.leverage.get(symbol, self.terms.leverage)

    def set_leverage(self, account: Account, symbol: str, leverage: Decimal) -> None:
        listing = self.listing(symbol)
        if not 1 <= leverage <= listing.rules.max_leverage:
            raise Refused(Why.LEVERAGE, f"1 to {listing.rules.max_leverage}")
        account.leverage[symbol] = leverage
        for position in account.positions.values():
            if position.listing is listing:
                position.leverage = leverage

    def set_margin_mode(self, account: Account, symbol: str, mode: str) -> None:
        if self.margin_mode(account, symbol) == mode:
            raise Refused(Why.UNCHANGED)
        if self.in_use(account, symbol):
            raise Refused(Why.HAS_POSITION)
        account.margin_mode[symbol] = mode

    def set_hedge(self, account: Account, hedge: bool) -> None:
        if account.hedge == hedge:
            raise Refused(Why.UNCHANGED)
        if any(self.in_use(account, symbol) for symbol in self.listings if symbol.endswith(".P")):
            raise Refused(Why.HAS_POSITION)
        account.hedge = hedge

    def in_use(self, account: Account, symbol: str) -> bool:
        """Tell whether open orders or a position stand in the way of a change."""
        held = any(each.quantity for key, each in account.positions.items() if key[0] == symbol)
        return held or any(order.symbol == symbol for order in account.open_orders)

    # Markets

    def listing(self, symbol: str) -> Listing:
        if symbol not in self.listings:
            raise Refused(Why.SYMBOL, symbol)
        return self.listings[symbol]

    def price(
        self, symbol: str, last: Decimal, bid: Decimal, ask: Decimal, fills: Decimal | None = None
    ) -> None:
        """Let the market move; what it reaches fills at its own price."""
        listing = self.listing(symbol)
        quote = self.quotes[symbol] = Quote(last, bid, ask)
        self._tell(Happened(kind="quote", listing=listing))
        reached = [order for order in self._resting[symbol].values() if _reaches(order, quote)]
        for order in sorted(reached, key=_priority):
            # An earlier fill may have ended this one: a reduce-only order without a position.
            if order.open:
                assert order.price is not None
                self.fill(order, order.price, min(order.left, fills or order.left), maker=True)
        self._tell(Happened(kind="print", listing=listing))

    # Orders

    def place(self, order: Order) -> Order:
        """Take an order and fill what fills at once. Raises Refused; then nothing has changed."""
        self._check_id(order)
        quote = self._check_market(order)
        self._check_side(order)
        if order.cost is not None:
            step = order.listing.rules.step
            order.quantity = (order.cost / quote.ask / step).to_integral_value(ROUND_DOWN) * step
        self._check_numbers(order, quote)
        takes = order.price is None or _reaches(order, quote)
        price = quote.ask if order.action == "buy" else quote.bid
        too_late = takes and order.lasts == "PO"
        if too_late and not self.terms.late_post_only:
            raise Refused(Why.WOULD_TAKE)
        depth = self.depths.get(order.symbol, order.quantity)
        fills = takes and not (order.lasts == "FOK" and depth < order.quantity)
        self._check_funds(order, price if takes else order.price or price)
        self._accept(order)
        if too_late:
            self.end(order, "cancelled")
        elif fills:
            self.fill(order, price, min(order.quantity, depth), maker=False)
        if order.open and (order.kind == "market" or order.lasts in ("IOC", "FOK")):
            self.end(order, "expired")
        return order

    def _accept(self, order: Order) -> None:
        order.number = next(self._numbers)
        order.id = self.name_order(order)
        order.created_ms = order.updated_ms = self.now_ms()
        order.unseen = self.lag_reads
        self.orders[order.id] = order
        account = order.account
        account.orders.append(order)
        account.resting[order.id] = order
        account.by_client_id.setdefault(order.client_id, []).append(order)
        if order.price is not None:
            self._resting[order.symbol][order.id] = order
        self._tell_order(order, "new")

    def cancel(self, order: Order) -> None:
        if not order.open:
            raise Refused(Why.NOT_FOUND, order.status)
        self.end(order, "cancelled")

    def find(
        self,
        account: Account,
        *,
        swap: bool,
        id: str = "",
        client_id: str = "",
        symbol: str | None = None,
        reading: bool = True,
    ) -> Order:
        """Look an order up by either id. reading: a read that may lag behind, unlike a cancel. Raises Refused."""
        found = self.orders.get(id) if id else account.find(client_id, swap)
        if found is None or found.account is not account or found.listing.swap is not swap:
            raise Refused(Why.NOT_FOUND)
        if found.symbol != (symbol or found.symbol) or (reading and self.missed(found)):
            raise Refused(Why.NOT_FOUND)
        return found

    def missed(self, order: Order) -> bool:
        """Tell whether the reading side does not know an order yet; asking brings it nearer."""
        if order.unseen:
            order.unseen -= 1
            return True
        return False

    def seen(self, orders: Iterable[Order]) -> list[Order]:
        """Return what a list of orders shows, newest first."""
        return [order for order in sorted(orders, key=lambda each: -each.number) if not self.missed(order)]

    def fill(self, order: Order, price: Decimal, quantity: Decimal, *, maker: bool) -> Trade:
        """Book a fill with its fee, and tell of it."""
        account, rules = order.account, order.listing.rules
        wallet, value = account.wallet(rules.market), price * quantity
        percent = rules.maker_fee_percent if maker else rules.taker_fee_percent
        profit = ZERO
        fee, fee_currency = value * percent / 100, rules.quote
        if order.listing.swap:
            profit = self._change_position(order, price, quantity)
            wallet[rules.quote] += profit
        else:
            wallet[rules.base] += order.sign * quantity
            wallet[rules.quote] -= order.sign * value
            if order.action == "buy" and self.terms.fee_in_base:
                fee, fee_currency = quantity * percent / 100, rules.base
        fee = fee.quantize(Decimal("1e-8"), ROUND_DOWN)
        fee, fee_currency = self._in_bnb(account, rules.market, fee, fee_currency, value * percent / 100)
        wallet[fee_currency] -= fee
        trade = Trade(
            id=next(self._trade_numbers),
            order=order,
            price=price,
            quantity=quantity,
            fee=fee,
            fee_currency=fee_currency,
            maker=maker,
            profit=profit,
            at_ms=self.now_ms(),
        )
        order.trades.append(trade)
        account.trades.append(trade)
        order.filled += quantity
        order.value += value
        order.status = "partial" if order.left else "filled"
        if not order.open:
            self._unrest(order)
        order.updated_ms = trade.at_ms
        self._tell_order(order, "trade", trade)
        self._tell_rest(order)
        if order.listing.swap:
            self._trim(account, order.symbol)
        return trade

    def _in_bnb(
        self, account: Account, market: str, fee: Decimal, currency: str, value: Decimal
    ) -> tuple[Decimal, str]:
        bnb = self.quotes.get("BNBUSDT")
        if not account.fees_in_bnb or bnb is None:
            return fee, currency
        in_bnb = (value / bnb.last * Decimal("0.75")).quantize(Decimal("1e-8"), ROUND_DOWN)
        return (in_bnb, "BNB") if account.wallet(market)["BNB"] >= in_bnb else (fee, currency)

    def _unrest(self, order: Order) -> None:
        order.account.resting.pop(order.id, None)
        self._resting[order.symbol].pop(order.id, None)

    def end(self, order: Order, status: str) -> None:
        order.status = status
        self._unrest(order)
        order.updated_ms = self.now_ms()
        self._tell_order(order, status)
        self._tell_rest(order, position=False)

    def liquidate(self, account: Account, symbol: str) -> None:
        """Close a position as the exchange itself does it, and cancel what rests in its market."""
        for order in account.open_orders:
            if order.symbol == symbol:
                self.end(order, "cancelled")
        for position in [each for each in account.positions.values() if each.listing.symbol == symbol]:
            action = "sell" if position.quantity > 0 else "buy"
            size = abs(position.quantity)
            self._by_itself(account, position.listing, action, size, position.side, forced=True)

    def trade_by_hand(self, account: Account, symbol: str, action: str, quantity: Decimal | str) -> Order:
        """Trade as if the user had done it on the exchange's own page."""
        side = "both" if not account.hedge else ("long" if action == "buy" else "short")
        return self._by_itself(account, self.listing(symbol), action, Decimal(quantity), side)

    def _by_itself(
        self,
        account: Account,
        listing: Listing,
        action: str,
        quantity: Decimal,
        side: str,
        *,
        forced: bool = False,
    ) -> Order:
        quote = self.quotes[listing.symbol]
        order = Order(
            number=0,
            client_id=f"{'autoclose-' if forced else 'web'}{secrets.token_hex(8)}",
            forced=forced,
            account=account,
            listing=listing,
            action=action,
            kind="market",
            price=None,
            quantity=quantity,
            position_side=side,
            margin_mode=self.margin_mode(account, listing.symbol),
            leverage=self.leverage(account, listing.symbol),
        )
        self._accept(order)
        self.fill(order, quote.ask if action == "buy" else quote.bid, quantity, maker=False)
        return order

    # Rules

    def _check_id(self, order: Order) -> None:
        if not order.client_id:
            return
        for other in order.account.by_client_id.get(order.client_id, []):
            near = self.terms.ids_of_account or other.listing.swap is order.listing.swap
            if near and (self.terms.ids_forever or other.open):
                raise Refused(Why.DUPLICATE, other.id)

    def _check_market(self, order: Order) -> Quote:
        if order.listing.status != "trading":
            raise Refused(Why.HALTED, order.symbol)
        if order.listing.swap and not order.account.futures:
            raise Refused(Why.NO_SWAPS)
        if order.symbol not in self.quotes:
            raise Refused(Why.NO_PRICE, order.symbol)
        return self.quotes[order.symbol]

    def _check_side(self, order: Order) -> None:
        if not order.listing.swap:
            if order.reduce_only:
                raise Refused(Why.REDUCE_ON_SPOT)
            return
        if order.account.hedge != (order.position_side != "both"):
            raise Refused(Why.POSITION_SIDE)
        if self.closes(order):
            closable = self.closable(order)
            if not closable:
                raise Refused(Why.REDUCE)
            order.quantity = min(order.quantity, closable)

    def closes(self, order: Order) -> bool:
        """Tell whether an order can only make a position smaller."""
        return order.reduce_only or (order.position_side, order.action) in (
            ("long", "sell"),
            ("short", "buy"),
        )

    def closable(self, order: Order) -> Decimal:
        held = order.account.position(order.symbol, order.position_side)
        return max(ZERO, -order.sign * held)

    def _check_numbers(self, order: Order, quote: Quote) -> None:
        rules, limit = order.listing.rules, order.price is not None
        if order.quantity <= 0 or order.quantity < (rules.min_qty if limit else _least(rules)):
            raise Refused(Why.TOO_LITTLE)
        if order.quantity % rules.step:
            raise Refused(Why.STEP)
        most = rules.max_qty if limit else rules.market_max_qty or rules.max_qty
        if most and order.quantity > most:
            raise Refused(Why.TOO_MUCH, order.kind)
        if order.price is not None:
            if order.price <= 0 or order.price % rules.tick:
                raise Refused(Why.TICK)
            if not quote.last / 5 <= order.price <= quote.last * 5:
                raise Refused(Why.BAND)
            resting = [each for each in order.account.open_orders if each.listing is order.listing]
            if len(resting) >= MOST_OPEN_ORDERS:
                raise Refused(Why.TOO_MANY)
        value = order.quantity * (order.price or (quote.ask if order.action == "buy" else quote.bid))
        exempt = self.closes(order) and not self.terms.checks_notional_on_exit
        if value < rules.min_notional and not exempt:
            raise Refused(Why.NOTIONAL)

    def _check_funds(self, order: Order, price: Decimal) -> None:
        currency, needed = _needs(order, order.quantity, price, closes=self.closes(order))
        free = order.account.free(currency, order.listing.rules.market)
        if needed > free:
            raise Refused(Why.FUNDS, f"{needed} {currency} needed, {free} free")

    # Positions

    def _change_position(self, order: Order, price: Decimal, quantity: Decimal) -> Decimal:
        """Change the position a fill belongs to, and return the profit of what it closed."""
        key = (order.symbol, order.position_side)
        position = order.account.positions.setdefault(key, Position(order.listing, order.position_side))
        position.leverage, position.margin_mode = order.leverage, order.margin_mode
        position.updated_ms = self.now_ms()
        closing = min(quantity, max(ZERO, -order.sign * position.quantity))
        profit = ZERO
        if closing:
            cost = position.cost * closing / abs(position.quantity)
            profit = -order.sign * (closing * price - cost)
            position.cost -= cost
            position.quantity += order.sign * closing
            position.realized += profit
        opening = quantity - closing
        if opening:
            if not position.quantity:
                position.opened_ms, position.realized = self.now_ms(), ZERO
            position.cost += opening * price
            position.quantity += order.sign * opening
        return profit

    def _trim(self, account: Account, symbol: str) -> None:
        """Keep orders that reduce within the position; without one they end."""
        for order in account.open_orders:
            if order.symbol != symbol or not self.closes(order):
                continue
            closable = self.closable(order)
            if not closable:
                self.end(order, "expired")
            elif order.left > closable:
                order.quantity = order.filled + closable

    # Telling

    def _tell(self, happened: Happened) -> None:
        for listener in tuple(self.listeners):
            listener(happened)

    def _tell_order(self, order: Order, what: str, trade: Trade | None = None) -> None:
        self._tell(
            Happened(
                kind="order",
                listing=order.listing,
                account=order.account,
                order=order,
                what=what,
                trade=trade,
            )
        )
        if what == "new":
            self._tell_rest(order, position=False)

    def _tell_rest(self, order: Order, *, position: bool = True) -> None:
        rules, account = order.listing.rules, order.account
        currencies = (rules.quote,) if order.listing.swap else (rules.base, rules.quote)
        self._tell(Happened(kind="balance", listing=order.listing, account=account, currencies=currencies))
        held = account.positions.get((order.symbol, order.position_side))
        if position and order.listing.swap and held:
            self._tell(Happened(kind="position", listing=order.listing, account=account, position=held))


def _needs(
    order: Order, quantity: Decimal, price: Decimal | None = None, *, closes: bool | None = None
) -> tuple[str, Decimal]:
    """Return the currency and the amount that an order ties up."""
    rules = order.listing.rules
    if not order.listing.swap and order.action == "sell":
        return rules.base, quantity
    if order.reduce_only or closes:
        return rules.quote, ZERO
    value = quantity * (price or order.price or ZERO)
    return rules.quote, value / order.leverage if order.listing.swap else value


def _least(rules: Instrument) -> Decimal:
    return max(rules.min_qty, rules.market_min_qty)


def _reaches(order: Order, quote: Quote) -> bool:
    assert order.price is not None
    return quote.ask <= order.price if order.action == "buy" else quote.bid >= order.price


def _priority(order: Order) -> tuple[Decimal, int]:
    assert order.price is not None
    return -order.sign * order.price, order.number
