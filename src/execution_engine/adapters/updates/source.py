"""Where release documents come from, and who may sign them: shipped with the program, not a setting.

resources/releases.json has the address of the newest document and the public keys. Two keys can be in it, so that
the next one is known before the present one is retired. Without an address nothing is asked.
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path

from execution_engine.adapters.updates.signature import PublicKey

FILE = "releases.json"
SIGNATURE = ".minisig"


@dataclass(frozen=True, slots=True)
class Source:
    """address: of the newest release document; its signature lies beside it, with `.minisig` at the end."""

    address: str = ""
    keys: tuple[PublicKey, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.address and self.keys)


def this_computer() -> tuple[str, str]:
    """Return the system and the machine as release documents name them."""
    system = platform.system().lower().replace("darwin", "macos")
    machine = platform.machine().lower()
    return system, {"amd64": "x86_64", "aarch64": "arm64"}.get(machine, machine)


def shipped(resources: Path) -> Source:
    """Return what this program was built with."""
    told = json.loads((resources / FILE).read_text(encoding="utf-8"))
    return Source(told["address"], tuple(PublicKey.parse(key) for key in told["keys"]))
