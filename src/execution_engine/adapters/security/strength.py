"""How long a master password would hold: judged by zxcvbn, which tries what people choose before it counts letters."""

from __future__ import annotations

import sys
import threading

from execution_engine.domain.safety import Strength

MOST_JUDGED = 64  # more letters take long to judge and add nothing to what is strong already
# Every guess takes half a second and up to 256 MiB here; somebody who rents many machines makes so many of them.
GUESSES_PER_S = 1_000
WORDS = ("guessed at once", "weak", "fair", "good", "strong")
_JUDGING = threading.Lock()  # whoever types may be judged while another lets go of the words
SPANS = (
    (60.0, "second", "seconds"),
    (60.0, "minute", "minutes"),
    (24.0, "hour", "hours"),
    (365.0, "day", "days"),
    (100.0, "year", "years"),
)


def strength(password: str) -> Strength:
    """Judge a password. Blocking, a tenth of a second at worst."""
    if not password:
        return Strength(score=0, word=WORDS[0], lasts="no time at all")
    with _JUDGING:
        from zxcvbn import zxcvbn  # reads its word lists: 70 ms, only for who chooses a password

        found = zxcvbn(password[:MOST_JUDGED])
    score = int(found["score"])
    told = (found["feedback"]["warning"], *found["feedback"]["suggestions"])
    advice = tuple(text if text.endswith(".") else f"{text}." for text in told if text)
    return Strength(
        score=score, word=WORDS[score], lasts=span(float(found["guesses"]) / GUESSES_PER_S), advice=advice
    )


def forget_words() -> None:
    """Let go of the word lists, 11 MB: a password was chosen, and the next one may be years away."""
    with _JUDGING:
        for name in [name for name in sys.modules if name.partition(".")[0] == "zxcvbn"]:
            vars(
                sys.modules.pop(name)
            ).clear()  # a module holds itself: it would stay until all garbage is looked for


def span(seconds: float) -> str:
    """Say roughly how long something takes."""
    amount = seconds
    for size, unit, units in SPANS:
        if amount < size:
            whole = max(int(amount), 1)
            return f"about {whole} {unit if whole == 1 else units}"
        amount /= size
    return "centuries"
