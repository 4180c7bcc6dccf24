"""The positions of the risk engine's tables of cases, with a window's bridge on their desk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from execution_engine.domain.rows import Group
from execution_engine.ui.doors import Doors
from tests.domain.house_risk import RiskHouse
from tests.ui.house_bridge import WatchedHouse


class RiskDesk(RiskHouse, WatchedHouse):
    """A desk whose groups can be the loser at once, watched by a bridge."""

    def price(self, symbol: str, last: str, *given: str, **more: Any) -> None:
        """Move a market by hand; `manual=False` makes it a price that ages."""
        super().price(symbol, last, *given, **{"manual": True} | more)

    def doors(self) -> Doors:
        return replace(super().doors(), catalogue=self.catalogue)

    def change(self, of: Group, **more: Any) -> Group:
        """Let a group be different, as if that had been decided and written."""
        changed = replace(of, **more)
        self.book.apply([changed])
        self.bridge.released((changed,), ())
        self.show()
        return changed
