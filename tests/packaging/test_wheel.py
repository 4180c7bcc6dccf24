"""In the wheel is the package with its resources, and nothing else; it is built without any network."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from execution_engine import __version__

ROOT = Path(__file__).resolve().parents[2]


def ours(folder: str, prefix: str) -> set[str]:
    root = ROOT / folder
    found = (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {f"{prefix}/{path.relative_to(root).as_posix()}" for path in found}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (made,) = target.glob("*.whl")
    return made


def test_the_wheel_has_the_package_and_its_resources_and_nothing_else(wheel: Path):
    assert wheel.name == f"execution_engine-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
        about = {name.split("/")[-1] for name in file.namelist() if ".dist-info/" in name}
        metadata = file.read(f"execution_engine-{__version__}.dist-info/METADATA").decode()
        commands = file.read(f"execution_engine-{__version__}.dist-info/entry_points.txt").decode()
    package = ours("src/execution_engine", "execution_engine")
    assert names == package | ours("resources", "execution_engine/resources")
    assert {Path(name).suffix for name in package} <= {".py", ".pyi", ".mako", ".typed", ".qm", ".json"}
    assert about == {"METADATA", "WHEEL", "RECORD", "entry_points.txt"}
    assert "execution-engine = execution_engine.__main__:main" in commands
    assert "pytest" not in "".join(
        line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line
    )
