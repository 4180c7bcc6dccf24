"""What lies around the engine, asked by questions that block, and none of them for long: a listener, an exchange's
public address, a screen."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TypeVar
from urllib.request import HTTPErrorProcessor, HTTPSHandler, ProxyHandler, Request, build_opener

import certifi

T = TypeVar("T")

MOST_BYTES = 64 * 1024
HALF_A_SECOND = timedelta(seconds=0.5)  # the header counts whole seconds
X_PORT = 6000
# A missing one ends the program without a word the moment a window is to be opened on X. Each with its package.
X_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What an exchange's public address answered.

    why: why it does not count as an answer; empty where it does. ahead: by how much our clock is ahead of theirs,
    give or take `unsure`; None where they gave no time.
    """

    answered: bool
    why: str = ""
    ahead: timedelta | None = None
    unsure: timedelta = timedelta()


def at_once(questions: Mapping[str, Callable[[], T]], patience_s: float) -> dict[str, T | Exception | None]:
    """Ask each question on a thread of its own, and return what was answered in time; None stands for silence.

    Nobody waits for a thread that hangs, not even the end of the process.
    """
    answers: dict[str, T | Exception | None] = dict.fromkeys(questions)

    def ask(name: str, question: Callable[[], T]) -> None:
        try:
            answers[name] = question()
        except Exception as error:  # whoever asked says what it means
            answers[name] = error

    threads = [
        threading.Thread(target=ask, args=pair, name=f"asks {pair[0]}", daemon=True)
        for pair in questions.items()
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + patience_s
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(answers)


def greet(url: str, now: Callable[[], datetime], timeout_s: float) -> Greeting:
    """Ask a public address for its time. Blocking; never raises."""
    trusted = HTTPSHandler(context=ssl.create_default_context(cafile=certifi.where()))
    opener = build_opener(ProxyHandler({}), trusted, _AnyStatus())  # as the engine asks: through no proxy
    asked_at = now()
    try:
        with opener.open(
            Request(url, headers={"User-Agent": "execution-engine"}), timeout=timeout_s
        ) as answer:
            heard_at = now()
            status, date = answer.status, answer.headers.get("Date", "")
            answer.read(MOST_BYTES)
    except (OSError, HTTPException, ValueError) as error:  # a time-out is an OSError
        return Greeting(answered=False, why=_why(error))
    ahead = _ahead(date, asked_at + (heard_at - asked_at) / 2)
    unsure = (heard_at - asked_at) / 2 + HALF_A_SECOND
    if status != 200:
        return Greeting(answered=False, why=f"status {status}", ahead=ahead, unsure=unsure)
    return Greeting(answered=True, ahead=ahead, unsure=unsure)


class _AnyStatus(HTTPErrorProcessor):
    """Lets every status be an answer, and follows nobody elsewhere."""

    def http_response(self, request, response):  # type: ignore[no-untyped-def]
        return response

    https_response = http_response


def _ahead(date: str, at: datetime) -> timedelta | None:
    try:
        return at - (parsedate_to_datetime(date) + HALF_A_SECOND)
    except (ValueError, TypeError):  # no date, or one without a zone
        return None


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return "the certificate is not to be trusted: somebody stands in between, or the clock is far off"
    if isinstance(reason, socket.gaierror):
        return "the name is not known here"
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, OSError):
        return (reason.strerror or str(reason) or type(reason).__name__).lower()
    return type(reason).__name__


def health(host: str, port: int, timeout_s: float) -> tuple[int, list[str]]:
    """Ask a listener on this machine how it is: its status, and its reasons where it is not well.

    Blocking. Raises OSError where nobody answers.
    """
    connection = HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        said, reasons = answer.read(MOST_BYTES), []
        with suppress(ValueError, AttributeError, TypeError):
            reasons = [str(reason) for reason in json.loads(said).get("reasons", [])]
        return answer.status, reasons
    except HTTPException as error:
        raise ConnectionError(type(error).__name__) from error
    finally:
        connection.close()


def screen_fault(environment: Mapping[str, str] = os.environ, system: str = sys.platform) -> str:
    """Return why a window would not appear on the display that is named here; empty where it would. Blocking."""
    if system in ("win32", "darwin") or environment.get("QT_QPA_PLATFORM") in ("offscreen", "minimal", "vnc"):
        return ""
    if name := environment.get("WAYLAND_DISPLAY"):
        place = Path(environment.get("XDG_RUNTIME_DIR", "")) / name
        if _answers(str(place)):
            return ""
        if not environment.get("DISPLAY"):
            return f"WAYLAND_DISPLAY is {name}, and no display answers at {place}."
    name = environment.get("DISPLAY", "")
    if not _is_x_there(name):
        return f"DISPLAY is {name}, and no display answers there."
    if missing := [library for library in X_LIBRARIES if not _loads(library)]:
        packages = " ".join(X_LIBRARIES[library] for library in missing)
        brings = f"on Debian and Ubuntu “sudo apt install {packages}” brings what is needed"
        return f"Libraries of the system are missing: {', '.join(missing)}; {brings}."
    return ""


def _is_x_there(name: str) -> bool:
    host, _, rest = name.rpartition(":")
    number = rest.partition(".")[0]
    if not number.isdigit():
        return False
    if host not in ("", "unix"):
        return _answers((host, X_PORT + int(number)))
    place = f"/tmp/.X11-unix/X{number}"
    return _answers(place) or _answers(f"\0{place}")  # the second has no file


def _answers(place: str | tuple[str, int]) -> bool:
    family = getattr(socket, "AF_UNIX", None) if isinstance(place, str) else socket.AF_INET
    if family is None:
        return False
    with socket.socket(family, socket.SOCK_STREAM) as asked:
        asked.settimeout(2)
        try:
            asked.connect(place)
        except OSError:
            return False
        return True


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
