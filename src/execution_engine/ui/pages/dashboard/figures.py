"""The strip of five figures: pool, queue, risk engine, last webhook, today."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from execution_engine.domain.rows import Alert, World
from execution_engine.domain.settings import Settings
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import MISSING, ago, countdown, counted, exact, result_token, signed_usd, span
from execution_engine.ui.icons import state_look
from execution_engine.ui.risk_board import risk_state, under_way
from execution_engine.ui.tongue import inline, tr, translated
from execution_engine.ui.widgets import Figure, FigureStrip, PoolBar, StateChip


class Strip(FigureStrip):
    """Show the five figures."""

    def __init__(self, bridge: Bridge) -> None:
        """Start with what the bridge has; `refresh` is called for each batch and each second."""
        self.pool, self.queue, self.risk = Figure(tr("Pool")), Figure(tr("Queue")), Figure(tr("Risk engine"))
        self.webhook, self.today = Figure(tr("Last webhook")), Figure(tr("Today"))
        super().__init__([self.pool, self.queue, self.risk, self.webhook, self.today])
        self._bridge = bridge
        self.bar = PoolBar(0, 1)
        self.pool.replace_below(self.bar)
        self.chip = StateChip()
        self.risk.replace_value(self.chip)

    def refresh(self, world: World, today: Decimal | None, trades: int | None) -> None:
        """Show everything as it is now."""
        bridge = self._bridge
        now, settings = bridge.doors.now(), bridge.doors.settings()
        self._show_pool(world, settings)
        self._show_queue(world, now)
        self._show_risk(world, now, settings)
        self._show_webhook(now)
        below = (
            tr("realized")
            if trades is None
            else tr("realized · {count}").format(count=counted(trades, tr("trade"), tr("trades")))
        )
        self.today.show_value(signed_usd(today), below, token=result_token(today), unit="USD")
        self.today.value.setToolTip(tr("Realized since midnight UTC: {today} USD").format(today=exact(today)))

    def _show_pool(self, world: World, settings: Settings) -> None:
        used = sum(1 for group in self._bridge.groups.values() if group.holds_slot and group.world is world)
        size = settings.pool.max_open_groups
        self.pool.show_value(f"{used} / {size}", token="warn" if used > size else "text")
        if (used, size) != (self.bar.used, self.bar.size_):
            self.bar.show_pool(used, size)
        free = counted(max(0, size - used), tr("slot"), tr("slots"))
        tip = (
            tr("Full: new keys wait in the queue")
            if used >= size
            else tr("{free} free: new keys open at once").format(free=free)
        )
        self.pool.setToolTip(tip)

    def _show_queue(self, world: World, now: datetime) -> None:
        waiting = [row for row in self._bridge.queue.values() if row.world is world]
        if not waiting:
            self.queue.show_value("0", tr("nothing waits"))
            return
        longest = span(now - min(row.queued_at for row in waiting))
        wait = tr("signal waits") if len(waiting) == 1 else tr("signals wait")
        self.queue.show_value(
            f"{len(waiting):,}", tr("{wait} · longest {longest}").format(wait=wait, longest=longest)
        )

    def _show_risk(self, world: World, now: datetime, settings: Settings) -> None:
        bridge = self._bridge
        state = risk_state(bridge, settings, world)
        self.chip.show_look(*state.look)
        next_at = bridge.doors.next_evaluation()
        action = under_way(bridge, world)
        below = (
            tr("next in {span}").format(span=countdown(next_at - now))
            if next_at is not None
            else tr("does nothing")
        )
        if action is not None:
            at = action.current
            below = tr("step {at} of {count}").format(at=(at or 0) + 1, count=len(action.steps))
        self.risk.show_value(state.look.word, below)
        self.risk.setToolTip(state.sentence or tr("It closes the worst loser, paid for by the best winners."))

    def _show_webhook(self, now: datetime) -> None:
        alerts = self._bridge.alerts
        if not alerts:
            self.webhook.show_value(MISSING, tr("no alert yet"), token="text3")
            return
        last = alerts[max(alerts)]
        self.webhook.show_value(ago(now - last.received_at), f"{_key(last)} · {outcome_word(last)}")
        self.webhook.setToolTip(translated(last.reason))


def outcome_word(alert: Alert) -> str:
    """Return how an alert ended, in lower case; what it is at while it has not ended."""
    if alert.outcome is not None:
        return inline(state_look("alert", alert.outcome.value).word)
    return tr("waits to be decided") if alert.decided_at is None else tr("working")


def _key(alert: Alert) -> str:
    return f"{alert.symbol} {alert.timeframe}".strip()
