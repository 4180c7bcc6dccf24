"""What a cell of the tree says when it is asked: the formula with this row's numbers, and the row in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Instrument, Side
from execution_engine.domain.money import HUNDRED
from execution_engine.domain.position import unrealized_percent
from execution_engine.domain.rows import Group
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.ui import format as f
from execution_engine.ui.icons import state_look
from execution_engine.ui.pages.positions.lines import Goal, GroupLine, LegLine, Line, PyramidLine, progress
from execution_engine.ui.tongue import inline, tr, translated

Now = Callable[[], datetime]

_MODES = {
    TakeProfitMode.PER_LEG: tr("Each filled leg closes by itself at its own target."),
    TakeProfitMode.AGGREGATE: tr("The whole group closes at one target above its average entry."),
    TakeProfitMode.HYBRID: tr(
        "Each leg has its own target and the group a common one; the first reached acts."
    ),
}
_UNITS = {
    "s": (tr("second"), tr("seconds")),
    "m": (tr("minute"), tr("minutes")),
    "h": (tr("hour"), tr("hours")),
    "d": (tr("day"), tr("days")),
    "w": (tr("week"), tr("weeks")),
    "M": (tr("month"), tr("months")),
}


def timeframe_words(timeframe: str) -> str:
    """Say a timeframe: 1 hour, 15 minutes."""
    count, unit = timeframe[:-1], _UNITS.get(timeframe[-1:])
    if unit is None or not count.isdigit():
        return timeframe
    one, many = unit
    return f"{count} {one if count == '1' else many}"


def sentence(line: Line) -> str:
    """Say a whole row in words, for screen readers."""
    if isinstance(line, GroupLine):
        return _group_sentence(line)
    if isinstance(line, PyramidLine):
        base = f.price(line.pyramid.base_price, line.rules.tick)
        return tr("Pyramid {pyramid}, base price {base}, {unrealized}").format(
            pyramid=line.pyramid.index + 1, base=base, unrealized=_result_words(line.unrealized)
        )
    leg = line.leg
    at = f.price(leg.avg_fill_price or leg.price, line.rules.tick)
    return tr("Leg {leg} at {at}, {unrealized}, {word}").format(
        leg=leg.index, at=at, unrealized=_result_words(line.unrealized), word=_word("leg", line.state)
    )


def _group_sentence(line: GroupLine) -> str:
    group = line.group
    name = f"{group.symbol} {timeframe_words(group.timeframe)} {tr(group.side.value)}"
    old = tr(", the price is old") if line.stale else ""
    return f"{name}, {_result_words(line.unrealized)}, {_word('group', line.state)}{old}"


def _result_words(value: Decimal | None) -> str:
    return (
        tr("nothing held")
        if value is None
        else tr("unrealized {amount} USD").format(amount=f.spoken(f.signed_usd(value)))
    )


def _word(kind: str, state: str) -> str:
    return inline(state_look(kind, state).word)  # type: ignore[arg-type]  # the two kinds named above


def cut(value: Decimal, tick: Decimal) -> str:
    """Write a price with its tick's decimals, and say by `…` that there are more."""
    places = f.places_of(tick)
    whole = value.quantize(Decimal(1).scaleb(-places), "ROUND_DOWN")
    return f.number(whole, places) + ("" if whole == value else "…")


# One function per column; each takes a line and may have nothing to say.


def position(line: Line) -> str:
    if isinstance(line, GroupLine):
        group = line.group
        at = tr("{exchange} {symbol}, {timeframe}, {side} on account {account}").format(
            exchange=group.exchange,
            symbol=group.symbol,
            timeframe=group.timeframe,
            side=tr(group.side.value),
            account=group.account,
        )
        return tr("{at}\ngroup {group}, grid “{grid_name}”").format(
            at=at, group=group.id, grid_name=group.grid_name
        )
    if isinstance(line, PyramidLine):
        pyramid = line.pyramid
        capital = f.usd(pyramid.capital_usd)
        return tr("Base price {base_price}, {capital} USD, grid “{grid_name}”").format(
            base_price=f.exact(pyramid.base_price), capital=capital, grid_name=pyramid.grid_name
        )
    leg = line.leg
    return tr("{percent} from the base price, target {percent_2}").format(
        percent=f.signed_percent(leg.gap_percent, 2), percent_2=f.percent(leg.tp_percent)
    )


