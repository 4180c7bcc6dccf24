"""What the command line asks of its user, or of a file, a variable or a pipe where nobody sits."""

from __future__ import annotations

import getpass
import json
import os
import sys
from pathlib import Path

from execution_engine.domain.errors import EngineError

PASSWORD_VARIABLE = "EXECUTION_ENGINE_PASSWORD"
KEY_FIELDS = ("api_key", "api_secret", "passphrase")


class NotTold(EngineError):
    """Something was asked for and not given; the text says how it can be."""


def can_ask() -> bool:
    """Return whether somebody sits at a terminal."""
    return sys.stdin.isatty()


def given_password(file: str | None) -> str | None:
    """Return the master password from the file, else from the environment; None where neither says it.

    Raises NotTold for a file that holds none, OSError for one that cannot be read.
    """
    if file is not None:
        # An editor ends the last line; whatever else is in the file belongs to the password.
        text = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        if not text:
            raise NotTold(f"The password file {file} is empty.")
        return text
    return os.environ.get(PASSWORD_VARIABLE) or None


def password(file: str | None) -> str | None:
    """Return the master password of a vault, asked for at a terminal where it is not given."""
    given = given_password(file)
    if given is None and can_ask():
        return getpass.getpass("Master password: ") or None
    return given


def new_password(file: str | None) -> str | None:
    """Return a master password to be set, asked for twice at a terminal where it is not given."""
    given = given_password(file)
    if given is not None or not can_ask():
        return given
    print("There is no system keyring. Choose a master password; lost, the keys have to be entered again.")  # noqa: T201
    first = getpass.getpass("New master password: ")
    if getpass.getpass("Once more: ") != first:
        raise NotTold("The two passwords differ; nothing was done.")
    return first or None


def keys(*, from_pipe: bool, with_passphrase: bool) -> dict[str, str]:
    """Return API keys: a JSON object from standard input, or asked for one by one. Raises NotTold."""
    if from_pipe:
        return _piped()
    if not can_ask():
        raise NotTold("Keys are asked for at a terminal; give them with --stdin where there is none.")
    wanted = KEY_FIELDS if with_passphrase else KEY_FIELDS[:2]
    return {name: getpass.getpass(f"{name.replace('_', ' ').replace('api', 'API')}: ") for name in wanted}


def _piped() -> dict[str, str]:
    try:
        given = json.loads(sys.stdin.read())
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(given.get(name, ""), str) for name in KEY_FIELDS):
        raise NotTold('Standard input holds no keys; they look like {"api_key": "…", "api_secret": "…"}.')
    return {name: given[name] for name in KEY_FIELDS if name in given}


def secret(*, from_pipe: bool) -> str:
    """Return a secret: all of standard input, or asked for. Raises NotTold."""
    if from_pipe:
        return sys.stdin.read()
    if not can_ask():
        raise NotTold("The secret is asked for at a terminal; give it with --stdin where there is none.")
    return getpass.getpass("Secret: ")
