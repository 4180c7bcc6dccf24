"""A message checked as the listener would: every fault at once, with its line, and what is left to decide on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from execution_engine.domain import alert as alerts
from execution_engine.domain.alert import Body, Faults, ParsedAlert
from execution_engine.domain.composer import SentBy
from execution_engine.domain.composer_placeholders import FOUND, SITUATIONS, Sample, Situation, filled
from execution_engine.domain.errors import FieldFault
from execution_engine.domain.settings import Webhook
from execution_engine.domain.symbols import Catalogue

ONLY = Situation(name="The alert fires", action="buy", before="flat", after="long")

_LINE = re.compile(r"\bline (\d+) column \d+")
_TWICE = re.compile(r"the field “(.+)” stands twice")


@dataclass(frozen=True, slots=True)
class BodySecret:
    """The secret that the listener compares with. `locked`: there may be one that cannot be read now."""

    text: str = field(default="", repr=False)
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One fault: the field, a sentence, and the line of the message it stands on; 0 where it stands nowhere."""

    field: str
    sentence: str
    line: int


@dataclass(frozen=True, slots=True)
class Read:
    """What a valid message says in one situation."""

    situation: Situation
    parsed: ParsedAlert


@dataclass(frozen=True, slots=True)
class Checked:
    """What the listener would answer: 202, or what refuses the message with every reason.

    reads: what can be decided on, one for each turn of a strategy; empty while anything is wrong.
    """

    status: int
    found: tuple[Found, ...]
    reads: tuple[Read, ...]
    size: int


def check(
    message: str,
    sample: Sample,
    sent_by: SentBy,
    catalogue: Catalogue,
    rules: Webhook,
    secret: BodySecret,
) -> Checked:
    """Check a message with sample values in place of its placeholders."""
    size = len(message.encode("utf-8", "surrogatepass"))
    faults: dict[FieldFault, None] = {}  # in their order, each once
    statuses = [413] if size > alerts.MAX_BYTES else []
    faults |= dict.fromkeys(_too_large(size))
    reads = []
    for situation in situations(message, sent_by):
        sent = filled(message, sample, sent_by, situation).encode("utf-8", "replace")
        body = alerts.read(sent)
        if refused := tuple(_unknown_sender(body, rules, secret)):
            statuses.append(401)
            faults |= dict.fromkeys(refused)
        parsed = alerts.parse(body, catalogue) if isinstance(body, Body) else body
        if isinstance(parsed, Faults):
            statuses.append(parsed.status)
            faults |= dict.fromkeys(parsed.errors)
        else:
            reads.append(Read(situation, parsed))
    found = tuple(Found(each.field, each.message, line_of(message, each)) for each in faults)
    return Checked(statuses[0] if statuses else 202, found, () if found else tuple(reads), size)


def situations(message: str, sent_by: SentBy) -> tuple[Situation, ...]:
    """Return the turns of a strategy that a message tells apart; one where it tells none."""
    told = sent_by is SentBy.STRATEGY and any(name.startswith("strategy.") for name in FOUND.findall(message))
    return SITUATIONS if told else (ONLY,)


def _too_large(size: int) -> Iterator[FieldFault]:
    if size > alerts.MAX_BYTES:
        yield FieldFault(
            "body", f"is {size:,} bytes long; more than {alerts.MAX_BYTES // 1024} KiB are not taken"
        )


def _unknown_sender(body: Body | Faults, rules: Webhook, secret: BodySecret) -> Iterator[FieldFault]:
    """Ask what the listener asks before it looks at the fields; the token stands in the URL."""
    if rules.signature_required:
        yield FieldFault(
            "request", "a signature is required, and TradingView cannot sign: switch webhook.signature_required off"
        )  # fmt: skip
    if not rules.secret_required or not isinstance(body, Body):
        return
    if secret.locked:
        yield FieldFault("secret", "cannot be compared while the vault is locked; unlock it")
    elif not secret.text:
        yield FieldFault(
            "secret", "is required, but none is set: set one, or switch webhook.secret_required off"
        )
    elif not body.secret:
        yield FieldFault("secret", 'is missing; the message must hold it as "secret": "…"')
    elif body.secret != secret.text:
        yield FieldFault("secret", "is not the one that is set; copy the message with its secret anew")


def line_of(message: str, fault: FieldFault) -> int:
    """Return the line that a fault is about, counted from 1; 0 where no line is."""
    if said := _LINE.search(fault.message):
        return int(said[1])
    twice = _TWICE.search(fault.message)
    name = twice[1] if twice else fault.field.rpartition(".")[2]
    places = [found.start() for found in re.finditer(rf'"{re.escape(name)}"\s*:', message)]
    return message.count("\n", 0, places[-1] if twice else places[0]) + 1 if places else 0
