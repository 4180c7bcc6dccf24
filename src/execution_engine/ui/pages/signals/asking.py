"""The question of Signals: whether an alert is to be received again."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtWidgets import QWidget

from execution_engine.domain.rows import Account, Alert, Group, Mode
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import ConfirmDialog, follows

_PAPER = "paper"


def mode_of(alert: Alert, group: Group | None, accounts: Iterable[Account]) -> Mode:
    """Return the most serious mode in which an alert would trade if it came again."""
    known = {account.name: account for account in accounts}
    named = alert.parsed.account or (group.account if group is not None else None)
    if named is not None and named in known:
        return known[named].mode
    fitting = [
        account
        for account in known.values()
        if account.enabled
        and account.market is alert.parsed.market
        and account.exchange in (_PAPER, alert.exchange)
    ]
    modes = {account.mode for account in fitting}
    return next((mode for mode in (Mode.LIVE, Mode.DEMO, Mode.TESTNET) if mode in modes), Mode.PAPER)


def replay_dialog(alert: Alert, mode: Mode, parent: QWidget) -> ConfirmDialog:
    """Ask before an alert is received again."""
    live = mode is Mode.LIVE
    where = tr("with real money") if live else tr("on {mode}").format(mode=tr(mode.value))
    side = f" {tr(alert.side.value)}" if alert.side else ""
    return ConfirmDialog(
        tr("Replay alert"),
        tr("Replay as a new alert?"),
        tr("Replay"),
        explanation=tr("It is marked as a replay and trades {where} now.").format(where=where),
        consequences=[
            follows(tr("Alert"), f"{alert.id}, {alert.symbol} {alert.timeframe}{side}"),
            follows(tr("Checks"), tr("its age and earlier copies do not count; every other rule does")),
        ],
        danger=live,
        mode="live" if live else "",
        parent=parent,
    )
