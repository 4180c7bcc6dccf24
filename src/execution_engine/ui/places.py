"""The pages of the window, in the order of the sidebar."""

from execution_engine.ui.frame.places import Place
from execution_engine.ui.pages.dashboard import DashboardPage
from execution_engine.ui.pages.logs import LogsPage
from execution_engine.ui.pages.performance import PerformancePage
from execution_engine.ui.pages.placeholders import RiskPage
from execution_engine.ui.pages.positions import PositionsPage
from execution_engine.ui.pages.queue import QueuePage
from execution_engine.ui.pages.settings import SettingsPage
from execution_engine.ui.pages.signals import SignalsPage

PLACES = (
    Place("dashboard", "Dashboard", "dashboard", DashboardPage),
    Place("positions", "Positions", "positions", PositionsPage),
    Place("queue", "Queue", "queue", QueuePage),
    Place("risk", "Risk", "risk", RiskPage),
    Place("signals", "Signals", "signals", SignalsPage),
    Place("performance", "Performance", "performance", PerformancePage),
    Place("logs", "Logs", "logs", LogsPage),
    Place("settings", "Settings", "settings", SettingsPage),
)
