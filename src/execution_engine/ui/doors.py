"""What the window asks of the rest of the application, as plain callables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from execution_engine.domain.composer_check import BodySecret
from execution_engine.domain.composer_rehearsal import Rehearsed
from execution_engine.domain.errors import EngineError, Refusal
from execution_engine.domain.inputs import AlertReceived, Answer, History, Input, Price
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import CheckResult
from execution_engine.domain.log_lines import LogQuestion
from execution_engine.domain.notify import TargetShown
from execution_engine.domain.observation import Latency
from execution_engine.domain.performance import Question, Report
from execution_engine.domain.rows import (
    Alert,
    AuditEntry,
    EquityPoint,
    Fill,
    LogEntry,
    Mode,
    QueuedSignal,
    RefusedRequest,
    RiskAction,
    Row,
    WebhookToken,
    World,
)
from execution_engine.domain.safety import BackupState, Kept, Strength, VaultShown
from execution_engine.domain.settings import Settings
from execution_engine.domain.standstill import Obstacle
from execution_engine.domain.statistics import Statistics
from execution_engine.domain.symbols import Catalogue
from execution_engine.domain.updates import Offer, UpToDate
from execution_engine.domain.versions import Version
from execution_engine.domain.way_in import Reach, WayIn
from execution_engine.ui.tongue import tr


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """One light of the status bar: a word of `ok`, `warn`, `error` or `off`, and what to say beside it."""

    name: str
    state: str
    text: str


class Webhooks(Protocol):
    """What can be done with webhooks; each returns a sentence and raises EngineError with one."""

    async def add(self, name: str, accounts: Sequence[str] = ()) -> str: ...
    async def rotate(self, name: str, overlap_s: int) -> str: ...
    async def revoke(self, name: str) -> str: ...
    async def rename(self, name: str, to: str) -> str: ...
    async def allow(self, name: str, accounts: Sequence[str]) -> str: ...


class Accounts(Protocol):
    """What can be done with accounts; each returns what to tell and raises EngineError with a sentence.

    try_keys: ask an exchange about keys that are kept nowhere.
    """

    async def try_keys(
        self, exchange: str, market: Market, mode: Mode, given: Mapping[str, str]
    ) -> CheckResult: ...
    async def add(
        self, name: str, exchange: str, market: Market, mode: Mode, given: Mapping[str, str] | None = None
    ) -> list[str]: ...
    async def enter_keys(self, name: str, given: Mapping[str, str]) -> list[str]: ...
    async def check(self, name: str) -> str: ...
    async def enable(self, name: str, *, confirmed: bool = False) -> str: ...
    def needs_confirmation(self, name: str) -> bool: ...
    async def disable(self, name: str) -> str: ...
    async def make_default(self, name: str) -> str: ...
    async def remove(self, name: str) -> str: ...


class Vault(Protocol):
    """What can be done with the vault; each raises EngineError with a sentence.

    webhook_secret: what senders show (`body`) or sign with (`hmac`); set_secret: None removes it.
    """

    async def shown(self) -> VaultShown: ...
    async def strength(self, password: str) -> Strength: ...
    async def ready(self, password: str | None = None) -> None: ...
    async def lock(self) -> None: ...
    async def protect(
        self, password: str | None = None, *, in_keyring: bool = False, present: str | None = None
    ) -> None: ...
    async def forget(self) -> None: ...
    async def consent(self, password: str | None = None) -> None: ...
    async def window_locked(self, why: str) -> None: ...
    def webhook_secret(self, which: str) -> BodySecret: ...
    async def set_secret(self, which: str, text: str | None) -> str: ...


class Data(Protocol):
    """What can be done with the data and its copies; each raises EngineError with a sentence.

    state: how the backups stand; asked every second. check, verify: return what is wrong, a sentence each.
    """

    @property
    def state(self) -> BackupState: ...
    async def kept(self) -> Kept: ...
    async def make(self) -> str: ...
    async def check(self, path: Path) -> list[str]: ...
    async def verify(self) -> list[str]: ...
    async def restore(self, path: Path) -> str: ...
    async def export(self, what: str, path: Path) -> str: ...
    async def audit(self) -> Sequence[AuditEntry]: ...


class Targets(Protocol):
    """What can be done with places that are told outside; each returns a sentence, raises EngineError with one."""

    async def add(self, name: str, address: str) -> str: ...
    async def test(self, name: str) -> str: ...
    async def remove(self, name: str) -> str: ...


async def _no_bundle(path: Path) -> str:
    raise EngineError(tr("There is no engine that could be described."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The ways between the window and the engine.

    rows: everything that is open now, and the newest alerts; a new copy for each call.
    settings_fault: why the newest saved settings are not in force; empty when they are.
    read_versions: the saved versions of the settings, newest first.
    status: the engine's one word (`running`, `paused`, …) and the reasons behind it.
    busy: whether an alert, a fill or an order is on its way through the engine right now.
    next_evaluation: when the risk engine looks again; None while it is switched off.
    ask: post an input and wait for its committed answer; raises StoreFailed.
    rehearse: what an alert would come to now; nothing is sent or kept. look_at: have a market's price known that
    nothing uses yet; comes back when it is, or after a few seconds.
    set_price: move a practice price by hand; a Refusal says why not.
    body_secret: what the listener compares a message's secret with.
    tokens: the webhooks, each with its secret. way_in: how alerts arrive from outside; asked every second.
    check_way_in: send a probe through the public address now.
    targets: the places outside that are told; without any secret. latencies: of the last hour, by stage.
    write_diagnostics: write a bundle for whoever helps; returns a sentence.
    standstill: what keeps waiting signals where they are just now; asked every second.
    read_log: a window of the system log, oldest first; count_log: how many lines match.
    export_…: write what was asked for to a CSV or JSON file, by its name; returns how many lines.
    read_…: ask the database, off the event loop; each raises StoreFailed.
    """

    version: str
    data_folder: Path
    started_at: datetime
    catalogue: Catalogue
    now: Callable[[], datetime]
    settings: Callable[[], Settings]
    settings_fault: Callable[[], str]
    rows: Callable[[], Iterable[Row]]
    prices: Callable[[], Iterable[Price]]
    balances: Callable[[], Mapping[str, Mapping[str, Decimal]]]
    realized: Callable[[World], Decimal]
    status: Callable[[], tuple[str, Sequence[str]]]
    busy: Callable[[], bool]
    next_evaluation: Callable[[], datetime | None]
    lights: Callable[[], Sequence[Light]]
    webhook_urls: Callable[[], Sequence[tuple[str, str]]]
    feed_name: Callable[[], str]
    ask: Callable[[Input], Awaitable[Answer | Refusal]]
    send_test_alert: Callable[[str], Awaitable[Answer | Refusal]]
    rehearse: Callable[[AlertReceived], Rehearsed]
    look_at: Callable[[tuple[str, str]], Awaitable[None]]
    body_secret: Callable[[], BodySecret]
    set_price: Callable[[str, str], Awaitable[Sequence[str] | Refusal]]
    read_equity: Callable[[World], Awaitable[Sequence[EquityPoint]]]
    read_statistics: Callable[[World, datetime | None], Awaitable[Statistics]]
    read_alerts: Callable[[int], Awaitable[Sequence[Alert]]]
    read_closed: Callable[[int], Awaitable[Sequence[History]]]
    read_fills: Callable[[int], Awaitable[Sequence[Fill]]]
    read_refused: Callable[[int], Awaitable[Sequence[RefusedRequest]]]
    read_promotions: Callable[[int], Awaitable[Sequence[QueuedSignal]]]
    read_risk_actions: Callable[[int], Awaitable[Sequence[RiskAction]]]
    read_performance: Callable[[Question], Awaitable[Report]]
    export_trades: Callable[[Question, Path], Awaitable[int]]
    read_log: Callable[[LogQuestion], Awaitable[Sequence[LogEntry]]]
    count_log: Callable[[LogQuestion], Awaitable[int]]
    export_log: Callable[[LogQuestion, Path], Awaitable[int]]
    read_versions: Callable[[], Awaitable[Sequence[Version]]]
    check_updates: Callable[[], Awaitable[Offer | UpToDate | Refusal]]
    tokens: Callable[[], Sequence[WebhookToken]]
    webhooks: Webhooks
    way_in: Callable[[], WayIn]
    check_way_in: Callable[[], Awaitable[Reach]]
    quit: Callable[[], None]
    accounts: Accounts
    vault: Vault
    data: Data
    targets: Callable[[], Sequence[TargetShown]] = lambda: ()
    change_targets: Targets | None = None
    latencies: Callable[[], Sequence[Latency]] = lambda: ()
    write_diagnostics: Callable[[Path], Awaitable[str]] = _no_bundle
    standstill: Callable[[], Sequence[Obstacle]] = lambda: ()
