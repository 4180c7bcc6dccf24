"""Every command of the command line, with a running engine and without one."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from execution_engine import asking
from execution_engine.cli import main
from tests.stories.installation import D, Installation, Plain, legs_of, orders_of

BTC, ETH = "BINANCE:BTCUSDT", "BINANCE:ETHUSDT"

# The document of the specification, key for key.
KEYS = {
    "": {"engine", "accounts", "groups", "queue", "alerts", "risk_actions"},
    "engine": {"status", "reasons", "version", "worlds"},
    "world": {"slots_used", "slots", "realized_pnl_usd", "unrealized_pnl_usd"},
    "account": {"name", "exchange", "market", "mode", "enabled", "status", "reason"},
    "group": {
        "id",
        "account",
        "exchange",
        "symbol",
        "timeframe",
        "side",
        "status",
        "hold",
        "forced",
        "pyramid_count",
        "max_pyramids",
        "replacement_count",
        "filled_quantity",
        "open_quantity",
        "weighted_avg_entry",
        "invested_usd",
        "realized_pnl_usd",
        "unrealized_pnl_usd",
        "unrealized_pnl_percent",
        "tp_mode",
        "tp_aggregate_percent",
        "risk",
        "created_at",
        "closed_at",
        "orders",
        "pyramids",
    },
    "risk": {"timer_started_at", "timer_expires_at", "blocked", "skip_once", "eligible"},
    "pyramid": {"pyramid_index", "status", "entry_price", "created_at", "legs"},
    "leg": {
        "leg_index",
        "status",
        "gap_percent",
        "weight_percent",
        "tp_percent",
        "price",
        "quantity",
        "tp_price",
        "filled_quantity",
        "open_quantity",
        "avg_fill_price",
        "tp_hit",
        "orders",
    },
    "order": {
        "client_order_id",
        "exchange_order_id",
        "purpose",
        "side",
        "type",
        "price",
        "quantity",
        "status",
        "filled_quantity",
        "avg_fill_price",
        "created_at",
    },
    "queued": {
        "id",
        "account",
        "symbol",
        "timeframe",
        "side",
        "entry_price",
        "queued_at",
        "replacement_count",
        "current_loss_percent",
        "rank",
        "reason",
    },
    "alert": {"id", "received_at", "signal", "outcome", "reason", "group_id", "duplicates", "replay_of"},
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def prove_keys(state: Plain) -> None:
    parts: list[tuple[str, Plain]] = [("", state), ("engine", state["engine"])]
    parts += [("world", world) for world in state["engine"]["worlds"].values()]
    parts += [("account", row) for row in state["accounts"]]
    parts += [("queued", row) for row in state["queue"]]
    parts += [("alert", row) for row in state["alerts"]]
    for group in state["groups"]:
        parts += [("group", group), ("risk", group["risk"])]
        parts += [("pyramid", pyramid) for pyramid in group["pyramids"]]
        parts += [("leg", leg) for leg in legs_of(group)]
        parts += [("order", order) for order in orders_of(group)]
    for name, part in parts:
        assert set(part) == KEYS[name], name
        for key, value in part.items():
            assert not isinstance(value, float), f"{name}.{key} is a float"
            if key.endswith("_at") and value is not None:
                assert TIME.fullmatch(value), f"{name}.{key} is {value}"
    assert {"group", "leg", "order", "queued", "alert"} <= {name for name, _ in parts}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit status and what it wrote."""

    status: int
    out: str
    err: str


class Words:
    """The command line of one installation; each command must end as it is expected to."""

    def __init__(self, engine: Installation, capture: pytest.CaptureFixture[str]) -> None:
        self.engine = engine
        self._capture = capture

    def run(self, *words: str) -> Ended:
        """Run a command in this process: starting a new one for each would take most of the time."""
        self._capture.readouterr()
        try:
            status = main([*words, "--data-dir", str(self.engine.root)])
        except SystemExit as end:  # a usage error
            status = int(end.code or 0)
        written = self._capture.readouterr()
        return Ended(status, written.out, written.err)

    def says(self, *words: str) -> str:
        ended = self.run(*words)
        assert (ended.status, ended.err) == (0, ""), ended
        return ended.out.rstrip("\n")

    def reads(self, *words: str) -> Any:
        return json.loads(self.says(*words))

    def refuses(self, *words: str) -> str:
        """Return the one sentence of a command that cannot be done."""
        ended = self.run(*words)
        assert (ended.status, ended.out) == (1, ""), ended
        (sentence,) = ended.err.splitlines()
        return sentence


