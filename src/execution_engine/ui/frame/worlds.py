"""Which world the window speaks of: the most serious one that is in use."""

from __future__ import annotations

from collections.abc import Iterable

from execution_engine.domain.rows import Account, Mode, World
from execution_engine.ui.bridge import Bridge

_BY_GRAVITY = (Mode.LIVE, Mode.DEMO, Mode.TESTNET, Mode.PAPER)
_WORLD = {Mode.LIVE: World.LIVE, Mode.DEMO: World.TEST, Mode.TESTNET: World.TEST, Mode.PAPER: World.PAPER}


def accounts_in_use(bridge: Bridge) -> list[Account]:
    """Return the accounts that are enabled or still hold something."""
    slots = bridge.slots_of
    return [each for each in bridge.accounts.values() if each.enabled or slots.get(each.name)]


def gravest(accounts: Iterable[Account]) -> Mode:
    """Return the most serious mode among accounts; paper without any."""
    modes = {account.mode for account in accounts}
    return next((mode for mode in _BY_GRAVITY if mode in modes), Mode.PAPER)


def shown_world(bridge: Bridge) -> World:
    """Return the world whose figures are shown."""
    return _WORLD[gravest(accounts_in_use(bridge))]
