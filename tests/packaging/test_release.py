"""What is published: notes, checksums, a signed document, a workflow that holds together."""

import base64
import hashlib
import json
import plistlib
import re
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as xml
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import changelog
import checksums
import locked
import pytest
import release
import ruamel.yaml

from execution_engine import __version__
from execution_engine.adapters.updates.signature import PublicKey
from execution_engine.domain.updates import Release, read
from execution_engine.ui.frame import brand
from execution_engine.ui.theme import DARK

ROOT = locked.ROOT
WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHANGES = """\
# Changelog

## [Unreleased]

- Later.

## [0.2.0] - 2026-12-01

### Added

- Something.

## [0.1.0] - 2026-11-01

- The first.

[0.1.0]: https://example.org
"""


def test_the_notes_of_a_version_are_its_part_of_the_changelog():
    assert changelog.notes("0.2.0", CHANGES) == "### Added\n\n- Something."
    assert changelog.notes("0.1.0", CHANGES) == "- The first."


@pytest.mark.parametrize(
    ("version", "text"), [("0.3.0", CHANGES), ("0.2.0", "## [0.2.0]\n\n## [0.1.0]\n\n- x\n")]
)
def test_a_version_that_nobody_described_is_not_released(version: str, text: str):
    with pytest.raises(SystemExit, match="says nothing"):
        changelog.notes(version, text)


