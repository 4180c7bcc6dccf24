"""The eight figures of Performance, each with its formula and its numbers."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout

from execution_engine.domain.performance import LEAST_TRADES, Report
from execution_engine.ui.format import (
    MISSING,
    counted,
    exact,
    local_moment,
    number,
    percent,
    result_token,
    signed_usd,
    span,
    usd,
)
from execution_engine.ui.theme import Token, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Figure, Panel

LABELS = {
    "net": tr("Net, USD"),
    "factor": tr("Profit factor"),
    "rate": tr("Win rate"),
    "expectancy": tr("Expectancy, USD"),
    "drawdown": tr("Max drawdown, USD"),
    "sharpe": tr("Sharpe"),
    "held": tr("Average holding"),
    "trades": tr("Trades"),
}
ROW_HEIGHT, ROW_HEIGHT_OF_TWO = 68, 64


class Strip(Panel):
    """Show the figures in one row, or in two."""

    def __init__(self) -> None:
        """Begin without figures, in one row."""
        super().__init__()
        self.figures = {key: Figure(label) for key, label in LABELS.items()}
        self._grid = QGridLayout()
        self._grid.setSpacing(0)
        for figure in self.figures.values():
            figure.below.hide()
        self.add(self._grid)
        self.set_rows(1)

    def set_rows(self, rows: int) -> None:
        """Lay the figures out in one or two rows."""
        across = len(self.figures) // rows
        for place, figure in enumerate(self.figures.values()):
            self._grid.removeWidget(figure)
            self._grid.addWidget(figure, place // across, place % across)
            figure.setProperty("cell", "" if place % across == across - 1 else "divided")
            figure.style().unpolish(figure)
            figure.style().polish(figure)
        for column in range(len(self.figures)):
            self._grid.setColumnStretch(column, int(column < across))
        self.setFixedHeight(px(ROW_HEIGHT if rows == 1 else ROW_HEIGHT_OF_TWO) * rows)

    def text(self, key: str) -> str:
        """Return what a figure says."""
        return self.figures[key].value.text()

    def show_report(self, report: Report) -> None:
        """Show the figures of a report; each tooltip has the formula with its numbers."""
        sums, fall = report.tally, report.fall
        self._show(
            "net",
            signed_usd(report.realized),
            tr(
                "Realized in this time, fees included, of open groups as well = {realized} USD\nClosed "
                "groups alone: {realized_2} USD, {fees} USD of fees"
            ).format(realized=exact(report.realized), realized_2=exact(sums.realized), fees=exact(sums.fees)),
            result_token(report.realized),
        )
        self._show(
            "factor",
            number(sums.profit_factor, 2),
            tr("Sum of profits / sum of losses = {amount} / {amount_2}").format(
                amount=usd(sums.won), amount_2=usd(-sums.lost)
            )
            if sums.lost
            else tr("Sum of profits / sum of losses; there is no loss"),
        )
        self._show(
            "rate",
            percent(sums.win_rate, 1),
            tr("Closed groups with a profit / closed groups that had filled = {wins} / {trades}").format(
                wins=f"{sums.wins:,}", trades=f"{sums.trades:,}"
            ),
        )
        self._show(
            "expectancy",
            signed_usd(sums.expectancy),
            tr(
                "Sum of results / closed groups = {amount} / {trades} = {expectancy} USD\nAverage win "
                "{amount_2}, average loss {amount_3}"
            ).format(
                amount=signed_usd(sums.realized),
                trades=f"{sums.trades:,}",
                expectancy=exact(sums.expectancy),
                amount_2=signed_usd(sums.average_win),
                amount_3=signed_usd(sums.average_loss),
            ),
            result_token(sums.expectancy),
        )
        low = tr(", lowest on {time}").format(time=local_moment(fall.low_at)) if fall.low_at else ""
        self._show(
            "drawdown",
            signed_usd(fall.amount),
            tr(
                "Deepest fall of the equity (start capital + realized) from a peak = {amount} USD, "
                "{percent} of the peak{low}"
            ).format(amount=exact(fall.amount), percent=percent(fall.percent), low=low),
            result_token(fall.amount),
        )
        few = (
            tr("Sharpe needs at least {least_trades} trades; there is {trades}.")
            if sums.trades == 1
            else tr("Sharpe needs at least {least_trades} trades; there are {trades}.")
        ).format(least_trades=LEAST_TRADES, trades=sums.trades)
        formula = tr(
            "Mean of the daily changes of the equity / their standard deviation × √365; days are those of UTC"
        )
        self._show("sharpe", number(report.sharpe, 2), few if sums.trades < LEAST_TRADES else formula)
        self._show(
            "held",
            span(sums.average_held),
            tr("From the first fill to the close, sum over closed groups / their number")
            + (f" = {span(sums.held)} / {sums.trades:,}" if sums.trades else ""),
        )
        self._show(
            "trades",
            f"{sums.trades:,}",
            tr("{count} that had filled").format(
                count=counted(sums.trades, tr("closed group"), tr("closed groups"))
            ),
        )

    def _show(self, key: str, text: str, tip: str, token: Token = "text") -> None:
        figure = self.figures[key]
        figure.show_value(text, token="text3" if text == MISSING else token)
        figure.setToolTip(tip)
