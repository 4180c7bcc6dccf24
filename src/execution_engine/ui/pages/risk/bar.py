"""The toolbar of the Risk page: state, next evaluation, which world and account."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal

from execution_engine.domain.rows import World
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.frame.worlds import shown_world
from execution_engine.ui.pages import choosing
from execution_engine.ui.risk_board import RiskState
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import ElidedLabel, PageBar, SegmentedChoice, StateChip, button


class RiskBar(PageBar):
    """Say how the risk engine stands, and choose what is looked at.

    world_chosen, account_chosen: another one was chosen. below: what a small window shows under the plan.
    """

    world_chosen = Signal()
    account_chosen = Signal()

    def __init__(self, bridge: Bridge) -> None:
        """Begin with the world of the header."""
        super().__init__(tr("Risk"))
        self._bridge = bridge
        self._chosen: World | None = None
        self.chip = StateChip()
        self.when = ElidedLabel("", "small", "text2", longest=420)
        self.worlds, self.accounts = choosing.box(tr("World")), choosing.box(tr("Account"))
        self.below = SegmentedChoice(
            [("groups", tr("Groups")), ("history", tr("History"))], name=tr("Below the plan")
        )
        self.settings = button(tr("Risk settings"), small=False)
        self.add(self.chip)
        self.add(self.when)
        for tool in (self.below, self.worlds, self.accounts, self.settings):
            self.add_right(tool)
        self.worlds.activated.connect(self._world_chosen)
        self.accounts.activated.connect(lambda _: self.account_chosen.emit())

    @property
    def world(self) -> World:
        """Return the world that is looked at."""
        return self._chosen or shown_world(self._bridge)

    @property
    def account(self) -> str:
        """Return the account that is looked at; empty for all."""
        return str(self.accounts.currentData() or "")

    def show_all_accounts(self) -> None:
        """Leave no account out."""
        if self.account:
            self.accounts.setCurrentIndex(0)
            self.account_chosen.emit()

    def set_narrow(self, narrow: bool) -> None:
        """Offer what takes turns in a small window."""
        self.below.setVisible(narrow)

    def show_state(self, state: RiskState, when: str) -> None:
        """Show how it stands, and when it looks again."""
        self.chip.show_look(*state.look)
        self.chip.setToolTip(state.sentence)
        self.when.show_text(when)

    def show_choices(self, used: Sequence[World]) -> None:
        """Offer the worlds and accounts that there are, where there are several."""
        worlds = [world for world in World if world in used or world is self.world]
        choosing.offer(self.worlds, [(choosing.WORLDS[world], world) for world in worlds], self.world)
        self.worlds.setVisible(len(worlds) > 1)
        held = self._bridge.groups.values()
        names = sorted({group.account for group in held if group.holds_slot and group.world is self.world})
        choosing.offer_accounts(self.accounts, names)

    def _world_chosen(self) -> None:
        self._chosen = World(self.worlds.currentData())
        self.world_chosen.emit()
