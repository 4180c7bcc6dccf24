"""A release document is believed only with a good signature, and only within limits."""

import shutil
import subprocess
from pathlib import Path

import pytest

from execution_engine.adapters.updates import fetch, seen, signature, source
from execution_engine.adapters.updates.errors import Unreachable, Unsigned
from execution_engine.adapters.updates.seen import Seen
from execution_engine.adapters.updates.signature import PublicKey
from execution_engine.main import resources
from tests.adapters.updates.server import COMMENT, Signer, release, releases


async def test_a_signed_document_is_had_as_it_is():
    async with releases() as server:
        server.publish("0.2.0")
        assert await fetch.newest(server.source, "Execution Engine 0.1.0") == server.has["/release.json"]
        assert [path for path, _ in server.asked] == ["/release.json", "/release.json.minisig"]
        assert {program for _, program in server.asked} == {"Execution Engine 0.1.0"}


async def test_a_document_may_lie_where_the_address_leads_to():
    async with releases() as server:
        server.publish("0.2.0")
        for name in ("release.json", "release.json.minisig"):
            server.has[f"/0.2.0/{name}"] = server.has[f"/{name}"]
            server.has[f"/{name}"] = f"/0.2.0/{name}"
        assert await fetch.newest(server.source, "x") == server.has["/0.2.0/release.json"]


@pytest.mark.parametrize("changed", [b" ", b"\n", b"x"])
async def test_a_document_that_was_changed_is_refused(changed: bytes):
    async with releases() as server:
        server.publish("0.2.0")
        server.has["/release.json"] = release("0.2.0") + changed
        with pytest.raises(Unsigned, match="changed after it was signed"):
            await fetch.newest(server.source, "x")


async def test_a_document_that_somebody_else_signed_is_refused():
    async with releases() as server:
        server.publish("0.2.0", by=Signer(name=b"another."))
        with pytest.raises(Unsigned, match="does not know"):
            await fetch.newest(server.source, "x")
        server.publish("0.2.0", by=Signer())  # another key that calls itself by the name of the good one
        with pytest.raises(Unsigned, match="changed"):
            await fetch.newest(server.source, "x")


@pytest.mark.parametrize(
    "path", ["/release.json", "/release.json.minisig"], ids=["the document", "the signature"]
)
@pytest.mark.parametrize(
    ("held", "told"),
    [
        (404, "answered 404"),
        (500, "answered 500"),
        (b"x" * (fetch.LARGEST + 1), "more than a release document"),
        ("/release.json", None),
        ("http://example.org/release.json", "not protected"),
        ("ftp://127.0.0.1/release.json", "not protected"),
        ("", None),
    ],
)
async def test_a_server_that_answers_anything_else_is_no_source(
    path: str, held: bytes | int | str, told: str | None
):
    async with releases() as server:
        server.publish("0.2.0")
        server.has[path] = held
        with pytest.raises((Unreachable, Unsigned), match=told):
            await fetch.newest(server.source, "x")
        assert len(server.asked) <= 2 * (fetch.MOST_REDIRECTS + 1)


async def test_a_server_that_never_ends_is_not_waited_for():
    async with releases() as server:
        server.publish("0.2.0")
        server.has["/release.json"] = None
        with pytest.raises(Unreachable, match="in time"):
            await fetch.newest(server.source, "x", within_s=0.05)


async def test_a_server_that_is_not_there_is_no_source():
    async with releases() as server:
        gone = server.source
    with pytest.raises(Unreachable, match="cannot be reached"):
        await fetch.newest(gone, "x")


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\xff\xff",
        b"one\ntwo",
        b"untrusted comment: x\n!!!\ntrusted comment: y\n!!!\n",
        b"untrusted comment: x\nRUQ=\ntrusted comment: y\nRUQ=\n",
    ],
)
def test_what_is_no_signature_is_refused(broken: bytes):
    with pytest.raises(Unsigned, match="no signature"):
        signature.verify(b"document", broken, [Signer().public])


def test_the_comment_is_signed_too():
    signer = Signer()
    good = signer.sign(b"document")
    assert signature.verify(b"document", good, [signer.public]) == COMMENT
    with pytest.raises(Unsigned, match="changed"):
        signature.verify(b"document", good.replace(COMMENT.encode(), b"something else"), [signer.public])


def test_during_a_change_of_keys_either_is_good():
    before, after = Signer(b"before.."), Signer(b"after...")
    for each in (before, after):
        assert signature.verify(b"document", each.sign(b"document"), [before.public, after.public]) == COMMENT


@pytest.mark.parametrize("text", ["", "!", "RWQ=", "A" * 56])
def test_what_is_no_public_key_is_refused(text: str):
    with pytest.raises(ValueError, match=r".*"):
        PublicKey.parse(text)


@pytest.mark.skipif(not shutil.which("minisign"), reason="minisign is not installed")
def test_what_minisign_signs_is_good_here(tmp_path: Path):
    document, key = tmp_path / "document", tmp_path / "key"
    document.write_bytes(b"document")
    subprocess.run(
        ["minisign", "-G", "-W", "-f", "-p", f"{key}.pub", "-s", str(key)], check=True, capture_output=True
    )
    subprocess.run(
        ["minisign", "-S", "-s", str(key), "-m", str(document), "-t", COMMENT],
        check=True,
        capture_output=True,
    )
    public = PublicKey.parse((tmp_path / "key.pub").read_text().splitlines()[1])
    signed = (tmp_path / "document.minisig").read_bytes()
    assert signature.verify(b"document", signed, [public]) == COMMENT


def test_without_an_address_or_a_key_there_is_no_source():
    assert not source.Source("https://example.org/release.json", ())
    assert not source.Source("", (Signer().public,))
    assert source.Source("https://example.org/release.json", (Signer().public,))


def test_what_the_program_ships_can_be_read():
    shipped = source.shipped(resources())
    assert shipped.address == "" or shipped.address.startswith("https://")
    assert len(shipped.keys) <= 2


def test_what_was_seen_is_remembered(tmp_path: Path):
    path = tmp_path / "updates.json"
    assert seen.load(path) == Seen()
    seen.save(path, Seen("0.3.0", "0.2.0"))
    assert seen.load(path) == Seen("0.3.0", "0.2.0")


@pytest.mark.parametrize("text", ["", "[]", '{"mood": "calm"}', "\x00"])
def test_a_memory_that_makes_no_sense_is_none(tmp_path: Path, text: str):
    path = tmp_path / "updates.json"
    path.write_text(text)
    assert seen.load(path) == Seen()


def test_a_memory_that_cannot_be_written_stops_nothing(tmp_path: Path):
    path = tmp_path / "missing" / "updates.json"
    seen.save(path, Seen("0.3.0"))
    assert seen.load(path) == Seen()
