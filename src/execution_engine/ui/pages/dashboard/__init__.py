"""The dashboard: how it stands, at a glance."""

from execution_engine.ui.pages.dashboard.page import DashboardPage

__all__ = ["DashboardPage"]
