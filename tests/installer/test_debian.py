"""The Debian package has what it should, where it should be, and what it installs trades."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundle.built import PROGRAM, ROOT, Built

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not PROGRAM.exists() or not shutil.which("dpkg-deb"), reason="there is no bundle for Debian"
    ),
]

NAME = "execution-engine"
MARKET = "BINANCE:BTCUSDT"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("deb")
    made = subprocess.run(
        ["python3", str(ROOT / "packaging" / "linux" / "deb.py"), str(target)],
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(made.stdout.strip())


@pytest.fixture(scope="module")
def root(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a folder into which the package was unpacked, as an installation would to /."""
    folder = tmp_path_factory.mktemp("root")
    subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True)
    yield folder
    shutil.rmtree(folder)


def told(package: Path, field: str) -> str:
    asked = subprocess.run(
        ["dpkg-deb", "-f", str(package), field], check=True, capture_output=True, text=True
    )
    return asked.stdout.strip()


def test_it_says_what_it_is_and_needs(package: Path):
    assert told(package, "Package") == NAME
    assert told(package, "Version") == package.name.split("_")[1]
    needs = told(package, "Depends")
    assert needs.startswith("libc6 (>= 2.")
    assert {"libegl1", "libgl1", "libxcb1"} <= set(needs.split(", "))


def test_everything_is_in_its_place_and_belongs_to_root(package: Path, root: Path):
    listed = subprocess.run(
        ["dpkg-deb", "-c", str(package)], check=True, capture_output=True, text=True
    ).stdout
    assert {line.split()[1] for line in listed.splitlines()} == {"root/root"}
    outside = {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if not path.is_dir() and "opt" not in path.parts
    }
    sizes = (16, 32, 48, 64, 128, 256, 512)
    assert outside == {
        f"usr/bin/{NAME}",
        f"usr/lib/systemd/user/{NAME}.service",
        f"usr/share/applications/{NAME}.desktop",
        f"usr/share/doc/{NAME}/changelog.gz",
        f"usr/share/doc/{NAME}/copyright",
        f"usr/share/icons/hicolor/scalable/apps/{NAME}.svg",
        *(f"usr/share/icons/hicolor/{size}x{size}/apps/{NAME}.png" for size in sizes),
    }
    assert os.readlink(root / "usr/bin" / NAME) == f"/opt/{NAME}/{NAME}"
    writable = [path for path in root.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022]
    assert writable == []


def test_the_menu_entry_is_valid(root: Path):
    if not shutil.which("desktop-file-validate"):
        pytest.skip("desktop-file-utils is not installed")
    entry = root / "usr/share/applications" / f"{NAME}.desktop"
    checked = subprocess.run(
        ["desktop-file-validate", str(entry)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")


def test_what_was_installed_trades(root: Path, tmp_path: Path):
    program = Built(tmp_path / "data")
    program.program = program.command_line = [str(root / "opt" / NAME / NAME)]
    try:
        program.start()
        program.window_after_s()
        program.price(MARKET, "64000")
        assert program.outcome(program.accepted(MARKET, price="64000"))[0] == "opened"
        program.live(MARKET)
        program.price(MARKET, "66000")
        program.group(MARKET, "closed")
        program.stop()
    finally:
        program.give_up()
