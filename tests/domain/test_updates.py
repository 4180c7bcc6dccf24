"""What follows from a release document: an offer, nothing, or a refusal."""

import json
from typing import Any

import pytest

from execution_engine.domain.errors import Refusal
from execution_engine.domain.updates import Offer, Release, UpToDate, Version, judge, read

ON_LINUX = {
    "system": "linux",
    "machine": "x86_64",
    "name": "execution-engine_0.2.0_amd64.deb",
    "url": "https://example.org/0.2.0/execution-engine_0.2.0_amd64.deb",
    "sha256": "0" * 64,
    "size": 1,
}


def document(**fields: Any) -> bytes:
    whole = {
        "format": 1,
        "application": "execution-engine",
        "version": "0.2.0",
        "published": "2026-12-01T10:00:00Z",
        "notes": "- Something new.",
        "page": "https://example.org/0.2.0",
        "files": [ON_LINUX],
    }
    return json.dumps(whole | fields).encode()


def judged(version: str = "0.2.0", **given: Any) -> Offer | UpToDate | Refusal:
    release = read(document(version=version))
    assert isinstance(release, Release)
    usual: dict[str, Any] = {
        "here": "0.1.0",
        "seen": None,
        "system": "linux",
        "machine": "x86_64",
        "open_groups": 0,
        "while_open": False,
    }
    return judge(release, **usual | given)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("0.1.0", "0.1.1"),
        ("0.9.0", "0.10.0"),
        ("0.9.9", "1.0.0"),
        ("1.0.0-rc.1", "1.0.0"),
        ("1.0.0-alpha", "1.0.0-alpha.1"),
        ("1.0.0-alpha.1", "1.0.0-beta"),
        ("1.0.0-rc.2", "1.0.0-rc.11"),
        ("1.0.0-9", "1.0.0-rc"),
    ],
)
def test_versions_follow_one_another(earlier: str, later: str):
    assert Version.parse(earlier) < Version.parse(later)
    assert str(Version.parse(earlier)) == earlier


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "01.2.3", "1.2.3.4", "v1.2.3", "1.2.3-", "1.2.3 ", "1.2.-3", "１.2.3"]
)
def test_what_is_no_version_is_refused(text: str):
    with pytest.raises(ValueError, match="is no version"):
        Version.parse(text)


def test_a_newer_version_is_offered_with_the_file_for_this_computer():
    offer = judged()
    assert isinstance(offer, Offer)
    assert offer.download is not None
    assert (offer.download.name, offer.asks) == (ON_LINUX["name"], False)


def test_where_there_is_no_file_for_this_computer_the_version_is_offered_without():
    offer = judged(machine="riscv64")
    assert isinstance(offer, Offer)
    assert offer.download is None


@pytest.mark.parametrize(
    ("groups", "while_open", "asks"), [(0, False, False), (3, False, True), (3, True, False)]
)
def test_with_positions_open_the_user_has_to_say_so(groups: int, while_open: bool, asks: bool):
    offer = judged(open_groups=groups, while_open=while_open)
    assert isinstance(offer, Offer)
    assert (offer.open_groups, offer.asks) == (groups, asks)


def test_the_version_that_runs_is_no_news():
    assert judged("0.1.0") == UpToDate("0.1.0")


@pytest.mark.parametrize(
    ("version", "here", "seen", "code"),
    [
        ("0.1.0", "0.2.0", None, "RELEASE_OLDER"),
        ("0.1.0", "0.2.0-rc.1", None, "RELEASE_OLDER"),
        ("0.2.0", "0.1.0", "0.3.0", "RELEASE_OLD"),
        ("0.1.0", "0.1.0", "0.2.0", "RELEASE_OLD"),
    ],
)
def test_an_older_version_is_refused(version: str, here: str, seen: str | None, code: str):
    refused = judged(version, here=here, seen=seen)
    assert isinstance(refused, Refusal)
    assert refused.code == code
    assert version in refused.message


def test_a_document_seen_before_is_still_an_offer():
    assert isinstance(judged("0.2.0", seen="0.2.0"), Offer)


@pytest.mark.parametrize(
    "fields",
    [
        {"format": 2},
        {"application": "another"},
        {"version": "newest"},
        {"page": "http://example.org/"},
        {"page": "https://user@example.org/"},
        {"page": "https://example.org/ a"},
        {"page": "javascript:alert(1)"},
        {"notes": "x" * 100_001},
        {"files": [ON_LINUX | {"sha256": "0" * 63}]},
        {"files": [ON_LINUX | {"name": "../x"}]},
        {"files": [ON_LINUX | {"url": "file:///x"}]},
        {"files": [ON_LINUX | {"size": 0}]},
        {"files": [ON_LINUX] * 51},
    ],
)
def test_a_document_that_makes_no_sense_is_refused(fields: dict[str, Any]):
    refused = read(document(**fields))
    assert isinstance(refused, Refusal)
    assert next(iter(fields)) in refused.message


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"\xff", b"null"])
def test_what_is_no_document_is_refused(raw: bytes):
    assert isinstance(read(raw), Refusal)


def test_a_later_document_may_say_more():
    assert isinstance(read(document(mood="calm")), Release)
