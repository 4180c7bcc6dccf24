"""The pages of the window, in the order of the sidebar and of their keys."""

from PySide6.QtWidgets import QWidget

from execution_engine.ui.bridge import Bridge
from execution_engine.ui.frame.places import Place
from execution_engine.ui.pages.dashboard import DashboardPage
from execution_engine.ui.pages.logs import LogsPage
from execution_engine.ui.pages.performance import PerformancePage
from execution_engine.ui.pages.queue import QueuePage
from execution_engine.ui.pages.risk import RiskPage
from execution_engine.ui.tongue import tr


def _positions(bridge: Bridge) -> QWidget:
    from execution_engine.ui.pages.positions import PositionsPage  # draws with pyqtgraph, 0.2 s to import

    return PositionsPage(bridge)


def _signals(bridge: Bridge) -> QWidget:
    from execution_engine.ui.pages.signals import SignalsPage  # tells stories with the words of the positions

    return SignalsPage(bridge)


def _settings(bridge: Bridge) -> QWidget:
    from execution_engine.ui.pages.settings import SettingsPage  # draws grids with pyqtgraph, 0.2 s to import

    return SettingsPage(bridge)


def _away(bridge: Bridge) -> QWidget:
    from execution_engine.ui.pages.away import AwayPage  # looked at when something was found, which is rare

    return AwayPage(bridge)


def _welcome(bridge: Bridge) -> QWidget:
    from execution_engine.ui.pages.welcome import WelcomePage  # looked at once, as a rule

    return WelcomePage(bridge)


PLACES = (
    Place("dashboard", tr("Dashboard"), "dashboard", DashboardPage, broad=True),
    Place("positions", tr("Positions"), "positions", _positions),
    Place("queue", tr("Queue"), "queue", QueuePage, broad=True),
    Place("risk", tr("Risk"), "risk", RiskPage, broad=True),
    Place("signals", tr("Signals"), "signals", _signals, broad=True),
    Place("performance", tr("Performance"), "performance", PerformancePage, broad=True),
    Place("logs", tr("Logs"), "logs", LogsPage),
    Place("settings", tr("Settings"), "settings", _settings),
    Place("away", tr("While you were away"), "bell", _away, listed=False),
    Place("welcome", tr("First steps"), "help", _welcome, listed=False, whole=True),
)
