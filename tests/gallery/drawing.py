"""Draw scenes in both themes and three sizes, and tell what is wrong with them."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from execution_engine.ui import theme
from execution_engine.ui.app import create
from execution_engine.ui.loop import Loop
from tests.gallery.checks import faults
from tests.gallery.scenes import SCENES
from tests.gallery.show import shown
from tests.house import resources

THEMES = ("dark", "light")
SIZES = ((1024, 700), (1440, 900), (2560, 1440))


async def draw(folder: Path, wanted: str) -> int:
    """Write the pictures whose names contain `wanted` and return how many faults were found."""
    found: dict[str, list[str]] = {}
    pictures = 0
    for name in THEMES:
        theme.apply(create(resources()), name)
        for size in SIZES:
            scenes = [scene for scene in SCENES if wanted in scene.name]
            async for scene, widget in shown(scenes, size):
                widget.grab().save(str(folder / f"{scene.name}-{size[0]}x{size[1]}-{name}.png"))
                pictures += 1
                for fault in faults(widget):
                    found.setdefault(fault, []).append(f"{scene.name} {size[0]}×{size[1]} {name}")
    for fault, where in found.items():
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        sys.stdout.write(f"{fault}\n    {where[0]}{more}\n")
    sys.stdout.write(f"{pictures} pictures in {folder}, {len(found)} faults\n")
    return len(found)


def drawn(folder: Path, wanted: str) -> int:
    """Draw on a loop of its own."""
    loop = Loop(create(resources()))
    asyncio.set_event_loop(loop)
    with loop:
        found: int = loop.run_until_complete(draw(folder, wanted))
        return found
