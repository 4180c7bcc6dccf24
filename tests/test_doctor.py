"""What `doctor` finds: each look where all is well and where it is not, and that none of them lasts."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from execution_engine import doctor
from execution_engine.adapters import surroundings
from execution_engine.adapters.control import CommandFailed
from execution_engine.adapters.paths import DataFolder, data_folder
from execution_engine.adapters.security import vault as vaults
from execution_engine.adapters.security.os_keyring import OsKeyring
from execution_engine.adapters.security.password import Cost
from execution_engine.adapters.security.vault import Vault
from execution_engine.adapters.storage import migrate
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.core import first_rows
from execution_engine.doctor import Finding, Patient, State, examine, is_well
from execution_engine.domain import document as documents
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import Account, Mode, SettingsVersion, World
from execution_engine.domain.settings import Settings
from tests.adapters.storage.making import committed

NOW = datetime(2026, 11, 20, 12, 0, 0, 500_000, tzinfo=UTC)


def now() -> datetime:
    return NOW


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    monkeypatch.setattr(doctor, "ANSWER_S", 0.4)
    monkeypatch.setattr(doctor, "PATIENCE_S", 1.0)
    monkeypatch.setattr(doctor.finding, "find", lambda program: None)
    monkeypatch.setattr(OsKeyring, "is_there", lambda keyring: True)
    return data_folder(tmp_path / "data")


@contextmanager
def answering(status: int = 200, *, ahead: timedelta = timedelta(), body: object = ()) -> Iterator[str]:
    """Answer on this machine with a status and a date; yield the address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = json.dumps(body).encode()
            self.send_response_only(status)
            self.send_header("Date", format_datetime((NOW - ahead).replace(microsecond=0), usegmt=True))
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/time"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def silent() -> Iterator[int]:
    """Take connections and never answer; yield the port."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def urls(url: str, **others: str) -> dict[str, str]:
    return dict.fromkeys(("binance", "bybit", "okx", "kucoin"), url) | others


def saved(folder: DataFolder, *accounts: Account, **settings: object) -> None:
    """Have a database with these settings and accounts."""
    document = Settings()
    for path, value in settings.items():
        document = documents.with_value(document, path.replace("__", "."), value)
    migrate.create(folder.database)
    store = SqliteStore(folder.database)
    version = SettingsVersion(id=900, saved_at=NOW, note="", document=documents.dump(document))
    committed(store, *first_rows(NOW), *accounts, version)
    store.close()


def real(exchange: str) -> Account:
    return Account(
        name="main",
        exchange=exchange,
        market=Market.SPOT,
        mode=Mode.LIVE,
        world=World.LIVE,
        enabled=True,
        created_at=NOW,
    )


def found(folder: DataFolder, url: str = "", **more: Any) -> dict[str, Finding]:
    seen = examine(folder, now, has_display=more.pop("has_display", False), greetings=urls(url, **more))
    return {one.name: one for one in seen}


def running(folder: DataFolder, **facts: Any) -> Patient:
    usual: dict[str, Any] = {
        "address": ["127.0.0.1", 1],
        "feed": "manual",
        "accounts": [],
        "tunnel": {"light": "off", "sentence": "No tunnel is wanted.", "hints": []},
        "vault": {"open": True, "trouble": ""},
    }
    return Patient(folder, usual | facts)


# -- all of it


def test_without_an_engine_and_with_the_network_all_is_well(folder: DataFolder) -> None:
    saved(folder, webhook__port=0)
    with answering() as url:
        seen = examine(folder, now, has_display=False, greetings=urls(url))
    assert [one.name for one in seen] == ["port", "tunnel", "keyring", "clock", "disk", "exchange", "display"]
    assert is_well(seen), seen
    told = {one.name: one.sentence for one in seen}
    assert told["exchange"] == "binance, bybit, okx, kucoin can be reached."
    assert told["clock"].startswith("It agrees with ")
    assert told["port"] == "Any free port is taken; no engine is running."


def test_before_the_first_start_nothing_is_missed_and_nothing_is_made(folder: DataFolder) -> None:
    before = sorted(folder.root.rglob("*"))
    with answering() as url:
        assert found(folder, url)["disk"].state is State.OK
    assert sorted(folder.root.rglob("*")) == before


def test_manual_and_synthetic_prices_contact_nobody(folder: DataFolder) -> None:
    saved(folder, paper__feed="manual")
    seen = found(folder, "http://127.0.0.1:9/nobody")
    assert (
        seen["exchange"].sentence == "None is contacted: there is only paper, and its prices are set by hand."
    )
    assert seen["clock"].sentence == "It was not compared: nothing here contacts an exchange."
    assert {seen["exchange"].state, seen["clock"].state} == {State.OFF}


def test_what_never_answers_is_waited_for_no_longer_than_said(folder: DataFolder) -> None:
    saved(folder, real("okx"), paper__feed="manual", webhook__port=0)
    begun = time.monotonic()
    with silent() as port:
        seen = found(folder, okx=f"http://127.0.0.1:{port}/time")
    assert time.monotonic() - begun < 5
    assert seen["exchange"].sentence == "Not reached are okx: no answer in time."
    assert seen["exchange"].state is State.ERROR
    assert seen["clock"].sentence == "It could not be compared: no exchange could be reached."


def test_a_look_that_hangs_or_breaks_is_told_and_keeps_nothing_else_waiting(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(folder, paper__feed="manual", webhook__port=0)
    ended = threading.Event()
    monkeypatch.setattr(doctor, "keyring", lambda patient: ended.wait(30))
    monkeypatch.setattr(doctor, "disk", lambda patient: 1 / 0)
    seen = found(folder)
    ended.set()
    assert seen["keyring"].sentence == "It did not answer in time."
    assert seen["disk"].sentence == "It could not be asked: ZeroDivisionError."
    assert seen["port"].state is State.OK
    assert not is_well(list(seen.values()))


# -- one by one


def test_a_port_that_another_program_has_is_named_with_what_to_do(folder: DataFolder) -> None:
    with silent() as port:
        saved(folder, paper__feed="manual", webhook__port=port)
        one = found(folder)["port"]
    assert one.state is State.ERROR
    assert one.sentence.startswith(f"Port {port} on 127.0.0.1 is used by another program")
    assert "choose another port" in one.todo


@pytest.mark.parametrize(
    ("status", "body", "state", "words"),
    [
        (200, {}, State.OK, "listens and answers."),
        (503, {"reasons": ["paper is on hold."]}, State.WARN, "the engine is not well: paper is on hold."),
        (503, [], State.WARN, "the engine is not well: no reason was given."),
        (404, {}, State.OK, "listens and answers."),  # asked from here, and not taken for this machine
    ],
)
def test_a_running_engine_is_asked_how_it_is(
    folder: DataFolder, status: int, body: object, state: State, words: str
) -> None:
    with answering(status, body=body) as url:
        port = int(url.rpartition(":")[2].partition("/")[0])
        one = doctor.port(running(folder, address=["0.0.0.0", port]))
    assert one.state is state
    assert one.sentence.startswith(f"Port {port} on 0.0.0.0")
    assert one.sentence.endswith(words)


def test_a_running_engine_that_is_silent_or_listens_nowhere_is_no_running_engine(folder: DataFolder) -> None:
    with silent() as port:
        one = doctor.port(running(folder, address=["127.0.0.1", port]))
    assert (one.state, "does not answer" in one.sentence) == (State.ERROR, True)
    one = doctor.port(running(folder, address=None))
    assert (one.state, one.sentence) == (State.ERROR, "The engine runs and listens nowhere.")


def test_an_engine_that_hangs_keeps_nobody_from_the_rest(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(*asked: object) -> object:
        raise CommandFailed("The engine did not answer within 4 s.")

    monkeypatch.setattr(doctor, "call", hangs)
    saved(folder, paper__feed="manual")
    seen = found(folder)
    assert (seen["port"].state, seen["disk"].state) == (State.ERROR, State.OK)
    assert seen["port"].sentence.endswith("The engine did not answer within 4 s.")


@pytest.mark.parametrize(
    ("settings", "installed", "state", "words"),
    [
        ({}, "", State.OFF, "No tunnel is wanted; no program for one is installed."),
        ({}, "ngrok", State.OFF, "No tunnel is wanted; ngrok would make one."),
        (
            {"tunnel__enabled": True},
            "",
            State.ERROR,
            "A tunnel is wanted, and no program for it is installed.",
        ),
        (
            {"tunnel__enabled": True},
            "ngrok",
            State.OK,
            "ngrok is installed; the engine starts it with itself.",
        ),
        ({"tunnel__public_url": "https://a.example.com"}, "", State.OFF, "Alerts come through https://a."),
    ],
)
def test_a_tunnel_is_looked_for_while_no_engine_runs(
    folder: DataFolder,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    installed: str,
    state: State,
    words: str,
) -> None:
    monkeypatch.setattr(doctor.finding, "find", lambda program: "/bin/x" if program == installed else None)
    saved(folder, paper__feed="manual", **settings)
    one = found(folder)["tunnel"]
    assert one.state is state
    assert one.sentence.startswith(words)
    assert bool(one.todo) is (not installed and "public_url" not in str(settings))


def test_a_running_engine_says_how_its_tunnel_is_and_what_to_do(folder: DataFolder) -> None:
    said = {"light": "error", "sentence": "ngrok is not installed.", "hints": ["ngrok: see x"]}
    one = doctor.tunnel(running(folder, tunnel=said))
    assert (one.state, one.sentence, one.todo) == (State.ERROR, "ngrok is not installed.", "ngrok: see x")
    one = doctor.tunnel(running(folder, tunnel=said | {"hints": []}))
    assert "tunnel --check" in one.todo


def test_who_opens_the_vault_is_looked_for(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vaults, "calibrated", lambda: Cost(memory_mib=8, passes=1))
    at_rest = Patient(folder)
    assert "it will open the vault" in doctor.keyring(at_rest).sentence
    monkeypatch.setattr(OsKeyring, "is_there", lambda keyring: False)
    assert doctor.keyring(at_rest).state is State.OFF
    Vault(folder.vault).make("correct horse", in_keyring=False)
    assert doctor.keyring(at_rest).sentence == "The vault is opened by a master password."
    assert doctor.keyring(running(folder)).sentence.endswith("It is open.")
    locked = doctor.keyring(running(folder, vault={"open": False, "trouble": "It was locked by you."}))
    assert (locked.state, locked.sentence) == (State.WARN, "The vault is locked: It was locked by you.")
    monkeypatch.setattr(Vault, "is_in_keyring", True)
    assert doctor.keyring(at_rest).state is State.WARN
    monkeypatch.setattr(Vault, "has_password", False)
    assert doctor.keyring(at_rest).state is State.ERROR
    monkeypatch.undo()
    for copy in folder.root.glob("vault*"):
        copy.write_bytes(b"no vault at all")
    assert doctor.keyring(at_rest).state is State.ERROR


@pytest.mark.parametrize(
    ("ahead", "state", "words"),
    [
        (0, State.OK, "It agrees with okx's, give or take 0.5 s."),
        (1, State.OK, "It agrees with okx's, give or take 0.5 s."),
        (5, State.WARN, "It is 5 s ahead of okx's."),
        (-5, State.WARN, "It is 5 s behind okx's."),
        (-90, State.ERROR, "It is 90 s behind okx's."),
    ],
)
def test_the_clock_is_compared_with_an_exchanges(
    folder: DataFolder, ahead: int, state: State, words: str
) -> None:
    saved(folder, real("okx"), paper__feed="manual", webhook__port=0)
    with answering(ahead=timedelta(seconds=ahead)) as url:
        seen = found(folder, url)
    assert (seen["clock"].state, seen["clock"].sentence) == (state, words)
    assert bool(seen["clock"].todo) is (state is not State.OK)
    assert seen["exchange"].sentence == "okx can be reached."


def test_an_exchange_that_refuses_still_tells_the_time_and_is_named(folder: DataFolder) -> None:
    saved(folder, webhook__port=0)
    with answering() as url, answering(451) as refused:
        seen = found(folder, url, binance=refused, bybit=refused, kucoin="http://127.0.0.1:9/nobody")
    words = "Not reached are binance, bybit: status 451; kucoin: connection refused; okx can."
    assert (seen["exchange"].state, seen["exchange"].sentence) == (State.WARN, words)
    assert "451" in seen["exchange"].todo
    assert seen["clock"].state is State.OK


def test_an_account_in_trouble_is_named_with_its_reason(folder: DataFolder) -> None:
    row = {"name": "main", "enabled": True, "status": "hold", "reason": "its keys are in the locked vault."}
    rows = [
        row,
        row | {"name": "off", "enabled": False},
        row | {"name": "bad", "status": "error", "reason": "x"},
    ]
    one = doctor.exchange(running(folder, accounts=rows), {})
    assert one.state is State.ERROR
    assert one.sentence == "main is on hold: its keys are in the locked vault.; bad cannot be used: x."


def test_a_disk_without_room_and_a_place_that_is_unfit_are_told(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_rest = Patient(folder)
    monkeypatch.setattr(doctor.machine, "free_bytes", lambda path: 12_000_000)
    one = doctor.disk(at_rest)
    assert (one.state, one.sentence) == (State.ERROR, f"Only 12 MB are free at {folder.root}.")
    monkeypatch.setattr(doctor.machine, "free_bytes", lambda path: None)
    assert doctor.disk(at_rest).state is State.WARN
    synced = DataFolder(Path("/home/x/Dropbox/engine"))
    one = doctor.disk(replace(at_rest, folder=synced))
    assert (one.state, one.sentence.startswith("The data is in a folder that Dropbox")) == (State.WARN, True)
    assert one.todo == "That damages a database. Choose a folder outside of it."


def test_a_database_or_settings_that_cannot_be_read_are_told_and_left_alone(folder: DataFolder) -> None:
    saved(folder, paper__feed="manual")
    with closing(sqlite3.connect(folder.database)) as connection, connection:
        connection.execute("UPDATE settings_versions SET document = '{'")
    one = found(folder, "http://127.0.0.1:9/nobody")["disk"]
    assert (one.state, one.sentence.startswith("The newest settings make no sense: ")) == (State.ERROR, True)
    assert "settings history" in one.todo
    for beside in folder.root.glob("engine.sqlite-*"):
        beside.unlink()
    folder.database.write_bytes(b"no database" * 1000)
    one = found(folder, "http://127.0.0.1:9/nobody")["disk"]
    assert (one.state, "cannot be read" in one.sentence) == (State.ERROR, True)
    assert folder.database.read_bytes() == b"no database" * 1000


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="displays are sockets only there")
def test_a_display_that_is_named_and_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(**environment: str) -> str:
        return surroundings.screen_fault(environment, "linux")

    monkeypatch.setattr(surroundings, "_loads", lambda library: True)
    assert fault(DISPLAY=":4711") == "DISPLAY is :4711, and no display answers there."
    assert fault(DISPLAY="nonsense") == "DISPLAY is nonsense, and no display answers there."
    assert "no display answers at" in fault(WAYLAND_DISPLAY="way", XDG_RUNTIME_DIR=str(tmp_path))
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(tmp_path / "way"))
        there.listen()
        assert fault(WAYLAND_DISPLAY="way", XDG_RUNTIME_DIR=str(tmp_path)) == ""
    with silent() as port:
        monkeypatch.setattr(surroundings, "X_PORT", port - 10)
        assert fault(DISPLAY="127.0.0.1:10.0") == ""
        monkeypatch.setattr(surroundings, "_loads", lambda library: library != "libxcb-cursor.so.0")
        told = fault(DISPLAY="127.0.0.1:10.0")
        assert told.startswith("Libraries of the system are missing: libxcb-cursor.so.0; ")
        assert "sudo apt install libxcb-cursor0" in told
    assert fault(QT_QPA_PLATFORM="offscreen") == ""
    assert surroundings.screen_fault({}, "darwin") == ""


def test_where_there_is_no_display_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.display(has_display=False).state is State.OFF
    faults: list[Callable[[], str]] = [lambda: "", lambda: "DISPLAY is :5, and no display answers there."]
    states = []
    for fault in faults:
        monkeypatch.setattr(surroundings, "screen_fault", fault)
        states.append(doctor.display(has_display=True).state)
    assert states == [State.OK, State.ERROR]
