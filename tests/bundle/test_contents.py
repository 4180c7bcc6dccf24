"""In the bundle is what the program needs, and nothing else."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PyInstaller.archive.readers import CArchiveReader

from execution_engine import __version__
from tests.bundle.built import FOLDER, INSIDE, PROGRAM, ROOT

# What those who build and test have, and nobody else.
NOT_FOR_USERS = {
    "pytest", "_pytest", "hypothesis", "mypy", "mypyc", "ruff", "coverage", "PyInstaller", "pip", "pip_audit", "uv",
    "hatchling", "setuptools", "pkg_resources", "tests", "tkinter", "IPython", "uvloop", "winloop",
}  # fmt: skip


@pytest.fixture(scope="module")
def modules() -> set[str]:
    """Give the names of all modules in the program."""
    archive = CArchiveReader(str(PROGRAM))
    (name,) = [each for each in archive.toc if each.startswith("PYZ")]
    return set(archive.open_embedded_archive(name).toc)


def files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_module_of_ours_is_inside(modules: set[str]):
    source = ROOT / "src"
    ours = {
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for path in (source / "execution_engine").rglob("*.py")
        if "migrations" not in path.parts and path.name != "__main__.py"
    }
    assert ours - modules == set()


def test_nothing_that_only_builders_need_is_inside(modules: set[str]):
    assert {name.split(".")[0] for name in modules} & NOT_FOR_USERS == set()


def test_no_exchange_but_the_four_is_inside(modules: set[str]):
    for package in ("ccxt", "ccxt.async_support", "ccxt.pro"):
        names = {
            name.removeprefix(f"{package}.")
            for name in modules
            if re.fullmatch(rf"{re.escape(package)}\.\w+", name)
        }
        assert names & {"binance", "bybit", "kraken", "kucoin", "okx", "mexc", "gate", "coinbase"} <= {
            "binance",
            "bybit",
            "kucoin",
            "okx",
        }
    assert {f"ccxt.pro.{name}" for name in ("binance", "bybit", "kucoin", "okx")} <= modules
    assert len([name for name in modules if name.startswith("ccxt.pro.")]) == 4


def test_resources_and_steps_are_inside_whole():
    assert files(INSIDE / "execution_engine" / "resources") == files(ROOT / "resources")
    steps = Path("execution_engine/adapters/storage/migrations")
    assert files(INSIDE / steps) == {each for each in files(ROOT / "src" / steps) if each.endswith(".py")}
    assert {path.name for path in (INSIDE / "execution_engine").iterdir()} == {"resources", "adapters"}


def test_services_that_are_told_are_found_by_their_files():
    found = {path.stem for path in (INSIDE / "apprise" / "plugins").rglob("*.py*")}
    assert {"telegram", "discord"} <= found


def test_only_the_parts_of_qt_that_are_used_are_inside():
    found = {path.name for path in (INSIDE / "PySide6").iterdir() if path.is_file()}
    libraries = {re.sub(r"\.(abi3\.so|pyd|so).*$", "", name) for name in found if name.startswith("Qt")}
    used = {"QtCore", "QtGui", "QtWidgets", "QtSvg", "QtDBus", "QtTest", "QtOpenGL", "QtOpenGLWidgets"}
    assert {name for name in libraries if not name.startswith("Qt6")} <= used
    translations = {path.name for path in INSIDE.rglob("qt*.qm")}
    assert translations <= {"qtbase_de.qm", "qtbase_en.qm"}


def test_it_hands_on_the_licences_of_others():
    told = (INSIDE / "THIRD-PARTY-NOTICES.txt").read_text(encoding="utf-8")
    for name in ("pyside6-essentials", "ccxt", "numpy", "font inter", "GNU LESSER GENERAL PUBLIC LICENSE"):
        assert name in told


def test_it_names_no_place_of_the_computer_that_built_it():
    for path in INSIDE.rglob("*"):
        if path.suffix in (".json", ".txt", ".py", ".cfg", ".toml"):
            text = path.read_text(encoding="utf-8", errors="replace")
            assert str(ROOT) not in text, path
    assert "direct_url.json" not in {path.name for path in INSIDE.rglob("*")}
    json.loads((INSIDE / "execution_engine/resources/releases.json").read_text(encoding="utf-8"))


def test_it_says_its_version_without_python_on_the_path():
    environment = {"PATH": ""} if sys.platform != "win32" else None
    told = subprocess.run([PROGRAM, "--version"], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == f"Execution Engine {__version__}"
    assert told.stderr == ""
    assert FOLDER.name == "execution-engine"
