"""The settings on the command line, as somebody at a terminal sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from execution_engine import asking
from execution_engine.cli import main


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sit at a terminal and give these answers, one after another."""
    given: list[str] = []
    monkeypatch.setattr(asking, "can_ask", lambda: True)
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


def test_the_data_folder_counts_before_and_after_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    assert main(["--data-dir", str(before), "settings", "set", "pool.max_queue", "7"]) == 0
    assert main(["settings", "set", "pool.max_queue", "8", "--data-dir", str(after)]) == 0
    capsys.readouterr()
    for folder, said in ((before, "7"), (after, "8")):
        assert main(["--data-dir", str(folder), "settings", "get", "pool.max_queue"]) == 0
        assert capsys.readouterr().out.strip() == said
