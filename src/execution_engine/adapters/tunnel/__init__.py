"""The way in from outside: programs that make a tunnel to the listener, and the check that it leads here."""

from execution_engine.adapters.tunnel.reach import Reachability
from execution_engine.adapters.tunnel.tunnel import Pauses, Tunnel

__all__ = ["Pauses", "Reachability", "Tunnel"]
