"""A language of words that are a third longer than the English ones, as German's are, to see what still fits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from execution_engine.ui import tongue

LONGER = 0.35
ENDING = "enheitsgesellschaft"
_FIELD = re.compile(r"(\{+\w*\}+)")


def stretched(text: str) -> str:
    """Make every word of a text longer; fields for values stay as they are."""
    parts = _FIELD.split(text)
    return "".join(
        part if place % 2 else re.sub(r"[A-Za-z]{3,}", _longer, part) for place, part in enumerate(parts)
    )


def _longer(word: re.Match[str]) -> str:
    return word[0] + ENDING[: round(len(word[0]) * LONGER + 0.3)]


class Stretching:
    """A catalogue that has every text."""

    def translate(self, context: str, text: str, meaning: str | None) -> str:
        return stretched(text)

    def language(self) -> str:
        return "xx"


@contextmanager
def longer_words() -> Iterator[None]:
    """Speak that language for a while; tables of words that were made before stay English."""
    tongue.speak(tongue.ENGLISH, Path())  # forgets what was looked up
    tongue._catalogue = Stretching()  # type: ignore[assignment]
    try:
        yield
    finally:
        tongue.speak(tongue.ENGLISH, Path())
