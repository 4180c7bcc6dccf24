"""The schema of the settings document: one description checks the file, makes the forms and the reference.

Paths and defaults are those of the specification (`capital.total_usd`, `pool.max_open_groups`, …). A number
may be written as a number or as text; inside the program it is a `Decimal`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cached_property
from ipaddress import ip_address, ip_network
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from execution_engine.domain.money import HUNDRED, ZERO
from execution_engine.domain.rows import Layer, OrderType, World
from execution_engine.domain.senders import spelled_out
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.domain.timeframe import canonical

VERSION: Literal[1] = 1
MAX_DIGITS = 28


def _exact(value: object) -> object:
    """Take a float by the digits it was written with: 0.1 means one tenth."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def _reasonable(value: Decimal) -> Decimal:
    if len(value.as_tuple().digits) > MAX_DIGITS or abs(value.adjusted()) > MAX_DIGITS:
        raise ValueError(f"has more than {MAX_DIGITS} digits")
    return value


Number = Annotated[Decimal, BeforeValidator(_exact), AfterValidator(_reasonable)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PyramidCapital(StrEnum):
    FULL = "full"
    SPLIT = "split"


class Capital(Section):
    total_usd: Annotated[Number, Field(gt=0, le=Decimal(10) ** 12)] = Field(
        Decimal(10000),
        title="Capital",
        description="The money the engine trades with; every group gets an equal part of it.",
        json_schema_extra={"unit": "USD"},
    )
    pyramid_capital: PyramidCapital = Field(
        PyramidCapital.FULL,
        description="full: every pyramid spends a group's whole capital. split: the pyramids share it.",
    )
    max_order_usd: Annotated[Number, Field(ge=0, le=Decimal(10) ** 12)] = Field(
        ZERO,
        title="Largest order",
        description="Largest notional of one entry order; 0 means no limit.",
        json_schema_extra={"unit": "USD"},
    )


class Overflow(StrEnum):
    REJECT_NEW = "reject_new"
    DROP_LOWEST = "drop_lowest"


class Pool(Section):
    max_open_groups: int = Field(
        10,
        ge=1,
        le=1000,
        title="Open groups at most",
        description="How many position groups may be open at once.",
    )
    max_pyramids: int = Field(
        5, ge=1, le=100, title="Pyramids at most", description="How many entries one group may have."
    )
    max_queue: int = Field(
        100, ge=0, le=100000, title="Queue at most", description="How many signals may wait for a slot."
    )
    overflow: Overflow = Field(
        Overflow.REJECT_NEW,
        title="When the queue is full",
        description="reject_new: the new signal is rejected. drop_lowest: the last in rank makes room.",
    )
    max_queue_age_s: int = Field(
        86400,
        ge=0,
        le=31536000,
        title="Longest wait",
        description="How long a signal may wait; 0 means for ever.",
        json_schema_extra={"unit": "s"},
    )


class GridLayer(Section):
    gap_percent: Number = Field(
        title="Gap",
        description="Distance from the base price; negative is below it for a long.",
        json_schema_extra={"unit": "%"},
    )
    weight_percent: Annotated[Number, Field(gt=0, le=100)] = Field(
        title="Weight", description="Share of the group's capital.", json_schema_extra={"unit": "%"}
    )
    tp_percent: Annotated[Number, Field(gt=0, le=1000)] = Field(
        title="Target", description="Profit at which the leg closes.", json_schema_extra={"unit": "%"}
    )

    def layer(self) -> Layer:
        return Layer(
            gap_percent=self.gap_percent, weight_percent=self.weight_percent, tp_percent=self.tp_percent
        )


def _grid_holds(layers: tuple[GridLayer, ...]) -> tuple[GridLayer, ...]:
    """Check what concerns several layers at once; a sentence per fault."""
    faults = []
    if not 1 <= len(layers) <= 50:
        faults.append("a grid has 1 to 50 legs")
    previous: Decimal | None = None
    for number, layer in enumerate(layers):
        if layer.gap_percent <= -HUNDRED:
            faults.append(f"gap of leg {number} must be above −100 %")
        if layer.gap_percent > 0:
            faults.append(f"gap of leg {number} must be 0 or below")
        if previous is not None and layer.gap_percent >= previous:
            faults.append(f"gap of leg {number} must be below {previous} %")
        previous = layer.gap_percent
    total = sum((layer.weight_percent for layer in layers), ZERO)
    if layers and total != HUNDRED:
        missing = HUNDRED - total
        end = f"{missing} % are missing" if missing > 0 else f"{-missing} % are too much"
        faults.append(f"weights add up to {total} %; {end}")
    if faults:
        raise ValueError("; ".join(faults))
    return layers


def _layers(*rows: tuple[str, str, str]) -> tuple[GridLayer, ...]:
    return tuple(
        GridLayer(gap_percent=Decimal(g), weight_percent=Decimal(w), tp_percent=Decimal(t))
        for g, w, t in rows
    )


DEFAULT_GRID = _layers(
    ("0", "20", "1.0"),
    ("-0.5", "20", "0.5"),
    ("-1.0", "20", "0.5"),
    ("-2.0", "20", "0.5"),
    ("-4.0", "20", "0.5"),
)

Profile = Annotated[tuple[GridLayer, ...], AfterValidator(_grid_holds)]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9 _.\-]+$")]


