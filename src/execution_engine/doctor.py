"""What works around the engine, what does not, and what to do about it: seven looks, each bounded in time.

A running engine says what only it knows; everything else is asked from this process, so that an engine that hangs
keeps nobody from finding out. Nothing is changed, and no secret is in any sentence.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from execution_engine.adapters import machine, surroundings
from execution_engine.adapters.control import NotRunning, call
from execution_engine.adapters.exchanges.catalogue import VENUES
from execution_engine.adapters.paths import DataFolder
from execution_engine.adapters.security.os_keyring import OsKeyring
from execution_engine.adapters.security.vault import Vault
from execution_engine.adapters.storage.connect import connect
from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.storage.whereabouts import cautions
from execution_engine.adapters.surroundings import Greeting
from execution_engine.adapters.tunnel import finding
from execution_engine.adapters.webhook.listener import fault_of
from execution_engine.core import settings_fault
from execution_engine.domain import document as documents
from execution_engine.domain.errors import EngineError, StoreFailed, VaultError
from execution_engine.domain.rows import AccountStatus, Mode
from execution_engine.domain.settings import PaperFeed, Settings

ANSWER_S = 4.0  # one question
PATIENCE_S = 6.0  # all that are asked at once
CLOCK_OFF = timedelta(
    seconds=1
)  # beyond what cannot be told: from here on Binance refuses what is timed ahead
CLOCK_FAR_OFF = timedelta(seconds=30)  # alerts that are dated 60 s ahead are rejected, old ones too
WITHOUT_NETWORK = (PaperFeed.MANUAL.value, PaperFeed.SYNTHETIC.value)

Facts = Mapping[str, Any]


class State(StrEnum):
    """How something is: it works, it works badly, it does not; or it is not used, and so nothing is wrong with it."""

    OK = "ok"
    WARN = "warn"
    ERROR = "error"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing. todo: what to do about it, a sentence; empty where there is nothing to do."""

    name: str
    state: State
    sentence: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is known before anything is asked.

    facts: what the running engine says; None without one. silent: why one that runs says nothing.
    settings, accounts: those in force: (name, exchange, mode) of each account that is enabled.
    fault: why they could not be read.
    """

    folder: DataFolder
    facts: Facts | None = None
    silent: str = ""
    settings: Settings = field(default_factory=Settings)
    accounts: tuple[tuple[str, str, str], ...] = ()
    fault: str = ""

    @property
    def feed(self) -> str:
        return str(self.facts["feed"]) if self.facts else self.settings.paper.feed.value

    @property
    def real(self) -> tuple[str, ...]:
        """Return the exchanges of enabled accounts that are not on paper."""
        return tuple(
            sorted({exchange for _, exchange, mode in self.accounts if mode != Mode.PAPER} & set(VENUES))
        )

    @property
    def contacts(self) -> tuple[str, ...]:
        """Return the exchanges that are contacted: those of real accounts, and all for live prices on paper."""
        return self.real or (() if self.feed in WITHOUT_NETWORK else tuple(VENUES))


def examine(
    folder: DataFolder,
    now: Callable[[], datetime],
    *,
    has_display: bool,
    greetings: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Return what was found, one thing after the other. Blocking, for some ten seconds at the very most.

    greetings: a public address of each exchange that answers at once; the exchanges' own unless told otherwise.
    """
    patient = known_of(folder)
    urls = greetings or {name: venue.greeting for name, venue in VENUES.items()}
    looks: dict[str, Callable[[], Finding]] = {
        "port": lambda: port(patient),
        "tunnel": lambda: tunnel(patient),
        "keyring": lambda: keyring(patient),
        "disk": lambda: disk(patient),
        "display": lambda: display(has_display=has_display),
    }
    asked: dict[str, Callable[[], Finding | Greeting]] = {
        **looks,
        **{f"exchange {name}": partial(surroundings.greet, urls[name], now, ANSWER_S) for name in patient.contacts},
    }  # fmt: skip
    answers = surroundings.at_once(asked, PATIENCE_S)
    found = {name: _found(name, answers[name]) for name in looks}
    greeted = {name: _greeted(answers[f"exchange {name}"]) for name in patient.contacts}
    found["clock"] = clock(greeted)
    found["exchange"] = exchange(patient, greeted)
    return [found[name] for name in ("port", "tunnel", "keyring", "clock", "disk", "exchange", "display")]


