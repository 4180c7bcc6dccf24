"""Accounts and their keys on the command line: entered, kept encrypted, checked, removed; engine or not."""

import io
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keyring
import pytest

from execution_engine.adapters.storage.reader import Reader
from execution_engine.cli import main
from tests.stories.installation import Installation, Plain

ROOT = Path(__file__).resolve().parents[2]
BTC = "BINANCE:BTCUSDT"
KEYS = {"api_key": "story-api-key", "api_secret": "story-api-secret", "passphrase": "story-phrase"}
PASSWORD = "a master password of the story"
REAL = ("--exchange", "okx", "--market", "swap", "--mode", "demo")

Install = Callable[..., Installation]


@pytest.fixture
def install(install: Install, nowhere: Path) -> Install:
    """Give a maker of installations that reach no exchange."""
    return partial(install, routes=nowhere)


@pytest.fixture
def with_keyring(tmp_path: Path) -> dict[str, str]:
    """Give an environment whose system keyring is a file, the same for every process."""
    return {
        "PYTHONPATH": str(ROOT),
        "PYTHON_KEYRING_BACKEND": "tests.adapters.security.keyrings.OnDisk",
        "TEST_KEYRING": str(tmp_path / "keyring.json"),
    }


@pytest.fixture
def without_keyring() -> dict[str, str]:
    return {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return str(file)


class Line:
    """The command line of any installation, in this process: a new one for each command would take most of the time."""

    def __init__(self, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capture = capture
        self._patch = patch

    def run(self, engine: Installation, *words: str, stdin: object = None) -> tuple[int, str, str]:
        """Run a command in an installation's environment; return its status and what it wrote."""
        piped = stdin if isinstance(stdin, str) else json.dumps(stdin) if stdin else ""
        self._capture.readouterr()
        system = keyring.get_keyring()
        with self._patch.context() as patched:
            patched.setattr(sys, "stdin", io.StringIO(piped))
            for name, value in engine.environment.items() - os.environ.items():
                patched.setenv(name, value)
            keyring.core.init_backend()
            try:
                status = main([*words, "--data-dir", str(engine.root)])
            except SystemExit as end:  # a usage error
                status = int(end.code or 0)
            finally:
                keyring.set_keyring(system)
        written = self._capture.readouterr()
        return status, written.out, written.err

    def says(self, engine: Installation, *words: str, stdin: object = None) -> list[str]:
        status, out, err = self.run(engine, *words, stdin=stdin)
        assert (status, err) == (0, "")
        return out.splitlines()

    def refuses(self, engine: Installation, *words: str, stdin: object = None) -> str:
        status, out, err = self.run(engine, *words, stdin=stdin)
        assert (status, out) == (1, ""), err
        (sentence,) = err.splitlines()
        return sentence

    def account(self, engine: Installation, name: str) -> Plain:
        rows = json.loads("\n".join(self.says(engine, "account", "list", "--json")))
        found: Plain = next((row for row in rows if row["name"] == name), {})
        return found


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(capsys, monkeypatch)


def acts(engine: Installation) -> list[str]:

    return [row.act for row in Reader(engine.folder.database).audit()]


@pytest.mark.parametrize("running", [True, False])
def test_keys_are_kept_by_the_systems_keyring(
    install: Install, line: Line, with_keyring: dict[str, str], running: bool
) -> None:
    engine = install(environment=with_keyring)
    if running:
        engine.start()
    told = line.says(
        engine,
        "account",
        "add",
        "--name",
        "main",
        *REAL,
        "--stdin",
        stdin=KEYS | {"api_key": " story-api-key\n"},
    )
    assert told[0] == "Spaces and line breaks around or in the API key were taken out."
    assert told[1] == "Account main was added. It is disabled until you enable it."
    row = line.account(engine, "main")
    shown = (row["exchange"], row["market"], row["mode"], row["enabled"], row["status"], row["check"]["fit"])
    assert shown == ("okx", "swap", "demo", False, "disabled", False)
    assert "main: okx swap demo, disabled, disabled" in line.says(engine, "account", "list")
    # Nobody could be asked about the keys, so nobody may trade with them.
    assert line.refuses(engine, "account", "enable", "main") == row["check"]["faults"][0]
    assert not line.account(engine, "main")["enabled"]
    if running:
        engine.stop()
        engine.start()
        assert engine.state()["engine"]["reasons"] == []
    line.says(engine, "account", "keys", "main", "--stdin", stdin=KEYS)
    assert line.says(engine, "account", "remove", "main", "--yes") == ["Account main was removed."]
    assert line.account(engine, "main") == {}
    assert {"vault_made", "keys_entered", "account_checked", "vault_unlocked", "keys_removed"} <= set(
        acts(engine)
    )
    log = Reader(engine.folder.database).audit()
    assert {row.origin for row in log if row.act != "vault_unlocked"} == {"command line"}
    if running:  # the second start opened it by itself
        assert "automatic" in {row.origin for row in log if row.act == "vault_unlocked"}
    assert line.says(engine, "verify")[0].startswith("Everything agrees")
    if running:
        engine.stop()


def test_a_master_password_where_there_is_no_keyring(
    install: Install, line: Line, without_keyring: dict[str, str], password_file: str
) -> None:
    engine = install(environment=without_keyring)
    engine.start()
    adding = ("account", "add", "--name", "main", *REAL, "--stdin")
    assert "--password-file" in line.refuses(engine, *adding, stdin=KEYS)
    assert line.account(engine, "main") == {}
    line.says(engine, *adding, "--password-file", password_file, stdin=KEYS)
    engine.stop()

    # Started without it, everything but the keys works, and what is wrong is said.
    engine.expected_errors = []
    engine.start()
    assert any("master password" in reason for reason in engine.state()["engine"]["reasons"])
    assert "master password" in line.refuses(engine, "account", "keys", "main", "--stdin", stdin=KEYS)
    engine.environment = engine.environment | {"EXECUTION_ENGINE_PASSWORD": "a wrong one it is"}
    assert (
        line.refuses(engine, "account", "keys", "main", "--stdin", stdin=KEYS)
        == "The master password is wrong; the vault stays locked."
    )
    engine.environment = engine.environment | {"EXECUTION_ENGINE_PASSWORD": PASSWORD}
    line.says(engine, "account", "keys", "main", "--stdin", stdin=KEYS)
    assert engine.state()["engine"]["reasons"] == []
    del engine.environment["EXECUTION_ENGINE_PASSWORD"]
    assert {"vault_refused", "vault_unlocked"} <= set(acts(engine))
    engine.kill()

    engine.options += ["--password-file", password_file]
    engine.start()
    assert engine.state()["engine"]["reasons"] == []
    engine.stop()


def test_a_paper_account_of_ones_own_trades(install: Install, line: Line) -> None:
    engine = install().start()
    engine.price(BTC, 101)
    mine = ("--exchange", "binance", "--market", "spot", "--mode", "paper")
    line.says(engine, "account", "add", "--name", "mine", *mine)
    told = engine.accepted(BTC, price=100, account="mine")
    assert engine.outcome(told) == ("rejected", "account “mine” is disabled")
    assert line.says(engine, "account", "enable", "mine") == ["Account mine is enabled."]
    engine.wait_for(lambda state: status_of(state, "mine") == "ready", "the account is read")
    engine.accepted(BTC, price=100, account="mine")
    engine.live(BTC)
    assert "has 1 open groups" in line.refuses(engine, "account", "remove", "mine", "--yes")
    assert "is disabled: it opens nothing" in line.says(engine, "account", "disable", "mine")[0]
    engine.restart(ready=False)
    group = engine.live(BTC)
    line.says(engine, "exit", group["id"])
    engine.group(BTC, "closed")
    assert line.says(engine, "account", "remove", "mine") == ["Account mine was removed."]
    assert status_of(engine.state(), "mine") is None
    line.says(engine, "account", "default", "paper")
    assert line.account(engine, "paper")["default"]
    engine.stop()
    engine.prove_books()


def status_of(state: Plain, name: str) -> str | None:
    return next((row["status"] for row in state["accounts"] if row["name"] == name), None)


def test_what_cannot_be_is_one_sentence(install: Install, line: Line, with_keyring: dict[str, str]) -> None:
    engine = install(environment=with_keyring)
    add = ("account", "add", "--stdin", "--name")
    assert "has no testnet mode" in line.refuses(
        engine, *add, "x", "--exchange", "okx", "--market", "spot", "--mode", "testnet", stdin=KEYS
    )
    assert "letters, digits" in line.refuses(engine, *add, "a b", *REAL, stdin=KEYS)
    assert "already" in line.refuses(engine, *add, "Paper", *REAL, stdin=KEYS)
    assert line.refuses(engine, *add, "x", *REAL, stdin={"api_key": "12345678"}) == (
        "okx keys have a passphrase; enter it, too."
    )
    assert "The API secret is missing." in line.refuses(
        engine, *add, "x", *REAL, stdin=KEYS | {"api_secret": ""}
    )
    for text in ("", "[]", "no json", '{"api_key": 5}'):
        assert "Standard input holds no keys" in line.refuses(engine, *add, "x", *REAL, stdin=text)
    without_pipe = ("account", "add", "--name", "x", *REAL)
    assert "give them with --stdin" in line.refuses(engine, *without_pipe)
    for action in ("check", "enable", "disable", "remove", "default"):
        assert line.refuses(engine, "account", action, "nobody", "--yes") == "There is no account “nobody”."
    for words in (("add", "--name", "x"), ("explode",), ("add", "--name", "x", *REAL, "--mode", "real")):
        assert line.run(engine, "account", *words)[0] == 2
    assert line.account(engine, "x") == {}


def test_secrets_of_the_listener(
    install: Install, line: Line, without_keyring: dict[str, str], password_file: str
) -> None:
    engine = install(
        environment=without_keyring, options=["--password-file", password_file], webhook__secret_required=True
    )
    engine.start()
    assert engine.alert(BTC, secret="a secret body").status == 401
    told = line.says(
        engine,
        "webhook",
        "secret",
        "body",
        "--stdin",
        "--password-file",
        password_file,
        stdin="a secret body\n",
    )
    assert told == ["The body secret of the webhook was set."]
    assert engine.alert(BTC, secret="a secret body").status == 202
    assert engine.alert(BTC, secret="another one").status == 401
    assert engine.alert(BTC).status == 401

    # While the vault is locked nobody can be told apart: whoever has the token is asked to come again.
    engine.options = engine.options[:-2]
    engine.restart()
    assert engine.alert(BTC, secret="a secret body").status == 503
    path, engine.path = engine.path, "/webhook/another-token"
    assert engine.alert(BTC, secret="a secret body").status == 401
    engine.path = path
    line.says(engine, "webhook", "secret", "hmac", "--remove", "--password-file", password_file)
    assert engine.alert(BTC, secret="a secret body").status == 202
    line.says(engine, "webhook", "secret", "body", "--remove")
    assert engine.alert(BTC, secret="a secret body").status == 401
    engine.stop()


def test_a_damaged_vault_stops_nobody(install: Install, line: Line, with_keyring: dict[str, str]) -> None:
    engine = install(environment=with_keyring)
    line.says(engine, "account", "add", "--name", "main", *REAL, "--stdin", stdin=KEYS)
    for name in ("vault", "vault.previous"):
        (engine.root / name).write_bytes(b"nonsense")
    engine.start()
    assert "is not a vault" in engine.state()["engine"]["reasons"][0]
    engine.price(BTC, 101)
    engine.accepted(BTC, price=100)
    engine.live(BTC)
    assert "is not a vault" in line.refuses(engine, "account", "keys", "main", "--stdin", stdin=KEYS)
    engine.stop()


def test_a_keyring_that_never_answers_delays_neither_alerts_nor_the_end(
    install: Install, line: Line, with_keyring: dict[str, str]
) -> None:
    engine = install(environment=with_keyring)
    line.says(engine, "account", "add", "--name", "main", *REAL, "--stdin", stdin=KEYS)
    engine.environment = engine.environment | {
        "PYTHON_KEYRING_BACKEND": "tests.adapters.security.keyrings.Silent"
    }
    engine.start()
    engine.price(BTC, 101)
    engine.accepted(BTC, price=100)
    engine.live(BTC)
    began = time.monotonic()
    engine.stop()
    assert time.monotonic() - began < 15  # its own deadline is 30 s after the start