def _timeframe(pattern: str) -> str:
    """Write a timeframe as the engine does, so that `15` means `15m`; a pattern with wildcards stays as it is."""
    if any(each in pattern for each in "*?["):
        return pattern
    known = canonical(pattern)
    if known is None:
        raise ValueError(f"“{pattern}” is no timeframe, as 15m, 4h or 1d, nor a pattern, as *h")
    return known


def _symbols(pattern: str) -> str:
    if not pattern or any(each.isspace() for each in pattern):
        raise ValueError("must be a pattern without spaces, as BTC*, *USDT or BINANCE:BTCUSDT.P")
    return pattern


SymbolPattern = Annotated[str, Field(max_length=64), AfterValidator(_symbols)]


class Binding(Section):
    symbol: SymbolPattern = Field("*", description="Pattern of symbols, as BTC*; optionally BINANCE:BTC*.")
    timeframe: Annotated[str, Field(max_length=16), AfterValidator(_timeframe)] = Field(
        "*", description="Pattern of timeframes, as 15m."
    )
    profile: Name = Field(description="The grid profile that these symbols use.")

    def matches(self, exchange: str, symbol: str, timeframe: str) -> bool:
        wanted = self.symbol.upper()
        name = f"{exchange.upper()}:{symbol}" if ":" in wanted else symbol
        return fnmatchcase(name, wanted) and fnmatchcase(timeframe, self.timeframe)


class Grid(Section):
    default: Name = Field(
        "default",
        title="Default profile",
        description="The profile that is used where nothing else is bound.",
    )
    profiles: dict[Name, Profile] = Field(
        default_factory=lambda: {"default": DEFAULT_GRID}, description="Named grids."
    )
    bindings: tuple[Binding, ...] = Field(
        (), description="Symbols and timeframes with a profile of their own."
    )
    first_leg: OrderType = Field(
        OrderType.LIMIT, description="How the first leg enters: a limit at its price, or at market."
    )
    max_slippage_percent: Annotated[Number, Field(ge=0, le=100)] = Field(
        Decimal("0.5"),
        title="Slippage at most",
        description="How far the market may be from the base price for a first leg at market.",
        json_schema_extra={"unit": "%"},
    )
    max_unfilled_hours: Annotated[Number, Field(ge=0, le=87600)] = Field(
        ZERO,
        title="Give up unfilled after",
        description="A group that never filled is closed after this time; 0 means never.",
        json_schema_extra={"unit": "h"},
    )

    @model_validator(mode="after")
    def _profiles_exist(self) -> Grid:
        names = ", ".join(self.profiles) or "none"
        for wanted in (self.default, *(binding.profile for binding in self.bindings)):
            if wanted not in self.profiles:
                raise ValueError(f"there is no grid profile “{wanted}”; there are: {names}")
        return self

    @cached_property
    def layers(self) -> dict[str, tuple[Layer, ...]]:
        """The layers of each profile. All groups that follow one share them, in memory and as they are stored."""
        return {name: tuple(each.layer() for each in profile) for name, profile in self.profiles.items()}

    def profile_for(self, exchange: str, symbol: str, timeframe: str) -> str:
        """Return the name of the profile that the first matching binding, or the default, gives."""
        for binding in self.bindings:
            if binding.matches(exchange, symbol, timeframe):
                return binding.profile
        return self.default


class OnFlat(StrEnum):
    CLOSE = "close"
    KEEP_GRID = "keep_grid"


