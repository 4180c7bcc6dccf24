"""The command socket: a running engine answers the command line of the same user, and nobody else.

One connection carries one line of JSON each way: `{"command": "pause", "args": {}}`, and then
`{"ok": true, "result": …}` or `{"ok": false, "error": "sentence"}`.
"""

from execution_engine.adapters.control.client import call
from execution_engine.adapters.control.messages import CommandFailed, ControlError, NotRunning
from execution_engine.adapters.control.server import ControlServer

__all__ = ["CommandFailed", "ControlError", "ControlServer", "NotRunning", "call"]
