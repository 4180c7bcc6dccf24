"""Panels that are no forms: each with the tab it stands on and what makes it. Add yours here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QWidget

from execution_engine.ui.bridge import Bridge
from execution_engine.ui.panels.accounts import AccountsPanel
from execution_engine.ui.panels.audit import AuditPanel
from execution_engine.ui.panels.backups import BackupsPanel
from execution_engine.ui.panels.latency import LatencyPanel
from execution_engine.ui.panels.targets import TargetsPanel
from execution_engine.ui.panels.tunnel import TunnelPanel
from execution_engine.ui.panels.vault import VaultPanel
from execution_engine.ui.panels.webhook_secrets import WebhookSecretsPanel
from execution_engine.ui.panels.webhooks import WebhooksPanel

PANELS: Sequence[tuple[str, Callable[[Bridge], QWidget]]] = (
    ("security", AuditPanel),
    ("data", LatencyPanel),
)
"""(key of a tab, see `tabs.py`; a callable that takes the bridge and returns the panel), from top to bottom."""

ON_TOP: Sequence[tuple[str, Callable[[Bridge], QWidget]]] = (
    ("webhook", WebhookSecretsPanel),
    ("webhook", WebhooksPanel),
    ("webhook", TunnelPanel),
    ("notifications", TargetsPanel),
    ("exchanges", AccountsPanel),
    ("security", VaultPanel),
    ("data", BackupsPanel),
)
"""Those that stand above a tab's forms; the last one comes to stand at the top."""
