"""The settings on the command line, as somebody at a terminal sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from execution_engine import asking, cli
from execution_engine.cli import main


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sit at a terminal and give these answers, one after another."""
    given: list[str] = []
    monkeypatch.setattr(asking, "can_ask", lambda: True)
    monkeypatch.setattr(cli.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: given.pop(0))
    return given


def test_what_becomes_more_dangerous_is_asked_about_at_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: list[str]
) -> None:
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["--data-dir", str(tmp_path), "settings", *words])
        told = capsys.readouterr()
        return status, told.out.strip(), told.err.strip()

    answers[:] = ["n"]
    status, said, refused = run("set", "pool.max_pyramids", "10")
    assert status == 1
    assert said.splitlines() == [
        "pool.max_pyramids 5 → 10",
        "Worst case rises from 50,000.00 to 100,000.00 USD, 10.0 × the capital.",
    ]
    assert refused == "nothing was done"
    assert run("get", "pool.max_pyramids")[1] == "5"
    answers[:] = ["y"]
    assert run("set", "pool.max_pyramids", "10")[0] == 0
    assert answers == []
    assert run("set", "pool.max_pyramids", "4")[0] == 0
    assert run("set", "pool.max_pyramids", "20", "--yes")[0] == 0
    assert run("history")[1].splitlines()[-1] == "0 (the defaults)"
