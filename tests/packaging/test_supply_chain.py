"""What goes into a release: locked by hash, under licences that are allowed, listed, and asked about."""

import importlib.metadata
import importlib.resources
import json
import re
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import audit
import ccxt
import jsonschema
import locked
import notices
import pytest
import referencing
import sbom
import trim
from referencing.jsonschema import DRAFT7

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BUILDERS = {"pytest", "mypy", "ruff", "hypothesis", "coverage", "uv", "hatchling", "pip-audit", "pyinstaller"}

LOCK = """\
ours==1.0 \\
    --hash=sha256:aa
    # via execution-engine (pyproject.toml)
theirs==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via
    #   ours
    #   tool
tool==3.0 \\
    --hash=sha256:dd
    # via execution-engine (pyproject.toml)
of-the-tool==4.0 \\
    --hash=sha256:ee
    # via tool
"""


def test_what_a_package_runs_on_is_cut_out_of_the_lock():
    pins = list(locked.pins(LOCK))
    assert [(pin.name, pin.version) for pin in pins][1] == ("theirs", "2.0")
    assert pins[1].via == {"ours", "tool"}
    assert pins[1].text == LOCK.split("theirs")[1].split("    # via")[0].join(["theirs", ""])
    assert [pin.name for pin in locked.reached(pins, frozenset({"ours"}))] == ["ours", "theirs"]


def test_everything_is_locked_by_hash_and_no_tool_is_what_the_program_runs_on():
    pins = list(locked.pins((locked.ROOT / "requirements.lock").read_text(encoding="utf-8")))
    assert all("--hash=sha256:" in pin.text and "://" not in pin.text for pin in pins)
    runtime = {pin.name for pin in locked.runtime()}
    assert runtime & BUILDERS == set()
    assert locked.wanted(locked.ROOT / "pyproject.toml", with_builder=False) <= runtime
    with (locked.ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    asked = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    names = {locked.normal(re.split(r"[\[<>=!~ ;]", each, maxsplit=1)[0]) for each in asked}
    assert names <= {pin.name for pin in pins}, "`make lock` was forgotten"


def test_what_runs_on_this_machine_is_locked():
    """Everything that a distribution asks for by itself is found again in the lock's reasons."""
    runtime = {pin.name for pin in locked.runtime()}
    for pin in locked.runtime():
        try:
            needs = importlib.metadata.requires(pin.name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for each in needs:
            if ";" not in each:
                assert locked.normal(re.split(r"[\[<>=!~ (;]", each, maxsplit=1)[0]) in runtime, (
                    pin.name,
                    each,
                )


def test_only_four_exchanges_are_left_in_ccxt():
    for package in trim.PACKAGES:
        source = (Path(ccxt.__file__).parent / package / "__init__.py").read_text(encoding="utf-8")
        short = trim.trimmed(source, trim.KEPT)
        compile(short, "ccxt", "exec")
        left = set(
            re.findall(r"^from ccxt(?:\.async_support|\.pro)?\.(\w+) import \1\b", short, re.MULTILINE)
        )
        assert left == set(trim.KEPT)
        assert trim.trimmed(short, trim.KEPT) == short
        assert len(short) < len(source) / 2


def test_a_ccxt_that_is_built_otherwise_stops_the_build():
    with pytest.raises(SystemExit, match="lists no exchanges"):
        trim.trimmed("exchanges = ()", trim.KEPT)
    with pytest.raises(SystemExit, match="has no binance"):
        trim.trimmed("exchanges = [\n    'okx',\n]\n", ("binance",))


def test_every_part_is_under_a_licence_that_is_allowed():
    found = list(notices.parts())
    assert list(notices.faults(found, notices.rules())) == []
    assert {"ccxt", "pyside6-essentials", "Python", "font inter"} <= {part.name for part in found}


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("unknown", False),
        ("", False),
        ("MIT AND GPL-2.0-only", False),
        ("GPL-2.0-only OR MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("MIT AND (GPL-2.0-only OR Apache-2.0)", False),
        ("LGPL-3.0-only", True),
        ("LGPL-3.0-only AND MIT", False),
    ],
)
def test_a_licence_is_allowed_or_stops_a_release(licence: str, allowed: bool):
    part = notices.Part("thing", "1.0", licence, "", ("its text",))
    faults = list(notices.faults([part], notices.rules()))
    assert (faults == []) == allowed


def test_a_licence_without_its_text_cannot_be_handed_on():
    (fault,) = notices.faults([notices.Part("thing", "1.0", "MIT", "", ())], notices.rules())
    assert "carries no licence text" in fault


def test_the_notices_have_every_text():
    found = list(notices.parts())
    told = notices.told(found, notices.rules())
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in told
    assert "GNU GENERAL PUBLIC LICENSE" in told
    for part in found:
        assert f"{part.name} {part.version}" in told


def test_the_list_of_parts_is_one_that_machines_understand():
    made = sbom.document(list(notices.parts()), locked.runtime(), "1.2.3", NOW)
    folder = importlib.resources.files("cyclonedx.schema") / "_res"
    schemas = {
        name: json.loads((folder / file).read_text(encoding="utf-8"))
        for name, file in {
            "bom": "bom-1.6.SNAPSHOT.schema.json",
            "spdx.schema.json": "spdx.SNAPSHOT.schema.json",
            "jsf-0.82.schema.json": "jsf-0.82.SNAPSHOT.schema.json",
        }.items()
    }
    registry = referencing.Registry()
    for schema in schemas.values():
        registry = registry.with_resource(schema["$id"], DRAFT7.create_resource(schema))
    jsonschema.Draft7Validator(schemas["bom"], registry=registry).validate(made)
    names = {each["name"]: each for each in made["components"]}
    assert names["ccxt"]["purl"] == f"pkg:pypi/ccxt@{names['ccxt']['version']}"
    assert names["aiohttp"]["properties"], "it says which files it may be"
    (own,) = [each for each in made["dependencies"] if each["ref"] == "execution-engine@1.2.3"]
    assert f"ccxt@{names['ccxt']['version']}" in own["dependsOn"]
    again = sbom.document(list(notices.parts()), locked.runtime(), "1.2.3", NOW)
    assert again == made


ACCEPTED = """
[[accepted]]
id = "GHSA-1"
why = "Only a server is concerned."
by = "somebody"
until = 2026-12-31
"""


def test_a_weakness_is_accepted_until_a_day(tmp_path: Path):
    file = tmp_path / "accepted.toml"
    file.write_text(ACCEPTED)
    entries = audit.accepted(file)
    assert audit.in_force(entries, date(2026, 12, 31)) == ["GHSA-1"]
    assert audit.in_force(entries, date(2027, 1, 1)) == []
    asked = audit.command(Path("x.lock"), ["GHSA-1"])
    assert asked[-2:] == ["--ignore-vuln", "GHSA-1"]


@pytest.mark.parametrize("line", ["why = ", "by = ", "until = "])
def test_a_weakness_is_not_accepted_without_a_reason_a_name_and_a_day(tmp_path: Path, line: str):
    file = tmp_path / "accepted.toml"
    file.write_text("\n".join(each for each in ACCEPTED.splitlines() if not each.startswith(line)))
    with pytest.raises(SystemExit, match="has to say"):
        audit.accepted(file)


def test_the_audit_asks_about_exactly_what_is_locked(capsys: pytest.CaptureFixture[str]):
    assert audit.main(["--dry-run"]) == 0
    assert "--require-hashes" in capsys.readouterr().out
