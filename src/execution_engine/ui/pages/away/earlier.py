"""The table of what is settled: what was found, when, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from execution_engine.domain.rows import Finding
from execution_engine.ui.findings import CHOSEN, TELLING, pair, sentences
from execution_engine.ui.format import local_moment, utc_text, visible
from execution_engine.ui.tables import Cell, Column, TableModel, TableView
from execution_engine.ui.tongue import tr


def ending(finding: Finding) -> str:
    """Say how a finding ended."""
    _, done = sentences(finding)
    chosen = CHOSEN[finding.choice] if finding.choice is not None else ""
    # What was done by the user's choice says so itself.
    return done or chosen or tr("It ended by itself.")


def _found(finding: Finding) -> Cell:
    return Cell(sentences(finding)[0], "text2")


def _account(finding: Finding) -> str:
    return visible(finding.account, 40) or tr("{world} world").format(world=tr(finding.world))


COLUMNS: Sequence[Column[Finding]] = (
    Column(
        key="settled",
        title=tr("Settled"),
        width=126,
        cell=lambda row: Cell(local_moment(row.settled_at), raw=str(row.settled_at or "")),
        sort_key=lambda row: (row.settled_at, row.id),
        tooltip=lambda row: tr("Found {time}\n{time_2}").format(
            time=local_moment(row.at), time_2=utc_text(row.settled_at)
        ),
    ),
    Column(
        key="what",
        title=tr("What"),
        width=240,
        cell=lambda row: Cell(TELLING[row.kind].title),
        sort_key=lambda row: TELLING[row.kind].title,
    ),
    Column(
        key="pair",
        title=tr("Pair"),
        width=100,
        cell=lambda row: Cell(pair(row)),
        sort_key=pair,
    ),
    Column(
        key="account", title=tr("Account"), width=100, cell=lambda row: Cell(_account(row)), sort_key=_account
    ),
    Column(
        key="ending",
        title=tr("How it ended"),
        width=280,
        cell=lambda row: Cell(ending(row)),
        sort_key=ending,
        tooltip=lambda row: "\n".join(
            each for each in (ending(row), CHOSEN[row.choice] if row.choice else "") if each
        ),
    ),
    Column(
        key="found",
        title=tr("What was found"),
        width=260,
        cell=_found,
        tooltip=lambda row: sentences(row)[0],
    ),
)
WIDE = {column.key: column.width for column in COLUMNS}
NARROW = {"settled": 126, "what": 232, "pair": 92, "ending": 220, "found": 200}


class Earlier(TableView):
    """List what is settled, the newest first."""

    def __init__(self) -> None:
        """Begin empty."""
        self.findings: TableModel[Finding] = TableModel(
            COLUMNS, lambda row: row.id, default_sort=lambda row: -_moment(row)
        )
        super().__init__(self.findings, name=tr("Earlier findings"))
        self.set_empty(tr("Nothing was settled yet."))

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Show these, whatever was shown before."""
        self.findings.replace(list(findings))

    def set_narrow(self, narrow: bool) -> None:
        """Show the columns for which there is room."""
        self.show_columns(NARROW if narrow else WIDE)


def _moment(finding: Finding) -> float:
    return (finding.settled_at or finding.at).timestamp()
