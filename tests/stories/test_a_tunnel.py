"""A tunnel belongs to the application: it comes and goes with it, also when the application is killed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from execution_engine.adapters.tunnel.orphan import born
from tests.stories.installation import Installation, until

HOST = "alerts.example.invalid"  # no name server will ever know it
STAND_IN = """#!/bin/sh
echo "$@" >> "$0.said"
echo "2026-11-20T12:00:01Z INF Registered tunnel connection connIndex=0" >&2
exec sleep 600
"""


def process_of(installation: Installation) -> int:
    """Wait for the tunnel and return the number of its process."""
    until(lambda: installation.command("tunnel")["tunnel"] == "up", "the tunnel is up")
    return int(json.loads(installation.folder.tunnel.read_text())["pid"])


@pytest.mark.fault(17)
@pytest.mark.skipif(not Path("/bin/sh").exists(), reason="the stand-in is a shell script")
def test_a_tunnel_ends_with_the_application_and_one_that_outlived_a_kill_is_replaced(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    program = tmp_path / "programs" / "cloudflared"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    surroundings = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    installation = install(
        environment=surroundings, tunnel__hostname=HOST, tunnel__name="mine", tunnel__enabled=True
    ).start()
    first = process_of(installation)
    assert installation.command("tunnel")["url"] == f"https://{HOST}"

    installation.kill()
    assert born(first)
    installation.start()
    second = process_of(installation)
    assert not born(first)

    installation.configure(tunnel__enabled=False)
    until(lambda: not born(second), "the tunnel ends when it is not wanted any more")
    installation.configure(tunnel__enabled=True)
    third = process_of(installation)
    installation.stop()
    assert not born(third)
    assert all(line.startswith("tunnel --no-autoupdate run --url http://127.0.0.1:") for line in
               Path(f"{program}.said").read_text().splitlines())  # fmt: skip
