"""The command line: starts the application, or speaks with the one that runs.

Exit status 0 on success, 2 on a usage error, 1 otherwise; errors are one sentence on standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

from execution_engine import __version__, asking
from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.control import NotRunning, call
from execution_engine.adapters.paths import DataFolder, chosen_root, data_folder
from execution_engine.adapters.security.core_dumps import disable_core_dumps
from execution_engine.adapters.security.folder_lock import FolderLock
from execution_engine.adapters.storage.backup import restore
from execution_engine.adapters.storage.errors import DatabaseCorrupt
from execution_engine.commands import Commands, Resting, Unfit
from execution_engine.core import Options
from execution_engine.doctor import State, examine, is_well
from execution_engine.domain import document as documents
from execution_engine.domain.account_commands import EXCHANGES, NEEDS_PASSPHRASE
from execution_engine.domain.cautions import cautions
from execution_engine.domain.changes import Change, between
from execution_engine.domain.errors import EngineError, VaultError
from execution_engine.domain.instrument import Market
from execution_engine.domain.origin import Origin, acting
from execution_engine.domain.routing import PAPER
from execution_engine.domain.rows import Choice, Mode
from execution_engine.domain.settings import PaperFeed, Settings
from execution_engine.domain.token_commands import LONGEST_OVERLAP_S
from execution_engine.keeping import HELD_BACK
from execution_engine.main import Application, run_headless
from execution_engine.webhooks import OVERLAP_HOURS

OK, FAILED, USAGE = 0, 1, 2
ANSWER_S = 60.0
QT_NEEDS = "libegl1 libgl1 libxcb1 fontconfig-config"  # as Debian and Ubuntu name them

Args = dict[str, Any]


CONFIRMED = {
    "exit": "Close group {group} at market?",
    "decide": "Choose {choice} for finding {finding}? What is booked, closed or sent stays so.",
    "close-all": "Pause, empty the queue, cancel every order and close every position at market?",
    "promote": "Override the limit of open groups for signal {signal}?",
    "replay": "Receive alert {alert} again as a new one? It trades.",
    "webhook revoke": "Refuse everything that is sent to webhook {name} from now on?",
}


def ask(folder: DataFolder, command: str, args: Args | None = None) -> Any:
    """Ask the running engine, or the disk while none runs. Raises EngineError with a sentence."""
    try:
        return call(folder.control, command, args or {}, ANSWER_S)
    except NotRunning:
        resting = Resting.open(folder)
    try:
        return resting.answer(command, args or {})
    finally:
        resting.close()


# -- commands


def _webhook(folder: DataFolder, given: argparse.Namespace) -> int:
    found = ask(folder, "webhook")
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        for row in found:
            print(f"{row['name']}: {row['url']}")
    return OK


def _state(folder: DataFolder, given: argparse.Namespace) -> int:
    shown = ask(folder, "state", {"open": given.open})
    if given.json:
        print(json.dumps(shown, indent=2, ensure_ascii=False))
        return OK
    engine = shown["engine"]
    print(f"{engine['status']} {' · '.join(engine['reasons'])}".strip())
    for name, world in engine["worlds"].items():
        print(
            f"{name}: {world['slots_used']} of {world['slots']} slots, realized {world['realized_pnl_usd']} USD"
        )
    for group in shown["groups"]:
        if group["closed_at"] is None:
            print(f"{group['id']} {group['symbol']} {group['timeframe']} {group['side']} {group['status']}")
    return OK


def _settings(folder: DataFolder, given: argparse.Namespace) -> int:
    action = {
        "get": _settings_get,
        "set": _settings_set,
        "export": _settings_export,
        "import": _settings_import,
        "history": _settings_history,
        "diff": _settings_diff,
        "restore": _settings_restore,
    }
    return action[given.action](folder, given)


def _current(folder: DataFolder) -> Settings:
    return documents.parse(ask(folder, "settings"))


def _settings_get(folder: DataFolder, given: argparse.Namespace) -> int:
    value = documents.get(_current(folder), given.path)
    print(value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False))
    return OK


def _settings_set(folder: DataFolder, given: argparse.Namespace) -> int:
    try:
        value = json.loads(given.value, parse_float=Decimal)
    except ValueError:
        value = given.value
    now = _current(folder)
    wanted = documents.with_value(now, given.path, value)
    _confirm_cautions(folder, given, now, wanted)
    args = {"document": documents.dump(wanted), "note": f"{given.path} set on the command line"}
    print(ask(folder, "save", args))
    return OK


def _confirm_cautions(folder: DataFolder, given: argparse.Namespace, now: Settings, wanted: Settings) -> None:
    """Say at a terminal what becomes more dangerous, and ask. Raises Unfit where that is not wanted."""
    if given.yes or not asking.can_ask():
        return
    rows = ask(folder, "accounts")
    live = [row["name"] for row in rows if row["enabled"] and row["mode"] == Mode.LIVE]
    found = cautions(now, wanted, live=live)
    for change in between(now, wanted) if found else ():
        print(change)
    for caution in found:
        print(f"{caution.about} {caution.sentence}")
    if found and not _confirmed("Save this?"):
        raise Unfit("nothing was done")


def _settings_export(folder: DataFolder, given: argparse.Namespace) -> int:
    Path(given.file).write_text(documents.dump(_current(folder)) + "\n", encoding="utf-8")
    return OK


def _settings_import(folder: DataFolder, given: argparse.Namespace) -> int:
    wanted = documents.parse(Path(given.file).read_bytes())
    _confirm_cautions(folder, given, _current(folder), wanted)
    args = {"document": documents.dump(wanted), "note": f"imported from {Path(given.file).name}"}
    print(ask(folder, "save", args))
    return OK


def _settings_history(folder: DataFolder, given: argparse.Namespace) -> int:
    for row in ask(folder, "settings versions"):
        saved = row["saved_at"]
        when = "" if saved is None else f" {saved[:16].replace('T', ' ')} UTC"
        note = f" ({row['note']})" if row["note"] else ""
        print(f"{row['number']}{when}{note}" + (f": {row['changes']}" if saved else ""))
    return OK


def _settings_diff(folder: DataFolder, given: argparse.Namespace) -> int:
    found = ask(folder, "settings difference", {"one": given.one, "other": given.other})
    for row in found:
        print(Change(row["path"], row["old"], row["new"]))
    if not found:
        print("Nothing differs.")
    return OK


def _settings_restore(folder: DataFolder, given: argparse.Namespace) -> int:
    print(ask(folder, "settings restore", {"number": given.number}))
    return OK


def _tunnel(folder: DataFolder, given: argparse.Namespace) -> int:
    shown = call(folder.control, "tunnel", {"check": given.check}, ANSWER_S)
    if given.json:
        print(json.dumps(shown, indent=2, ensure_ascii=False, default=_plain))
    else:
        print(f"{shown['light']}: {shown['sentence']}")
        for line in (shown["url"], *shown["hints"]):
            if line:
                print(line)
    return FAILED if shown["light"] == "error" else OK


def _webhook_list(folder: DataFolder, given: argparse.Namespace) -> int:
    rows = ask(folder, "webhooks")
    if given.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False, default=_plain))
        return OK
    for row in rows:
        words = ["accounts " + ", ".join(row["accounts"]) if row["accounts"] else "every account"]
        words.append(f"last used {_plain(row['last_used_at'])}" if row["last_used_at"] else "never used")
        if row["old_token_until"]:
            words.append(f"the old URL counts until {_plain(row['old_token_until'])}")
        print(f"{row['name']}: {'; '.join(words)}")
    return OK


def _about_webhook(action: str) -> Callable[[DataFolder, argparse.Namespace], int]:
    def run(folder: DataFolder, given: argparse.Namespace) -> int:
        args: Args = {"name": given.name, "to": getattr(given, "to", "")}
        args["accounts"] = list(getattr(given, "accounts", None) or ())
        args["overlap_s"] = round(getattr(given, "overlap_hours", 0) * 3600)
        question = CONFIRMED.get(f"webhook {action}")
        if question and not given.yes and not _confirmed(question.format(**args)):
            raise Unfit("nothing was done")
        print(ask(folder, f"webhook {action}", args))
        if action in ("add", "rotate"):
            for row in ask(folder, "webhook"):
                if row["name"] == given.name:
                    print(row["url"])
        return OK

    return run


def _webhook_secret(folder: DataFolder, given: argparse.Namespace) -> int:
    told = None if given.remove else asking.secret(from_pipe=given.stdin)
    args = {"which": given.which, "secret": told} | _password(folder, given, makes=True)
    print(ask(folder, "secret", args))
    return OK


def _notify_list(folder: DataFolder, given: argparse.Namespace) -> int:
    rows = call(folder.control, "notify", {}, ANSWER_S)
    if given.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False, default=_plain))
        return OK
    for row in rows:
        words = [
            row["kind"] or "address unknown",
            *([] if row["enabled"] else ["off"]),
            f"{row['sent']} sent",
        ]
        words += [f"{row['waiting']} waiting"] if row["waiting"] else []
        words += [f"{row['lost']} given up"] if row["lost"] else []
        words += [row["trouble"]] if row["trouble"] else []
        print(f"{row['name']}: {', '.join(words)}")
    return OK


def _about_target(action: str) -> Callable[[DataFolder, argparse.Namespace], int]:
    def run(folder: DataFolder, given: argparse.Namespace) -> int:
        args: Args = {"name": given.name}
        if action == "add":
            args["address"] = asking.secret(from_pipe=given.stdin)
        if action != "test":
            args |= _password(folder, given, makes=action == "add")
        question = f"Forget target {given.name} and its address?"
        if action == "remove" and not given.yes and not _confirmed(question):
            raise Unfit("nothing was done")
        print(call(folder.control, f"notify {action}", args, ANSWER_S))
        return OK

    return run


def _account_list(folder: DataFolder, given: argparse.Namespace) -> int:
    rows = ask(folder, "accounts")
    if given.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False, default=_plain))
        return OK
    for row in rows:
        words = ["enabled" if row["enabled"] else "disabled", row["status"]]
        words += ["default"] if row["default"] else []
        print(f"{row['name']}: {row['exchange']} {row['market']} {row['mode']}, {', '.join(words)}")
    return OK


def _plain(value: object) -> str:
    """Write a time as the command socket does."""
    return str(value).replace(" ", "T").replace("+00:00", "Z")


def _account_add(folder: DataFolder, given: argparse.Namespace) -> int:
    args: Args = {name: getattr(given, name) for name in ("name", "exchange", "market", "mode")}
    if given.mode != Mode.PAPER:
        args["keys"] = asking.keys(from_pipe=given.stdin, with_passphrase=given.exchange in NEEDS_PASSPHRASE)
        args |= _password(folder, given, makes=True)
    print(*ask(folder, "account add", args), sep="\n")
    return OK


def _account_keys(folder: DataFolder, given: argparse.Namespace) -> int:
    kinds = {row["name"]: row["exchange"] for row in ask(folder, "accounts")}
    keys = asking.keys(from_pipe=given.stdin, with_passphrase=kinds.get(given.name) in NEEDS_PASSPHRASE)
    args = {"name": given.name, "keys": keys} | _password(folder, given, makes=True)
    print(*ask(folder, "account keys", args), sep="\n")
    return OK


def _account_enable(folder: DataFolder, given: argparse.Namespace) -> int:
    confirmed = given.yes
    if not confirmed and asking.can_ask() and ask(folder, "account confirm", {"name": given.name}):
        print("The exchange does not tell whether these keys can take money out. Look at them on its site.")
        confirmed = _typed("If they cannot, type the account's name: ") == given.name
    print(ask(folder, "account enable", {"name": given.name, "confirmed": confirmed}))
    return OK


def _about_account(action: str) -> Callable[[DataFolder, argparse.Namespace], int]:
    def run(folder: DataFolder, given: argparse.Namespace) -> int:
        args = {"name": given.name}
        if action in ("check", "remove"):
            args |= _password(folder, given)
        question = f"Remove account {given.name} and forget its keys?"
        if action == "remove" and not given.yes and not _confirmed(question):
            raise Unfit("nothing was done")
        print(ask(folder, f"account {action}", args))
        return OK

    return run


def _password(folder: DataFolder, given: argparse.Namespace, *, makes: bool = False) -> Args:
    """Return the master password where it is needed now: asked for only if it is not given.

    makes: a vault is made where there is none; without a system keyring that takes a password.
    """
    vault = ask(folder, "vault")
    if vault["open"] or not (vault["exists"] or makes):
        return {}
    if vault["exists"]:
        told = asking.given_password(given.password_file)
        if told is None and vault["password"] and not vault["keyring"]:
            told = asking.password(None)
    elif vault["system_keyring"]:
        told = asking.given_password(given.password_file)
    else:
        told = asking.new_password(given.password_file)
    return {} if told is None else {"password": told}


WISHED = ("group", "signal", "alert", "finding", "choice", "message")


def _wish(command: str) -> Callable[[DataFolder, argparse.Namespace], int]:
    def run(folder: DataFolder, given: argparse.Namespace) -> int:
        args = {name: getattr(given, name) for name in WISHED if hasattr(given, name)}
        question = CONFIRMED.get(command)
        if question and not given.yes and not _confirmed(question.format(**args)):
            raise Unfit("nothing was done")
        print(call(folder.control, command, args, ANSWER_S))
        return OK

    return run


def _risk_run(folder: DataFolder, given: argparse.Namespace) -> int:
    """Show the plan, ask, and let the risk engine look; by then it may have changed."""
    if not given.yes and asking.can_ask():
        print(*call(folder.control, "risk plan", {}, ANSWER_S), sep="\n")
        if not _confirmed("Run the risk engine now?"):
            raise Unfit("nothing was done")
    print(call(folder.control, "risk run", {}, ANSWER_S))
    return OK


def _confirmed(question: str) -> bool:
    """Ask at a terminal; a script that calls a command means it."""
    if not asking.can_ask():
        return True
    return _typed(f"{question} [y/N] ").lower() in ("y", "yes")


def _typed(question: str) -> str:
    """Return what is typed; nothing where the terminal is closed instead."""
    try:
        return input(question).strip()
    except EOFError:
        print()
        return ""


def _backup(folder: DataFolder, given: argparse.Namespace) -> int:
    print(ask(folder, "backup", {"file": str(Path(given.file).absolute())}))
    return OK


def _export(folder: DataFolder, given: argparse.Namespace) -> int:
    print(ask(folder, "export", {"what": given.what, "file": str(Path(given.file).absolute())}))
    return OK


def _diagnostics(folder: DataFolder, given: argparse.Namespace) -> int:
    print(ask(folder, "diagnostics", {"file": str(Path(given.file).absolute())}))
    return OK


def _restore(folder: DataFolder, given: argparse.Namespace) -> int:
    with FolderLock(folder.lock), acting(Origin.COMMAND_LINE):
        aside = restore(Path(given.file), folder.database, SystemClock().now())
    print(f"Restored. The database before it is kept as {aside.name}." if aside else "Restored.")
    print(f"At the next start: {HELD_BACK[0].lower()}{HELD_BACK[1:]}")
    return OK


def _verify(folder: DataFolder, given: argparse.Namespace) -> int:
    faults = ask(folder, "verify")
    for fault in faults:
        print(fault)
    if not faults:
        print("Everything agrees: the file is sound and every sum of money adds up.")
    return FAILED if faults else OK


MARKS = {State.OK: "✓", State.WARN: "!", State.ERROR: "✗", State.OFF: "–"}
PLAIN_MARKS = {State.OK: "+", State.WARN: "!", State.ERROR: "x", State.OFF: "-"}


def _doctor(folder: DataFolder, given: argparse.Namespace) -> int:
    found = examine(folder, SystemClock().now, has_display=has_display())
    if given.json:
        print(json.dumps([asdict(one) for one in found], indent=2, ensure_ascii=False))
    else:
        marks = MARKS if _can_print("".join(MARKS.values())) else PLAIN_MARKS
        for one in found:
            print(f"{marks[one.state]} {one.name:<8} {' '.join((one.sentence, one.todo)).strip()}")
    return OK if is_well(found) else FAILED


def _can_print(text: str) -> bool:
    """Return whether a terminal knows these letters; older ones of Windows do not."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


