"""The dependency rule: one floor, three wings, one roof.

``domain`` is pure; ``engine``, ``adapters`` and ``ui`` stand on it and do not know one another; ``main.py``
and the files beside it join them. Nothing in the domain or the engine asks the operating system for time, chance or
a thread, because the simulation runs the very same code on a virtual clock.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src"
OURS = "execution_engine"

WINGS = ("engine", "adapters", "ui")
ROOF = {
    "main.py", "core.py", "window.py", "cli.py", "commands.py", "accounts.py", "unlocking.py",
    "exchanges.py", "updating.py", "keeping.py", "webhooks.py", "way_in.py", "notifying.py", "observing.py",
    "desktop.py", "doctor.py", "ending.py",
    "__main__.py",
}  # fmt: skip
PURE = ("domain", "engine")

# The domain knows nothing of the outside, so of the standard library it gets what computes.
NOT_FOR_DOMAIN = {
    "asyncio", "http", "logging", "os", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl",
    "subprocess", "tempfile", "time",
}  # fmt: skip
NOT_FOR_PURE = {"concurrent", "multiprocessing", "random", "secrets", "threading", "uuid"}

# What a name in domain and engine must not stand for, and what to use instead.
FORBIDDEN_NAMES = {
    "time.time": "the time comes in as an argument or from the Clock port",
    "time.time_ns": "the time comes in as an argument or from the Clock port",
    "time.monotonic": "the time comes in as an argument or from the Clock port",
    "time.monotonic_ns": "the time comes in as an argument or from the Clock port",
    "time.perf_counter": "the time comes in as an argument or from the Clock port",
    "time.perf_counter_ns": "the time comes in as an argument or from the Clock port",
    "time.sleep": "it stops the whole loop; waiting belongs to the Clock port",
    "datetime.datetime.now": "the time comes in as an argument or from the Clock port",
    "datetime.datetime.utcnow": "the time comes in as an argument or from the Clock port",
    "datetime.datetime.today": "the time comes in as an argument or from the Clock port",
    "datetime.date.today": "the time comes in as an argument or from the Clock port",
    "os.urandom": "ids come from the book's counter",
    "asyncio.to_thread": "threads live in adapters",
}

# They run a Qt loop inside Qt's loop, which ends asyncio tasks without a word.
MODAL_CLASSES = {"QMessageBox", "QFileDialog", "QInputDialog", "QColorDialog", "QFontDialog"}
MODAL_METHODS = re.compile(r"^(about|aboutQt|critical|information|question|warning|get[A-Z]\w*)$")


def files() -> list[Path]:
    return sorted((SOURCES / OURS).rglob("*.py"))


def violations(file: Path, source: str) -> Iterator[str]:
    """Yield a sentence for every place in ``source`` that breaks the rule; ``file`` is relative to src."""
    tree = ast.parse(source)
    part = part_of(file)
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += [(node.lineno, why) for name in imported(node, file) if (why := misplaced(name, part))]
    found += imports_inside_functions(tree, source)
    found += modal_calls(tree)
    if part in PURE:
        found += impure_names(tree, part)
    for line, why in sorted(set(found)):
        yield f"src/{file.as_posix()}, line {line}: {why}."


def part_of(file: Path) -> str:
    """Name the part of the house a file belongs to: a package, ``roof``, or ``root`` for other files."""
    inside = file.relative_to(OURS)
    if len(inside.parts) > 1:
        return inside.parts[0]
    return "roof" if inside.name in ROOF else "root"


def imported(node: ast.Import | ast.ImportFrom, file: Path) -> list[str]:
    """List the full names that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    module = node.module or ""
    if node.level:
        package = file.parts[: len(file.parts) - node.level]
        module = ".".join([*package, *([module] if module else [])])
    if module == OURS:
        # `from execution_engine import ui` imports the package ui.
        return [f"{OURS}.{alias.name}" for alias in node.names]
    return [module]


