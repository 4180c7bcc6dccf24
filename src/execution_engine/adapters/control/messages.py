"""What goes over the command socket, and what can go wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from execution_engine.domain.errors import EngineError

MOST_REQUEST_BYTES = 1024 * 1024
BATCH = 20  # elements of a list that are encoded at once, before others have their turn


class NotRunning(EngineError):
    """No engine answers for this data folder: start it, or use a command that does without."""


class CommandFailed(EngineError):
    """A running engine did not do what it was asked; the text is a sentence for the user."""


class ControlError(EngineError):
    """The command socket cannot be opened; the text says why and what to do."""


def request_line(command: str, args: dict[str, Any]) -> bytes:
    """Write a request."""
    return json.dumps({"command": command, "args": args}, default=_as_text).encode() + b"\n"


def read_request(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """Return the command and its arguments; None where the line is no request."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(request, dict):
        return None
    command, args = request.get("command"), request.get("args", {})
    return (command, args) if isinstance(command, str) and isinstance(args, dict) else None


def read_answer(line: bytes) -> Any:
    """Return the result in an answer. Raises CommandFailed."""
    try:
        answer = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise CommandFailed("The engine ended before it had answered.")
    if not answer.get("ok"):
        raise CommandFailed(str(answer.get("error", "The engine gave no reason.")))
    return answer.get("result")


def pieces(value: Any) -> Iterator[str]:
    """Yield JSON in pieces so small that none of them keeps the loop for long."""
    if isinstance(value, dict):
        before = "{"
        for key, inner in value.items():
            yield f"{before}{json.dumps(str(key))}:"
            yield from pieces(inner)
            before = ","
        yield "}" if value else "{}"
    elif isinstance(value, list | tuple) and len(value) > BATCH:
        for first in range(0, len(value), BATCH):
            batch = json.dumps(value[first : first + BATCH], default=_as_text)
            yield ("," if first else "[") + batch[1:-1]
        yield "]"
    else:
        yield json.dumps(value, default=_as_text)


def _as_text(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