# -- starting


def has_display() -> bool:
    """Return whether a window can be opened."""
    return _is_drawn_for_nobody() or has_screen()


def has_screen() -> bool:
    """Return whether a window that is opened can be seen, so that somebody can close it."""
    if _is_drawn_for_nobody():
        return False
    seen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform in ("win32", "darwin") or bool(seen)


def _is_drawn_for_nobody() -> bool:
    return os.environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal", "vnc")


def _start(given: argparse.Namespace) -> int:
    headless = given.headless
    if not headless and not has_display():
        print("There is no display: going on without a window (--headless).", file=sys.stderr)
        headless = True
    password = asking.given_password(given.password_file)
    os.environ.pop(asking.PASSWORD_VARIABLE, None)  # what is started from here need not know it
    application = Application(
        Options(
            data_dir=given.data_dir,
            host=given.host,
            port=given.port,
            paper_feed=PaperFeed(given.paper_feed) if given.paper_feed else None,
            seed=given.seed,
            headless=headless,
            password=password,
        )
    )
    application.handle = Commands(application).handle
    application.open()
    try:
        _ask_for_password(application)
        if headless:
            run_headless(application)
        else:
            _window().run_window(application)
    finally:
        application.close()
    return OK


class WindowFault(EngineError):
    """No window can be opened here, not even one that says why."""