def is_well(found: list[Finding]) -> bool:
    """Return whether nothing is to be done."""
    return all(one.state in (State.OK, State.OFF) for one in found)


def _found(name: str, answer: Finding | Greeting | Exception | None) -> Finding:
    if isinstance(answer, Finding):
        return answer
    why = "It did not answer in time." if answer is None else f"It could not be asked: {_plainly(answer)}."
    return Finding(name, State.ERROR, why, "Try again; if it stays so, look into the log.")


def _plainly(error: object) -> str:
    return str(error).rstrip(".") if isinstance(error, EngineError) else type(error).__name__


def _greeted(answer: Finding | Greeting | Exception | None) -> Greeting:
    return answer if isinstance(answer, Greeting) else Greeting(answered=False, why="no answer in time")


# -- what is known before


def known_of(folder: DataFolder) -> Patient:
    """Ask the running engine, or read the disk as it is: nothing is locked, mended or brought up to date."""
    try:
        facts = call(folder.control, "doctor", {}, ANSWER_S)
        enabled = tuple(
            (row["name"], row["exchange"], row["mode"]) for row in facts["accounts"] if row["enabled"]
        )
        return Patient(folder, facts, settings=documents.parse(facts["settings"]), accounts=enabled)
    except NotRunning:
        return _at_rest(Patient(folder))
    except EngineError as error:
        return _at_rest(Patient(folder, silent=str(error)))


def _at_rest(patient: Patient) -> Patient:
    path = patient.folder.database
    if not path.exists():
        return patient  # the first start makes it
    try:
        saved = sorted(Reader(path).settings_versions(), key=lambda version: version.id, reverse=True)
        with closing(connect(path, read_only=True)) as connection:
            rows = connection.execute("SELECT name, exchange, mode FROM accounts WHERE enabled").fetchall()
    except (StoreFailed, sqlite3.Error) as error:
        return replace(patient, fault=f"The database cannot be read: {str(error).rstrip('.')}.")
    fault = settings_fault(saved[0]) if saved else ""
    good = next((version for version in saved if not settings_fault(version)), None)
    return replace(
        patient,
        settings=documents.parse(good.document) if good is not None else Settings(),
        accounts=tuple(rows),
        fault=f"The newest settings make no sense: {fault}" if fault else "",
    )


# -- the looks


def port(patient: Patient) -> Finding:
    """Look whether alerts are taken, or would be."""
    rules = patient.settings.webhook
    if patient.silent:
        todo = "Wait a moment; if it stays so, end the engine and start it again."
        return Finding("port", State.ERROR, f"An engine runs and does not answer: {patient.silent}", todo)
    if patient.facts is None:
        if why := fault_of(rules.host, rules.port):
            sentence, _, todo = why.partition(". ")
            return Finding("port", State.ERROR, f"{sentence.rstrip('.')}.", todo)
        where = f"Port {rules.port} on {rules.host} is free" if rules.port else "Any free port is taken"
        return Finding("port", State.OK, f"{where}; no engine is running.")
    address = patient.facts["address"]
    if address is None:
        todo = "Look into the log, and start the engine again."
        return Finding("port", State.ERROR, "The engine runs and listens nowhere.", todo)
    return _listening(str(address[0]), int(address[1]))


def _listening(host: str, number: int) -> Finding:
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    place = f"Port {number} on {host}"
    try:
        status, reasons = surroundings.health(near, number, ANSWER_S)
    except OSError as error:
        why = (error.strerror or str(error) or type(error).__name__).lower()
        todo = "Look for a firewall or another program in between; else start the engine again."
        return Finding("port", State.ERROR, f"{place} is the engine's and does not answer: {why}.", todo)
    if status == 503:
        told = "; ".join(reasons) or "no reason was given"
        todo = "Each reason says what it is about; “execution-engine state” and the log say more."
        return Finding(
            "port", State.WARN, f"{place} answers, and the engine is not well: {told.rstrip('.')}.", todo
        )
    return Finding("port", State.OK, f"{place} listens and answers.")


