"""The way in from outside: how the tunnel is, whether the public address leads here, and the one light of both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from execution_engine.domain.draft import Draft
from execution_engine.domain.facts import Category, Level
from execution_engine.domain.inputs import WayInChanged


class Word(StrEnum):
    """How a tunnel is."""

    OFF = "off"
    MISSING = "missing"  # no program for it is installed
    STARTING = "starting"
    UP = "up"
    DOWN = "down"  # it ended, and is started again after a pause


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelState:
    """What there is to show. hints: what the user can do about it. starts: how often it was started."""

    word: Word = Word.OFF
    program: str = ""
    url: str = ""
    sentence: str = "No tunnel is wanted."
    hints: tuple[str, ...] = ()
    since: datetime | None = None
    starts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a check of the public address found.

    state: `ok`, `warn`, `error` or `off`. took_s: from the first byte sent to the answer, the connection
    included, as TradingView sees it.
    """

    state: str = "off"
    sentence: str = "It was not checked yet."
    url: str = ""
    took_s: float | None = None
    at: datetime | None = None


NO_ADDRESS = "There is no public address: TradingView cannot reach this machine."

_WITHOUT_ADDRESS = {
    Word.OFF: "off",
    Word.STARTING: "warn",
    Word.UP: "warn",
    Word.MISSING: "error",
    Word.DOWN: "error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WayIn:
    """Everything there is to show. url: the public address, empty where there is none."""

    tunnel: TunnelState = TunnelState()
    reach: Reach = Reach()
    url: str = ""
    local: str = ""

    @property
    def light(self) -> tuple[str, str]:
        """Return the light (`ok`, `warn`, `error` or `off`) and its sentence."""
        if not self.url:
            told = NO_ADDRESS if self.tunnel.word is Word.OFF else self.tunnel.sentence
            return _WITHOUT_ADDRESS[self.tunnel.word], told
        if self.reach.url != self.url:
            return "warn", "It was not checked yet."
        return self.reach.state, self.reach.sentence


def changed(draft: Draft, said: WayInChanged) -> None:
    """Tell the user that alerts cannot arrive any more, or can again."""
    level = Level.ERROR if said.bad else Level.INFO
    draft.tell("way_in", said.text, level, Category.SYSTEM, notice=True)
