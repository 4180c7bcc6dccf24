"""Secrets are planted everywhere they can be entered, everything that can go wrong goes wrong, and then every file,
every database page and everything that was ever printed is searched for them."""

import base64
import gzip
import http.client
import json
import os
import signal
import socket
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from execution_engine.adapters.storage.log_reading import export_log
from execution_engine.domain.log_lines import LogQuestion
from tests.stories.installation import Installation

BTC = "BINANCE:BTCUSDT"
API_KEY, API_SECRET, PHRASE = "cnrKey4f81d2", "cnrSecret77ab90", "cnrPhrase!c3"
PASSWORD, WRONG = "cnrPassword 5e2 horse", "cnrWrong 18a battery"
BODY, HMAC = "cnrBody90fe\u00e4", "cnrHmac41bc7"
MAIL, PATH = "cnrMail!d07", "cnrPath5509ab"
TARGET = f"json://me:{MAIL}@127.0.0.1:9/hook/{PATH}"  # nobody listens there
PLANTED = (API_KEY, API_SECRET, PHRASE, PASSWORD, WRONG, "cnrBody90fe", HMAC, MAIL, PATH)
SCENARIOS = 1_000


def spellings(secret: str) -> Iterator[bytes]:
    raw = secret.encode()
    yield raw
    yield secret.encode("utf-16-le")
    yield json.dumps(secret)[1:-1].encode()
    yield base64.b64encode(raw).rstrip(b"=")
    yield raw.hex().encode()


def found_in(place: str, text: bytes, secrets: tuple[str, ...] = PLANTED) -> list[str]:
    return [f"{secret} in {place}" for secret in secrets if any(form in text for form in spellings(secret))]


def found_under(folder: Path) -> list[str]:
    found = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
        found += found_in(str(path.relative_to(folder)), raw)
    return found


def hostile(engine: Installation) -> Iterator[tuple[str, str, bytes, dict[str, str]]]:
    """Yield requests with secrets where they belong and where they do not: method, path, body, headers."""
    body = {"exchange": "BINANCE", "symbol": "BTCUSDT", "timeframe": "15", "action": "buy", "secret": BODY}
    whole = json.dumps(body, ensure_ascii=False).encode()
    secrets = (BODY, HMAC, API_KEY, API_SECRET, PHRASE, PASSWORD)
    for number in range(SCENARIOS):
        secret = secrets[number % len(secrets)]
        quoted = secret.encode().hex()
        yield from (
            ("POST", engine.path, whole[: 20 + number % len(whole)], {}),
            ("POST", engine.path, whole.replace(b"BTCUSDT", b"NOTHING%d" % number), {}),
            ("POST", engine.path, json.dumps(body | {"secret": f"{secret} {number}"}).encode(), {}),
            ("POST", engine.path, whole, {"X-Signature": f"sha256={quoted}"}),
            ("POST", f"/webhook/{quoted}", whole, {}),
            ("POST", engine.path, b'{"secret": "' + secret.encode() + b'", "secret": 1}', {}),
            ("GET", f"/health?signature={quoted}", b"", {"X-MBX-APIKEY": quoted}),
            (
                "POST",
                "/paper/price",
                b'{"symbol": "' + secret.encode(),
                {"Authorization": f"Bearer {quoted}"},
            ),
        )[number % 8 : number % 8 + 1]


def send_all(engine: Installation) -> None:
    connection = http.client.HTTPConnection(*engine.address, timeout=20)
    for method, path, body, headers in hostile(engine):
        try:
            connection.request(method, path, body, headers)
            connection.getresponse().read()
        except (http.client.HTTPException, OSError):
            connection.close()
    connection.close()


def ask_nonsense(engine: Installation) -> bytes:
    """Ask the command socket for what makes it fail inside, with secrets in every argument."""
    answers = b""
    for request in (
        {
            "command": "account add",
            "args": {"name": "x", "keys": {"api_key": API_KEY, "api_secret": API_SECRET}},
        },
        {"command": "account add", "args": {"name": API_KEY, "exchange": "okx", "market": API_SECRET}},
        {"command": "account keys", "args": {"name": "main", "keys": [API_KEY, API_SECRET], "password": 5}},
        {
            "command": "account keys",
            "args": {"name": "main", "keys": {"api_key": API_KEY, "api_secret": "x"}},
        },
        {"command": "secret", "args": {"which": "body", "secret": ["x", BODY], "password": WRONG}},
        {"command": "secret", "args": {"which": "body", "secret": BODY[:4], "password": PASSWORD}},
        {"command": API_SECRET, "args": {}},
    ):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(20)
            line.connect(os.fspath(engine.folder.control))
            line.sendall(json.dumps(request).encode() + b"\n")
            while part := line.recv(65536):
                answers += part
    return answers.replace(API_SECRET.encode(), b"", 1)  # the unknown command is quoted to whoever sent it


