"""Between ccxt and the domain: symbols, orders, trades, rules and errors, as tables and small functions.

Quantities are base units on our side; where an exchange counts contracts they become contracts here and
nowhere else. Numbers are text in ccxt and `Decimal` with us; what was decided is sent digit for digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from execution_engine.adapters.exchanges.catalogue import Entry, Topic, Venue
from execution_engine.domain.errors import Defect
from execution_engine.domain.inputs import AccountTrade, OrderReport, Trade, Verdict
from execution_engine.domain.instrument import Action, Instrument, Market
from execution_engine.domain.money import HUNDRED, ONE, ZERO, plain, text
from execution_engine.domain.rows import Order, OrderStatus, OrderType
from execution_engine.domain.settings import AccountSettings, PositionMode

Json = Mapping[str, Any]

# The quote currencies whose money is counted as dollars.
DOLLARS = frozenset({"USDT", "USDC", "FDUSD", "TUSD", "USDE", "USD1", "DAI"})
_USUAL_MAX_LEVERAGE = Decimal(125)  # Binance does not tell it with its markets; its answer to `leverage` does

STATUS = {
    "open": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "canceling": OrderStatus.OPEN,
    "expired": OrderStatus.CANCELLED,
    "rejected": OrderStatus.REJECTED,
}

# ccxt's errors, the nearest first, as the engine calls them (SPEC §5).
CREDENTIALS = "InvalidCredentialsError"
FUNDS = "InsufficientFundsError"
VALIDATION = "OrderValidationError"
RATE = "RateLimitError"
CONNECTION = "ExchangeConnectionError"
GENERIC = "GenericExchangeError"

ERRORS = {
    "AuthenticationError": CREDENTIALS,
    "InsufficientFunds": FUNDS,
    "InvalidOrder": VALIDATION,
    "RateLimitExceeded": RATE,
    "DDoSProtection": RATE,
    "Blocked": RATE,
    "NetworkError": CONNECTION,
    "OperationFailed": CONNECTION,
    "ExchangeError": GENERIC,
}

SENTENCES = {
    CREDENTIALS: "Invalid API credentials. Please check your keys in Settings.",
    FUNDS: "Insufficient funds on the exchange to place the order.",
    VALIDATION: "Order validation failed (size or price). See the log for details.",
    RATE: "Approaching the exchange's rate limits. Slowing down.",
    CONNECTION: "Cannot connect to the exchange. Retrying…",
    GENERIC: "An unknown exchange error occurred. The full answer is in the log.",
}

TOPICS = {
    Topic.MARKET: "The exchange does not trade this market any more, or not now.",
    Topic.REDUCE_ONLY: "The exchange takes only orders that close a position, in this market or from this account.",
    Topic.POSITION_MODE: "The account's position mode on the exchange is another one than the settings ask for.",
}
KEYS_WERE_GOOD = (
    "It took them before: they were revoked, have expired, lost a right, or are bound to another address."
)
RULES_AGAIN = "The rules of this market are read again."


def engine_error(error: BaseException) -> str:
    """Return the engine's name for whatever a call raised."""
    names = (cls.__name__ for cls in type(error).__mro__)
    return next((ERRORS[name] for name in names if name in ERRORS), GENERIC)


def sentence(code: str, entry: Entry | None = None, ours: str = "") -> str:
    """Say an error on screen: our sentence, that of the code or another, and what the exchange said."""
    said = " ".join(part for part in (entry.text, f"({entry.code})") if part) if entry and entry.code else ""
    return f"{ours or SENTENCES[code]} {said}".strip()


# Numbers


def decimal(value: object) -> Decimal:
    """Read a number as ccxt gives it; what is missing or none is zero."""
    if value is None or value == "":
        return ZERO
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return ZERO
    return plain(number) if number.is_finite() else ZERO


def time_of(ms: object, otherwise: datetime) -> datetime:
    """Read a time as exchanges write it, in milliseconds."""
    number = decimal(ms)
    return datetime.fromtimestamp(float(number) / 1000, UTC) if number > 0 else otherwise


# Markets


def unified(instrument: Instrument) -> str:
    """Return ccxt's symbol of an instrument."""
    pair = f"{instrument.base}/{instrument.quote}"
    return pair if instrument.market is Market.SPOT else f"{pair}:{instrument.quote}"


def chart_symbol(market: Json) -> str:
    """Return the symbol under which charts know a market of ccxt: `BTCUSDT`, `BTCUSDT.P`."""
    pair = f"{market['base']}{market['quote']}"
    return f"{pair}.P" if market.get("swap") else pair


