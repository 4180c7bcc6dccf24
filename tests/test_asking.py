"""What the command line asks of its user, and what it takes from where nobody sits."""

from __future__ import annotations

import getpass
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from execution_engine import asking

Type = Callable[..., list[str]]


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Give what puts somebody at a terminal who types these lines; returns the questions they are asked."""
    monkeypatch.delenv(asking.PASSWORD_VARIABLE, raising=False)

    def sit_down(*lines: str) -> list[str]:
        asked: list[str] = []
        left = list(lines)

        def ask(question: str = "") -> str:
            asked.append(question)
            return left.pop(0)

        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(getpass, "getpass", ask)
        return asked

    return sit_down


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give what puts a pipe in the place of a terminal."""
    monkeypatch.delenv(asking.PASSWORD_VARIABLE, raising=False)
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_password_comes_from_the_file_then_from_the_environment_then_from_the_user(
    type_in: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = type_in("typed")
    assert asking.password(None) == "typed"
    assert asked == ["Master password: "]
    monkeypatch.setenv(asking.PASSWORD_VARIABLE, "from the environment")
    assert asking.password(None) == "from the environment"
    file = tmp_path / "password"
    file.write_bytes(b" from the file \r\n")
    assert asking.password(str(file)) == " from the file "


def test_a_password_file_without_a_password_is_told(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("\n")
    with pytest.raises(asking.NotTold, match="is empty"):
        asking.password(str(file))


def test_where_nobody_sits_nothing_is_asked(nobody: Callable[[str], None]) -> None:
    nobody("")
    assert asking.password(None) is None
    assert asking.new_password(None) is None
    for work in (
        lambda: asking.keys(from_pipe=False, with_passphrase=True),
        lambda: asking.secret(from_pipe=False),
    ):
        with pytest.raises(asking.NotTold, match="--stdin"):
            work()


def test_a_new_password_is_typed_twice(type_in: Type, capsys: pytest.CaptureFixture[str]) -> None:
    type_in("correct horse", "correct horse")
    assert asking.new_password(None) == "correct horse"
    assert "entered again" in capsys.readouterr().out
    type_in("correct horse", "correct house")
    with pytest.raises(asking.NotTold, match="differ"):
        asking.new_password(None)


def test_a_new_password_that_is_given_is_not_asked_for(tmp_path: Path, type_in: Type) -> None:
    file = tmp_path / "password"
    file.write_text("given")
    asked = type_in()
    assert asking.new_password(str(file)) == "given"
    assert asked == []


def test_keys_are_asked_for_one_by_one(type_in: Type) -> None:
    asked = type_in("key", "secret", "phrase")
    assert asking.keys(from_pipe=False, with_passphrase=True) == {
        "api_key": "key",
        "api_secret": "secret",
        "passphrase": "phrase",
    }
    assert asked == ["API key: ", "API secret: ", "passphrase: "]
    type_in("key", "secret")
    assert asking.keys(from_pipe=False, with_passphrase=False) == {"api_key": "key", "api_secret": "secret"}


def test_keys_and_secrets_through_a_pipe(nobody: Callable[[str], None]) -> None:
    nobody('{"api_key": "key", "api_secret": "secret", "note": "not a key"}')
    assert asking.keys(from_pipe=True, with_passphrase=True) == {"api_key": "key", "api_secret": "secret"}
    nobody("a secret\n")
    assert asking.secret(from_pipe=True) == "a secret\n"
    for wrong in ("", "{", "[1]", '"text"', '{"api_key": 1}'):
        nobody(wrong)
        with pytest.raises(asking.NotTold, match="holds no keys"):
            asking.keys(from_pipe=True, with_passphrase=True)


def test_a_secret_is_asked_for(type_in: Type) -> None:
    type_in("a secret")
    assert asking.secret(from_pipe=False) == "a secret"
