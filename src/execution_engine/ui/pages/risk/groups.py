"""Who can be the loser: a row per group, a cell per rule with what decided it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from execution_engine.domain.instrument import Side
from execution_engine.domain.risk_candidate import Candidate
from execution_engine.domain.risk_rules import RULES, RiskRule, RiskVerdict, verdicts
from execution_engine.domain.settings import Risk
from execution_engine.ui.format import (
    MINUS,
    MISSING,
    countdown,
    local_time,
    quantity,
    raw,
    signed_percent,
    visible,
)
from execution_engine.ui.tables import (
    Cell,
    CellDelegate,
    Chip,
    Column,
    Position,
    Rule,
    position_cell,
    rule_cell,
)
from execution_engine.ui.tongue import tr, translated

WIDE = {
    "group": 178,
    "position": 104,
    "entries": 108,
    "open": 98,
    "pyramids": 90,
    "timer": 126,
    "loss": 100,
    "age": 74,
    "free": 116,
    "verdict": 190,
}
NARROW = {"group": 176, "pyramids": 88, "timer": 124, "loss": 100, "free": 116, "verdict": 240}

SHORT = {
    "position": tr("no position"),
    "not_closing": tr("closing"),
    "not_on_hold": tr("on hold"),
    "fresh_price": tr("price"),
    "filled_grid": tr("entries", "into a position"),
    "full_pyramids": tr("pyramids"),
    "timer": tr("timer"),
    "loss": tr("loss"),
    "age": tr("age"),
    "sellable": tr("too small"),
    "not_blocked": tr("blocked"),
    "not_skipped": tr("skipped once"),
}
_HYPHEN = re.compile(r"(?<!\w)-(?=\d)")  # before a number; dates keep theirs


class Told(NamedTuple):
    """What a rule says, without its words: those are made when somebody reads them. See `RiskVerdict`."""

    name: str
    met: bool
    asked: bool
    until: datetime | None


def told(found: Candidate, risk: Risk, now: datetime) -> tuple[Told, ...]:
    """Ask every rule about a group."""
    return tuple(_tell(rule, found, risk, now) for rule in RULES)


def _tell(rule: RiskRule, found: Candidate, risk: Risk, now: datetime) -> Told:
    if not rule.asked(risk):
        return Told(rule.name, True, False, None)
    met = rule.met(found, risk, now)
    return Told(rule.name, met, True, None if met else rule.until(found, risk))


@dataclass(frozen=True, slots=True)
class Line:
    """A group and what every rule says about it. loser, winner: its part in the current plan."""

    found: Candidate
    verdicts: tuple[Told, ...]
    loser: bool = False
    winner: bool = False
    busy: bool = False

    def __getitem__(self, name: str) -> Told:
        return next(each for each in self.verdicts if each.name == name)

    @property
    def id(self) -> int:
        return self.found.group.id

    @property
    def unmet(self) -> list[Told]:
        return [each for each in self.verdicts if not each.met]

    @property
    def reasons(self) -> list[str]:
        """Return the rules that are not met, a word each; what follows from another is left out."""
        names = [each.name for each in self.unmet]
        if "position" in names:
            names = [each for each in names if each not in ("fresh_price", "loss", "sellable")]
        elif "fresh_price" in names:
            names = [each for each in names if each not in ("loss", "sellable")]
        return [SHORT[each] for each in names]

    @property
    def order(self) -> tuple[int, int, Decimal, int]:
        """Return its place: the loser first, then those that lack least, then the deepest loss."""
        percent = self.found.percent if self.found.unrealized is not None else Decimal(0)
        return (not self.loser, len(self.reasons), percent, self.id)


def _first_unmet(line: Line, *names: str) -> Told | None:
    return next((line[name] for name in names if not line[name].met), None)


def _position(line: Line) -> Cell:
    group, unmet = line.found.group, _first_unmet(line, "position", "sellable")
    if unmet is not None and unmet.name == "position":
        return rule_cell(False, tr("nothing held"))
    held = quantity(group.open_quantity, line.found.instrument.step)
    too_small = unmet is not None and line["fresh_price"].met
    cell = rule_cell(not too_small, tr("too small") if too_small else held)
    return cell._replace(raw=raw(group.open_quantity))


def _entries(line: Line) -> Cell:
    verdict = line["filled_grid"]
    if not verdict.asked:
        return rule_cell(None)
    return rule_cell(verdict.met, "" if verdict.met else tr("legs work"))


def _open(line: Line) -> Cell:
    unmet = _first_unmet(line, "not_closing", "not_on_hold")
    return rule_cell(unmet is None, SHORT[unmet.name] if unmet else "")


def _pyramids(line: Line) -> Cell:
    group, verdict = line.found.group, line["full_pyramids"]
    said = f"{group.pyramid_count} / {group.max_pyramids}"
    return (
        rule_cell(verdict.met, said) if verdict.asked else Cell(tr("{said}, off").format(said=said), "text3")
    )


def _timer(line: Line, now: datetime) -> Cell:
    expires = line.found.group.timer_expires_at
    if expires is None:
        return rule_cell(False, tr("not started"))
    if line["timer"].met:
        return rule_cell(True, tr("ended {time}").format(time=local_time(expires)[:5]))
    return rule_cell(False, tr("{span} left").format(span=countdown(expires - now)))


def _loss(line: Line) -> Cell:
    found = line.found
    if found.unrealized is None:
        return rule_cell(False, tr("price is old") if found.group.avg_entry is not None else MISSING)
    return rule_cell(line["loss"].met, signed_percent(found.percent))._replace(raw=raw(found.percent))


def _age(line: Line, now: datetime) -> Cell:
    verdict = line["age"]
    if not verdict.asked:
        return rule_cell(None)
    if not verdict.met and verdict.until is not None:
        return rule_cell(False, tr("{span} left").format(span=countdown(verdict.until - now)))
    return rule_cell(verdict.met)


def _free(line: Line) -> Cell:
    unmet = _first_unmet(line, "not_blocked", "not_skipped")
    return rule_cell(unmet is None, SHORT[unmet.name] if unmet else "")


def _verdict(line: Line) -> Cell:
    if line.busy:
        return Cell(tr("Saving…"), "text3")
    if line.loser:
        return Cell(tr("Loser of the plan"), "loss", shape="disc")
    if line.winner:
        return Cell(tr("Pays in the plan"), "profit", shape="plus")
    if not line.unmet:
        return Cell(tr("Can be the loser"), "text2", shape="ring")
    return Cell(
        (tr("not yet: {reasons}") if waits(line) else tr("no: {reasons}")).format(
            reasons=", ".join(line.reasons)
        ),
        "text2",
    )


def waits(line: Line) -> bool:
    """Return whether time alone can still make it the loser: nothing but timer, age or loss is missing."""
    return {each.name for each in line.unmet} <= {"timer", "age", "loss"}


def said(verdict: RiskVerdict) -> str:
    """Say one rule's verdict: “Has lost enough: not met, −1.39 % now; asked is −5 % or less”."""
    how = tr("met") if verdict.met else tr("not met")
    words = _HYPHEN.sub(MINUS, visible(translated(verdict.words), 200))
    return f"{translated(verdict.title)}: {(how if verdict.asked else tr('off'))}, {words}"


