"""The HTTP listener: alerts in, every request bounded in size, time and number, answers as specified."""

from execution_engine.adapters.webhook.authentication import Secrets
from execution_engine.adapters.webhook.doors import Doors
from execution_engine.adapters.webhook.limits import Limits
from execution_engine.adapters.webhook.listener import Listener, ListenError

__all__ = ["Doors", "Limits", "ListenError", "Listener", "Secrets"]
