"""The risk engine: what it would do and why, what it does, what it did."""

from execution_engine.ui.pages.risk.page import RiskPage

__all__ = ["RiskPage"]
