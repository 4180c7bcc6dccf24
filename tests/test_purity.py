"""Nothing in the domain or the engine asks the operating system for time, chance or a thread, and only those whose
work it is ask an exchange for anything.

`test_layers.py` looks at what is imported; this looks at what is done with it: the simulation runs the same code on
a virtual clock, and one seed must give one history.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[1] / "src" / "execution_engine"
PURE = sorted(path for wing in ("domain", "engine") for path in (SOURCES / wing).rglob("*.py"))

# Methods of the exchange port, and the files that may call them.
ORDER_CALLS = {"place", "cancel", "look"}
READINGS = {"open_orders", "fills", "balances"}
MAY_ORDER = {"engine/lanes.py", "engine/looks.py", "engine/way.py", "engine/reconcile.py"}
MAY_READ = {"engine/way.py", "engine/reconcile.py"}
EXCHANGES = {"exchange", "_exchange"}  # what a way to an exchange is called

CLOCKS = {
    "time", "monotonic", "perf_counter", "process_time", "time_ns", "monotonic_ns", "perf_counter_ns",
}  # fmt: skip
WALL = {
    "now",
    "utcnow",
    "today",
    "fromtimestamp",
    "utcfromtimestamp",
}  # of datetime and date, without a clock
THREADS = {"run_in_executor", "to_thread", "call_soon_threadsafe", "run_coroutine_threadsafe", "Thread"}
CHANCE = {"random", "randint", "choice", "shuffle", "uniform", "getrandbits", "urandom", "token_hex", "uuid4"}
MODULES = {"time", "random", "secrets", "uuid", "threading", "os"}


def impurities(path: str, source: str) -> Iterator[str]:
    """Yield a sentence for every place in a file of domain or engine that is not pure."""
    for node in ast.walk(ast.parse(source)):
        if (why := _impure(path, node)) is not None:
            line = node.iter.lineno if isinstance(node, ast.comprehension) else node.lineno  # type: ignore[attr-defined]
            yield f"{path}, line {line}: {why}"


def _impure(path: str, node: ast.AST) -> str | None:
    if isinstance(node, ast.Call):
        return _call(path, node)
    if isinstance(node, ast.For | ast.comprehension) and _is_set(node.iter):
        return "a set has no order: iterate over a dict or a sorted list"
    if isinstance(node, ast.AsyncFunctionDef | ast.Await) and path.startswith("domain/"):
        return "the domain waits for nothing"
    return None


def _call(path: str, call: ast.Call) -> str | None:
    name = ast.unparse(call.func)
    owner, _, method = name.rpartition(".")
    root = owner.split(".")[0]
    if root == "time" and method in CLOCKS:
        return f"{name}() asks the operating system for the time"
    if owner in ("datetime", "date", "datetime.datetime", "datetime.date") and method in WALL - {
        "fromtimestamp"
    }:
        return f"{name}() asks the operating system for the time"
    if method == "fromtimestamp" and len(call.args) + len(call.keywords) < 2:
        return f"{name}() knows no zone"
    if method == "time" and "loop" in owner:
        return f"{name}() is a clock of its own: ask the Clock port"
    if method in THREADS or name in THREADS:
        return f"{name}() begins a thread, or speaks to one"
    if root in MODULES and method in CHANCE:
        return f"{name}() asks the operating system for chance"
    return _exchange(path, call.func, method)


def _exchange(path: str, called: ast.expr, method: str) -> str | None:
    """An order that leaves without a lane leaves without its commit, its turn and its place in the budget."""
    if not isinstance(called, ast.Attribute) or not _is_exchange(called.value):
        return None
    if method in ORDER_CALLS and path not in MAY_ORDER:
        return (
            f"orders are sent, cancelled and looked up by the lanes and the reconciliation alone: .{method}()"
        )
    if method in READINGS and path not in MAY_READ:
        return f"accounts are read by the reconciliation alone: .{method}()"
    return None


def _is_exchange(owner: ast.expr) -> bool:
    """Return whether an expression is a way to an exchange: by its name, or by what it is got from."""
    if isinstance(owner, ast.Call):
        return _is_exchange(owner.func)
    if isinstance(owner, ast.Attribute):
        return owner.attr in EXCHANGES
    return isinstance(owner, ast.Name) and owner.id in EXCHANGES


def _is_set(found: ast.expr) -> bool:
    if isinstance(found, ast.Set | ast.SetComp):
        return True
    return isinstance(found, ast.Call) and ast.unparse(found.func) in ("set", "frozenset")


def test_domain_and_engine_have_files_to_be_looked_at():
    assert len(PURE) > 40


@pytest.mark.parametrize("path", PURE, ids=[path.relative_to(SOURCES).as_posix() for path in PURE])
def test_a_file_asks_nobody_but_its_ports(path: Path):
    name = path.relative_to(SOURCES).as_posix()
    assert list(impurities(name, path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("engine/desk.py", "now = time.monotonic()"),
        ("engine/desk.py", "now = asyncio.get_running_loop().time()"),
        ("domain/decide.py", "now = datetime.now(UTC)"),
        ("domain/decide.py", "day = date.today()"),
        ("domain/order.py", "id = random.randint(1, 9)"),
        ("domain/order.py", "id = uuid.uuid4()"),
        ("engine/desk.py", "await asyncio.to_thread(work)"),
        ("engine/desk.py", "loop.run_in_executor(None, work)"),
        ("engine/desk.py", "await exchange.place(orders)"),
        ("engine/watch.py", "await self._exchange(name).cancel(orders)"),
        ("engine/lanes.py", "await exchange.open_orders(name)"),
        ("domain/plan.py", "async def plan(): ..."),
        ("domain/plan.py", "for leg in {1, 2}: ..."),
        ("domain/plan.py", "names = [leg for leg in set(legs)]"),
    ],
)
def test_what_is_not_pure_is_named_with_file_and_line(path: str, line: str):
    source = line if "await" not in line else f"async def work():\n    {line}"
    assert [one for one in impurities(path, source) if one.startswith(f"{path}, line ")]


def test_the_lanes_may_send_and_the_reconciliation_may_read():
    sends = "async def f():\n    await exchange.place(orders)"
    reads = "async def f():\n    await exchange.fills(name, since)"
    assert list(impurities("engine/lanes.py", sends)) == []
    assert list(impurities("engine/reconcile.py", reads)) == []
