"""What ccxt keeps of its streams, kept so that nothing it is told goes by unseen.

ccxt hands out what came to whoever waits for it at that moment; two messages read together are then one. But it
puts every single one into a collection first, and these tell when that happens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loguru import logger

Json = dict[str, Any]
Listener = Callable[[Json], None]


class TellingQuotes(dict[str, Json]):
    """The newest quote per symbol."""

    def __init__(self, told: Listener) -> None:
        super().__init__()
        self._told = told

    def __setitem__(self, symbol: str, quote: Json) -> None:
        super().__setitem__(symbol, quote)
        _tell(self._told, quote)


def telling_list(kind: Any, told: Listener) -> Any:
    """Return a collection of ccxt's own class `kind` that tells what is appended to it."""
    kept = kind(1000)
    append = kept.append

    def append_and_tell(item: Json) -> None:
        append(item)
        _tell(told, item)

    kept.append = append_and_tell
    return kept


def _tell(told: Listener, item: Json) -> None:
    try:
        told(item)
    except Exception:  # the socket's other messages must not suffer
        logger.exception("what a stream said could not be taken in")
