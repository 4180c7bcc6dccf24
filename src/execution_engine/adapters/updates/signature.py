"""Signatures in the form of minisign: Ed25519, with the name of the key and a comment that is signed too.

The form is that of https://jedisct1.github.io/minisign/, so that anybody can check by hand what this program
checks by itself: `minisign -V -m release.json -P KEY`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from execution_engine.adapters.updates.errors import Unsigned

_PLAIN, _HASHED = b"Ed", b"ED"
_TRUSTED = "trusted comment: "
LONGEST = 4096  # bytes; a signature has about 300
LONGEST_COMMENT = 1024


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signs releases. name: eight bytes that a signature says it was made with."""

    name: bytes
    key: Ed25519PublicKey

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read the line that minisign prints. Raises ValueError."""
        raw = base64.b64decode(text, validate=True)
        if len(raw) != 42 or raw[:2] != _PLAIN:
            raise ValueError("this is no public key of minisign")
        return cls(raw[2:10], Ed25519PublicKey.from_public_bytes(raw[10:]))


def verify(document: bytes, signature: bytes, keys: Sequence[PublicKey]) -> str:
    """Return the signed comment of a document that one of the keys signed. Raises Unsigned."""
    algorithm, name, over_document, comment, over_comment = _parts(signature)
    known = [each.key for each in keys if each.name == name]
    if not known:
        raise Unsigned("The release document is signed with a key that this program does not know.")
    signed = hashlib.blake2b(document).digest() if algorithm == _HASHED else document
    for key in known:
        try:
            key.verify(over_document, signed)
            key.verify(over_comment, over_document + comment.encode())
        except InvalidSignature:
            continue
        return comment
    raise Unsigned("The release document was changed after it was signed.")


def _parts(signature: bytes) -> tuple[bytes, bytes, bytes, str, bytes]:
    """Take a signature apart: algorithm, name of the key, signature, comment, signature over both."""
    try:
        _, first, comment, last = signature.decode("utf-8").strip().splitlines()
        raw, over_comment = base64.b64decode(first, validate=True), base64.b64decode(last, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Unsigned("The release document has no signature that could be read.") from error
    well = len(raw) == 74 and raw[:2] in (_PLAIN, _HASHED) and len(over_comment) == 64
    if not well or not comment.startswith(_TRUSTED) or len(comment) > LONGEST_COMMENT:
        raise Unsigned("The release document has no signature that could be read.")
    return raw[:2], raw[2:10], raw[10:], comment.removeprefix(_TRUSTED), over_comment