class TakeProfit(Section):
    mode: TakeProfitMode = Field(
        TakeProfitMode.PER_LEG,
        description="per_leg: each leg at its own target. aggregate: all at once. hybrid: whichever is first.",
    )
    aggregate_percent: Annotated[Number, Field(gt=0, le=1000)] = Field(
        Decimal("1.0"),
        title="Target of the group",
        description="Distance of the whole group's target from its average entry.",
        json_schema_extra={"unit": "%"},
    )
    order: OrderType = Field(
        OrderType.MARKET,
        description="market: watch the price and close. limit: rest the targets on the exchange.",
    )
    on_flat: OnFlat = Field(
        OnFlat.CLOSE,
        title="When everything is sold",
        description="close: unfilled legs are cancelled, the group ends. keep_grid: they go on working.",
    )


class Opposite(StrEnum):
    REJECT = "reject"
    REVERSE = "reverse"


class Signals(Section):
    opposite: Opposite = Field(
        Opposite.REJECT,
        title="Entry against an open group",
        description="reject: it does nothing. reverse: it closes the group and opens the other side.",
    )
    duplicate_window_s: int = Field(
        60,
        ge=0,
        le=86400,
        description="Equal bodies without an id count as one alert for this long.",
        json_schema_extra={"unit": "s"},
    )
    max_alert_age_s: int = Field(
        300,
        ge=1,
        le=604800,
        title="Age of entries at most",
        description="Older entries are rejected.",
        json_schema_extra={"unit": "s"},
    )
    max_exit_age_s: int = Field(
        86400,
        ge=1,
        le=31536000,
        title="Age of exits at most",
        description="Older exits are rejected.",
        json_schema_extra={"unit": "s"},
    )
    max_deviation_percent: Annotated[Number, Field(gt=0, le=1000)] = Field(
        Decimal(10),
        title="Deviation at most",
        description="How far an alert's price may be from the market.",
        json_schema_extra={"unit": "%"},
    )
    max_capital_usd: Annotated[Number, Field(ge=0, le=Decimal(10) ** 12)] = Field(
        ZERO,
        title="Most capital an alert may ask for",
        description="Up to what an alert may raise its group's capital; 0 means not above the group's.",
        json_schema_extra={"unit": "USD"},
    )
    symbols: Annotated[tuple[SymbolPattern, ...], Field(max_length=1000)] = Field(
        (),
        title="Symbols that may be traded",
        description="Patterns, as BTC* or BINANCE:BTCUSDT.P; empty means all.",
    )
    max_entries_per_day: int = Field(
        200,
        ge=0,
        le=1000000,
        title="Entries per day",
        description="Entries per world and UTC day; 0 means no limit.",
    )

    def allows(self, exchange: str, symbol: str) -> bool:
        return not self.symbols or any(
            Binding(symbol=pattern, profile="x").matches(exchange, symbol, "") for pattern in self.symbols
        )


class TimerStart(StrEnum):
    AFTER_5_PYRAMIDS = "after_5_pyramids"
    AFTER_ALL_DCA_SUBMITTED = "after_all_dca_submitted"
    AFTER_ALL_DCA_FILLED = "after_all_dca_filled"


class Risk(Section):
    enabled: bool = Field(True, description="Let the risk engine evaluate and offset.")
    rehearsal: Literal["auto"] | bool = Field(
        "auto", description="Plan and record, send nothing. auto: in the live world only."
    )
    interval_s: int = Field(
        60,
        ge=10,
        le=86400,
        title="Evaluate every",
        description="Time between evaluations.",
        json_schema_extra={"unit": "s"},
    )
    timer_start: TimerStart = Field(
        TimerStart.AFTER_ALL_DCA_FILLED,
        title="Timer starts",
        description="What starts a group's waiting time: all its pyramids are there, all their legs are on the "
        "exchange, or all of them are filled.",
    )
    post_full_wait_minutes: int = Field(
        60,
        ge=0,
        le=525600,
        title="Waiting time",
        description="Waiting time before a group can be the loser.",
        json_schema_extra={"unit": "min"},
    )
    reset_timer_on_replacement: bool = Field(
        False, description="A replacement pyramid starts the time again."
    )
    require_full_pyramids: bool = Field(True, description="Only groups with all pyramids can be the loser.")
    require_filled_grid: bool = Field(
        True, description="Only groups without working entries can be the loser."
    )
    loss_threshold_percent: Annotated[Number, Field(lt=0, ge=-100)] = Field(
        Decimal(-5),
        title="Loss from",
        description="Loss from which a group can be the loser.",
        json_schema_extra={"unit": "%"},
    )
    use_age_filter: bool = Field(
        False, title="Ask for an age", description="Ask for a least age of the loser."
    )
    age_threshold_minutes: int = Field(
        0,
        ge=0,
        le=5256000,
        title="Age at least",
        description="How old the loser must be at least, where an age is asked for.",
        json_schema_extra={"unit": "min"},
    )
    max_winners_to_combine: int = Field(
        3, ge=1, le=50, title="Winners at most", description="How many winners may pay for one loser."
    )
    allow_partial_offset: bool = Field(
        False, description="Close a part of the loser when winners don't cover it."
    )
    top_up: bool = Field(False, description="Make up a shortfall from the winners once.")


