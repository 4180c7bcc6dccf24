"""Ask whether anything the program runs on has a known weakness; those accepted in accepted.toml do not count.

audit.py              asks the database, which needs the network
audit.py --dry-run    prints what would be asked, and checks accepted.toml
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import locked

FILE = Path(__file__).with_name("accepted.toml")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One weakness that was looked at. until: the last day of that decision."""

    id: str
    why: str
    by: str
    until: date


def accepted(path: Path = FILE) -> list[Accepted]:
    """Read what was accepted. Raises SystemExit for an entry that does not say everything."""
    with path.open("rb") as file:
        entries = tomllib.load(file)["accepted"]
    found = []
    for entry in entries:
        missing = {"id", "why", "by", "until"} - {name for name, value in entry.items() if value}
        if missing or type(entry["until"]) is not date:
            raise SystemExit(
                f"{path.name}: {entry.get('id', 'an entry')} has to say id, why, by and until (a day)"
            )
        found.append(Accepted(**entry))
    return found


def in_force(entries: Iterable[Accepted], today: date) -> list[str]:
    """Return the names of what is still accepted."""
    return [entry.id for entry in entries if entry.until >= today]


def command(requirements: Path, ignored: Iterable[str]) -> list[str]:
    """Return how pip-audit is asked: of exactly what is locked, without looking for anything else."""
    ask = [
        sys.executable,
        "-m",
        "pip_audit",
        "--strict",
        "--disable-pip",
        "--require-hashes",
        "-r",
        str(requirements),
    ]
    return [*ask, *(word for each in ignored for word in ("--ignore-vuln", each))]


def main(arguments: list[str]) -> int:
    entries, today = accepted(), datetime.now(UTC).date()
    ignored = in_force(entries, today)
    for entry in entries:
        if entry.id not in ignored:
            print(f"{entry.id} was accepted until {entry.until}; that is over", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.lock"
        requirements.write_text("".join(pin.text for pin in locked.runtime()), encoding="utf-8")
        asked = command(requirements, ignored)
        if arguments == ["--dry-run"]:
            print(" ".join(asked))
            return 0
        return subprocess.run(asked, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
