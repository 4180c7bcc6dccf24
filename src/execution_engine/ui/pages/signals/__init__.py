"""Signals: every alert with its outcome and its story, and the requests that were refused."""

from execution_engine.ui.pages.signals.page import SignalsPage

__all__ = ["SignalsPage"]
