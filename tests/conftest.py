"""Run coroutine tests on the loop they need, and let nothing go wrong unseen.

- A coroutine test that asks for ``qloop``, ``qtbot`` or ``qapp`` runs on Qt's loop, any other on a plain one.
- What a loop reports to its exception handler (a task nobody awaited, a callback that raised) fails the test.
- Warnings of Qt and Python fail the test: see ``[tool.pytest.ini_options]`` in pyproject.toml.

Wait with ``await until(...)`` of ``tests.waiting``, never with ``qtbot.waitUntil``: that runs a nested Qt
loop, which can end a task without a word.
"""

import asyncio
import gc
import inspect
import os
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

# Before anything imports Qt.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import hypothesis
import pytest
from PySide6.QtWidgets import QApplication
from xdist.scheduler import LoadScopeScheduling

from execution_engine.ui.collecting import collect_if_due
from execution_engine.ui.loop import Loop
from tests import sharing

QT_FIXTURES = {"qloop", "qtbot", "qapp"}
LIMIT_S = 30

# The same examples on every run: a failure is the fault of the last change. HYPOTHESIS_PROFILE=search looks
# for new ones.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("search", deadline=None, max_examples=2_000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


class LoopComplaints:
    """Collect what a loop reports to its exception handler."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.seen: list[str] = []
        loop.set_exception_handler(self._hear)

    def _hear(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.seen.append(f"{context['message']}: {error!r}" if error else str(context["message"]))

    def fail_if_any(self) -> None:
        # A task that failed unseen speaks up when it is collected. The old generation is left alone: it holds
        # what was imported, and walking it for every test would take longer than the tests.
        gc.collect(1)
        if self.seen:
            pytest.fail("The event loop reported:\n" + "\n".join(self.seen), pytrace=False)


@pytest.fixture(autouse=True)
def collected_between_tests() -> Iterator[None]:
    """Collect no garbage on threads of the tests: among it are widgets, which are taken apart on Qt's thread alone."""
    gc.disable()
    yield
    collect_if_due()


@pytest.fixture(scope="session")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that all processes of this run share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "together"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def qloop(qapp: QApplication) -> Iterator[asyncio.AbstractEventLoop]:
    """Give asyncio's loop inside Qt's, closed again after the test."""
    # Closing the last window must not end the loop under the test.
    qapp.setQuitOnLastWindowClosed(False)
    loop = Loop(qapp)
    asyncio.set_event_loop(loop)
    complaints = LoopComplaints(loop)
    yield loop
    pending = [task for task in asyncio.all_tasks(loop) if not task.done()]
    for task in pending:
        task.cancel()
    if pending:
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    asyncio.set_event_loop(None)
    loop.close()
    complaints.fail_if_any()


def run_on_plain_loop(test: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on a fresh asyncio loop and fail for what that loop complained about."""
    with asyncio.Runner() as runner:
        complaints = LoopComplaints(runner.get_loop())
        runner.run(_within_limit(test))
    complaints.fail_if_any()


async def _within_limit(test: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(LIMIT_S):
        await test


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    test = pyfuncitem.obj(**arguments)
    if "qloop" in pyfuncitem.fixturenames:
        pyfuncitem.funcargs["qloop"].run_until_complete(_within_limit(test))
    else:
        run_on_plain_loop(test)
    return True


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return sharing.processes()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    if config.getoption("dist") != "load":
        return None
    config.option.loadscopereorder = False  # the order is ours, below
    return sharing.TestByTest(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        sharing.order(items)
    sharing.leave_unmeasured(items)
    for item in items:
        if not isinstance(item, pytest.Function) or not inspect.iscoroutinefunction(item.obj):
            continue
        if "qloop" not in item.fixturenames and QT_FIXTURES & set(item.fixturenames):
            # First, so that it is closed last, after the widgets are gone.
            item.fixturenames.insert(0, "qloop")