def pyramids(line: Line) -> str:
    if not isinstance(line, GroupLine):
        return ""
    group = line.group
    more = (
        f"; {f.counted(group.replacement_count, tr('replacement'), tr('replacements'))}"
        if group.replacement_count
        else ""
    )
    return tr("{pyramid_count} of at most {max_pyramids} pyramids{more}").format(
        pyramid_count=group.pyramid_count, max_pyramids=group.max_pyramids, more=more
    )


def legs(line: Line) -> str:
    if isinstance(line, GroupLine):
        return tr("{filled} of {count} legs filled, those that were sold again among them").format(
            filled=line.filled, count=len(line.legs)
        )
    return (
        tr("{percent} of the pyramid's capital").format(percent=f.percent(line.leg.weight_percent))
        if isinstance(line, LegLine)
        else ""
    )


def entry(line: Line) -> str:
    if isinstance(line, GroupLine):
        return _average(line.group.avg_entry, line.group.invested, line.group.open_quantity)
    if isinstance(line, PyramidLine):
        return _average(line.average, line.invested, line.held)
    leg = line.leg
    if leg.avg_fill_price is None:
        return tr("Limit order at {price}, nothing filled yet").format(price=f.exact(leg.price))
    return tr("Filled at {price} on average; the limit was {price_2}").format(
        price=f.exact(leg.avg_fill_price), price_2=f.exact(leg.price)
    )


def _average(average: Decimal | None, invested: Decimal, held: Decimal) -> str:
    if average is None:
        return ""
    return tr("Average entry = {invested} invested / {held} held = {average}").format(
        invested=f.exact(invested), held=f.exact(held), average=f.exact(average)
    )


def price(line: Line, now: datetime) -> str:
    if not isinstance(line, GroupLine) or line.quote is None:
        return tr("There is no price yet.") if isinstance(line, GroupLine) else ""
    quote = line.quote
    if line.stale:
        return old_price(quote, now)
    quoted = quote.bid if line.group.side is Side.LONG else quote.ask
    which = (
        (tr("the bid") if line.group.side is Side.LONG else tr("the ask")) if quoted else tr("the last trade")
    )
    by_hand = tr("set by hand") if quote.manual else f"{f.utc_text(quote.at)}"
    return tr("What a close would get now: {which}, {by_hand}").format(which=which, by_hand=by_hand)


def old_price(quote: Price, now: datetime) -> str:
    """Say how old a stale price is."""
    return tr("Price is {span} old; the stream is reconnecting").format(span=f.age(now - quote.at))


def target(line: Line) -> str:
    if isinstance(line, LegLine):
        leg = line.leg
        start = leg.avg_fill_price or leg.price
        text = _target(start, leg.tp_percent, leg.tp_price, line.side, line.rules)
        common = (
            tr("\nThe group closes at its common target instead.") if line.goal is None and line.holds else ""
        )
        return text + common
    if not isinstance(line, GroupLine) or (goal := line.goal) is None:
        return ""
    group = line.group
    percent = next((leg.tp_percent for leg in line.legs if _is(leg.tp_price, leg.avg_fill_price, goal)), None)
    if goal.whose == "all":
        return tr("Whole group: ") + _target(
            goal.start, group.tp_aggregate_percent, goal.target, group.side, line.rules
        )
    if percent is None:
        return ""
    return f"{goal.whose}: " + _target(goal.start, percent, goal.target, group.side, line.rules)


def _is(target: Decimal, start: Decimal | None, goal: Goal) -> bool:
    return (target, start) == (goal.target, goal.start)


def _target(start: Decimal, percent: Decimal, target: Decimal, side: Side, rules: Instrument) -> str:
    factor = f.exact((HUNDRED + side.sign * percent) / HUNDRED)
    way = tr("up") if side is Side.LONG else tr("down")
    shown = f.price(target, rules.tick)
    return tr("Target = {start} × {factor}, rounded {way} to the tick = {shown}").format(
        start=cut(start, rules.tick), factor=factor, way=way, shown=shown
    )


def to_target(line: Line) -> str:
    if isinstance(line, LegLine) and line.leg.closed_by is not None:
        leg = line.leg
        return tr("{closed_quantity} closed for {proceeds}, target {tp_price}").format(
            closed_quantity=f.exact(leg.closed_quantity),
            proceeds=f.exact(leg.proceeds),
            tp_price=f.exact(leg.tp_price),
        )
    if isinstance(line, PyramidLine) or (goal := line.goal) is None or line.price is None:
        return ""
    tick = line.rules.tick
    now, start, end = (cut(each, tick) for each in (line.price, goal.start, goal.target))
    way = progress(goal, line.price)
    percent = f.percent(None if way is None else way * HUNDRED, 0)
    return f"({now} − {start}) / ({end} − {start}) = {percent}"


