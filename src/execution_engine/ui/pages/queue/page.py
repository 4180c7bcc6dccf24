"""The queue's page: the waiting signals above, the pool below."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Answer, Promote, RemoveQueued
from execution_engine.domain.money import ZERO
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.frame.worlds import shown_world
from execution_engine.ui.holdings import Holding, holdings_of
from execution_engine.ui.pages.page import Page, stretch
from execution_engine.ui.pages.queue import asking, slots, waiting
from execution_engine.ui.pages.queue.waiting import Waiting, name
from execution_engine.ui.tables import TableModel, TableView
from execution_engine.ui.theme import SIZE, px
from execution_engine.ui.widgets import ConfirmDialog, Label, Notice, PageBar, Panel, SearchField, Splitter


class QueuePage(Page):
    """Who waits for a slot."""

    title = "Queue"

    def __init__(self, bridge: Bridge) -> None:
        """Show what the bridge holds."""
        super().__init__()
        self._bridge = bridge
        self._holdings = holdings_of(bridge)
        self._busy: set[int] = set()
        self.dialog: ConfirmDialog | None = None
        self.model: TableModel[Waiting] = TableModel(
            waiting.COLUMNS,
            key=lambda row: row.row.id,
            default_sort=lambda row: (row.row.world.value, row.rank),
            sentence=waiting.sentence,
        )
        self.table = TableView(self.model, waiting.delegates(), rows="editable", name="Queue")
        self.slots: TableModel[Holding] = TableModel(
            slots.COLUMNS,
            key=lambda held: held.group.id,
            default_sort=lambda held: held.unrealized or ZERO,
        )
        self.pool = TableView(self.slots, slots.delegates(), name="Pool")
        self.search = SearchField()
        self.counted = Label("", "small", "text3")
        self._lay_out()
        self._listen()
        self.slots.upsert(self._holdings.by_id.values())
        self._show()

    # -- how it is built

    def _lay_out(self) -> None:
        bar = PageBar(self.title)
        bar.add(self.search)
        bar.add_right(self.counted)
        self.pool_panel = Panel("Pool")
        self.pool_panel.add(self.pool, 1)
        self.pool.set_empty("No slot is in use.")
        below = QWidget()
        around = QVBoxLayout(below)
        around.setContentsMargins(px(SIZE["page_x"]), px(8), px(SIZE["page_x"]), px(SIZE["page_y"]))
        around.addWidget(self.pool_panel)
        split = Splitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(below)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(split, 1)
        stretch(self.table, "why")
        self.table.set_menu(self._fill_menu)

    def set_narrow(self, narrow: bool) -> None:
        """Leave out account and replaced in a small window."""
        self.table.show_columns(waiting.NARROW if narrow else waiting.WIDE)

    def _listen(self) -> None:
        self._bridge.changed.connect(self._changed)
        self.search.textChanged.connect(lambda _: self._filter())
        self.table.opened.connect(self._force)
        self.table.action.connect(
            lambda key, column: self._remove(key) if column == "remove" else self._force(key)
        )
        self.pool.opened.connect(lambda key: self.wanted.emit("positions", key))
        delete = QShortcut(QKeySequence(Qt.Key.Key_Delete), self.table)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(lambda: self._remove(self.table.key()))

    def _fill_menu(self, key: object, menu: QMenu) -> None:
        menu.addAction("Force add…").triggered.connect(lambda: self._force(key))
        menu.addAction("Remove…").triggered.connect(lambda: self._remove(key))
        menu.addSeparator()
        menu.addAction("Copy").triggered.connect(self.table.copy)

    # -- what the frame asks

    def focus_rows(self) -> None:
        """Let the arrow keys walk through the queue."""
        self.table.setFocus()

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.search.setFocus()

    def go_to(self, key: object) -> None:
        """Show a waiting signal."""
        self.search.clear()
        self.table.select(key)

    def shown(self) -> None:
        """Catch up with what happened meanwhile."""
        self.slots.replace(self._holdings.by_id.values())
        self._show()

    def tick(self) -> None:
        """Let the time in the queue go on."""
        self._show()

    # -- what happens

    def _changed(self, batch: Batch) -> None:
        self._busy &= set(self._bridge.queue)
        if not self.isVisible():
            return
        touched, known = self._holdings.touched, self._holdings.by_id
        self.slots.remove([id for id in touched if id not in known])
        self.slots.upsert([known[id] for id in touched if id in known])
        if batch.whole or batch.queue or batch.markets or batch.groups or batch.settings:
            self._show()

    def _show(self) -> None:
        bridge = self._bridge
        self.model.replace(waiting.waiting(bridge, bridge.doors.now(), self._busy))
        settings = bridge.doors.settings()
        count, most = len(bridge.queue), settings.pool.max_queue
        self.counted.show_text(f"{count} of {most} · a free slot goes to the 1st at once")
        used = self._holdings.sums(shown_world(bridge), bridge.doors.now()).groups
        size = settings.pool.max_open_groups
        self.pool_panel.set_subtitle(f"{used} / {size}")
        self._say_empty(max(0, size - used), size)

    def _say_empty(self, free: int, size: int) -> None:
        if len(self.model):
            text = visible(self.search.text().strip(), 30)
            self.table.set_empty(f"No signal matches “{text}”.", [("Clear filter", self.search.clear)])
        else:
            verb = "is" if free == 1 else "are"
            self.table.set_empty(f"Nothing waits. {free} of {size} slots {verb} free.")

    def _filter(self) -> None:
        text = self.search.text().strip().casefold()
        self._show()
        self.model.set_filter((lambda row: text in name(row.row).casefold()) if text else None)

    # -- what the user wants

    def _force(self, key: object) -> None:
        row = self.model.record(key)
        if row is None or row.busy:
            return
        dialog = asking.force_add(self._bridge, row, self)
        dialog.confirmed.connect(dialog.accept)
        dialog.accepted.connect(lambda: self._promote(row))
        self._ask(dialog)

    def _promote(self, row: Waiting) -> None:
        self._busy.add(row.row.id)
        self._show()
        self._bridge.wish(Promote(queued_id=row.row.id), lambda reply: self._promoted(row, reply))

    def _promoted(self, row: Waiting, reply: Answer | Refusal) -> None:
        self._busy.discard(row.row.id)
        self._show()
        if isinstance(reply, Refusal):
            title = "Error: Could not force position into the pool. See logs for details."
            self.notice.emit(Notice("error", title, visible(reply.message, 240)))
            return
        title = f"Success: Position group for {name(row.row)} has been forced into the pool."
        size = self._bridge.doors.settings().pool.max_open_groups
        used = sum(1 for g in self._bridge.groups.values() if g.holds_slot and g.world is row.row.world)
        group_id = reply.group_id
        self.notice.emit(
            Notice(
                "success",
                title,
                f"Pool {used} / {size}.",
                "Show",
                lambda: self.wanted.emit("positions", group_id),
            )
        )

    def _remove(self, key: object) -> None:
        row = self.model.record(key) if key is not None else None
        if row is None or row.busy:
            return
        dialog = asking.remove(row, self)
        dialog.confirmed.connect(lambda: self._take_out(row, dialog))
        self._ask(dialog)

    def _take_out(self, row: Waiting, dialog: ConfirmDialog) -> None:
        def done(reply: Answer | Refusal) -> None:
            dialog.fail(visible(reply.message, 240)) if isinstance(reply, Refusal) else dialog.accept()

        dialog.busy()
        self._bridge.wish(RemoveQueued(queued_id=row.row.id), done)

    def _ask(self, dialog: ConfirmDialog) -> None:
        """Open a question; rows keep their places while it is there."""
        self.dialog = dialog
        self.model.hold()
        dialog.finished.connect(self.model.release)
        dialog.finished.connect(dialog.deleteLater)
        dialog.finished.connect(self._answered)
        dialog.open()

    def _answered(self) -> None:
        self.dialog = None
