"""What was logged."""

from execution_engine.ui.pages.logs.page import LogsPage

__all__ = ["LogsPage"]
