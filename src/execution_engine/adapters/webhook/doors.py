"""What the listener asks of the rest of the application, as plain callables."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from execution_engine.adapters.webhook.authentication import Secrets
from execution_engine.adapters.webhook.limits import Limits
from execution_engine.adapters.webhook.probes import Probes
from execution_engine.domain.errors import Refusal, StoreFailed
from execution_engine.domain.inputs import Answer, Input
from execution_engine.domain.rows import WebhookToken
from execution_engine.domain.settings import Settings
from execution_engine.domain.symbols import Catalogue

Told = Answer | Refusal | StoreFailed | None
Post = Callable[[Input, Callable[[Any], None]], None]
SetPrice = Callable[[str, Decimal], Awaitable[Sequence[str] | Refusal]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The ways out of the listener.

    post: the desk's door; its second argument is called once with an `Answer`, a `Refusal` or `StoreFailed`,
    when what it says is committed.
    ready_for_entries: None, or a sentence that says why no new risk can be taken now.
    health: whether all is well, and the figures and reasons to show.
    set_price: carry a practice price to its markets and return their names once it was matched; a `Refusal`
    with the code `feed` where prices are not set by hand.
    metrics: the same and more as the text that Prometheus reads.
    probes: the passes of requests that this program sends to itself.
    place: the public address in use now; empty where there is none.
    clock: the time in UTC. monotonic: seconds that never go back.
    """

    settings: Callable[[], Settings]
    tokens: Callable[[], Iterable[WebhookToken]]
    secrets: Callable[[], Secrets]
    catalogue: Callable[[], Catalogue]
    post: Post
    ready_for_entries: Callable[[], str | None]
    clock: Callable[[], datetime]
    health: Callable[[], tuple[bool, dict[str, Any]]]
    metrics: Callable[[], Awaitable[str]] | None = None
    probes: Probes | None = None
    place: Callable[[], str] = str
    set_price: SetPrice | None = None
    monotonic: Callable[[], float] = time.monotonic
    limits: Limits = field(default_factory=Limits)