def test_checksums_are_those_of_the_files(tmp_path: Path):
    (tmp_path / "b").write_bytes(b"b")
    (tmp_path / "a").write_bytes(b"a")
    told = checksums.write(tmp_path).read_text()
    assert told == "".join(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in "ab")
    assert checksums.write(tmp_path).read_text() == told
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Give a folder with a file for each computer."""
    folder = tmp_path / "release"
    folder.mkdir()
    for name in ("0.2.0-setup.exe", "0.2.0-arm64.dmg", "0.2.0-x86_64.dmg"):
        (folder / f"execution-engine-{name}").write_bytes(name.encode())
    (folder / "execution-engine_0.2.0_amd64.deb").write_bytes(b"deb")
    (folder / "execution-engine-Linux-X64.cdx.json").write_bytes(b"{}")
    return folder


def test_the_release_document_is_one_that_programs_understand(files: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(changelog, "notes", lambda version: "- Something.")
    raw = release.document(files, "https://example.org/v0.2.0/", "https://example.org/page", "0.2.0", NOW)
    told = read(raw)
    assert isinstance(told, Release)
    assert told.notes == "- Something."
    for system, machine in (
        ("linux", "x86_64"),
        ("windows", "x86_64"),
        ("macos", "arm64"),
        ("macos", "x86_64"),
    ):
        file = told.download(system, machine)
        assert file is not None
        assert file.sha256 == hashlib.sha256((files / file.name).read_bytes()).hexdigest()
        assert file.url == f"https://example.org/v0.2.0/{file.name}"


def test_nothing_is_released_that_programs_would_refuse(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(changelog, "notes", lambda version: "- Something.")
    with pytest.raises(SystemExit, match="page"):
        release.document(files, "https://example.org/", "http://example.org/", "0.2.0", NOW)
    with pytest.raises(SystemExit, match="nothing that could be released"):
        release.document(tmp_path, "https://example.org/", "https://example.org/", "0.2.0", NOW)


def test_a_new_key_signs_what_the_program_then_believes(tmp_path: Path):
    resources = tmp_path / "resources"
    resources.mkdir()
    (resources / "releases.json").write_text('{"address": "https://example.org/release.json", "keys": []}')
    secrets = [release.add_key(resources) for _ in range(3)]
    known = [PublicKey.parse(key) for key in json.loads((resources / "releases.json").read_text())["keys"]]
    assert len(known) == 2, "the present key and the next one"
    document = tmp_path / "release.json"
    document.write_bytes(b"{}")
    release.sign(document, release.Key.parse(secrets[2]), "0.2.0")
    assert "0.2.0 release.json sha256:" in release.check(document, tuple(known))
    release.sign(document, release.Key.parse(secrets[0]), "0.2.0")  # retired
    with pytest.raises(SystemExit, match="does not know"):
        release.check(document, tuple(known))
    with pytest.raises(SystemExit, match="no key"):
        release.Key.parse(base64.b64encode(b"short").decode())


@pytest.mark.skipif(not shutil.which("minisign"), reason="minisign is not installed")
def test_anybody_can_check_a_signature_with_minisign(tmp_path: Path):
    key, document = release.Key.new(), tmp_path / "release.json"
    document.write_bytes(b"{}")
    release.sign(document, key, "0.2.0")
    subprocess.run(["minisign", "-V", "-m", str(document), "-P", key.public], check=True, capture_output=True)


def test_signing_can_be_tried_without_the_key(tmp_path: Path):
    document = tmp_path / "release.json"
    document.write_bytes(b"{}")
    assert release.main(["sign", str(document), "--dry-run"]) == 0


# -- the workflow


@pytest.fixture(scope="module")
def workflow() -> Any:
    return ruamel.yaml.YAML(typ="safe").load(WORKFLOW.read_text(encoding="utf-8"))


def steps(workflow: Any) -> list[Any]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_the_workflow_has_the_shape_that_github_asks_for():
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.github-workflows",
            str(WORKFLOW),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_foreign_actions_are_named_by_what_they_are_and_not_by_what_they_are_called(workflow: Any):
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", each) for each in used)
    assert all(
        step["with"]["persist-credentials"] is False
        for step in steps(workflow)
        if "checkout" in step.get("uses", "")
    )


def test_no_secret_and_nothing_from_outside_is_pasted_into_a_command(workflow: Any):
    """What is pasted becomes a part of the command; what is in the environment stays a value."""
    for step in steps(workflow):
        assert "${{" not in step.get("run", ""), step["name"]


def test_the_commands_of_the_workflow_are_whole_and_what_they_call_exists(workflow: Any):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for step in steps(workflow):
        run = step.get("run", "")
        if step.get("shell") != "pwsh" and shutil.which("bash"):
            subprocess.run(["bash", "-n"], input=run, text=True, check=True, capture_output=True)
        for path in re.findall(r"(?:packaging|\.ci)/[\w./-]+", run):
            assert (ROOT / path).is_file(), path
        assert set(re.findall(r"\bmake ([a-z]+)", run)) <= targets


def test_only_the_last_job_may_write_and_only_from_a_tag(workflow: Any):
    assert workflow["permissions"] == {"contents": "read"}
    jobs = workflow["jobs"]
    writing = [name for name, job in jobs.items() if "permissions" in job]
    assert writing == ["publish"]
    assert "refs/tags/v" in jobs["publish"]["if"]
    assert set(jobs["publish"]["needs"]) == {"check", "build"}
    assert jobs["build"]["needs"] == "check"


def test_every_file_that_is_released_is_looked_for_where_it_is_made(workflow: Any):
    (upload,) = [step for step in steps(workflow) if "upload-artifact" in step.get("uses", "")]
    assert upload["with"]["path"].split() == [
        "dist/*.deb",
        "dist/*-setup.exe",
        "dist/*.dmg",
        "dist/*.cdx.json",
    ]
    script = (ROOT / "installer.iss").read_text(encoding="utf-8")
    assert "OutputBaseFilename=execution-engine-{#Version}-setup" in script
    made = {
        name: re.compile(pattern)
        for pattern, name, _ in [(each.pattern, each.pattern, 0) for each, *_ in release.FILES]
    }
    assert len(made) == len(release.FILES)


# -- what only other systems can run


def macos(**environment: str) -> list[str]:
    told = subprocess.run(
        ["bash", str(ROOT / "packaging" / "macos" / "package"), "--dry-run"],
        env={"PATH": "/usr/bin:/bin", "MACOS_MACHINE": "arm64"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.splitlines()


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_on_macos_it_is_signed_from_the_inside_out_and_then_notarised():
    keys = {"MACOS_NOTARY_KEY": "k", "MACOS_NOTARY_KEY_ID": "i", "MACOS_NOTARY_ISSUER": "j"}
    told = macos(MACOS_IDENTITY="Developer ID Application: Somebody (TEAM)", **keys)
    order = [
        "codesign every",
        "MacOS/execution-engine",
        "--verify",
        "hdiutil create",
        "notarytool submit",
        "stapler staple",
    ]
    places = [next(at for at, line in enumerate(told) if word in line) for word in order]
    assert places == sorted(places)
    assert told[-1] == f"dist/execution-engine-{__version__}-arm64.dmg"
    assert any(
        pattern.fullmatch(Path(told[-1]).name) for pattern, system, _ in release.FILES if system == "macos"
    )


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_on_macos_without_a_certificate_an_image_is_made_all_the_same():
    told = macos()
    assert any("hdiutil create" in line for line in told)
    assert not any(word in line for line in told for word in ("codesign", "notarytool"))


def test_what_macos_and_linux_read_can_be_read():
    rights = plistlib.loads((ROOT / "packaging/macos/entitlements.plist").read_bytes())
    assert all(value is True for value in rights.values())
    entry = ConfigParser(interpolation=None)
    entry.read(ROOT / "packaging/linux/execution-engine.desktop", encoding="utf-8")
    assert entry["Desktop Entry"]["Exec"] == "execution-engine"
    service = (ROOT / "packaging/linux/execution-engine.service").read_text(encoding="utf-8")
    assert "ExecStart=/usr/bin/execution-engine --headless" in service


def test_the_version_is_said_in_one_place():
    assert locked.version() == __version__
    for path in (ROOT / "engine.spec", ROOT / "installer.iss", *(ROOT / "packaging").rglob("*")):
        if path.is_file() and path.suffix not in (".pyc", ".txt"):
            text = "\n".join(
                line for line in path.read_text(encoding="utf-8").splitlines() if "/DVersion=" not in line
            )
            assert __version__ not in text, path


def test_the_icon_on_the_disk_is_the_one_in_the_window():
    drawing = xml.parse(ROOT / "packaging" / "icon.svg").getroot()
    ground, line = drawing
    assert ground.attrib["fill"].upper() == DARK.accentfill.upper()
    points = [tuple(float(number) for number in point.split(",")) for point in line.attrib["points"].split()]
    assert points == [tuple(map(float, step)) for step in brand._STEPS]


def test_icons_are_made_for_every_system(tmp_path: Path):
    made = subprocess.run(
        [sys.executable, str(ROOT / "packaging" / "icon.py"), str(tmp_path)], capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr
    ico = (tmp_path / "execution-engine.ico").read_bytes()
    assert struct.unpack("<HHH", ico[:6]) == (0, 1, 7)
    icns = (tmp_path / "execution-engine.icns").read_bytes()
    assert icns[:4] == b"icns"
    assert struct.unpack(">I", icns[4:8]) == (len(icns),)
    for size in (16, 512):
        assert struct.unpack(">II", (tmp_path / f"{size}.png").read_bytes()[16:24]) == (size, size)