def sentence(line: Line) -> str:
    """Say a row in words, for a screen reader."""
    group = line.found.group
    return f"{line.found.name} {tr(group.side.value)}, {_verdict(line).text}"


def delegates() -> dict[str, CellDelegate]:
    """Return what paints the columns."""
    rules = ("position", "entries", "open", "pyramids", "timer", "loss", "age", "free")
    return {"group": Position(), "verdict": Chip(), **{key: Rule() for key in rules}}


def columns(now: Callable[[], datetime], risk: Callable[[], Risk]) -> Sequence[Column[Line]]:
    """Return the columns; countdowns are counted from `now`, the rules are asked with the settings of `risk`."""

    def words(*names: str) -> Callable[[Line], str]:
        def tooltip(line: Line) -> str:
            spoken = verdicts(line.found, risk(), now())
            return "\n".join(said(each) for each in spoken if not names or each.name in names)

        return tooltip

    every = words()
    return (
        Column(
            key="group",
            title=tr("Group"),
            width=WIDE["group"],
            cell=lambda line: position_cell(
                line.found.group.symbol, line.found.group.timeframe, long=line.found.group.side is Side.LONG
            ),
            sort_key=lambda line: (line.found.group.symbol, line.found.group.timeframe),
            tooltip=lambda line: tr("on {account}\n{line}").format(
                account=visible(line.found.group.account, 40), line=every(line)
            ),
        ),
        Column(
            key="position",
            title=tr("Position"),
            width=WIDE["position"],
            cell=_position,
            sort_key=lambda line: line.found.group.open_quantity,
            tooltip=words("position", "sellable"),
            hint=tr("It holds something, and all of it can be sold"),
        ),
        Column(
            key="entries",
            title=tr("Entries done"),
            width=WIDE["entries"],
            cell=_entries,
            sort_key=lambda line: line["filled_grid"].met,
            tooltip=words("filled_grid"),
            hint=tr("No entry leg is working (risk.require_filled_grid)"),
        ),
        Column(
            key="open",
            title=tr("Not closing"),
            width=WIDE["open"],
            cell=_open,
            sort_key=lambda line: _first_unmet(line, "not_closing", "not_on_hold") is None,
            tooltip=words("not_closing", "not_on_hold"),
            hint=tr("It is not closing and not on hold"),
        ),
        Column(
            key="pyramids",
            title=tr("Pyramids"),
            width=WIDE["pyramids"],
            cell=_pyramids,
            sort_key=lambda line: line.found.group.pyramid_count,
            tooltip=words("full_pyramids"),
            hint=tr("It has all its pyramids (risk.require_full_pyramids)"),
        ),
        Column(
            key="timer",
            title=tr("Timer"),
            width=WIDE["timer"],
            cell=lambda line: _timer(line, now()),
            sort_key=lambda line: line.found.group.timer_expires_at,
            tooltip=words("timer"),
            hint=tr("Its waiting time is over (risk.post_full_wait_minutes)"),
        ),
        Column(
            key="loss",
            title=tr("Loss"),
            width=WIDE["loss"],
            cell=_loss,
            sort_key=lambda line: line.found.percent if line.found.unrealized is not None else None,
            tooltip=words("fresh_price", "loss"),
            hint=tr("Unrealized result / invested × 100, at a fresh price (risk.loss_threshold_percent)"),
        ),
        Column(
            key="age",
            title=tr("Age"),
            width=WIDE["age"],
            cell=lambda line: _age(line, now()),
            sort_key=lambda line: line.found.group.created_at,
            tooltip=words("age"),
            hint=tr("It is old enough (risk.use_age_filter)"),
        ),
        Column(
            key="free",
            title=tr("Not blocked"),
            width=WIDE["free"],
            cell=_free,
            sort_key=lambda line: _first_unmet(line, "not_blocked", "not_skipped") is None,
            tooltip=words("not_blocked", "not_skipped"),
            hint=tr("Neither blocked nor skipped once by you"),
        ),
        Column(
            key="verdict",
            title=tr("Verdict"),
            width=WIDE["verdict"],
            cell=_verdict,
            sort_key=lambda line: line.order,
            tooltip=every,
        ),
    )