class MarginMode(StrEnum):
    ISOLATED = "isolated"
    CROSS = "cross"


class PositionMode(StrEnum):
    ONE_WAY = "one_way"
    HEDGE = "hedge"


class AccountSettings(Section):
    leverage: Annotated[Number, Field(ge=1, le=125)] = Field(
        Decimal(1), description="Leverage on perpetuals."
    )
    margin_mode: MarginMode = Field(MarginMode.ISOLATED, description="Margin mode on perpetuals.")
    position_mode: PositionMode = Field(PositionMode.ONE_WAY, description="Position mode on perpetuals.")
    default: bool = Field(False, description="Take the alerts that several accounts would fit.")


def _networks(entries: tuple[str, ...]) -> tuple[str, ...]:
    for entry in entries:
        try:
            ip_network(entry, strict=False)
        except ValueError:
            raise ValueError(
                f"“{entry}” is no IP address or network, as 52.89.214.238 or 10.0.0.0/8"
            ) from None
    return entries


Networks = Annotated[tuple[str, ...], AfterValidator(_networks)]


def _senders(entries: tuple[str, ...]) -> tuple[str, ...]:
    _networks(tuple(spelled_out(entries)))
    return entries


Senders = Annotated[tuple[str, ...], AfterValidator(_senders)]


class ProxyHeader(StrEnum):
    AUTO = "auto"
    X_FORWARDED_FOR = "x-forwarded-for"
    CF_CONNECTING_IP = "cf-connecting-ip"