def filled(line: Line) -> str:
    if isinstance(line, LegLine):
        leg = line.leg
        text = tr("{filled_quantity} of {quantity} {base} filled").format(
            filled_quantity=f.exact(leg.filled_quantity), quantity=f.exact(leg.quantity), base=line.rules.base
        )
        return text + (
            tr(", {open_quantity} held").format(open_quantity=f.exact(leg.open_quantity))
            if leg.filled_quantity
            else ""
        )
    if isinstance(line, PyramidLine):
        return tr("{held} {base} held").format(held=f.exact(line.held), base=line.rules.base)
    group = line.group
    held, all_of_it = f.exact(group.open_quantity), f.exact(group.filled_quantity)
    return tr("{held} {base} held, {all_of_it} filled in all, {amount} USD invested").format(
        held=held, base=group.base, all_of_it=all_of_it, amount=f.usd(group.invested)
    )


def unrealized(line: Line) -> str:
    if isinstance(line, GroupLine):
        group = line.group
        if not group.holds_slot:
            return tr("Realized {realized} USD, {fees} USD of fees deducted").format(
                realized=f.exact(group.realized), fees=f.exact(group.fees)
            )
        formula = _unrealized(line, group.avg_entry, group.open_quantity, group.side)
        more = (
            tr("Realized so far {realized} USD").format(realized=f.exact(group.realized))
            if group.realized
            else ""
        )
        return "\n".join(each for each in (formula, more) if each)
    if isinstance(line, PyramidLine):
        return _unrealized(line, line.average, line.held, line.side)
    leg = line.leg
    if leg.closed_by is not None:
        fees = f.exact(leg.entry_fees + leg.exit_fees)
        return tr("Realized = {realized} USD, {fees} USD of fees deducted").format(
            realized=f.exact(leg.realized), fees=fees
        )
    return _unrealized(line, leg.avg_fill_price if line.holds else None, leg.open_quantity, line.side)


def _unrealized(line: Line, average: Decimal | None, held: Decimal, side: Side) -> str:
    if average is None or line.price is None or line.unrealized is None:
        return ""
    tick = line.rules.tick
    now, start = cut(line.price, tick), cut(average, tick)
    difference = f"{now} − {start}" if side is Side.LONG else f"{start} − {now}"
    return tr("Unrealized = ({difference}) × {held} = {unrealized} USD").format(
        difference=difference, held=f.exact(held), unrealized=f.exact(line.unrealized)
    )


def percent(line: Line) -> str:
    result = line.unrealized
    invested = line.group.invested if isinstance(line, GroupLine) else line.invested
    share = unrealized_percent(result, invested)
    if result is None or share is None:
        return ""
    return tr("{result} / {invested} invested = {percent}").format(
        result=f.exact(result), invested=f.exact(invested), percent=f.signed_percent(share, 4)
    )


def mode(line: Line) -> str:
    return _MODES[line.group.tp_mode] if isinstance(line, GroupLine) else ""


def status(line: Line) -> str:
    if isinstance(line, LegLine):
        return f.visible(translated(line.leg.reason))
    if isinstance(line, PyramidLine):
        return ""
    group = line.group
    flags = [tr("The risk engine leaves it alone")] * group.blocked + [
        tr("The risk engine skips it once")
    ] * group.skip_once
    forced = [tr("Forced into the pool")] * group.forced
    return "\n".join(
        f.visible(translated(each)) for each in (line.hold, group.close_reason, *flags, *forced) if each
    )


def timer(group: Group) -> tuple[str, str]:
    """Return how a group's waiting time for the risk engine stands, and when it ends."""
    expires = group.timer_expires_at
    kept = tr("blocked") if group.blocked else tr("skipped once") if group.skip_once else ""
    if expires is None:
        return kept or tr("not started"), ""
    ends = tr("until {time}").format(time=f.local_time(expires)[:5])
    return f"{ends}, {kept}" if kept else ends, f.utc_text(expires)


def age(line: Line) -> str:
    if isinstance(line, LegLine):
        return ""
    since = line.group.created_at if isinstance(line, GroupLine) else line.pyramid.created_at
    return tr("Since {time}\n{time_2}").format(time=f.local_moment(since), time_2=f.utc_text(since))