@pytest.fixture
def words(install: Callable[..., Installation], capsys: pytest.CaptureFixture[str]) -> Words:
    """Give the command line of an engine with a full pool of one, and a queue."""
    engine = install(pool__max_open_groups=1, capital__total_usd="1000").start()
    for symbol in (BTC, ETH):
        engine.price(symbol, 101)
    engine.accepted(BTC, price=100)
    engine.live(BTC)
    engine.price(BTC, 100)
    engine.queued(engine.accepted(ETH, price=100))
    return Words(engine, capsys)


def test_state_and_webhook(words: Words) -> None:
    state = words.reads("state", "--json")
    prove_keys(state)
    (group,) = state["groups"]
    assert (group["symbol"], group["exchange"]) == ("BTCUSDT", "binance")
    assert D(group["unrealized_pnl_usd"]) == 0
    assert [row["symbol"] for row in state["queue"]] == ["ETHUSDT"]
    (webhook,) = words.reads("webhook", "--json")
    assert set(webhook) == {"name", "url", "token"}
    host, port = words.engine.address
    assert webhook["url"] == f"http://{host}:{port}/webhook/{webhook['token']}"
    assert words.says("webhook") == f"{webhook['name']}: {webhook['url']}"

    words.says("exit", group["id"])
    words.engine.group(BTC, "closed")
    assert [row["symbol"] for row in words.reads("state", "--json", "--open")["groups"]] == ["ETHUSDT"]
    both = words.reads("state", "--json")
    assert both["groups"][0]["status"] == "closed"
    words.engine.stop()

    # Without a running engine the same is read from the disk, and there are no prices.
    rest = words.reads("state", "--json")
    prove_keys(rest | {"queue": state["queue"]})
    assert rest["engine"]["status"] == "stopped"
    assert [row["id"] for row in rest["groups"]] == [row["id"] for row in both["groups"]]
    assert [row["id"] for row in words.reads("state", "--json", "--open")["groups"]] == [
        both["groups"][-1]["id"]
    ]
    assert words.says("state").splitlines()[0] == "stopped"
    assert words.reads("webhook", "--json")[0]["token"] == webhook["token"]


