"""Alerts and prices without end, sent as TradingView and markets send them, whatever happens to the engine."""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections.abc import Callable, Sequence

from tests.processes.house import Engine
from tests.processes.ledgers import Told
from tests.stories.installation import Plain

COPIES = 4  # the first delivery and three more
ANSWER_S = 3.0
PAUSE_S = 0.004

SPOT = ("BINANCE:BTCUSDT", "BINANCE:ETHUSDT", "BINANCE:SOLUSDT", "BINANCE:LTCUSDT")
PERPETUAL = ("BINANCE:BTCUSDT.P", "BINANCE:ETHUSDT.P")
PRICES = ("95", "97", "98", "99", "99.5", "100", "100.5", "101", "102", "103")


class Load:
    """told: what every alert's sender heard, by the alert's own identity."""

    def __init__(
        self, engine: Engine, chance: random.Random, symbols: Sequence[str] = SPOT + PERPETUAL
    ) -> None:
        self.engine = engine
        self.told: dict[str, Told] = {}
        self.cut_off = threading.Event()
        self.answered = 0
        self._chance = chance
        self._symbols = symbols
        self._bodies: dict[str, Plain] = {}
        self._again: dict[
            str, int
        ] = {}  # copies that may still be sent, of alerts that were not answered 2xx
        self._connection: http.client.HTTPConnection | None = None

    @property
    def taken(self) -> int:
        """Return how many alerts were answered 2xx."""
        return sum(bool(told.ids) for told in self.told.values())

    def begin(self) -> None:
        """Give every market its first price."""
        self.engine.venue.prices(dict.fromkeys(self._symbols, "101"))

    def run(self, answers: int, then: Callable[[], None]) -> None:
        """Go on until the engine is cut off, calling `then` after so many answers.

        What is not answered is sent again when the engine is back.
        """
        self.cut_off.clear()
        heard, called = self.answered, False
        for identity in list(self._again):
            self._send_again(identity)
        while True:
            if not called and self.answered - heard >= answers:
                then()
                called = True
            if self.cut_off.wait(PAUSE_S):
                break
            self.step()
        self.hang_up()

    def step(self) -> None:
        """Move a market, send an alert, or a copy of an old one."""
        what = self._chance.random()
        symbol = self._chance.choice(self._symbols)
        if what < 0.45:
            self.engine.venue.prices({symbol: self._chance.choice(PRICES)})
        elif what < 0.5 and self._bodies:
            self.send(self._chance.choice(list(self._bodies)))
        else:
            self.send(self._new(symbol))

    def _new(self, symbol: str) -> str:
        identity = f"load {len(self.told) + 1}"
        exchange, _, ticker = symbol.partition(":")
        body: Plain = {"exchange": exchange, "symbol": ticker, "timeframe": self._chance.choice(("15", "60"))}
        what = self._chance.random()
        if what < 0.3:
            body |= {"type": "exit"}
        elif ticker.endswith(".P") and what < 0.45:
            body |= {
                "action": "sell",
                "market_position": "short",
                "prev_market_position": "long",
                "price": "100",
            }
        else:
            body |= {"action": "buy", "price": self._chance.choice(("99", "100", "101"))}
        self._bodies[identity] = body | {"id": identity}
        self.told[identity] = Told()
        return identity

    def send(self, identity: str) -> int | None:
        """Deliver an alert once; returns the status, None where there was no answer."""
        heard = self.told[identity]
        try:
            status, said = self._post(self._bodies[identity])
        except (http.client.HTTPException, OSError):
            self.hang_up()
            heard.broken += 1
            self._again.setdefault(identity, COPIES - 1)
            return None
        self.answered += 1
        if status >= 500:
            heard.refused += 1
            self._again.setdefault(identity, COPIES - 1)
            return status
        assert status in (200, 202), (status, said)
        heard.ids.add(int(said["alert_id"]))
        self._again.pop(identity, None)
        return status

    def _send_again(self, identity: str) -> None:
        self._again[identity] -= 1
        self.send(identity)
        if self._again.get(identity) == 0:
            del self._again[identity]

    def _post(self, body: Plain) -> tuple[int, Plain]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(*self.engine.address, timeout=ANSWER_S)
        self._connection.request("POST", self.engine.path, json.dumps(body))
        answer = self._connection.getresponse()
        said = answer.read()
        return answer.status, json.loads(said) if said else {}

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def leave(self) -> None:
        """Close everything that is open, and let what waits go too."""
        for symbol in self._symbols:
            for timeframe in ("15", "60"):
                self.engine.accepted(
                    symbol, timeframe=timeframe, type="exit", id=self._farewell(symbol, timeframe)
                )

    def _farewell(self, symbol: str, timeframe: str) -> str:
        identity = f"leave {symbol} {timeframe}"
        self.told[identity] = Told(broken=1)
        return identity