def tunnel(patient: Patient) -> Finding:
    """Look whether TradingView gets through, or could."""
    if patient.facts is not None:
        said = patient.facts["tunnel"]
        state, hints = State(said["light"]), " ".join(said["hints"])
        todo = hints or {
            State.ERROR: "“execution-engine tunnel --check” tries again and says more.",
            State.OFF: "Start a tunnel in Settings, Webhook & tunnel, if TradingView is to send here.",
        }.get(state, "")
        return Finding("tunnel", state, str(said["sentence"]), todo)
    wanted = patient.settings.tunnel
    programs = finding.candidates(wanted.program.value)
    there = [name for name in programs if finding.find(name)]
    if wanted.enabled and not there:
        todo = " ".join(f"Install {finding.how_to_install(name)}." for name in programs)
        return Finding("tunnel", State.ERROR, "A tunnel is wanted, and no program for it is installed.", todo)
    if wanted.enabled:
        return Finding("tunnel", State.OK, f"{there[0]} is installed; the engine starts it with itself.")
    if wanted.public_url:
        sentence = (
            f"Alerts come through {wanted.public_url}; whether they do is checked while the engine runs."
        )
        return Finding("tunnel", State.OFF, sentence)
    have = f"{', '.join(there)} would make one" if there else "no program for one is installed"
    todo = "" if there else f"If TradingView is to send here: {finding.how_to_install(programs[0])}."
    return Finding("tunnel", State.OFF, f"No tunnel is wanted; {have}.", todo)


def keyring(patient: Patient) -> Finding:
    """Look whether keys can be kept, and used."""
    system = OsKeyring(ANSWER_S)
    vault = Vault(patient.folder.vault, keyring=system)
    there = system.is_there()
    if not vault.exists:
        if there:
            return Finding(
                "keyring", State.OK, "The system has a keyring; it will open the vault of your keys."
            )
        todo = "Nothing is kept yet; the first keys ask for a master password."
        return Finding("keyring", State.OFF, "The system has no keyring that could be used.", todo)
    try:
        password, in_keyring = vault.has_password, vault.is_in_keyring
    except VaultError as error:
        return Finding(
            "keyring", State.ERROR, str(error), "Enter the keys again, or restore the file `vault`."
        )
    locks = " and ".join(
        ["a master password"] * password + ["the system's keyring"] * in_keyring
    )  # at least one of them
    if patient.facts is not None and not patient.facts["vault"]["open"]:
        why = str(patient.facts["vault"]["trouble"]) or "It is being opened."
        todo = "Open it in Settings, Security, or start with --password-file."
        return Finding("keyring", State.WARN, f"The vault is locked: {why}", todo)
    if in_keyring and not there:
        todo = "Unlock the system's keyring, or start it; " + (
            "a start with --password-file does without."
            if password
            else "only it opens the vault, else the keys have to be entered again."
        )
        state = State.WARN if password else State.ERROR
        return Finding(
            "keyring", state, "The vault is opened by the system's keyring, which is not there.", todo
        )
    is_open = " It is open." if patient.facts is not None else ""
    return Finding("keyring", State.OK, f"The vault is opened by {locks}.{is_open}")


def clock(greeted: Mapping[str, Greeting]) -> Finding:
    """Compare the clock with that of whoever could be reached and told the time most exactly."""
    times = [(one.unsure, one.ahead, name) for name, one in greeted.items() if one.ahead is not None]
    if not greeted:
        return Finding("clock", State.OFF, "It was not compared: nothing here contacts an exchange.")
    if not times:
        return Finding("clock", State.OFF, "It could not be compared: no exchange could be reached.")
    unsure, ahead, name = min(times)
    off = abs(ahead) - unsure
    if off <= CLOCK_OFF:
        return Finding(
            "clock", State.OK, f"It agrees with {name}'s, give or take {unsure.total_seconds():.1f} s."
        )
    state = State.ERROR if off > CLOCK_FAR_OFF else State.WARN
    way = "ahead of" if ahead > timedelta() else "behind"
    sentence = f"It is {abs(ahead).total_seconds():.0f} s {way} {name}'s."
    return Finding("clock", state, sentence, _SET_CLOCK.get(sys.platform, _SET_CLOCK["linux"]))


