"""The guide of the first start: from nothing to a paper position."""

from execution_engine.ui.pages.welcome.page import WelcomePage

__all__ = ["WelcomePage"]
