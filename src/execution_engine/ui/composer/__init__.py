"""The alert composer: writes the message and the URL for TradingView, and checks any message."""

from execution_engine.ui.composer.dialog import ComposerDialog

__all__ = ["ComposerDialog"]
