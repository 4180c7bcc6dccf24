"""The hand-played desk with a window's bridge on it: the ways between them are the real ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from execution_engine.accounts import Accounts
from execution_engine.adapters.paths import DataFolder
from execution_engine.adapters.security.patience import Patience
from execution_engine.adapters.security.vault import Vault
from execution_engine.domain import account_commands
from execution_engine.domain import alert as alerts
from execution_engine.domain.composer_rehearsal import rehearse
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.facts import Fact
from execution_engine.domain.inputs import AlertReceived, Answer, History
from execution_engine.domain.log_lines import LogQuestion
from execution_engine.domain.performance import Change, ClosedTrade, Question, Report, report
from execution_engine.domain.ranking import PROMOTED
from execution_engine.domain.rows import (
    Alert,
    EquityPoint,
    Fill,
    Group,
    LogEntry,
    QueuedSignal,
    RefusedRequest,
    RiskAction,
    SettingsVersion,
)
from execution_engine.domain.standstill import standstill
from execution_engine.domain.statistics import Statistics
from execution_engine.domain.symbols import Catalogue
from execution_engine.domain.updates import Offer, UpToDate
from execution_engine.domain.versions import Version, numbered
from execution_engine.domain.way_in import Reach, WayIn
from execution_engine.keeping import House as KeptHouse
from execution_engine.keeping import Keeping
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.doors import Doors
from execution_engine.unlocking import Unlocking
from execution_engine.webhooks import Webhooks
from tests.house import INSTRUMENTS, NOON, D, House


class WatchedHouse(House):
    """A desk whose every change reaches a bridge; `show` hands over what has gathered."""

    def __init__(self, settings: dict[str, Any] | None = None, **more: Any) -> None:
        super().__init__(settings, **more)
        self.bridge = Bridge()
        self.older: list[Alert] = []
        self.older_lines: list[LogEntry] = []
        self.log_questions: list[LogQuestion] = []
        self.exported: list[tuple[Any, Path]] = []
        self.test_alerts: list[str] = []
        self.looked_at: list[tuple[str, str]] = []
        self.updates: Offer | UpToDate | Refusal = UpToDate("1.0")
        self.way_in = WayIn(local="http://127.0.0.1:8787")
        self.way_in_checks = 0
        self.look_after(Path("/nowhere"))
        self.bridge.attach(self.doors())
        self.feed.on_released(lambda change: self.bridge.released(change.rows, change.facts))
        self.feed.on_price(self.bridge.price)
        self.feed.on_balances(self.bridge.balance)

    def look_after(self, root: Path) -> None:
        """Keep secrets and backups in a folder; which exchanges say what of keys is up to `key_checks`."""
        self.place = DataFolder(root)
        self.key_checks: dict[str, Any] = {}
        self.watch = 0.0
        self.unlocking = Unlocking(
            Vault(self.place.vault), self.desk.ask, patience=Patience(lambda: self.watch)
        )
        self.keys = Accounts(
            self.unlocking,
            self.desk.ask,
            lambda: self.book.accounts,
            lambda name: account_commands.fault_of_removal(Draft(self.book, self.clock.now()), name),
            self.key_checks,
            self.clock.now,
        )
        kept = KeptHouse(
            settings=lambda: self.book.settings.backups, ask=self.desk.ask, replace=self._replace
        )
        self.keeping = Keeping(kept, self.place, self.clock)

    @staticmethod
    async def _replace(work: Callable[[], Path | None]) -> Path | None:
        return await asyncio.to_thread(work)

    def show(self) -> None:
        self.bridge.flush()

    def price(self, symbol: str, last: str, *given: str, **more: Any) -> None:
        """Move a market as a stream would: what a screen shows of it ages."""
        super().price(symbol, last, *given, **{"manual": False} | more)

    def doors(self) -> Doors:
        return Doors(
            version="1.0",
            data_folder=Path("/nowhere"),
            started_at=NOON,
            catalogue=Catalogue(INSTRUMENTS),
            now=self.clock.now,
            settings=lambda: self.book.settings,
            settings_fault=lambda: self.book.settings_fault,
            rows=self.book.rows,
            prices=lambda: tuple(self.book.prices.values()),
            balances=lambda: dict(self.book.balances),
            realized=self.book.realized,
            status=lambda: ("running", ()),
            busy=lambda: False,
            next_evaluation=self._next_evaluation,
            lights=lambda: (),
            webhook_urls=lambda: (),
            feed_name=lambda: "manual",
            ask=self.desk.ask,
            send_test_alert=self._send_test_alert,
            rehearse=lambda received: rehearse(self.book, received, self.clock.now()),
            look_at=self._look_at,
            body_secret=self.unlocking.body_secret,
            set_price=lambda symbol, price: Soon(()),
            read_equity=lambda world: Soon(()),
            read_statistics=lambda world, since: Soon(_NO_TRADES),
            read_alerts=self._read_alerts,
            read_closed=lambda limit: Soon(self.closed[:limit]),
            read_fills=lambda group_id: Soon(self.fills_of(group_id)),
            read_refused=lambda limit: Soon(self.refused[:limit]),
            read_promotions=self._read_promotions,
            read_risk_actions=self._read_risk_actions,
            read_performance=self._read_performance,
            export_trades=self._export_trades,
            read_log=self._read_log,
            count_log=self._count_log,
            export_log=self._export_log,
            read_versions=self._read_versions,
            check_updates=self._check_updates,
            tokens=lambda: tuple(self.book.tokens.values()),
            webhooks=Webhooks(self.desk.ask, lambda token: None),
            way_in=lambda: self.way_in,
            check_way_in=self._check_way_in,
            quit=lambda: None,
            accounts=self.keys,
            vault=self.unlocking,
            data=self.keeping,
            standstill=lambda: standstill(self.book, self.clock.now()),
        )

    def fills_of(self, group_id: int) -> list[Fill]:
        return [row for row in self.store.committed if isinstance(row, Fill) and row.group_id == group_id]

    @property
    def refused(self) -> list[RefusedRequest]:
        return [row for row in reversed(self.store.committed) if isinstance(row, RefusedRequest)]

    @property
    def closed(self) -> list[History]:
        return []

    async def _read_performance(self, question: Question) -> Report:
        ended = [row for row in self.store.committed if isinstance(row, Group) and row.status == "closed"]
        points = [row for row in self.store.committed if isinstance(row, EquityPoint)]
        capital = self.book.settings.capital.total_usd
        return reported(ended, points, question, capital, self.clock.now().date())

    async def _export_trades(self, question: Question, target: Path) -> int:
        report = await self._read_performance(question)
        self.exported.append((question, target))
        return len(report.trades)

    @property
    def log_lines(self) -> list[LogEntry]:
        return [*self.older_lines, *(logged(n, fact) for n, fact in enumerate(self.facts, 1_000_001))]

    def _matching(self, question: LogQuestion) -> list[LogEntry]:
        text = question.contains.casefold()
        return [
            line
            for line in self.log_lines
            if (not question.levels or line.level in question.levels)
            and (not question.categories or line.category in question.categories)
            and text in line.text.casefold()
            and (question.since is None or line.at >= question.since)
            and (question.until is None or line.at < question.until)
        ]

    async def _read_log(self, question: LogQuestion) -> list[LogEntry]:
        self.log_questions.append(question)
        found = self._matching(question)
        if question.after_id is not None:
            return [line for line in found if line.id > question.after_id][: question.limit]
        before = question.before_id or 2**62
        return [line for line in found if line.id < before][-question.limit :]

    async def _count_log(self, question: LogQuestion) -> int:
        return len(self._matching(question))

    async def _export_log(self, question: LogQuestion, target: Path) -> int:
        self.exported.append((question, target))
        return len(self._matching(question))

    async def _read_versions(self) -> Sequence[Version]:
        return numbered(row for row in self.store.committed if isinstance(row, SettingsVersion))

    async def _check_way_in(self) -> Reach:
        self.way_in_checks += 1
        return self.way_in.reach

    async def _check_updates(self) -> Offer | UpToDate | Refusal:
        return self.updates

    def _next_evaluation(self) -> datetime | None:
        risk = self.book.settings.risk
        return NOON + timedelta(seconds=risk.interval_s) if risk.enabled else None

    async def _read_risk_actions(self, limit: int) -> list[RiskAction]:
        rows = {row.id: row for row in self.store.committed if isinstance(row, RiskAction)}
        return sorted(rows.values(), key=lambda row: -row.id)[:limit]

    async def _read_promotions(self, limit: int) -> list[QueuedSignal]:
        rows = {row.id: row for row in self.store.committed if isinstance(row, QueuedSignal)}
        done = [row for row in rows.values() if row.outcome in PROMOTED]
        return sorted(done, key=lambda row: (row.finished_at, row.id), reverse=True)[:limit]

    async def _read_alerts(self, limit: int) -> Sequence[Alert]:
        newest = sorted([*self.older, *self.book.alerts.values()], key=lambda alert: -alert.id)
        return newest[:limit]

    async def _look_at(self, market: tuple[str, str]) -> None:
        self.looked_at.append(market)
        self.price(market[1], "3000", exchange=market[0])

    async def _send_test_alert(self, symbol: str) -> Answer | Refusal:
        self.test_alerts.append(symbol)
        exchange, _, name = symbol.rpartition(":")
        body = f'{{"exchange": "{exchange or "BINANCE"}", "symbol": "{name}", "timeframe": "15", "action": "buy"}}'
        parsed = alerts.parse(self.read(body), self.catalogue)
        if not isinstance(parsed, alerts.ParsedAlert):
            return Refusal("BODY", "; ".join(fault.message for fault in parsed.errors))
        return await self.desk.ask(
            AlertReceived(
                signal=parsed.signal,
                key=parsed.key,
                body=parsed.body,
                body_hash=parsed.body_hash,
                received_at=self.clock.now(),
                token="test",
                source="this machine",
            )
        )


_NO_TRADES = Statistics(
    trades=0, wins=0, losses=0, won=D(0), lost=D(0), realized=D(0), fees=D(0), volume=D(0)
)


def reported(
    groups: Sequence[Group], points: Sequence[EquityPoint], question: Question, capital: Decimal, today: date
) -> Report:
    """Work out what closed groups came to, as the database's reader does."""

    def inside(at: datetime) -> bool:
        return (question.since is None or at >= question.since) and (
            question.until is None or at < question.until
        )

    def asked(group: Group) -> bool:
        return (
            group.world is question.world
            and question.account in ("", group.account)
            and question.symbol in ("", group.symbol)
        )

    newest = {group.id: group for group in groups if asked(group) and group.filled_quantity}
    trades = [_trade(group) for group in newest.values() if group.closed_at and inside(group.closed_at)]
    before, last, changes = D(0), D(0), []
    for point in points:
        amount, last = point.realized - last, point.realized
        if (question.account or question.symbol) and point.group_id not in newest:
            continue
        if inside(point.at):
            changes.append(Change(point.at, amount))
        elif question.since is not None and point.at < question.since:
            before += amount
    trades.sort(key=lambda trade: trade.closed_at, reverse=True)
    return report(trades, changes, start=capital + before, last_day=today)


def _trade(group: Group) -> ClosedTrade:
    assert group.closed_at is not None
    return ClosedTrade(
        group_id=group.id,
        account=group.account,
        symbol=group.symbol,
        timeframe=group.timeframe,
        side=group.side,
        quote=group.quote,
        opened_at=group.filled_at or group.created_at,
        closed_at=group.closed_at,
        quantity=group.filled_quantity,
        realized=group.realized,
        fees=group.fees,
        why=group.close_reason,
        entry=group.avg_entry,
        exit=group.avg_entry,
    )


def logged(number: int, fact: Fact) -> LogEntry:
    """Return the line that a fact has in the system log."""
    return LogEntry(
        id=number,
        at=NOON,
        level=fact.level.value,
        category=fact.category.value,
        code=fact.code,
        text=fact.text,
        alert_id=fact.alert_id,
        group_id=fact.group_id,
        order_id=fact.order_id,
    )


class Soon:
    """An answer that is there when it is waited for; nobody has to wait for it."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[None, None, Any]:
        yield
        return self._value