def test_a_question_that_nobody_answers_is_a_no(
    install: Callable[..., Installation], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(question: str) -> str:
        raise EOFError

    monkeypatch.setattr(asking, "can_ask", lambda: True)
    monkeypatch.setattr("builtins.input", ended)
    words = Words(install(), capsys)
    for command in (("close-all",), ("account", "remove", "paper")):
        ended_with = words.run(*command)
        assert (ended_with.status, ended_with.err) == (1, "nothing was done\n")


def test_whoever_reads_the_first_lines_only_is_told_nothing_more(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "execution_engine", "settings", "get", "--data-dir", str(install().root)]
    with (tmp_path / "said").open("w+b") as said, subprocess.Popen(command, stdout=PIPE, stderr=said) as run:
        assert run.stdout is not None
        run.stdout.close()
        assert run.wait(30) == 1
        said.seek(0)
        assert said.read() == b""


def test_the_doctor_looks_with_a_running_engine_and_without(words: Words) -> None:
    engine = words.engine
    names = ["port", "tunnel", "keyring", "clock", "disk", "exchange", "display"]
    (webhook,) = words.reads("webhook", "--json")
    host, port = engine.address
    told = words.says("doctor")
    assert [line.split()[1] for line in told.splitlines()] == names
    assert told.splitlines()[0].endswith(f"Port {port} on {host} listens and answers.")
    assert webhook["token"] not in told
    found = words.reads("doctor", "--json")
    assert [set(row) for row in found] == [{"name", "state", "sentence", "todo"}] * len(names)
    assert {row["state"] for row in found} <= {"ok", "off"}
    engine.stop()
    words.says("settings", "set", "webhook.port", "0")
    words.says("settings", "set", "paper.feed", "manual")
    assert words.says("doctor").splitlines()[0].endswith("no engine is running.")

    # The folder's port is in somebody else's hands: status 1, and what to do.
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        words.says("settings", "set", "webhook.port", str(other.getsockname()[1]))
        ended = words.run("doctor")
    assert (ended.status, ended.err) == (1, "")
    assert "End that program, or choose another port" in ended.out.splitlines()[0]


def test_the_actions_of_the_screens(words: Words) -> None:
    engine = words.engine
    group = engine.groups(BTC)[0]["id"]
    assert words.says("pause").startswith("Paused")
    assert words.says("resume") == "Running."
    assert "blocked" in words.says("risk", "block", group)
    assert "skipped once" in words.says("risk", "skip", group)
    words.says("risk", "unblock", group)
    assert engine.groups(BTC)[0]["risk"]["blocked"] is False
    waiting = engine.state()["queue"][0]["id"]
    assert words.says("promote", waiting, "--yes").endswith("has been forced into the pool.")
    second = engine.live(ETH)
    engine.queued(engine.accepted("BINANCE:BTCUSDT", price=100, timeframe="60"))
    assert "was removed" in words.says("queue", "remove", engine.state()["queue"][0]["id"])
    assert words.says("exit", second["id"]) == "ETHUSDT 15m is being closed."
    engine.group(ETH, "closed")
    alert = engine.state()["alerts"][0]["id"]
    words.says("replay", alert)
    engine.live(BTC, legs=10)
    first, second_one = missed(engine, "60"), missed(engine, "240")
    assert words.says("decide", first, "send", "--yes").startswith("It was sent as alert ")
    assert first not in missed_ones(engine.state())
    message = '{"exchange": "BINANCE", "symbol": "ETHUSDT", "timeframe": "15", "type": "exit"}'
    assert "ETHUSDT 15m" in words.refuses("decide", second_one, "send", "--message", message, "--yes")
    assert "1 groups are being closed" in words.says("close-all", "--yes")
    engine.group(BTC, "closed")
    assert engine.state()["engine"]["status"] == "paused"
    engine.stop()
    assert list(missed_ones(words.reads("state", "--json"))) == [second_one]
    engine.prove_books()


def missed_ones(state: Plain) -> dict[str, str]:
    """Return what the state says of alerts that never came, by the numbers of the findings."""
    reasons = state["engine"]["reasons"]
    told = ((re.search(r"`decide (\d+) send` or `decide \1 dismiss`", reason), reason) for reason in reasons)
    return {found[1]: reason for found, reason in told if found}


def missed(engine: Installation, timeframe: str) -> str:
    """Let a strategy say that it is long already, whose entry never came; return the finding's number."""
    before = set(missed_ones(engine.state()))
    went = {"prev_market_position": "long", "market_position": "long"}
    engine.accepted(ETH, price=3000, timeframe=timeframe, **went)
    told = engine.wait_for(lambda now: set(missed_ones(now)) - before, "the missed alert is told")
    (number,) = set(missed_ones(told)) - before
    return number


def test_unknown_ids_are_one_sentence(words: Words) -> None:
    for command in (
        ("exit", "999"),
        ("promote", "999"),
        ("replay", "999"),
        ("queue", "remove", "999"),
        ("risk", "skip", "999"),
        ("risk", "block", "999"),
    ):
        assert "999" in words.refuses(*command)
    words.engine.stop()


def test_what_needs_a_running_engine_says_so(
    install: Callable[..., Installation], capsys: pytest.CaptureFixture[str]
) -> None:
    words = Words(install(), capsys)
    for command in (
        ("pause",),
        ("resume",),
        ("close-all",),
        ("exit", "1"),
        ("promote", "1"),
        ("replay", "1"),
    ):
        assert words.refuses(*command) == "No engine is running for this data folder."


@pytest.mark.parametrize("running", [True, False])
def test_settings(
    install: Callable[..., Installation], capsys: pytest.CaptureFixture[str], tmp_path: Path, running: bool
) -> None:
    engine = install()
    words = Words(engine, capsys)
    if running:
        engine.start()
    assert words.says("settings", "get", "pool.max_open_groups") == "10"
    assert words.says("settings", "get", "take_profit.mode") == "per_leg"
    assert words.reads("settings", "get")["webhook"]["port"] == 8787
    words.says("settings", "set", "pool.max_open_groups", "7")
    words.says("settings", "set", "take_profit.mode", "hybrid")  # text, because it is no JSON
    words.says("settings", "set", "grid.bindings", '[{"symbol": "BTC*", "profile": "default"}]')
    assert words.says("settings", "get", "pool.max_open_groups") == "7"
    assert words.says("settings", "get", "grid.bindings.0.symbol") == "BTC*"
    if running:
        assert engine.state()["engine"]["worlds"]["paper"]["slots"] == 7
    file = tmp_path / "settings.json"
    assert words.says("settings", "export", str(file)) == ""
    document = json.loads(file.read_text())
    assert document["take_profit"]["mode"] == "hybrid"
    assert words.reads("webhook", "--json")[0]["token"] not in file.read_text()
    file.write_text(json.dumps(document | {"pool": {"max_open_groups": 5}}))
    words.says("settings", "import", str(file))
    assert words.says("settings", "get", "pool.max_open_groups") == "5"

    assert words.refuses("settings", "set", "pool.max_open_groups", "-1").startswith("pool.max_open_groups: ")
    assert "there is no such setting" in words.refuses("settings", "set", "pool.nothing", "1")
    assert "there is no such setting" in words.refuses("settings", "get", "nothing.at.all")
    file.write_text('{"pool": {"max_open_groups": "many"}}')
    assert words.refuses("settings", "import", str(file)).startswith("pool.max_open_groups: ")
    file.write_text("{")
    assert "ends too early" in words.refuses("settings", "import", str(file))
    assert words.refuses("settings", "import", str(tmp_path / "nowhere.json")).endswith(
        "no such file or directory"
    )
    assert words.says("settings", "get", "pool.max_open_groups") == "5"

    history = words.says("settings", "history").splitlines()
    assert [line.partition(" ")[0] for line in history] == ["4", "3", "2", "1", "0"]
    assert history[-2].endswith("(pool.max_open_groups set on the command line): pool.max_open_groups 10 → 7")
    assert words.says("settings", "diff", "1", "2") == "take_profit.mode per_leg → hybrid"
    assert words.says("settings", "diff", "2", "2") == "Nothing differs."
    assert words.refuses("settings", "diff", "1", "9").startswith("There is no version 9 of the settings")
    words.says("settings", "restore", "1")
    assert words.says("settings", "diff", "1", "5") == "Nothing differs."
    assert words.says("settings", "get", "take_profit.mode") == "per_leg"

    words.says("settings", "set", "security.read_only", "true")
    for command in (
        ("settings", "set", "pool.max_queue", "1"),
        ("settings", "restore", "4"),
        ("account", "add", "--name", "more", "--exchange", "paper", "--market", "spot", "--mode", "paper"),
        *((("pause",), ("close-all",)) if running else ()),
    ):
        assert words.refuses(*command).startswith("Read only: nothing can be changed by hand.")
    words.says("settings", "set", "security.read_only", "false")
    words.says("settings", "set", "pool.max_queue", "1")
    if running:
        engine.stop()


@pytest.mark.parametrize("running", [True, False])
def test_accounts(
    install: Callable[..., Installation], capsys: pytest.CaptureFixture[str], running: bool
) -> None:
    engine = install()
    if running:
        engine.start()
    listed = Words(engine, capsys).says("account", "list").splitlines()
    assert [line.split(":")[0] for line in listed] == ["paper", "paper-perp"]
    assert "spot paper, enabled" in listed[0]
    if running:
        engine.stop()


def test_backup_restore_verify(words: Words, tmp_path: Path) -> None:
    engine = words.engine
    sound = "Everything agrees: the file is sound and every sum of money adds up."
    assert words.says("verify") == sound
    backup = tmp_path / "backup.sqlite"
    assert words.says("backup", str(backup)) == str(backup)
    assert "running already" in words.refuses("restore", str(backup))
    trades, log = tmp_path / "trades.csv", tmp_path / "audit.json"
    assert words.says("export", "trades", str(trades)).endswith("trades were written to trades.csv.")
    assert trades.read_text().startswith("group,world,account")
    assert "neither in .csv nor in .json" in words.refuses("export", "audit", str(tmp_path / "audit.txt"))
    engine.stop()
    assert "entries of the audit log were written" in words.says("export", "audit", str(log))
    last = json.loads(log.read_text())[-1]
    assert (last["act"], last["origin"]) == ("exported", "command line")
    assert words.says("verify") == sound
    second = tmp_path / "second.sqlite"
    assert words.says("backup", str(second)) == str(second)
    assert "is kept as engine-set-aside-" in words.says("restore", str(backup))
    assert "There is no backup" in words.refuses("restore", str(tmp_path / "nowhere.sqlite"))
    (tmp_path / "text").write_text("this is something else")
    assert "is not a backup" in words.refuses("restore", str(tmp_path / "text"))
    assert "is not a backup" in words.refuses("backup", str(tmp_path / "text"))
    engine.start(ready=False)
    engine.wait_for(lambda state: state["engine"]["status"] == "hold")
    assert [leg["status"] for leg in legs_of(engine.groups(BTC)[0])] == ["filled"] + ["open"] * 4
    held = engine.state()["engine"]
    assert held["status"] == "hold"
    assert held["reasons"][0].startswith("The backup backup.sqlite was restored.")
    engine.accepted(BTC, type="exit")
    assert engine.group(BTC, "closing")["orders"] == []  # nothing is sent before the user says so
    assert words.says("resume") == "Running."
    engine.group(BTC, "closed")
    engine.live(ETH)
    engine.stop()
    engine.prove_books()


@pytest.mark.fault(90)
def test_verify_finds_a_wrong_sum(words: Words) -> None:
    words.engine.stop()
    with closing(sqlite3.connect(words.engine.folder.database)) as connection, connection:
        connection.execute("UPDATE position_groups SET filled_quantity = '12345'")
    ended = words.run("verify")
    assert ended.status == 1
    assert "filled quantity is 12345" in ended.out


@pytest.mark.parametrize(
    "wrong",
    [
        ("nonsense",),
        ("exit",),
        ("exit", "first"),
        ("settings",),
        ("settings", "get", "a", "b"),
        ("--port", "70000"),
        ("--port", "http"),
        ("--paper-feed", "dreams"),
        ("queue", "clear"),
        ("risk",),
        ("backup",),
        ("state", "--xml"),
    ],
)
def test_usage_errors(
    install: Callable[..., Installation], capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...]
) -> None:
    ended = Words(install(), capsys).run(*wrong)
    assert (ended.status, ended.out) == (2, "")
    assert "usage: execution-engine" in ended.err


