"""Ports for what a test ends and starts again, or wants nobody to listen on."""

import random
import socket

# Below what systems give away by themselves: a server of another test could get such a port between two lives of a
# program.
PORTS = range(20_000, 32_000)
# Tests that run side by side may seed the usual source of chance alike.
_chance = random.SystemRandom()


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    while True:
        port = _chance.choice(PORTS)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
