"""TradingView: sends alerts, gives up after three seconds, sends again after a 5xx or no answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.simulation.auditor import Auditor
from tests.simulation.loop import Timeline
from tests.simulation.machine import Machine
from tests.simulation.network import Network
from tests.simulation.program import Event
from tests.simulation.story import Story

PATIENCE_S = 3.0
AGAIN_S = 5.0
TIMES = 4
CANARY = "hunter2-canary"  # the secret in bodies: it must turn up nowhere
Tell = Callable[[str, str], None]


class TradingView:
    """Delivers what the program plans."""

    def __init__(
        self, timeline: Timeline, network: Network, machine: Machine, auditor: Auditor, story: Story | None
    ) -> None:
        self._timeline = timeline
        self._network = network
        self._machine = machine
        self._auditor = auditor
        self._story = story
        self.waiting = 0  # alerts whose delivery is not over

    def send(self, event: Event) -> None:
        body = {"secret": CANARY, "timestamp": self._stamp(event), **event["body"]}
        if event.get("price"):
            body["price"] = self._price(body, event["price"])
        self.waiting += 1
        self._try(json.dumps(body).encode(), f"id:{body['id']}" if "id" in body else "", 1)

    def _stamp(self, event: Event) -> str:
        """Write the time of sending; an old alert was held up on its way."""
        sent = self._machine.network.venue.now().timestamp() - event.get("age_s", 0)
        return str(int(sent * 1000))

    def _price(self, body: dict[str, Any], off_percent: float) -> str:
        symbol, exchange = body["symbol"], body["exchange"].lower()
        price = self._network.venue.price((exchange, symbol))
        assert price is not None
        return str(price.last * round(1_000_000 + off_percent * 10_000) / 1_000_000)

    def _try(self, raw: bytes, key: str, number: int) -> None:
        delivery = Delivery(self, raw, key, number)
        if self._network.happens("request_lost", "alert"):
            self._timeline.after(PATIENCE_S, delivery.give_up)
            return
        self._timeline.after(self._network.travel(), delivery.arrive)
        self._timeline.after(PATIENCE_S, delivery.give_up)

    def answered(self, delivery: Delivery, status: int | None) -> None:
        """Hear an answer, or that none came; try again where that makes sense."""
        self.tell(f"{delivery.key} try {delivery.number}: {status or 'no answer'}")
        if (status is None or status >= 500) and delivery.number < TIMES:
            self._timeline.after(AGAIN_S, self._try, delivery.raw, delivery.key, delivery.number + 1)
        else:
            self.waiting -= 1

    def receive(self, delivery: Delivery) -> None:
        life = self._machine.life
        if life is None or not life.alive or self._machine.asleep or not hasattr(life, "running"):
            delivery.hear(502)  # the tunnel has nobody behind it
            return
        self._auditor.unanswered[delivery.key] += 1
        life.receive(delivery.raw, lambda status: self._answer(delivery, status))

    def _answer(self, delivery: Delivery, status: int) -> None:
        """Send an answer on its way; what was promised counts, whether or not it arrives."""
        self._auditor.unanswered[delivery.key] -= 1
        if delivery.key:
            self._auditor.answered[delivery.key].add(status)
        self._network.sometimes.hit("answer", str(status))
        if not self._network.happens("answer_lost", str(status)):
            self._timeline.after(self._network.travel(), delivery.hear, status)

    def tell(self, what: str) -> None:
        if self._story:
            self._story.tell("TradingView", what)


class Delivery:
    """One attempt to deliver one alert."""

    def __init__(self, source: TradingView, raw: bytes, key: str, number: int) -> None:
        self.raw, self.key, self.number = raw, key, number
        self._source = source
        self._over = False

    def arrive(self) -> None:
        self._source.receive(self)

    def hear(self, status: int) -> None:
        self._end(status)

    def give_up(self) -> None:
        self._end(None)

    def _end(self, status: int | None) -> None:
        if not self._over:
            self._over = True
            self._source.answered(self, status)
