"""The parts every page is made of."""

from execution_engine.ui.widgets.choice import SegmentedChoice
from execution_engine.ui.widgets.dialogs import ConfirmDialog, Consequence, fit_height, follows
from execution_engine.ui.widgets.fields import NumberField, SearchField
from execution_engine.ui.widgets.figures import Facts, Figure, FigureStrip
from execution_engine.ui.widgets.labels import ElidedLabel, Label, button, divider
from execution_engine.ui.widgets.marks import BusyArc, ModeBadge, PoolBar, StateChip
from execution_engine.ui.widgets.notices import Notice, NoticeCard, NoticeStack
from execution_engine.ui.widgets.panel import Heading, PageBar, Panel, Splitter
from execution_engine.ui.widgets.status import Banner, StatusItem, separator
from execution_engine.ui.widgets.turning import Turning

__all__ = [
    "Banner",
    "BusyArc",
    "ConfirmDialog",
    "Consequence",
    "ElidedLabel",
    "Facts",
    "Figure",
    "FigureStrip",
    "Heading",
    "Label",
    "ModeBadge",
    "Notice",
    "NoticeCard",
    "NoticeStack",
    "NumberField",
    "PageBar",
    "Panel",
    "PoolBar",
    "SearchField",
    "SegmentedChoice",
    "Splitter",
    "StateChip",
    "StatusItem",
    "Turning",
    "button",
    "divider",
    "fit_height",
    "follows",
    "separator",
]
