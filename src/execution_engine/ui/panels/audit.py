"""The panel of the audit log: every sensitive act, whether the chain holds, and a way to keep it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout

from execution_engine.domain import audit
from execution_engine.domain.errors import Refusal
from execution_engine.domain.origin import Origin
from execution_engine.domain.rows import AuditEntry
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import MISSING, counted, local_moment, utc_text, visible
from execution_engine.ui.panels.asks import AskingPanel
from execution_engine.ui.panels.files import ask_where_to_write
from execution_engine.ui.tables import Cell, Column, TableModel, TableView
from execution_engine.ui.theme import Token, px
from execution_engine.ui.tongue import later, tr, translated
from execution_engine.ui.widgets import Label, SearchField, button

HEIGHT = 320
ORIGINS: dict[str, str] = {
    Origin.WINDOW: tr("Done in this window."),
    Origin.COMMAND_LINE: tr("Asked for by the command line."),
    Origin.LISTENER: tr("Brought about by what was sent to the webhook."),
    Origin.KEY_CHECK: tr("Found by the daily check of the keys at their exchange."),
    Origin.AUTOMATIC: tr("Done by the engine itself."),
}
SOON_MS = 1000
BAD = frozenset(
    {
        audit.Act.SECRET_GUESSED,
        audit.Act.VAULT_REFUSED, audit.Act.VAULT_FORGOTTEN, audit.Act.AUDIT_BROKEN, audit.Act.BACKUP_FAILED,
        audit.Act.ACCOUNT_REMOVED, audit.Act.ACCOUNT_DISABLED, audit.Act.BACKUP_RESTORED,
    }
)  # fmt: skip


class AuditPanel(AskingPanel):
    """Show the audit log, filter it, verify its chain, write it to a file."""

    def __init__(self, bridge: Bridge) -> None:
        """Begin empty; it is read when it is seen, and after each change while it is."""
        super().__init__(
            tr("Audit log"), tr("every sensitive act, each chained to the one before it"), bridge
        )
        self.search = SearchField(tr("Search the audit log"), 220)
        self.counted = Label("", "small", "text3")
        self.head = Label("", "small", "text3")
        self.verify = button(tr("Verify"), icon="tick", small=True)
        self.export = button(tr("Export…"), icon="export", small=True)
        self.rows: TableModel[AuditEntry] = TableModel(
            _COLUMNS, lambda row: row.id, default_sort=lambda row: -row.id
        )
        self.view = TableView(self.rows, name=tr("Audit log"))
        self.view.setFixedHeight(px(HEIGHT))
        self.view.set_empty(tr("Nothing was written down yet."))
        self.add_right(self.verify)
        self.add_right(self.export)
        tools = QHBoxLayout()
        tools.setContentsMargins(px(12), px(8), px(12), px(8))
        tools.setSpacing(px(12))
        tools.addWidget(self.search)
        tools.addWidget(self.counted)
        tools.addStretch(1)
        tools.addWidget(self.head)
        self.add(tools)
        self.add(self.view)
        self.add(self.said)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(self.refresh)
        self.search.textChanged.connect(lambda text: self._filter())
        self.verify.clicked.connect(self._verify)
        self.export.clicked.connect(self._ask_where)
        bridge.changed.connect(self._changed)

    def showEvent(self, event: QShowEvent) -> None:
        """Read it."""
        self.refresh()
        super().showEvent(event)

    def refresh(self) -> None:
        """Read the log."""
        self._bridge.run(self._bridge.doors.data.audit(), self._known)

    def _changed(self, batch: Batch) -> None:
        if self.isVisible() and not batch.only_prices and not self._soon.isActive():
            self._soon.start()

    def _known(self, entries: Sequence[AuditEntry] | Refusal) -> None:
        if isinstance(entries, Refusal):
            self.say(entries.message, "danger")
            return
        known = set(self.rows.keys())
        fresh = [entry for entry in entries if entry.id not in known]
        if len(fresh) == len(entries) - len(known):
            self.rows.upsert(fresh)
        else:
            self.rows.replace(entries)
        newest = next(iter(entries), None)
        self.head.show_text(
            ""
            if newest is None
            else tr("last: {newest} · {hash}…").format(newest=newest.id, hash=newest.hash[:16])
        )
        self.head.setToolTip(
            ""
            if newest is None
            else tr("{hash}\nNoted elsewhere, it proves this log later.").format(hash=newest.hash)
        )
        self._count()

    def _filter(self) -> None:
        words = self.search.text().casefold().split()

        def accepts(entry: AuditEntry) -> bool:
            text = f"{entry.act} {words_of(entry.act)} {entry.origin} {entry.detail}".casefold()
            return all(word in text for word in words)

        self.rows.set_filter(accepts if words else None)
        self._count()

    def _count(self) -> None:
        shown, known = self.rows.rowCount(), len(self.rows)
        of = tr("{shown} of ").format(shown=f"{shown:,}") if shown != known else ""
        self.counted.show_text(of + counted(known, tr("entry"), tr("entries")))

    def _verify(self) -> None:
        def done(faults: list[str] | Refusal) -> None:
            if isinstance(faults, Refusal):
                self.say(faults.message, "danger")
                return
            about = [fault for fault in faults if fault.startswith(("Audit", "The audit"))]
            if about:
                more = tr(" And {count} more.").format(count=len(about) - 2) if len(about) > 2 else ""
                self.say(" ".join(map(translated, about[:2])) + more, "danger")
            else:
                at = local_moment(self._bridge.doors.now())
                self.say(
                    tr("The chain holds from the first entry to the last, checked {at}.").format(at=at),
                    "profit",
                )

        self.say(tr("The chain is being verified…"))
        self._bridge.run(self._bridge.doors.data.verify(), done)

    def _ask_where(self) -> None:
        self.open(ask_where_to_write(self, tr("Export the audit log"), "audit.csv", self.export_to))

    def export_to(self, path: Path) -> None:
        """Write the log to a file."""
        self.do(self._bridge.doors.data.export("audit", path), self.refresh)


def words_of(act: str) -> str:
    """Write an act for people: `keys_entered` → “Keys entered”."""
    return tr(act.replace("_", " ").capitalize())


def _act(entry: AuditEntry) -> Cell:
    token: Token = "warn" if entry.act in BAD else "text"
    return Cell(words_of(entry.act), token, raw=entry.act)


def _origin(entry: AuditEntry) -> str:
    return translated(ORIGINS.get(entry.origin, later("It was written before this was noted.")))


_COLUMNS: Sequence[Column[AuditEntry]] = (
    Column(
        key="time",
        title=tr("Time"),
        width=126,
        cell=lambda entry: Cell(local_moment(entry.at), "text2", raw=entry.at.isoformat()),
        sort_key=lambda entry: entry.id,
        tooltip=lambda entry: tr("{time}\nentry {entry}\n{hash}").format(
            time=utc_text(entry.at), entry=entry.id, hash=entry.hash
        ),
    ),
    Column(key="act", title=tr("Act"), width=150, cell=_act, sort_key=lambda entry: entry.act),
    Column(
        key="origin",
        title=tr("From"),
        width=146,
        cell=lambda entry: Cell(tr(entry.origin.capitalize()) or MISSING, "text2", raw=entry.origin),
        sort_key=lambda entry: entry.origin,
        tooltip=_origin,
    ),
    Column(
        key="detail",
        title=tr("What was done"),
        width=300,
        cell=lambda entry: Cell(visible(translated(entry.detail), 400)),
        tooltip=lambda entry: visible(translated(entry.detail), 1000),
    ),
)
