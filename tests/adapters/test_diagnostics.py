"""What is in the bundle for whoever helps, when all is well and when it is not."""

import asyncio
import gzip
import json
import zipfile
from pathlib import Path

import pytest

from execution_engine.adapters import diagnostics, machine
from execution_engine.adapters.diagnostics import BundleFailed
from execution_engine.adapters.security.redact import HIDDEN, Redaction
from execution_engine.adapters.storage.check import open_database
from tests.house import NOON

CANARY = "cnrToken-5e81"


def parts(folder: Path) -> dict[str, str]:
    return diagnostics.parts(
        program="1.0",
        now=NOON,
        state={"status": "running", "reasons": [f"refused with {CANARY}"]},
        settings='{"version": 1}',
        database=folder / "engine.sqlite",
        logs=folder / "logs",
        tasks="risk\n",
        safe=Redaction([CANARY]),
    )


def test_it_says_what_runs_on_what_and_hides_secrets_and_the_users_name(tmp_path: Path) -> None:
    open_database(tmp_path / "engine.sqlite", tmp_path / "backups", NOON)
    logs = tmp_path / "logs"
    logs.mkdir()
    with gzip.open(logs / "engine.2026-11-18T00-00-00.000000.log.gz", "wt") as old:
        old.write('{"text": "first"}\n')
    (logs / "engine.2026-11-19T00-00-00.000000.log").write_text('{"text": "second"}\n')
    (logs / "engine.log").write_text(f'{{"text": "third {CANARY} in {Path.home()}/data"}}\n')
    (logs / "engine.2026-11-17T00-00-00.000000.log.gz").write_bytes(b"no gzip")
    found = parts(tmp_path)
    assert [json.loads(line)["text"] for line in found["log.jsonl"].splitlines()] == [
        "first",
        "second",
        f"third {HIDDEN} in ~/data",
    ]
    assert json.loads(found["state.json"])["reasons"] == [f"refused with {HIDDEN}"]
    rows = json.loads(found["database.json"])["rows"]
    assert rows["alerts"] == 0
    assert "system_log" in rows
    about = json.loads(found["about.json"])
    assert about["program"] == "1.0"
    assert about["libraries"]["apprise"][0].isdigit()
    assert json.loads(found["memory.json"])["objects"] > 1000
    assert CANARY not in "".join(found.values())


async def test_of_a_task_that_waits_it_says_where() -> None:
    gate = asyncio.Event()

    async def wait_for_the_gate() -> None:
        await gate.wait()

    task = asyncio.create_task(wait_for_the_gate(), name="a guard")
    await asyncio.sleep(0)
    assert "a guard\n    test_diagnostics.py:" in diagnostics.tasks_now()
    assert "wait_for_the_gate" in diagnostics.tasks_now()
    gate.set()
    await task


def test_a_database_that_cannot_be_read_and_a_log_that_is_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "engine.sqlite").write_bytes(b"this is no database" * 100)
    found = parts(tmp_path)
    assert "not a database" in json.loads(found["database.json"])["fault"]
    assert found["log.jsonl"] == ""


def test_of_a_long_log_the_newest_whole_lines_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnostics, "LOG_BYTES", 20)
    (tmp_path / "engine.log").write_text("".join(f"line {number}\n" for number in range(100)))
    assert diagnostics.newest_lines(tmp_path) == "line 98\nline 99\n"


def test_the_file_is_new_and_for_its_user_alone(tmp_path: Path) -> None:
    path = diagnostics.write(tmp_path / "bundle.zip", {"a.txt": "text"})
    assert path.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(path) as bundle:
        assert bundle.read("a.txt") == b"text"
    with pytest.raises(BundleFailed, match="is there already"):
        diagnostics.write(path, {})
    with pytest.raises(BundleFailed, match="no such file"):
        diagnostics.write(tmp_path / "nowhere" / "bundle.zip", {})


def test_what_the_machine_gives_is_known_where_it_can_be(tmp_path: Path) -> None:
    resident, free = machine.resident_bytes(), machine.free_bytes(tmp_path)
    assert resident is not None
    assert free is not None
    assert resident > 10_000_000
    assert free > 0
    assert machine.free_bytes(tmp_path / "nowhere") is None
    highest = machine._highest()
    assert highest is not None
    assert highest >= resident // 2