_HOST = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def _host(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        if not _HOST.fullmatch(text):
            raise ValueError(
                f"“{text}” is no address to listen on, as 127.0.0.1, 0.0.0.0 or localhost"
            ) from None
    return text


_HOST_NAME = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def _names(entries: tuple[str, ...]) -> tuple[str, ...]:
    lower = tuple(entry.strip().lower().rstrip(".") for entry in entries)
    for entry in lower:
        if entry != "*" and not _HOST_NAME.fullmatch(entry):
            raise ValueError(f"“{entry}” is no host name, as alerts.example.com")
    return lower


Names = Annotated[tuple[str, ...], AfterValidator(_names)]


class Webhook(Section):
    host: Annotated[str, Field(max_length=255), AfterValidator(_host)] = Field(
        "127.0.0.1",
        title="Address",
        description="Address to listen on; anything but 127.0.0.1 or localhost exposes it to the network.",
    )
    port: int = Field(8787, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    token_required: bool = Field(True, description="The path must carry a valid token.")
    secret_required: bool = Field(False, description="The body must carry the secret.")
    signature_required: bool = Field(False, description="The request must be signed (X-Signature).")
    ip_allowlist: Senders = Field(
        (),
        title="IP allowlist",
        description="Addresses and networks that may send; tradingview stands for TradingView's. "
        "Empty means all.",
    )
    trusted_proxies: Networks = Field((), description="Direct peers whose forwarding header is believed.")
    proxy_header: ProxyHeader = Field(
        ProxyHeader.AUTO,
        description="The one header of a trusted proxy that names the sender. auto: X-Forwarded-For, or "
        "where there is none CF-Connecting-IP.",
    )
    names: Names = Field(
        (),
        title="Further names",
        description="Names, beside the public address, under which alerts may arrive; * stands for any. What is sent "
        "to another name is refused once there is a public address.",
    )
    rate_per_minute: int = Field(
        6000, ge=1, le=1000000, title="Alerts per minute", description="Most alerts taken in a minute."
    )
    failures_per_minute: int = Field(
        30,
        ge=1,
        le=100000,
        title="Failures per minute",
        description="Wrong secrets from one address before it is answered 429.",
    )


class TunnelProgram(StrEnum):
    AUTO = "auto"
    CLOUDFLARED = "cloudflared"
    NGROK = "ngrok"
    TAILSCALE = "tailscale"


_TUNNEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def _host_name(text: str) -> str:
    lower = text.strip().lower()
    if lower and not _HOST_NAME.fullmatch(lower):
        raise ValueError("must be a host name alone, as alerts.example.com")
    return lower


def _tunnel_name(text: str) -> str:
    if text and not _TUNNEL_NAME.fullmatch(text):
        raise ValueError("must be a tunnel's name or id: letters, digits, “.”, “-” and “_”")
    return text


def _public_url(text: str) -> str:
    """Take an address that TradingView could send to."""
    url = text.strip().rstrip("/")
    scheme, _, rest = url.partition("://")
    place, _, path = rest.partition("/")
    host, colon, port = place.partition(":")
    if not url:
        return url
    known = _HOST_NAME.fullmatch(host.lower()) is not None or _is_ipv4(host)
    if scheme.lower() not in ("http", "https") or not known:
        raise ValueError("must be an address, as https://alerts.example.com")
    if any(mark in path for mark in "?# ") or not url.isascii() or not url.isprintable():
        raise ValueError("must be an address without “?”, “#” and spaces")
    if colon and port != {"http": "80", "https": "443"}[scheme.lower()]:
        raise ValueError("TradingView sends to ports 80 (http) and 443 (https) only")
    return url


def _is_ipv4(host: str) -> bool:
    try:
        return ip_network(host).version == 4
    except ValueError:
        return False


class Tunnel(Section):
    enabled: bool = Field(
        False, description="Run a tunnel from here, so that TradingView reaches the listener."
    )
    program: TunnelProgram = Field(
        TunnelProgram.AUTO,
        description="The program that makes the tunnel. auto: the first one that is installed.",
    )
    hostname: Annotated[str, Field(max_length=253), AfterValidator(_host_name)] = Field(
        "",
        title="Host name",
        description="The tunnel's host name where it has a fixed one: of a named cloudflared tunnel, or a "
        "domain at ngrok. Empty: the program says.",
    )
    name: Annotated[str, Field(max_length=64), AfterValidator(_tunnel_name)] = Field(
        "",
        title="Tunnel at Cloudflare",
        description="Name or id of a cloudflared tunnel of your own. Empty: a quick tunnel, whose address is "
        "another one after every start.",
    )
    public_url: Annotated[str, Field(max_length=2048), AfterValidator(_public_url)] = Field(
        "",
        title="Public address",
        description="Where the listener is reached from outside without a tunnel of this program: through "
        "port forwarding or a proxy of your own.",
    )
    check_every_s: int = Field(
        60,
        ge=10,
        le=86400,
        title="Check every",
        description="Time between two checks that the public address leads here.",
        json_schema_extra={"unit": "s"},
    )

    @model_validator(mode="after")
    def _named_tunnel_is_found(self) -> Tunnel:
        if self.name and not self.hostname:
            raise ValueError("a tunnel of your own needs its host name (hostname) as well")
        return self


class PaperFeed(StrEnum):
    AUTO = "auto"
    LIVE = "live"
    SYNTHETIC = "synthetic"
    MANUAL = "manual"


Fee = Annotated[Number, Field(ge=-1, le=10)]


class Paper(Section):
    feed: PaperFeed = Field(
        PaperFeed.AUTO,
        title="Prices",
        description="Where practice prices come from; auto: live, or else synthetic.",
    )
    maker_fee_percent: Fee = Field(
        Decimal("0.1"), description="Fee of resting orders.", json_schema_extra={"unit": "%"}
    )
    taker_fee_percent: Fee = Field(
        Decimal("0.1"), description="Fee of orders that fill at once.", json_schema_extra={"unit": "%"}
    )
    latency_ms: int = Field(
        0,
        ge=0,
        le=60000,
        title="Latency",
        description="Time until the paper exchange answers.",
        json_schema_extra={"unit": "ms"},
    )
    start_balance_usd: Annotated[Number, Field(gt=0, le=Decimal(10) ** 12)] = Field(
        Decimal(100000),
        title="Start balance",
        description="Practice money of each paper account.",
        json_schema_extra={"unit": "USD"},
    )


class Orders(Section):
    poll_s: int = Field(
        10,
        ge=1,
        le=3600,
        title="Read open orders every",
        description="Time between two readings of open orders.",
        json_schema_extra={"unit": "s"},
    )
    retries: int = Field(
        5,
        ge=0,
        le=100,
        description="How often an account that could not be read is read again soon, each time after twice as "
        "long; after that once a minute.",
    )
    breaker_failures: int = Field(
        5,
        ge=1,
        le=1000,
        title="Failures until a break",
        description="Failures one after another that open an account's circuit breaker.",
    )
    breaker_pause_s: int = Field(
        30,
        ge=1,
        le=3600,
        title="Break",
        description="Pause before the exchange is tried again.",
        json_schema_extra={"unit": "s"},
    )


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class Logs(Section):
    level: LogLevel = Field(LogLevel.INFO, title="Log level", description="Least level that is written.")
    keep_days: int = Field(
        30,
        ge=1,
        le=3650,
        title="Keep logs",
        description="Days a log is kept.",
        json_schema_extra={"unit": "d"},
    )
    compress_after_days: int = Field(
        7,
        ge=0,
        le=3650,
        title="Compress logs after",
        description="Days until a log file is compressed.",
        json_schema_extra={"unit": "d"},
    )
    audit_keep_days: int = Field(
        0,
        ge=0,
        le=36500,
        title="Keep the audit log",
        description="Days the audit log is kept; 0 means for ever.",
        json_schema_extra={"unit": "d"},
    )


class Backups(Section):
    every_hours: int = Field(
        24,
        ge=0,
        le=8760,
        title="Back up every",
        description="Time between backups; 0 means none.",
        json_schema_extra={"unit": "h"},
    )
    keep: int = Field(14, ge=1, le=10000, title="Keep at most", description="How many backups are kept.")
    folder: str = Field("", max_length=4096, description="Where they go; empty means the data folder.")


class Language(StrEnum):
    """Each calls itself by its own name."""

    SYSTEM = "system"
    ENGLISH = "english"
    GERMAN = "deutsch"


class ThemeChoice(StrEnum):
    SYSTEM = "system"
    DARK = "dark"
    LIGHT = "light"


class Ui(Section):
    language: Language = Field(
        Language.SYSTEM, description="Language of the window; another one is spoken from the next start."
    )
    theme: ThemeChoice = Field(ThemeChoice.SYSTEM, description="Colours of the window.")
    scale: Annotated[Number, Field(ge=Decimal("0.9"), le=Decimal("1.4"))] = Field(
        Decimal(1), description="Size of text and controls."
    )
    comfortable: bool = Field(False, description="Higher table rows.")


class Desktop(Section):
    keep_awake: bool = Field(
        True,
        title="Keep the computer awake",
        description="While positions are open the computer does not go to sleep; its screen may go dark.",
    )
    close_to_tray: bool = Field(
        False,
        description="Closing the window leaves the engine running, with an icon in the system's tray; Quit ends it. "
        "Where the desktop has no tray, closing the window quits.",
    )
    start_at_login: bool = Field(False, description="Start the application when you log in.")


def _time_of_day(text: str) -> str:
    if text and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError("must be a time of day, as 22:30, or empty")
    return text


def _fact_pattern(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_*?]{1,64}", text):
        raise ValueError("must be a kind of event, as group_closed, risk_* or SECURITY")
    return text


TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
FactPatterns = Annotated[tuple[Annotated[str, AfterValidator(_fact_pattern)], ...], Field(max_length=100)]


class NotifyTarget(Section):
    """One place outside that is told. Its address is a secret and lies in the vault under its name.

    What is None follows the rule for all.
    """

    enabled: bool = Field(True, description="Tell it anything at all.")
    level: LogLevel | None = Field(None, description="Least level that it is told; none: as for all.")
    also: FactPatterns | None = Field(None, description="Kinds it is told besides; none: as for all.")
    never: FactPatterns | None = Field(None, description="Kinds it is never told; none: as for all.")
    summary: bool = Field(True, description="Send it the daily summary.")


class Notifications(Section):
    desktop: bool = Field(True, description="Show notices of the desktop.")
    level: LogLevel = Field(
        LogLevel.WARNING, title="Tell from level", description="Least level that is told outside."
    )
    also: FactPatterns = Field(
        ("group_closed",),
        title="Tell also",
        description="Kinds of events that are told whatever their level: codes, as group_closed or risk_*, or "
        "categories, as SECURITY. The log shows each event's code.",
    )
    never: FactPatterns = Field(
        (), title="Tell never", description="Kinds of events that are not told outside, whatever their level."
    )
    quiet_from: TimeOfDay = Field(
        "",
        title="Quiet from",
        description="Local time from which only what is critical is told, as 22:30; empty means never.",
    )
    quiet_until: TimeOfDay = Field(
        "", title="Quiet until", description="Local time until which it is quiet, as 07:00."
    )
    most_per_hour: int = Field(
        30,
        ge=0,
        le=1000,
        title="At most per hour",
        description="Messages to each target; what is left out is told in one. 0 means no limit.",
    )
    summary_at: TimeOfDay = Field(
        "",
        title="Daily summary at",
        description="Local time of the daily summary, as 20:00; empty means none.",
    )
    stream_age_s: int = Field(
        120,
        ge=0,
        le=86400,
        title="Alarm: prices older than",
        description="Age of the prices of open positions from which you are warned; 0 means never.",
        json_schema_extra={"unit": "s"},
    )
    errors_per_minute: int = Field(
        10,
        ge=0,
        le=100000,
        title="Alarm: errors per minute",
        description="Errors in the log from which you are warned; 0 means never.",
    )
    latency_ms: int = Field(
        2000,
        ge=0,
        le=600000,
        title="Alarm: slow answers",
        description="Time from alert to answer (p95 of five minutes) from which you are warned; 0 means never.",
        json_schema_extra={"unit": "ms"},
    )
    disk_free_mb: int = Field(
        500,
        ge=0,
        le=10000000,
        title="Alarm: free disk below",
        description="Room on the disk below which you are warned; 0 means never.",
        json_schema_extra={"unit": "MB"},
    )
    unhealthy_s: int = Field(
        120,
        ge=0,
        le=86400,
        title="Alarm: unhealthy for",
        description="How long something may be wrong before you are warned; 0 means never.",
        json_schema_extra={"unit": "s"},
    )
    targets: dict[Name, NotifyTarget] = Field(
        default_factory=dict, description="Places outside that are told, by name; their addresses are secret."
    )


class Updates(Section):
    check: bool = Field(True, description="Look for new versions; nothing is installed by itself.")
    every_hours: int = Field(
        24, ge=1, le=720, description="Time between two looks.", json_schema_extra={"unit": "h"}
    )
    while_open: bool = Field(
        False, description="Offer new versions without asking back while positions are open."
    )


class Security(Section):
    read_only: bool = Field(
        False, description="Nothing can be changed by hand, not even paused or closed; the engine goes on."
    )
    lock_after_minutes: int = Field(
        0,
        ge=0,
        le=1440,
        title="Lock the window after",
        description="Time without a key or a click after which the window is covered until you unlock it; "
        "0 means never. The engine goes on.",
        json_schema_extra={"unit": "min"},
    )


class Settings(Section):
    version: Literal[1] = VERSION
    capital: Capital = Field(default_factory=Capital)
    pool: Pool = Field(default_factory=Pool)
    grid: Grid = Field(default_factory=Grid)
    take_profit: TakeProfit = Field(default_factory=TakeProfit)
    signals: Signals = Field(default_factory=Signals)
    risk: Risk = Field(default_factory=Risk)
    accounts: dict[str, AccountSettings] = Field(default_factory=dict)
    webhook: Webhook = Field(default_factory=Webhook)
    tunnel: Tunnel = Field(default_factory=Tunnel)
    paper: Paper = Field(default_factory=Paper)
    orders: Orders = Field(default_factory=Orders)
    logs: Logs = Field(default_factory=Logs)
    backups: Backups = Field(default_factory=Backups)
    notifications: Notifications = Field(default_factory=Notifications)
    updates: Updates = Field(default_factory=Updates)
    ui: Ui = Field(default_factory=Ui)
    desktop: Desktop = Field(default_factory=Desktop)
    security: Security = Field(default_factory=Security)

    def group_capital(self) -> Decimal:
        """Return the capital of one group [USD]."""
        return self.capital.total_usd / self.pool.max_open_groups

    def account(self, name: str) -> AccountSettings:
        return self.accounts.get(name) or AccountSettings()

    def rehearses(self, world: World) -> bool:
        return world is World.LIVE if self.risk.rehearsal == "auto" else bool(self.risk.rehearsal)