_SET_CLOCK = {
    "win32": "Have Windows set it: Settings, Time & language, Date & time, Sync now.",
    "darwin": "Have macOS set it: System Settings, General, Date & Time, Set automatically.",
    "linux": "Have the system set it from the network: “sudo timedatectl set-ntp true”.",
}


def disk(patient: Patient) -> Finding:
    """Look whether there is room, and whether the place is fit for a database."""
    root, least = patient.folder.root, patient.settings.notifications.disk_free_mb
    free = machine.free_bytes(root)
    if patient.fault:
        todo = (
            "“execution-engine verify” checks it, “execution-engine restore FILE” puts a backup in its place."
        )
        if "settings" in patient.fault:
            todo = "Save others, or take a saved version: “execution-engine settings history”, then “… restore N”."
        return Finding("disk", State.ERROR, patient.fault, todo)
    if told := cautions(root, "The data is"):
        sentence, _, todo = told[0].partition(": ")
        return Finding("disk", State.WARN, f"{sentence}.", f"{todo[:1].upper()}{todo[1:]}")
    if free is None:
        return Finding("disk", State.WARN, f"The system does not say how much room there is at {root}.")
    megabytes = free / 1_000_000
    if megabytes < least:
        todo = "Make room: without it no alert can be stored."
        return Finding("disk", State.ERROR, f"Only {megabytes:.0f} MB are free at {root}.", todo)
    return Finding("disk", State.OK, f"{megabytes / 1000:.1f} GB are free at {root}.")


def exchange(patient: Patient, greeted: Mapping[str, Greeting]) -> Finding:
    """Look whether the exchanges that matter can be reached, and what a running engine says of its accounts."""
    if bad := _accounts_in_trouble(patient):
        todo = "“execution-engine account check NAME” asks the exchange about its keys; the log says more."
        return Finding("exchange", State.ERROR, bad, todo)
    if not greeted:
        feed = {"manual": "set by hand", "synthetic": "made up"}.get(patient.feed, patient.feed)
        return Finding(
            "exchange", State.OFF, f"None is contacted: there is only paper, and its prices are {feed}."
        )
    answering = [name for name, one in greeted.items() if one.answered]
    silent: dict[str, list[str]] = {}
    for name, one in greeted.items():
        if not one.answered:
            silent.setdefault(one.why, []).append(name)
    if not silent:
        return Finding("exchange", State.OK, f"{', '.join(answering)} can be reached.")
    todo = "Look at the connection and the firewall; an exchange may also refuse your country (status 403 or 451)."
    reached = f"; {', '.join(answering)} can" if answering else ""
    state = State.ERROR if patient.real else State.WARN
    told = "; ".join(f"{', '.join(names)}: {why}" for why, names in silent.items())
    return Finding("exchange", state, f"Not reached are {told}{reached}.", todo)


def _accounts_in_trouble(patient: Patient) -> str:
    rows = patient.facts["accounts"] if patient.facts else []
    bad = [
        f"{row['name']} {'is on hold' if row['status'] == AccountStatus.HOLD else 'cannot be used'}: {row['reason']}"
        for row in rows
        if row["enabled"] and row["status"] in (AccountStatus.HOLD, AccountStatus.ERROR)
    ]
    return f"{'; '.join(bad).rstrip('.')}." if bad else ""


def display(*, has_display: bool) -> Finding:
    """Look whether a window can be opened."""
    if not has_display:
        sentence = "There is none here: the engine runs without a window (--headless)."
        return Finding("display", State.OFF, sentence)
    if why := surroundings.screen_fault():
        todo = "Start from the desktop, install what is missing, or use --headless."
        return Finding("display", State.ERROR, why, todo)
    return Finding("display", State.OK, "A window can be opened.")
