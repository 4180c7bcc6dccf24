"""Which section of the document stands on which tab. A section that is not named here is shown on the last one."""

from __future__ import annotations

from dataclasses import dataclass

from execution_engine.domain.settings import Settings
from execution_engine.ui.tongue import tr


@dataclass(frozen=True, slots=True)
class TabPlace:
    """key: names the tab. sections: those of the document that stand there, from top to bottom."""

    key: str
    title: str
    sections: tuple[str, ...] = ()


TABS = (
    TabPlace("trading", tr("Trading"), ("capital", "take_profit", "signals")),
    TabPlace("grid", tr("Grid profiles"), ("grid",)),
    TabPlace("risk", tr("Risk"), ("risk",)),
    TabPlace("pool", tr("Pool & queue"), ("pool",)),
    TabPlace("exchanges", tr("Exchanges"), ("paper", "orders")),
    TabPlace("webhook", tr("Webhook & tunnel"), ("webhook", "tunnel")),
    TabPlace("notifications", tr("Notifications"), ("notifications",)),
    TabPlace("security", tr("Security"), ("security",)),
    TabPlace("data", tr("Data & backups"), ("backups", "logs", "updates")),
    TabPlace("appearance", tr("Appearance"), ("ui",)),
)
_OF_SECTION = {section: tab.key for tab in TABS for section in tab.sections} | {"accounts": "exchanges"}


def sections_of(tab: TabPlace) -> tuple[str, ...]:
    """Return the sections on a tab that the document has."""
    there = [name for name in tab.sections if name in Settings.model_fields]
    if tab is TABS[-1]:
        there += [name for name in Settings.model_fields if name != "version" and name not in _OF_SECTION]
    return tuple(there)


def tab_of(path: str) -> str:
    """Return the key of the tab on which a path is found."""
    return _OF_SECTION.get(path.partition(".")[0], TABS[-1].key)