def misplaced(name: str, part: str) -> str | None:
    """Say why ``part`` must not import ``name``, or nothing if it may."""
    top, *rest = name.split(".")
    if top != OURS:
        return misplaced_library(top, part)
    target = rest[0] if rest else ""
    if part == "roof" or target == part:
        return None
    if part == "domain":
        return f"the domain imports `{name}`, but it must know nothing of ours except itself"
    if target in ("", "domain", "__version__"):
        return None
    if part in WINGS:
        joined = (
            "only main.py and cli.py join them" if target in WINGS else "it may know the domain and itself"
        )
        return f"{part} imports `{name}`, but {joined}"
    return f"this file imports `{name}`, but only main.py, cli.py and __main__.py may join the parts"


def misplaced_library(top: str, part: str) -> str | None:
    if part in PURE and top in NOT_FOR_PURE:
        return (
            f"{part} imports `{top}`, but it must not ask the operating system for time, chance or a thread"
        )
    if part == "domain":
        if top in NOT_FOR_DOMAIN:
            return f"the domain imports `{top}`, but it has no clock, no files, no network and no loop"
        if top not in sys.stdlib_module_names and top != "pydantic":
            return f"the domain imports `{top}`, but it gets the standard library and pydantic only"
    if part == "engine" and top.startswith(("PySide6", "qasync", "sqlalchemy", "alembic", "aiohttp", "ccxt")):
        return f"the engine imports `{top}`, but libraries of the outside world belong to adapters and ui"
    return None


def imports_inside_functions(tree: ast.Module, source: str) -> list[tuple[int, str]]:
    explained = lines_with_a_reason(source)
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [
        (node.lineno, "an import inside a function needs a comment on its line that says why")
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and not explained & set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    ]


def lines_with_a_reason(source: str) -> set[int]:
    """Find the lines with a comment that holds more than an instruction to a tool."""
    comments = (
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    )
    instruction = re.compile(r"#\s*(noqa|type:\s*ignore|pragma|mypy|ruff)\b[^#]*")
    return {token.start[0] for token in comments if len(instruction.sub("", token.string).strip("# ")) >= 10}


def modal_calls(tree: ast.Module) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name = node.func.attr
        if name in ("exec", "exec_"):
            found.append(
                (node.lineno, f"`.{name}()` runs a loop inside the loop; use open() or popup() and a signal")
            )
        elif isinstance(node.func.value, ast.Name | ast.Attribute):
            owner = node.func.value
            owner_name = owner.id if isinstance(owner, ast.Name) else owner.attr
            if owner_name in MODAL_CLASSES and MODAL_METHODS.match(name):
                why = "runs a loop inside the loop; make the dialog, open() it, connect a signal"
                found.append((node.lineno, f"`{owner_name}.{name}()` {why}"))
    return found


def impure_names(tree: ast.Module, part: str) -> list[tuple[int, str]]:
    meanings = meanings_of_names(tree)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            meaning = full_name(node, meanings)
            if meaning in FORBIDDEN_NAMES:
                found.append((node.lineno, f"{part} uses `{meaning}`, but {FORBIDDEN_NAMES[meaning]}"))
        if isinstance(node, ast.Attribute) and node.attr == "run_in_executor":
            found.append((node.lineno, f"{part} uses `run_in_executor`, but threads live in adapters"))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            found.append((node.lineno, f"{part} calls `float()`, but prices and quantities are Decimal"))
    return found


