"""Panels that are no forms: each with the tab it stands on and what makes it. Add yours here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QWidget

from execution_engine.ui.bridge import Bridge
from execution_engine.ui.panels.latency import LatencyPanel
from execution_engine.ui.panels.targets import TargetsPanel
from execution_engine.ui.panels.tunnel import TunnelPanel
from execution_engine.ui.panels.webhooks import WebhooksPanel

PANELS: Sequence[tuple[str, Callable[[Bridge], QWidget]]] = (("data", LatencyPanel),)
"""(key of a tab, see `tabs.py`; a callable that takes the bridge and returns the panel), from top to bottom."""

ON_TOP: Sequence[tuple[str, Callable[[Bridge], QWidget]]] = (
    ("webhook", WebhooksPanel),
    ("webhook", TunnelPanel),
    ("notifications", TargetsPanel),
)
"""Those that stand above a tab's forms; the last one comes to stand at the top."""
