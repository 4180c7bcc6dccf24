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
    consequences = [Consequence("Account", ((group.account, "text"),), mode=mode)]
    cancelled = "is cancelled" if open_legs == 1 else "are cancelled"
    consequences.append(
        follows(
            "Orders", f"{f.counted(open_legs, 'open leg')} {cancelled}" if open_legs else "nothing is open"
        )
    )
    consequences += _closing(line, held) if held else [follows("Position", "nothing is held")]
    return ConfirmDialog(
        "Exit group",
        f"Exit {name(group)} at market?",
        "Exit at market" if held else "Cancel and close",
        consequences=consequences,
        stay="Cancel" if held else "Keep it open",
        mode="live" if mode == "live" else "",
        parent=parent,
    )


def _closing(line: GroupLine, held: Decimal) -> list[Consequence]:
    group, price, rules = line.group, line.price, line.rules
    verb = "sold" if group.side is Side.LONG else "bought back"
    amount = f"{f.quantity(held, rules.step)} {group.base}"
    if price is None:
        return [Consequence("Position", ((amount, "text!"), (f"are {verb}; there is no price now", "text")))]
    worth = f"are {verb}, about {f.usd(held * price)} {group.quote} at {f.price(price, rules.tick)}"
    old = " (an old price)" if line.stale else ""
    result, fees = would_realize(line, held, price)
    return [
        Consequence("Position", ((amount, "text!"), (worth + old, "text"))),
        Consequence(
            "Result",
            (
                ("realizes about", "text"),
                (f"{f.signed_usd(result)} USD", f"{f.result_token(result)}!"),
                (f"{f.usd(fees)} USD of fees included", "text2"),
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
        "Lift the hold",
        f"Lift the hold on {name(line.group)}?",
        "Lift the hold",
        explanation=f.visible(line.hold, 400),
        consequences=[
            follows("Position", "is looked after again: targets, exits, orders that it lacks"),
            follows("If it happens again", "it is put on hold again"),
        ],
        danger=False,
        parent=parent,
    )


def cancel_dialog(line: GroupLine, orders: Iterable[Order], parent: QWidget) -> ConfirmDialog:
    """Ask before the open legs of a group are cancelled."""
    working = working_entries(orders)
    spared = sum((order.remaining * (order.price or ZERO) for order in working), ZERO)
    held = line.rules.quantity(line.group.open_quantity)
    rest = f"{f.quantity(held, line.rules.step)} {line.group.base} stay and keep their targets"
    return ConfirmDialog(
        "Cancel open legs",
        f"Cancel {f.counted(len(working), 'open leg')} of {name(line.group)}?",
        f"Cancel {f.counted(len(working), 'leg')}",
        stay="Keep it" if len(working) == 1 else "Keep them",
        consequences=[
            follows("Orders", f"{f.usd(spared)} {line.group.quote} of limits are taken off the exchange"),
            follows("Position", rest if held else "nothing is held: the group closes"),
        ],
        parent=parent,
    )
