"""What trading came to."""

from execution_engine.ui.pages.performance.page import PerformancePage

__all__ = ["PerformancePage"]