def is_traded(market: Json, kind: Market) -> bool:
    """Return whether a market is one that this application trades: spot in dollars, or a USDT perpetual."""
    if market.get("active") is False:
        return False
    if kind is Market.SPOT:
        return bool(market.get("spot")) and market.get("quote") in DOLLARS
    linear = market.get("swap") and market.get("linear")
    return bool(linear) and market.get("settle") == "USDT" and market.get("quote") == "USDT"


def instrument(venue: Venue, market: Json) -> Instrument | None:
    """Make the rules of one market; None if the exchange leaves out what trading needs."""
    swap = bool(market.get("swap"))
    info = market.get("info") or {}
    precision, limits = market["precision"], market["limits"]
    size = (decimal(market.get("contractSize")) or ONE) if swap else ONE
    tick, step = decimal(precision.get("price")), plain(decimal(precision.get("amount")) * size)
    if tick <= 0 or step <= 0:
        return None
    amount, market_amount = limits.get("amount") or {}, limits.get("market") or {}
    return Instrument(
        exchange=venue.name,
        symbol=chart_symbol(market),
        market=Market.SWAP if swap else Market.SPOT,
        base=market["base"],
        quote=market["quote"],
        tick=tick,
        step=step,
        min_qty=max(plain(decimal(amount.get("min")) * size), step),
        max_qty=plain(decimal(amount.get("max")) * size),
        market_min_qty=plain(decimal(market_amount.get("min")) * size),
        market_max_qty=plain(_market_max(venue, info, market_amount, swap) * size),
        min_notional=_least_cost(info, limits),
        contract_size=size,
        max_leverage=_max_leverage(limits, swap),
        maker_fee_percent=plain(decimal(market.get("maker")) * HUNDRED),
        taker_fee_percent=plain(decimal(market.get("taker")) * HUNDRED),
    )


def _market_max(venue: Venue, info: Json, limits: Json, swap: bool) -> Decimal:
    """Return the most of one market order, where ccxt leaves it in the exchange's own words."""
    if venue.name == "bybit":
        rules = info.get("lotSizeFilter") or {}
        return decimal(rules.get("maxMktOrderQty") or rules.get("maxMarketOrderQty"))
    if venue.name == "okx":  # on spot it is an amount of dollars, which is no quantity
        return decimal(info.get("maxMktSz")) if swap else ZERO
    return decimal(limits.get("max"))


def _least_cost(info: Json, limits: Json) -> Decimal:
    """Return the least notional; KuCoin's real one is in its own words."""
    unified_least = decimal((limits.get("cost") or {}).get("min"))
    return max(unified_least, decimal(info.get("minFunds")))


def _max_leverage(limits: Json, swap: bool) -> Decimal:
    if not swap:
        return ONE
    return decimal((limits.get("leverage") or {}).get("max")) or _USUAL_MAX_LEVERAGE


# Orders, to the exchange


def to_exchange(quantity: Decimal, rules: Instrument) -> Decimal:
    """Return a quantity [base] as the exchange counts it. Raises Defect if that takes a fraction of a step."""
    if quantity <= 0 or quantity % rules.step:
        raise Defect(f"the quantity {text(quantity)} is no multiple of {text(rules.step)}")
    return plain(quantity / rules.contract_size)


def to_base(said: object, rules: Instrument) -> Decimal:
    """Return a quantity [base] of what the exchange counts."""
    return plain(decimal(said) * rules.contract_size)


def request(venue: Venue, order: Order, rules: Instrument, terms: AccountSettings) -> dict[str, Any]:
    """Return an order as ccxt's `create_order` takes it. Raises Defect: it cannot be sent as it was decided."""
    amount = to_exchange(order.quantity, rules)
    price = None
    if order.type is OrderType.LIMIT:
        if order.price is None or order.price <= 0 or order.price % rules.tick:
            raise Defect(f"the price {order.price} is no multiple of {text(rules.tick)}")
        price = text(order.price)
    return {
        "symbol": unified(rules),
        "type": order.type.value,
        "side": order.action.value,
        "amount": int(amount) if rules.market is Market.SWAP and venue.whole_contracts else text(amount),
        "price": price,  # never with a market order: it would turn the quantity into a cost
        "params": {"clientOrderId": order.client_order_id, **_params(venue, order, rules, terms)},
    }


