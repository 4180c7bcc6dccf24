"""The commands about webhooks, on a data folder where no engine runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from execution_engine.cli import main


class Terminal:
    """Runs commands on one folder and keeps what they print."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def run(self, *words: str, status: int = 0) -> str:
        assert main([*words, "--data-dir", str(self.folder)]) == status, self.capsys.readouterr()
        out = self.capsys.readouterr()
        return out.out if status == 0 else out.err

    def urls(self) -> dict[str, str]:
        return {row["name"]: row["url"] for row in json.loads(self.run("webhook", "--json"))}

    def listed(self) -> dict[str, Any]:
        return {row["name"]: row for row in json.loads(self.run("webhook", "list", "--json"))}


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path / "data", capsys)


def test_a_webhook_is_added_bound_rotated_renamed_and_revoked(terminal: Terminal) -> None:
    told = terminal.run("webhook", "add", "scalper", "paper")
    url = terminal.urls()["scalper"]
    assert told == f"Webhook scalper was added; it may use account paper only.\n{url}\n"
    assert terminal.run("webhook", "allow", "scalper").startswith("Webhook scalper may use every account")
    assert terminal.listed()["scalper"]["accounts"] == []

    told = terminal.run("webhook", "rotate", "scalper", "--overlap-hours", "1.5")
    assert "the old one counts until" in told
    assert terminal.urls()["scalper"] != url
    assert terminal.listed()["scalper"]["old_token_until"] is not None

    terminal.run("webhook", "rename", "scalper", "swing")
    terminal.run("webhook", "revoke", "swing")
    assert list(terminal.urls()) == ["TradingView"]


def test_the_list_shows_no_secret_and_what_is_wrong_is_one_sentence(terminal: Terminal) -> None:
    token = terminal.urls()["TradingView"].rpartition("/")[2]
    shown = terminal.run("webhook", "list")
    assert shown == "TradingView: every account; never used\n"
    assert token not in terminal.run("webhook", "list", "--json")
    assert terminal.run("webhook", "revoke", "nobody", status=1) == "There is no webhook “nobody”.\n"
    assert terminal.run("webhook", "add", "x", "nowhere", status=1) == "There is no account “nowhere”.\n"


@pytest.mark.parametrize("hours", ["-1", "721", "nan", "soon"])
def test_an_overlap_that_makes_no_sense_is_a_usage_error(terminal: Terminal, hours: str) -> None:
    with pytest.raises(SystemExit) as ended:
        terminal.run("webhook", "rotate", "TradingView", f"--overlap-hours={hours}")
    assert ended.value.code == 2
