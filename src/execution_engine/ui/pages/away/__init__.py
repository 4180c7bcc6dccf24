"""The page While you were away: what was found, what was done about it, what needs a decision."""

from execution_engine.ui.pages.away.page import AwayPage

__all__ = ["AwayPage"]