def _params(venue: Venue, order: Order, rules: Instrument, terms: AccountSettings) -> dict[str, Any]:
    """Return what only perpetuals have; spot refuses what it does not know."""
    if rules.market is Market.SPOT:
        return {}
    params: dict[str, Any] = {}
    if order.reduce_only:
        params["reduceOnly"] = True
    if terms.position_mode is PositionMode.HEDGE:
        params["hedged"] = True
    if venue.order_margin:
        params["marginMode"] = terms.margin_mode.value
    if venue.order_leverage:
        params["leverage"] = text(plain(terms.leverage))
    return params


# Orders, from the exchange


def status_of(said: Json) -> OrderStatus:
    """Return an order's state. One that ended with less than it asked for was cancelled, whatever it is called."""
    status = STATUS.get(said.get("status") or "open", OrderStatus.OPEN)
    asked, filled = decimal(said.get("amount")), decimal(said.get("filled"))
    return OrderStatus.CANCELLED if status is OrderStatus.FILLED and filled < asked else status


def report(
    order: Order,
    said: Json,
    rules: Instrument,
    at: datetime,
    *,
    trades: tuple[Trade, ...] = (),
    about_cancel: bool = False,
) -> OrderReport:
    """Take an order as the exchange shows it. An order without a state was only acknowledged."""
    return OrderReport(
        account=order.account,
        client_order_id=order.client_order_id,
        verdict=Verdict.ACCEPTED,
        status=status_of(said),
        exchange_order_id=str(said["id"]),
        filled_quantity=to_base(said.get("filled"), rules),
        trades=trades,
        about_cancel=about_cancel,
        exchange=order.exchange,
        symbol=order.symbol,
        reduces=order.reduce_only,
        at=at,
    )


def listed(account: str, venue: Venue, said: Json, rules: Instrument, at: datetime) -> OrderReport:
    """Take an order out of a list; the books may lack it."""
    sells_spot = rules.market is Market.SPOT and said.get("side") == "sell"
    return OrderReport(
        account=account,
        client_order_id=str(said.get("clientOrderId") or ""),
        verdict=Verdict.ACCEPTED,
        status=status_of(said),
        exchange_order_id=str(said["id"]),
        filled_quantity=to_base(said.get("filled"), rules),
        exchange=venue.name,
        symbol=rules.symbol,
        reduces=bool(said.get("reduceOnly")) or sells_spot,
        at=at,
    )


def describe(said: Json, symbol: str) -> str:
    """Name an order of somebody else: `BTCUSDT buy 0.5 at 60000`."""
    price = decimal(said.get("price"))
    at = f" at {text(price)}" if price else " at market"
    return f"{symbol} {said.get('side')} {text(decimal(said.get('amount')))}{at}"


def trade(said: Json, rules: Instrument, at: datetime) -> Trade:
    """Take one fill. A fee is positive when it costs; its currency is the exchange's word."""
    fee = said.get("fee") or {}
    cost, currency = decimal(fee.get("cost")), str(fee.get("currency") or "")
    unknown = fee.get("cost") is None
    return Trade(
        trade_id=str(said["id"]),
        price=decimal(said["price"]),
        quantity=to_base(said["amount"], rules),
        fee=cost,
        fee_currency=currency,
        fee_value=None if unknown or currency != rules.quote else cost,
        maker=said.get("takerOrMaker") == "maker",
        at=time_of(said.get("timestamp"), at),
    )


def account_trade(venue: Venue, said: Json, rules: Instrument, at: datetime) -> AccountTrade:
    """Take one trade of an account, whoever's order it was."""
    info = said.get("info") or {}
    client_id = info.get("orderLinkId") or info.get("clOrdId") or info.get("clientOid") or ""
    return AccountTrade(
        exchange=venue.name,
        symbol=rules.symbol,
        action=Action(said["side"]),
        exchange_order_id=str(said.get("order") or ""),
        client_order_id=str(client_id),
        liquidation=_is_forced(info),
        trade=trade(said, rules, at),
    )


# What trades are called that the exchange made by itself: Bybit, KuCoin; OKX has numbers for them.
_FORCED = frozenset({"BustTrade", "AdlTrade", "liquidation", "liquid", "adl", "ADL"})
_OKX_FORCED = frozenset(str(number) for number in (*range(100, 114), *range(125, 129)))


def _is_forced(info: Json) -> bool:
    words = {info.get("execType"), info.get("tradeType")}
    return bool(words & _FORCED) or info.get("subType") in _OKX_FORCED