@pytest.mark.fault(88)
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_planted_secret_is_found_anywhere(
    install: Callable[..., Installation], tmp_path: Path, nowhere: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    engine = install(
        environment={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
        options=["--password-file", str(file)],
        routes=nowhere,
        logs__level="DEBUG",
        webhook__failures_per_minute=100_000,
    ).start()
    printed: list[str] = []

    def cli(*words: str, stdin: str | None = None, status: int = 0) -> None:
        told = engine.cli(*words, stdin=stdin)
        printed.append(told.stdout + told.stderr)
        assert told.returncode == status, told

    with_password = ("--password-file", str(file))
    keys = json.dumps({"api_key": API_KEY, "api_secret": API_SECRET, "passphrase": PHRASE})
    real = ("--exchange", "okx", "--market", "spot", "--mode", "demo", "--stdin")
    cli("account", "add", "--name", "main", *real, *with_password, stdin=keys)
    cli("account", "add", "--name", "main", *real, *with_password, stdin=keys, status=1)
    cli("account", "check", "main")
    cli("webhook", "secret", "hmac", "--stdin", stdin=HMAC)
    engine.command("secret", which="hmac", secret=HMAC)

    cli("notify", "add", "phone", "--stdin", stdin=TARGET)
    cli("notify", "test", "phone", status=1)
    cli("settings", "set", "notifications.level", "DEBUG")
    engine.expected_errors += ["phone"]

    # A body secret of plain letters only can be set; the umlaut is what senders get wrong.
    cli("webhook", "secret", "body", "--stdin", stdin="cnrBody90fe")
    engine.price(BTC, 100)
    assert engine.alert(BTC, price=100, secret="cnrBody90fe").status == 202
    engine.live(BTC)
    send_all(engine)
    answers = ask_nonsense(engine)

    engine.kill()  # what a core dump would show is not there, and the write-ahead log is still full
    found = found_under(engine.root)
    engine.options = engine.options[:-2]
    engine.start()
    wrong = tmp_path / "wrong"
    wrong.write_text(WRONG)
    for _ in range(2):
        cli("account", "keys", "main", "--stdin", "--password-file", str(wrong), stdin=keys, status=1)
    cli("account", "keys", "main", "--stdin", *with_password, stdin=keys)
    state = engine.state()
    cli("state", "--json")
    cli("account", "list", "--json")
    cli("settings", "export", str(tmp_path / "exported.json"))
    cli("backup", str(tmp_path / "backup.sqlite"))
    cli("verify")
    cli("export", "audit", str(tmp_path / "audit.csv"))
    cli("export", "trades", str(tmp_path / "trades.json"))
    cli("notify", "--json")
    cli("diagnostics", str(tmp_path / "bundle.zip"))
    cli("diagnostics", str(tmp_path / "bundle.zip"), status=1)
    assert engine._end(signal.SIGTERM) == 0
    assert engine.folder.notifications.exists()  # critical messages that nobody took wait in it

    export_log(engine.folder.database, LogQuestion(), tmp_path / "log.csv")
    cli("restore", str(tmp_path / "backup.sqlite"))
    assert list(engine.root.glob("engine-set-aside-*"))
    found += found_under(engine.root)
    found += found_in("standard error", engine.said.read_bytes())
    found += found_in("the command line", "".join(printed).encode())
    found += found_in("the command socket", answers)
    found += found_in("the state", json.dumps(state).encode())
    for name in ("exported.json", "backup.sqlite", "audit.csv", "trades.json", "log.csv"):
        found += found_in(name, (tmp_path / name).read_bytes())
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        parts = {name: bundle.read(name) for name in bundle.namelist()}
    assert len(parts) == 8
    assert b'"level": "DEBUG"' in parts["settings.json"]
    for name, raw in parts.items():
        found += found_in(name, raw, (*PLANTED, engine.token))
    assert found == []
    # The webhook's token is in the database, so that its URL can be shown; it is nowhere else.
    token = (engine.token,)
    shown = [tmp_path / name for name in ("exported.json", "audit.csv", "trades.json", "log.csv")]
    for path in (*engine.folder.logs.iterdir(), engine.folder.notifications, *shown, engine.said):
        assert found_in(path.name, path.read_bytes(), token) == []
    assert found_in("the state", json.dumps(state).encode(), token) == []
