"""Signatures as the four exchanges make them: HMAC with SHA-256, written in two ways."""

from __future__ import annotations

import base64
import hashlib
import hmac


def as_hex(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def as_base64(secret: str, text: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
