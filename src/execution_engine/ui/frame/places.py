"""The pages of the window, in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from execution_engine.ui.bridge import Bridge


@dataclass(frozen=True, slots=True)
class Place:
    """A page's key, its name and icon, and what makes it.

    listed: it stands in the sidebar; otherwise it is reached from the menu, a banner and the status line.
    whole: it takes the place of the sidebar, too, and is reached from where it is offered alone.
    broad: its wide layout does not fit before the window has ROOMY pixels; below, it takes the one of small windows.
    """

    key: str
    title: str
    icon: str
    make: Callable[[Bridge], QWidget]
    listed: bool = True
    whole: bool = False
    broad: bool = False