def _window() -> ModuleType:
    """Return what opens windows. Raises WindowFault where the system lacks a library that Qt needs."""
    try:
        from execution_engine import window  # Qt takes 60 ms and more: commands do without
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError):
            raise  # a part of ours is missing, which no package of the system brings
        raise WindowFault(
            f"The window cannot be opened: {error}. On Debian and Ubuntu “sudo apt install {QT_NEEDS}” brings "
            "what Qt needs of the system; --headless goes without a window."
        ) from error
    return window


def _ask_for_password(application: Application) -> None:
    """Ask for the master password at a terminal, where nothing else opens the vault; without it it stays locked."""
    vault, options = application.vault, application.options
    if options.password is not None or not asking.can_ask():
        return
    with suppress(VaultError):  # the log says what is wrong with it
        if vault.exists and vault.has_password and not vault.is_in_keyring:
            application.options = replace(options, password=asking.password(None))


def parser() -> argparse.ArgumentParser:
    """Describe the whole command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data-dir", metavar="DIR", default=argparse.SUPPRESS, help="folder of all data")
    common.add_argument(
        "--password-file", metavar="F", default=argparse.SUPPRESS, help="file with the master password"
    )
    common.add_argument("--yes", action="store_true", default=argparse.SUPPRESS, help="answer confirmations")
    top = argparse.ArgumentParser(
        prog="execution-engine", parents=[common], description=__doc__.splitlines()[0]
    )
    top.add_argument("--version", action="version", version=f"Execution Engine {__version__}")
    top.add_argument("--headless", action="store_true", help="run without a window")
    top.add_argument("--host", help="address to listen on")
    top.add_argument("--port", type=_port, help="port to listen on; 0 picks a free one")
    top.add_argument(
        "--paper-feed", choices=[feed.value for feed in PaperFeed], help="prices of the paper exchange"
    )
    top.add_argument("--seed", type=int, help="seed of the synthetic market")
    top.set_defaults(run=None)
    commands = top.add_subparsers(metavar="COMMAND")

    def command(name: str, run: Callable[..., int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, parents=[common], help=text, description=text)
        added.set_defaults(run=run)
        return added

    _add_webhook(command("webhook", _webhook, "print each webhook, or set its secrets"), common)
    tunnel = command("tunnel", _tunnel, "say whether TradingView gets through, and where")
    tunnel.add_argument("--check", action="store_true", help="send a probe through the public address first")
    tunnel.add_argument("--json", action="store_true")
    shown = command("state", _state, "print the state")
    shown.add_argument("--json", action="store_true")
    shown.add_argument("--open", action="store_true", help="open groups only")
    _add_settings(command("settings", _settings, "read and change the settings"), common)
    _add_account(command("account", _account_list, "add, check and enable accounts"), common)
    _add_notify(command("notify", _notify_list, "say who is told, add and test targets"), common)
    command("exit", _wish("exit"), "close a group at market").add_argument("group", type=int)
    command("close-all", _wish("close-all"), "pause and close everything at market")
    command("pause", _wish("pause"), "store alerts, open nothing")
    command("resume", _wish("resume"), "run again")
    command("promote", _wish("promote"), "force a queued signal into the pool").add_argument(
        "signal", type=int
    )
    command("replay", _wish("replay"), "receive an alert again").add_argument("alert", type=int)
    _add_pairs(
        command("queue", _wish("queue remove"), "change the queue"), common, "queue", "signal", ["remove"]
    )
    decide = command(
        "decide", _wish("decide"), "decide about what was found: `state --json` names the choices"
    )
    decide.add_argument("finding", type=int)
    decide.add_argument("choice", choices=[choice.value for choice in Choice])
    decide.add_argument("--message", metavar="JSON", help="what to send instead of what is proposed")
    risk = command("risk", _wish("risk skip"), "the risk engine")
    acts = _add_pairs(risk, common, "risk", "group", ["skip", "block", "unblock"])
    running = acts.add_parser("run", parents=[common], help="evaluate now and do what the plan says")
    running.set_defaults(run=_risk_run)
    command("backup", _backup, "copy the database").add_argument("file")
    command("restore", _restore, "put a backup in place of the database").add_argument("file")
    bundle = command("diagnostics", _diagnostics, "write a zip for whoever helps, without any secret")
    bundle.add_argument("file")
    exported = command("export", _export, "write trades or the audit log to a .csv or .json file")
    exported.add_argument("what", choices=["trades", "audit"])
    exported.add_argument("file")
    command("verify", _verify, "check the file and every sum of money")
    doctor = command(
        "doctor", _doctor, "say what works around the engine, and what to do about what does not"
    )
    doctor.add_argument("--json", action="store_true")
    return top


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; give 0 to 65535")
    return number


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not 0 <= hours <= LONGEST_OVERLAP_S / 3600:
        raise argparse.ArgumentTypeError(f"{text} is no time; give 0 to {LONGEST_OVERLAP_S // 3600} hours")
    return hours


def _add_webhook(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")
    actions = parser.add_subparsers(metavar="[ACTION]")

    def action(name: str, run: Callable[..., int], text: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, parents=[common], help=text, description=text)
        added.set_defaults(run=run)
        return added

    action("list", _webhook_list, "print the webhooks without their URLs").add_argument(
        "--json", action="store_true"
    )
    named = {
        "add": action("add", _about_webhook("add"), "add a webhook and print its URL"),
        "rotate": action("rotate", _about_webhook("rotate"), "give a webhook another URL and print it"),
        "revoke": action("revoke", _about_webhook("revoke"), "refuse what is sent to a webhook"),
        "rename": action("rename", _about_webhook("rename"), "give a webhook another name"),
        "allow": action("allow", _about_webhook("allow"), "say which accounts a webhook may use"),
    }
    for added in named.values():
        added.add_argument("name")
    named["add"].add_argument("accounts", nargs="*", metavar="ACCOUNT", help="none: every account")
    named["allow"].add_argument("accounts", nargs="*", metavar="ACCOUNT", help="none: every account")
    named["rename"].add_argument("to", metavar="NEW_NAME")
    named["rotate"].add_argument(
        "--overlap-hours",
        type=_hours,
        default=OVERLAP_HOURS,
        metavar="H",
        help=f"how long the old URL still counts (default {OVERLAP_HOURS}; 0: not at all)",
    )
    secret = actions.add_parser(
        "secret", parents=[common], help="set what senders show in the body, or sign it with"
    )
    secret.add_argument("which", choices=["body", "hmac"])
    secret.add_argument("--stdin", action="store_true", help="read it from standard input")
    secret.add_argument("--remove", action="store_true", help="forget it")
    secret.set_defaults(run=_webhook_secret)


def _add_notify(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")
    actions = parser.add_subparsers(metavar="[ACTION]")
    texts = {
        "add": "tell a target, or give it another address (tgram://…, discord://…, mailto://…)",
        "test": "send a target a test message",
        "remove": "forget a target and its address",
    }
    for action, text in texts.items():
        added = actions.add_parser(action, parents=[common], help=text, description=text)
        added.set_defaults(run=_about_target(action))
        added.add_argument("name")
        if action == "add":
            added.add_argument("--stdin", action="store_true", help="read the address from standard input")


def _add_account(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    def action(name: str, run: Callable[..., int], text: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, parents=[common], help=text, description=text)
        added.set_defaults(run=run)
        return added

    action("list", _account_list, "print the accounts").add_argument("--json", action="store_true")
    adding = action("add", _account_add, "add an account; it is disabled until it was checked and enabled")
    adding.add_argument("--name", required=True)
    adding.add_argument("--exchange", required=True, choices=[*EXCHANGES, PAPER])
    adding.add_argument("--market", required=True, choices=[market.value for market in Market])
    adding.add_argument("--mode", required=True, choices=[mode.value for mode in Mode])
    named = {
        "keys": action("keys", _account_keys, "give an account other keys"),
        "check": action("check", _about_account("check"), "ask the exchange what the keys can do"),
        "enable": action("enable", _account_enable, "let an account trade"),
        "disable": action("disable", _about_account("disable"), "open nothing more on an account"),
        "remove": action("remove", _about_account("remove"), "forget an account and its keys"),
        "default": action("default", _about_account("default"), "send it what several accounts would fit"),
    }
    for added in named.values():
        added.add_argument("name")
    for added in (adding, named["keys"]):
        added.add_argument(
            "--stdin", action="store_true", help='read {"api_key", "api_secret", "passphrase"} as JSON'
        )


def _add_settings(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, dest="action", metavar="ACTION")
    actions.add_parser("get", parents=[common]).add_argument("path", nargs="?", default="")
    setting = actions.add_parser("set", parents=[common])
    setting.add_argument("path")
    setting.add_argument("value", help="JSON, or else text")
    actions.add_parser("export", parents=[common]).add_argument("file")
    actions.add_parser("import", parents=[common]).add_argument("file")
    actions.add_parser("history", parents=[common])
    difference = actions.add_parser("diff", parents=[common])
    difference.add_argument("one", type=int, metavar="A")
    difference.add_argument("other", type=int, metavar="B")
    actions.add_parser("restore", parents=[common]).add_argument("number", type=int, metavar="N")


def _add_pairs(
    parser: argparse.ArgumentParser,
    common: argparse.ArgumentParser,
    word: str,
    operand: str,
    actions: list[str],
) -> Any:
    """Add actions on one operand; return where more can be added."""
    pairs = parser.add_subparsers(required=True, metavar="ACTION")
    for action in actions:
        added = pairs.add_parser(action, parents=[common])
        added.add_argument(operand, type=int)
        added.set_defaults(run=_wish(f"{word} {action}"))
    return pairs


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    # The defaults of what may stand before and after the command: a parser's own would overwrite what stood before.
    unsaid = argparse.Namespace(data_dir=None, password_file=None, yes=False)
    given = parser().parse_args(argv, unsaid)
    disable_core_dumps()
    try:
        if given.run is None:
            return _start(given)
        status: int = given.run(data_folder(given.data_dir), given)
        if sys.stdout is not None:  # as in a program without a terminal
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has read enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except DatabaseCorrupt as error:
        return _failed(given, str(error), next(iter(error.backups), None))
    except EngineError as error:
        return _failed(given, str(error))
    except OSError as error:
        return _failed(given, f"{error.filename or 'a file'}: {(error.strerror or str(error)).lower()}")
    except KeyboardInterrupt:
        return OK if given.run is None else FAILED
    return status


def _failed(given: argparse.Namespace, told: str, backup: Path | None = None) -> int:
    """Say what went wrong; whoever started the application from a menu sees no terminal, but a window.

    backup: the newest one, to be offered there.
    """
    print(told, file=sys.stderr, flush=True)
    if given.run is None and not given.headless and has_screen():
        with suppress(WindowFault):  # told is said already, and comes first
            _window().show_fault(told, chosen_root(given.data_dir), backup)
    return FAILED