def test_a_process_of_its_own_ends_the_same_way(words: Words) -> None:
    engine = words.engine
    shown = engine.cli("state", "--json")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert json.loads(shown.stdout)["engine"]["status"] == "running"
    refused = engine.cli("exit", "999")
    assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", "there is no open group 999\n")
    assert engine.cli("nonsense").returncode == 2
    engine.stop()


def test_where_there_is_no_display_it_goes_on_without_a_window(install: Callable[..., Installation]) -> None:
    engine = install(nest=None)
    engine.options.remove("--headless")
    engine.environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    engine.start()
    engine.price(BTC, 100)
    engine.accepted(BTC, price=100)
    engine.live(BTC)
    first, *lines = engine.stderr().splitlines()
    assert first == "There is no display: going on without a window (--headless)."
    engine.said.write_text("\n".join(lines))
    engine.stop()


def test_where_a_library_of_the_system_is_missing_it_says_what_to_install(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    engine = install(nest=None)
    missing = "libGL.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "qasync.py").write_text(f"raise ImportError({missing!r})\n")
    engine.environment = os.environ | {"PYTHONPATH": str(tmp_path), "DISPLAY": ":0"}
    engine.environment.pop("QT_QPA_PLATFORM", None)
    ended = engine.cli()
    assert (ended.returncode, ended.stdout) == (1, "")
    (told,) = ended.stderr.splitlines()
    assert told.startswith(f"The window cannot be opened: {missing}. ")
    assert "apt install libegl1 libgl1 libxcb1" in told
    assert "--headless" in told
