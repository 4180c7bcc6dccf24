"""The dialogs of Positions: what will happen, with numbers, before it happens."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from PySide6.QtWidgets import QWidget

from execution_engine.domain.instrument import Side
from execution_engine.domain.money import HUNDRED, ZERO, divide
from execution_engine.domain.rows import Account, Group, Order, Purpose
from execution_engine.ui import format as f
from execution_engine.ui.pages.positions.lines import GroupLine
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ConfirmDialog, Consequence, follows


def working_entries(orders: Iterable[Order]) -> list[Order]:
    """Return the entry orders that may still fill."""
    return [order for order in orders if order.purpose is Purpose.ENTRY and not order.is_final]


def name(group: Group) -> str:
    """Name a group in a sentence."""
    return f"{group.symbol} {group.timeframe}"


def exit_dialog(
    line: GroupLine, orders: Iterable[Order], account: Account | None, parent: QWidget
) -> ConfirmDialog:
    """Ask before a group is closed at market."""
    group, open_legs = line.group, len(working_entries(orders))
    held = line.rules.quantity(line.group.open_quantity)
    mode = account.mode.value if account else "paper"
    consequences = [Consequence(tr("Account"), ((group.account, "text"),), mode=mode)]
    cancelled = tr("is cancelled") if open_legs == 1 else tr("are cancelled")
    consequences.append(
        follows(
            tr("Orders"),
            f"{f.counted(open_legs, tr('open leg'), tr('open legs'))} {cancelled}"
            if open_legs
            else tr("nothing is open"),
        )
    )
    consequences += _closing(line, held) if held else [follows(tr("Position"), tr("nothing is held"))]
    return ConfirmDialog(
        tr("Exit group"),
        tr("Exit {group} at market?").format(group=name(group)),
        tr("Exit at market") if held else tr("Cancel and close"),
        consequences=consequences,
        stay=tr("Cancel") if held else tr("Keep it open"),
        mode="live" if mode == "live" else "",
        parent=parent,
    )


def _closing(line: GroupLine, held: Decimal) -> list[Consequence]:
    group, price, rules = line.group, line.price, line.rules
    amount = f"{f.quantity(held, rules.step)} {group.base}"
    if price is None:
        return [
            Consequence(
                tr("Position"),
                (
                    (amount, "text!"),
                    (
                        tr("are sold; there is no price now")
                        if group.side is Side.LONG
                        else tr("are bought back; there is no price now"),
                        "text",
                    ),
                ),
            )
        ]
    worth = (
        tr("are sold, about {amount} {quote} at {price}")
        if group.side is Side.LONG
        else tr("are bought back, about {amount} {quote} at {price}")
    ).format(amount=f.usd(held * price), quote=group.quote, price=f.price(price, rules.tick))
    old = tr(" (an old price)") if line.stale else ""
    result, fees = would_realize(line, held, price)
    return [
        Consequence(tr("Position"), ((amount, "text!"), (worth + old, "text"))),
        Consequence(
            tr("Result"),
            (
                (tr("realizes about"), "text"),
                (f"{f.signed_usd(result)} USD", f"{f.result_token(result)}!"),
                (tr("{amount} USD of fees included").format(amount=f.usd(fees)), "text2"),
            ),
        ),
    ]


def would_realize(line: GroupLine, held: Decimal, price: Decimal) -> tuple[Decimal, Decimal]:
    """Return what a close at a price would realize [USD] and the fees in it: of the close, and of the entries
    in proportion to what is closed."""
    group = line.group
    cost = divide(group.invested * held, group.open_quantity) if group.open_quantity else ZERO
    closing_fee = held * price * line.rules.taker_fee_percent / HUNDRED
    entry_fees = sum(
        (
            divide(leg.entry_fees * leg.open_quantity, leg.filled_quantity)
            for leg in line.legs
            if leg.open_quantity
        ),
        ZERO,
    )
    fees = closing_fee + entry_fees
    return group.side.sign * (held * price - cost) - fees, fees


def release_dialog(line: GroupLine, parent: QWidget) -> ConfirmDialog:
    """Ask before the hold of a group is lifted."""
    return ConfirmDialog(
        tr("Lift the hold"),
        tr("Lift the hold on {group}?").format(group=name(line.group)),
        tr("Lift the hold"),
        explanation=f.visible(translated(line.hold), 400),
        consequences=[
            follows(tr("Position"), tr("is looked after again: targets, exits, orders that it lacks")),
            follows(tr("If it happens again"), tr("it is put on hold again")),
        ],
        danger=False,
        parent=parent,
    )


def cancel_dialog(line: GroupLine, orders: Iterable[Order], parent: QWidget) -> ConfirmDialog:
    """Ask before the open legs of a group are cancelled."""
    working = working_entries(orders)
    spared = sum((order.remaining * (order.price or ZERO) for order in working), ZERO)
    held = line.rules.quantity(line.group.open_quantity)
    rest = tr("{held} {base} stay and keep their targets").format(
        held=f.quantity(held, line.rules.step), base=line.group.base
    )
    return ConfirmDialog(
        tr("Cancel open legs"),
        tr("Cancel {count} of {group}?").format(
            count=f.counted(len(working), tr("open leg"), tr("open legs")), group=name(line.group)
        ),
        tr("Cancel {count}").format(count=f.counted(len(working), tr("leg"), tr("legs"))),
        stay=tr("Keep it") if len(working) == 1 else tr("Keep them"),
        consequences=[
            follows(
                tr("Orders"),
                tr("{amount} {quote} of limits are taken off the exchange").format(
                    amount=f.usd(spared), quote=line.group.quote
                ),
            ),
            follows(tr("Position"), rest if held else tr("nothing is held: the group closes")),
        ],
        parent=parent,
    )
