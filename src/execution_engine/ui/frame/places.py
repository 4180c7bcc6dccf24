"""The pages of the sidebar, in its order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from execution_engine.ui.bridge import Bridge


@dataclass(frozen=True, slots=True)
class Place:
    """A page's key, its name and icon, and what makes it."""

    key: str
    title: str
    icon: str
    make: Callable[[Bridge], QWidget]
