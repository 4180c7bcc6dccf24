"""Execution Engine: turns TradingView alerts into orders on cryptocurrency exchanges."""

# The only place that knows the version: the build reads it from here.
__version__ = "0.1.0"
