"""Make a Debian package of the bundle: `deb.py [TARGET FOLDER]`.

The program goes to /opt/execution-engine as it is; beside it come the command, a menu entry, icons and a service for
computers without a screen. The libraries that it needs of the system are read from the files themselves.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import locked  # noqa: E402

NAME = "execution-engine"
BUNDLE = locked.ROOT / "dist" / NAME
ICONS = locked.ROOT / "build" / "icons"
SIZES = (16, 32, 48, 64, 128, 256, 512)

# Which package has a library that a bundle never contains: these belong to the computer's own drivers and screen.
OF_THE_SYSTEM = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libOpenGL.so.0": "libopengl0",
    "libxcb.so.1": "libxcb1",
}
OF_LIBC = re.compile(r"(libc|libdl|libm|libpthread|librt|libutil|ld-linux-[\w-]+)\.so\.\d+")


def architecture() -> str:
    return subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    ).stdout.strip()


def elf_files(bundle: Path) -> Iterator[Path]:
    for path in sorted(bundle.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def depends(bundle: Path) -> str:
    """Return what a bundle needs of the system. Raises SystemExit for a library that nobody expects."""
    inside = {path.name for path in bundle.rglob("*")}
    libc, packages = "2.17", set()
    for path in elf_files(bundle):
        told = subprocess.run(["objdump", "-p", str(path)], check=True, capture_output=True, text=True).stdout
        libc = max([libc, *re.findall(r"\bGLIBC_(2\.\d+)", told)], key=lambda each: int(each.split(".")[1]))
        for name in set(re.findall(r"NEEDED\s+(\S+)", told)) - inside:
            if OF_LIBC.fullmatch(name):
                continue
            if name not in OF_THE_SYSTEM:
                raise SystemExit(
                    f"{path.relative_to(bundle)} needs {name}, which is neither in the bundle nor known"
                )
            packages.add(OF_THE_SYSTEM[name])
    # Where fonts are is told by files of the system; without them nothing is missing but a line of complaint is told.
    return ", ".join([f"libc6 (>= {libc})", "fontconfig-config", *sorted(packages)])


def lay_out(bundle: Path, root: Path, version: str) -> None:
    """Put every file where the package has it."""
    shutil.copytree(bundle, root / "opt" / NAME, symlinks=True)
    put(root / "usr/share/applications" / f"{NAME}.desktop", (HERE / f"{NAME}.desktop").read_bytes())
    put(root / "usr/lib/systemd/user" / f"{NAME}.service", (HERE / f"{NAME}.service").read_bytes())
    for size in SIZES:
        icon = root / f"usr/share/icons/hicolor/{size}x{size}/apps/{NAME}.png"
        put(icon, (ICONS / f"{size}.png").read_bytes())
    put(root / f"usr/share/icons/hicolor/scalable/apps/{NAME}.svg", (HERE.parent / "icon.svg").read_bytes())
    documents = root / "usr/share/doc" / NAME
    put(documents / "copyright", (bundle / "_internal" / "THIRD-PARTY-NOTICES.txt").read_bytes())
    told = (locked.ROOT / "CHANGELOG.md").read_bytes()
    put(documents / "changelog.gz", gzip.compress(told, mtime=0))
    command = root / "usr/bin" / NAME
    command.parent.mkdir(parents=True)
    command.symlink_to(f"/opt/{NAME}/{NAME}")
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def control(version: str, machine: str, size_kb: int, needs: str) -> str:
    return "\n".join(
        [
            f"Package: {NAME}",
            # A tilde sorts before everything, as a version that only leads to another has to.
            f"Version: {version.replace('-', '~')}",
            f"Architecture: {machine}",
            "Maintainer: The Execution Engine project <noreply@execution-engine.invalid>",
            f"Installed-Size: {size_kb}",
            f"Depends: {needs}",
            "Recommends: gnome-keyring | kwalletmanager | keepassxc",
            "Section: misc",
            "Priority: optional",
            "Description: turns TradingView alerts into orders on cryptocurrency exchanges",
            " A desktop application that takes alerts over HTTP, makes grids of orders of",
            " them on Binance, Bybit, OKX and KuCoin or on a practice exchange of its own,",
            " and looks after the positions until they are closed.",
            "",
        ]
    )


def make(bundle: Path, target: Path, version: str) -> Path:
    """Write the package into a folder and return it."""
    machine = architecture()
    package = target / f"{NAME}_{version}_{machine}.deb"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        lay_out(bundle, root, version)
        size = sum(
            path.lstat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink()
        )
        put(root / "DEBIAN" / "control", control(version, machine, size // 1024, depends(bundle)).encode())
        target.mkdir(parents=True, exist_ok=True)
        # Every system that is new enough for the program reads zstd, which is made and read many times faster than xz.
        build = ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z10", "--build", str(root), str(package)]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    return package


if __name__ == "__main__":
    print(make(BUNDLE, Path(sys.argv[1]) if len(sys.argv) > 1 else BUNDLE.parent, locked.version()))
