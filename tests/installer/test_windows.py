"""The Windows installer installs, upgrades and removes what it should, and never a trader's data unasked.

It is compiled by Inno Setup and run under Wine, around files that stand for the program: the program itself can
only be built on Windows.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installer.windows import ROOT, Windows, is_there, windows

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not is_there(), reason="there is no Wine; `make installer` makes one"),
]

RUN = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"
INSTALLED = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall"


@pytest.fixture(scope="module")
def machine() -> Iterator[Windows]:
    with windows() as made:
        yield made


def program(machine: Windows, version: str, *libraries: str) -> Path:
    """Make a folder that looks like a bundle."""
    folder = machine.work / f"program-{version}"
    (folder / "_internal").mkdir(parents=True)
    for name in (
        "Execution Engine.exe",
        "execution-engine.exe",
        *(f"_internal/{each}" for each in libraries),
    ):
        (folder / name).write_text(f"{name} of {version}")
    icon = ROOT / "build" / "icons" / "execution-engine.ico"
    (machine.work / "execution-engine.ico").write_bytes(icon.read_bytes())
    return folder


def files(folder: Path) -> set[str]:
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith("unins")}


def links(machine: Windows) -> list[str]:
    return sorted(path.name for path in machine.menu.rglob("Execution Engine*.lnk"))


def test_install_upgrade_uninstall(machine: Windows):
    first = machine.compile("0.1.0", program(machine, "0.1.0", "library.dll", "old.dll"))
    second = machine.compile("0.2.0", program(machine, "0.2.0", "library.dll", "new.dll"))

    machine.install(first)
    bundle = {"Execution Engine.exe", "execution-engine.exe"}
    assert files(machine.application) == bundle | {"_internal/library.dll", "_internal/old.dll"}
    assert links(machine) == ["Execution Engine.lnk"]
    assert "Execution Engine" not in machine.registry(RUN), "it starts by itself only for who wants that"
    assert "0.1.0" in machine.registry(INSTALLED)

    machine.data.mkdir(parents=True)
    (machine.data / "engine.sqlite").write_text("trades")

    machine.install(second, "/TASKS=autostart")
    assert files(machine.application) == bundle | {"_internal/library.dll", "_internal/new.dll"}
    assert (machine.application / "Execution Engine.exe").read_text().endswith("0.2.0")
    assert "Execution Engine.exe" in machine.registry(RUN)
    told = machine.registry(INSTALLED)
    assert "0.2.0" in told
    assert "0.1.0" not in told
    assert told.count("QuietUninstallString") == 1, "an upgrade is no second installation"
    assert links(machine) == ["Execution Engine.lnk"]

    machine.install(second, "/TASKS=")
    assert "Execution Engine" not in machine.registry(RUN), "whoever unticks it has it no longer"

    machine.install(second, "/TASKS=autostart,desktop")
    machine.uninstall()
    assert not machine.application.exists()
    assert links(machine) == []
    assert list((machine.user / "Desktop").glob("*.lnk")) == []
    assert "Execution Engine" not in machine.registry(RUN)
    assert "UninstallString" not in machine.registry(INSTALLED)
    assert (machine.data / "engine.sqlite").read_text() == "trades", (
        "data stays unless its owner says otherwise"
    )


def test_data_is_deleted_for_who_says_so(machine: Windows):
    machine.install("out/execution-engine-0.2.0-setup.exe")
    machine.data.mkdir(parents=True, exist_ok=True)
    (machine.data / "engine.sqlite").write_text("trades")
    machine.uninstall("/DELETEDATA")
    assert not machine.data.exists()
