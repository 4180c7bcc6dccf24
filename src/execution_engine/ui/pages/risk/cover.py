"""The balance of a plan as a bar: each winner's share of what the loser needs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.domain.money import ZERO
from execution_engine.ui.format import usd
from execution_engine.ui.tables.paint import baseline, elided, width_of
from execution_engine.ui.theme import THEME, color, font, px, tint
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label

Share = tuple[str, Decimal]


class Cover(QWidget):
    """Say how much winners give of what is needed, and what is missing."""

    def __init__(self) -> None:
        """Begin with nothing to cover."""
        super().__init__()
        self.given, self.missing = Label("", "small", "text2"), Label("", "small", "text2")
        self.bar = ShareBar()
        line = QHBoxLayout()
        line.addWidget(self.given)
        line.addStretch(1)
        line.addWidget(self.missing)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(14), px(8), px(14), px(12))
        column.setSpacing(px(6))
        column.addLayout(line)
        column.addWidget(self.bar)

    def show_cover(
        self, shares: Sequence[Share], needed: Decimal | None, *, gave: bool = False, said: str = ""
    ) -> None:
        """Show who gives how much [USD]. needed: None while there is no plan. said: instead of what is missing."""
        if needed is None:
            self.given.show_text("")
            self.missing.show_text("")
            self.bar.show_shares((), ZERO)
            return
        covered = sum((share for _, share in shares), ZERO)
        told = (
            tr("Winners gave {amount} of {needed} USD, the loser's loss and closing fee")
            if gave
            else tr("Winners give {amount} of {needed} USD, the loser's loss and closing fee")
        )
        self.given.show_text(told.format(amount=usd(covered), needed=usd(needed)))
        missing = max(needed - covered, ZERO)
        if said:
            self.missing.show_text(said, "text2")
        elif missing and gave:
            self.missing.show_text(tr("{amount} USD are still to come").format(amount=usd(missing)), "text2")
        elif missing:
            self.missing.show_text(tr("{amount} USD are missing").format(amount=usd(missing)), "loss")
        else:
            self.missing.show_text(tr("nothing is missing"), "profit")
        self.bar.show_shares(shares, needed)


class ShareBar(QWidget):
    """Paint the shares beside one another; what is missing stays empty."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.setFixedHeight(px(22))
        self._shares: Sequence[Share] = ()
        self._needed = ZERO
        THEME.theme_changed.connect(self.update)

    def show_shares(self, shares: Sequence[Share], needed: Decimal) -> None:
        """Change what is painted."""
        if (tuple(shares), needed) != (tuple(self._shares), self._needed):
            self._shares, self._needed = tuple(shares), needed
            said = ", ".join(f"{name} {usd(share)} USD" for name, share in shares)
            self.setAccessibleName(
                tr("{said} of {amount} USD").format(said=said or tr("nothing"), amount=usd(needed))
            )
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint every share to scale."""
        painter = QPainter(self)
        whole = max(self._needed, sum((max(share, ZERO) for _, share in self._shares), ZERO))
        if not whole:
            return  # its place is kept
        painter.fillRect(self.rect(), tint("text3", "panel", 0.16))
        painter.setFont(font("small", 500))
        done = ZERO
        for name, share in self._shares:
            if share <= 0:
                continue
            left, right = self._x(done, whole), self._x(done + share, whole)
            done += share
            box = QRect(left, 0, max(right - left - (2 if done < whole else 0), 1), self.height())
            painter.fillRect(box, color("profit"))
            text = elided(f"{name} {usd(share)}", box.width() - px(12), "small", 500)
            if width_of(text, "small", 500) > px(20):
                painter.setPen(color("panel"))
                painter.drawText(QPointF(box.x() + px(7), baseline(box, "small", 500)), text)

    def _x(self, amount: Decimal, whole: Decimal) -> int:
        # A place on the screen, not money: from here on a float is right.
        return round(self.width() * float(amount / whole))