def meanings_of_names(tree: ast.Module) -> dict[str, str]:
    """Map the names that imports bind to what they stand for."""
    meanings: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                meanings[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                meanings[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return meanings


def full_name(node: ast.expr, meanings: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return meanings.get(node.id)
    if isinstance(node, ast.Attribute) and (owner := full_name(node.value, meanings)):
        return f"{owner}.{node.attr}"
    return None


@pytest.mark.fault(70)
@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(SOURCES / OURS).as_posix())
def test_file_keeps_the_dependency_rule(path: Path) -> None:
    broken = list(violations(path.relative_to(SOURCES), path.read_text(encoding="utf-8")))
    if broken:
        pytest.fail("\n".join(broken), pytrace=False)


BROKEN = [
    ("domain/a.py", "import sqlalchemy", "the domain imports `sqlalchemy`"),
    ("domain/a.py", "import asyncio", "the domain imports `asyncio`"),
    ("domain/a.py", "import random", "domain imports `random`"),
    ("domain/a.py", "from execution_engine.engine import desk", "the domain imports `execution_engine.eng"),
    ("domain/a.py", "from ..engine import desk", "the domain imports `execution_engine.engine`"),
    ("domain/a.py", "from .. import __version__", "the domain imports `execution_engine.__version__`"),
    ("domain/a.py", "x = float('1')", "domain calls `float()`"),
    ("engine/a.py", "from execution_engine import ui", "engine imports `execution_engine.ui`"),
    ("engine/a.py", "from execution_engine.adapters.clock import C", "only main.py and cli.py join them"),
    ("engine/a.py", "import PySide6.QtCore", "the engine imports `PySide6`"),
    ("engine/a.py", "import time\nx = time.time()", "line 2: engine uses `time.time`"),
    ("engine/a.py", "from time import time as t\nx = t()", "line 2: engine uses `time.time`"),
    ("engine/a.py", "import datetime as d\nx = d.datetime.now()", "engine uses `datetime.datetime.now`"),
    ("engine/a.py", "from datetime import datetime, UTC\nx = datetime.now(UTC)", "`datetime.datetime.now`"),
    ("engine/a.py", "import os\nx = os.urandom(8)", "engine uses `os.urandom`"),
    ("engine/a.py", "import asyncio\nx = asyncio.to_thread(print)", "threads live in adapters"),
    ("engine/a.py", "from uuid import uuid4", "engine imports `uuid`"),
    ("adapters/webhook/a.py", "from ...engine import desk", "adapters imports `execution_engine.engine`"),
    ("adapters/a.py", "from execution_engine.main import x", "it may know the domain and itself"),
    ("ui/a.py", "from execution_engine.engine.desk import Desk", "ui imports `execution_engine.engine.desk`"),
    ("ui/a.py", "dialog.exec()", "`.exec()` runs a loop inside the loop"),
    ("ui/a.py", "QMessageBox.question(w, 't', 'x')", "`QMessageBox.question()`"),
    ("ui/a.py", "QFileDialog.getOpenFileName(w)", "`QFileDialog.getOpenFileName()`"),
    ("ui/a.py", "def f():\n    import ccxt", "line 2: an import inside a function"),
    ("ui/a.py", "def f():\n    import ccxt  # noqa: F401", "line 2: an import inside a function"),
    ("paths.py", "import execution_engine.ui", "this file imports `execution_engine.ui`"),
]  # fmt: skip

KEPT = [
    ("domain/a.py", "from decimal import Decimal\nfrom pydantic import BaseModel\nfrom .money import x"),
    ("domain/a.py", "from datetime import UTC, datetime\ndef f(now: datetime) -> datetime: return now"),
    ("domain/a.py", "from execution_engine.domain import rows\nx: float = 1.5"),
    ("engine/a.py", "import asyncio\nfrom execution_engine.domain.rows import Order\nfrom .book import Book"),
    ("adapters/a.py", "import sqlalchemy, time\nx = time.time()\ny = float(x)"),
    ("adapters/a.py", "from execution_engine import __version__"),
    ("adapters/a.py", "def f():\n    import ccxt  # 0.3 s, and a paper account never needs it"),
    ("ui/a.py", "dialog.open()\nconnection.exec_driver_sql('')\nbox = QMessageBox(w)"),
    ("main.py", "from execution_engine import adapters, engine, ui"),
    ("__main__.py", "from .cli import main"),
]


@pytest.mark.fault(70)
@pytest.mark.parametrize(("file", "source", "sentence"), BROKEN)
def test_a_broken_rule_is_named_with_file_and_line(file: str, source: str, sentence: str) -> None:
    said = list(violations(Path(OURS) / file, source))
    assert len(said) == 1
    assert said[0].startswith(f"src/{OURS}/{file}, line ")
    assert sentence in said[0]


@pytest.mark.parametrize(("file", "source"), KEPT)
def test_what_is_allowed_is_left_alone(file: str, source: str) -> None:
    assert list(violations(Path(OURS) / file, source)) == []
