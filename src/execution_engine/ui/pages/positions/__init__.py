"""Positions: every group with its pyramids and legs, and a chart of the one that is chosen."""

from execution_engine.ui.pages.positions.page import PositionsPage

__all__ = ["PositionsPage"]
