"""The release document: what a new version is, signed, so that installed programs may believe it.

    release.py key                      make a key: its secret is printed once, its public part is added to resources
    release.py document FOLDER URL PAGE write release.json for the files in FOLDER, which will be had below URL
    release.py sign FILE                sign a file; the secret is read from RELEASE_SIGNING_KEY
    release.py check FILE               check a file and its signature with the keys that the program ships

The signature has the form of minisign, so `minisign -V -m FILE -P KEY` checks it as well. `sign` takes --dry-run:
then a key is used that is thrown away, and the signature is checked with that.

Before the first release resources/releases.json has to get a key, and the address of the newest document, which is
…/releases/latest/download/release.json where releases are kept. A program without them asks nobody.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

import changelog
import locked
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from execution_engine.adapters.updates import signature, source
from execution_engine.adapters.updates.errors import Unsigned
from execution_engine.domain import updates

RESOURCES = locked.ROOT / "resources"
SECRET = "RELEASE_SIGNING_KEY"

# Which file is for which computer, by its name.
FILES = (
    (re.compile(r".*-setup\.exe"), "windows", "x86_64"),
    (re.compile(r".*-arm64\.dmg"), "macos", "arm64"),
    (re.compile(r".*-x86_64\.dmg"), "macos", "x86_64"),
    (re.compile(r".*_amd64\.deb"), "linux", "x86_64"),
)


class Key:
    """A key that signs: eight bytes of a name, and the secret."""

    def __init__(self, name: bytes, secret: Ed25519PrivateKey) -> None:
        self.name, self.secret = name, secret

    @classmethod
    def new(cls) -> Key:
        return cls(secrets.token_bytes(8), Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> Key:
        raw = base64.b64decode(text.strip(), validate=True)
        if len(raw) != 40:
            raise SystemExit(f"{SECRET} is no key that `release.py key` printed")
        return cls(raw[:8], Ed25519PrivateKey.from_private_bytes(raw[8:]))

    def told(self) -> str:
        return base64.b64encode(self.name + self.secret.private_bytes_raw()).decode()

    @property
    def public(self) -> str:
        """Return the line that resources/releases.json and `minisign -P` take."""
        return base64.b64encode(b"Ed" + self.name + self.secret.public_key().public_bytes_raw()).decode()

    def sign(self, document: bytes, comment: str) -> str:
        """Return the signature of a document."""
        over_document = self.secret.sign(hashlib.blake2b(document).digest())
        over_comment = self.secret.sign(over_document + comment.encode())
        return "\n".join(
            [
                "untrusted comment: signature of a release of Execution Engine",
                base64.b64encode(b"ED" + self.name + over_document).decode(),
                f"trusted comment: {comment}",
                base64.b64encode(over_comment).decode(),
                "",
            ]
        )


def add_key(resources: Path = RESOURCES) -> str:
    """Make a key, let the program trust it as well, and return its secret."""
    path = resources / source.FILE
    told = json.loads(path.read_text(encoding="utf-8"))
    key = Key.new()
    told["keys"] = [*told["keys"][-1:], key.public]  # the present one and the next one
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return key.told()


def document(folder: Path, url: str, page: str, version: str, now: datetime) -> bytes:
    """Return the release document for the files of a folder. Raises SystemExit for one nobody would understand."""
    files = []
    for path in sorted(folder.iterdir()):
        for pattern, system, machine in FILES:
            if pattern.fullmatch(path.name):
                raw = path.read_bytes()
                files.append(
                    {
                        "system": system,
                        "machine": machine,
                        "name": path.name,
                        "url": f"{url.rstrip('/')}/{path.name}",
                        "sha256": hashlib.sha256(raw).hexdigest(),
                        "size": len(raw),
                    }
                )
    if not files:
        raise SystemExit(f"{folder} holds nothing that could be released")
    told = {
        "format": 1,
        "application": updates.APPLICATION,
        "version": version,
        "published": now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "notes": changelog.notes(version),
        "page": page,
        "files": files,
    }
    raw = (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()
    if isinstance(read := updates.read(raw), updates.Refusal):
        raise SystemExit(read.message)
    return raw


def sign(path: Path, key: Key, version: str) -> Path:
    """Write the signature beside a file and return where."""
    raw = path.read_bytes()
    beside = path.with_name(path.name + source.SIGNATURE)
    comment = f"execution-engine {version} {path.name} sha256:{hashlib.sha256(raw).hexdigest()}"
    beside.write_text(key.sign(raw, comment), encoding="utf-8", newline="\n")
    return beside


def check(path: Path, keys: tuple[signature.PublicKey, ...]) -> str:
    """Return what the signer says of a file. Raises SystemExit if no program would believe it."""
    beside = path.with_name(path.name + source.SIGNATURE)
    try:
        return signature.verify(path.read_bytes(), beside.read_bytes(), keys)
    except Unsigned as error:
        raise SystemExit(
            f"{path.name}: {error} (resources/releases.json has the keys that are known)"
        ) from error


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("key")
    making = commands.add_parser("document")
    making.add_argument("folder", type=Path)
    making.add_argument("url")
    making.add_argument("page")
    signing = commands.add_parser("sign")
    signing.add_argument("file", type=Path)
    signing.add_argument("--dry-run", action="store_true")
    commands.add_parser("check").add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    if given.command == "key":
        print(f"Keep this secret as {SECRET}; it is not kept anywhere else:\n{add_key()}")
    elif given.command == "document":
        target = given.folder / "release.json"
        target.write_bytes(document(given.folder, given.url, given.page, locked.version(), datetime.now(UTC)))
        print(target)
    elif given.command == "sign":
        key = Key.new() if given.dry_run else Key.parse(os.environ.get(SECRET, ""))
        print(sign(given.file, key, locked.version()))
        # A key that the program does not know would make every installed one refuse the release.
        known = (signature.PublicKey.parse(key.public),) if given.dry_run else source.shipped(RESOURCES).keys
        print(check(given.file, known))
    else:
        print(check(given.file, source.shipped(RESOURCES).keys))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
