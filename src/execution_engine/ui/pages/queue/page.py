"""The queue's page: the waiting signals above; rules, last promotions and the pool below."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Answer, Promote, RemoveQueued
from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import QueuedSignal
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import counted, visible
from execution_engine.ui.frame.worlds import shown_world
from execution_engine.ui.holdings import Holding, holdings_of
from execution_engine.ui.pages import choosing
from execution_engine.ui.pages.page import Page, stretch
from execution_engine.ui.pages.queue import asking, promotions, rules, slots, waiting
from execution_engine.ui.pages.queue.busy import Turning
from execution_engine.ui.pages.queue.halts import HaltNote
from execution_engine.ui.pages.queue.ranked import Ranked
from execution_engine.ui.pages.queue.waiting import Waiting, name
from execution_engine.ui.tables import TableModel, TableView
from execution_engine.ui.theme import SIZE, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import (
    ConfirmDialog,
    ElidedLabel,
    Notice,
    PageBar,
    Panel,
    SearchField,
    SegmentedChoice,
    Splitter,
)

RANK_MS = 1000  # places follow prices once a second; rows do not jump
LEFT_WIDTH = 446
FAILED = tr("Error: Could not force position into the pool. See logs for details.")


class QueuePage(Page):
    """Who waits for a slot."""

    title = tr("Queue")

    def __init__(self, bridge: Bridge) -> None:
        """Show what the bridge holds."""
        super().__init__()
        self._bridge = bridge
        self._holdings = holdings_of(bridge)
        self._ranked = Ranked(bridge)
        self._several_worlds = False
        self._said = ""
        self.dialog: ConfirmDialog | None = None
        now = bridge.doors.now
        self.model: TableModel[Waiting] = TableModel(
            waiting.columns(now, lambda: self._several_worlds),
            key=lambda row: row.row.id,
            default_sort=lambda row: (row.row.world, row.place),
            sentence=waiting.sentence,
        )
        self.table = TableView(self.model, waiting.delegates(), rows="editable", name=tr("Queue"))
        force = next(at for at, column in enumerate(self.model.columns) if column.key == "force")
        self._turning = Turning(self.table, force)
        self.slots: TableModel[Holding] = TableModel(
            slots.COLUMNS,
            key=lambda held: held.group.id,
            default_sort=lambda held: held.unrealized or ZERO,
        )
        self.pool = TableView(self.slots, slots.delegates(), name=tr("Pool"))
        self.promoted: TableModel[QueuedSignal] = TableModel(
            promotions.columns(now),
            key=lambda row: row.id,
            default_sort=lambda row: -row.finished_at.timestamp() if row.finished_at else 0,
            sentence=promotions.sentence,
        )
        self.last = TableView(self.promoted, promotions.delegates(), name=tr("Last promotions"))
        self.search = SearchField()
        self.accounts = choosing.box(tr("Account"))
        self.counted = ElidedLabel("", "small", "text3")
        self.note = HaltNote()
        self._lay_out()
        self._listen()
        self._show_whole()

    # -- how it is built

    def _lay_out(self) -> None:
        bar = PageBar(self.title)
        self.below = SegmentedChoice(
            [("pool", tr("Pool")), ("promotions", tr("Last promotions")), ("rules", tr("Order"))],
            name=tr("Below the queue"),
        )
        bar.add(self.search)
        bar.add(self.accounts)
        bar.add_right(self.counted)
        bar.add_right(self.below)
        self.pool_panel = Panel(tr("Pool"))
        self.pool_panel.add(self.pool, 1)
        self.pool.set_empty(tr("No slot is in use. The next alert of a new key opens at once."))
        self.last_panel = Panel(tr("Last promotions"), tr("who got a slot, and why"))
        self.last_panel.add(self.last, 1)
        self.last.set_empty(tr("Nothing was promoted yet."))
        self.rules_panel = rules.RulesPanel()
        split = Splitter(Qt.Orientation.Vertical)
        split.addWidget(self._upper())
        split.addWidget(self._lower())
        split.setStretchFactor(0, 5)
        split.setStretchFactor(1, 5)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(split, 1)
        stretch(self.table, "why")
        self.table.set_menu(self._fill_menu)
        self.last.set_menu(self._fill_last_menu)
        self.set_narrow(False)

    def _upper(self) -> QWidget:
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.note)
        column.addWidget(self.table, 1)
        return made

    def _lower(self) -> QWidget:
        made = QWidget()
        self._left = QWidget()
        left = QVBoxLayout(self._left)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(px(SIZE["gap"]))
        left.addWidget(self.rules_panel)
        left.addWidget(self.last_panel, 1)
        self._beside = QHBoxLayout(made)
        self._beside.setSpacing(px(SIZE["gap"]))
        self._beside.addWidget(self._left)
        self._beside.addWidget(self.pool_panel, 1)
        return made

    def set_narrow(self, narrow: bool) -> None:
        """In a small window account and replaced are left out, and the panels below take turns."""
        self._narrow = narrow
        self.below.setVisible(narrow)
        self.table.show_columns(waiting.NARROW if narrow else waiting.WIDE)
        self._left.setMaximumWidth(16_777_215 if narrow else px(LEFT_WIDTH))
        self._left.setMinimumWidth(0 if narrow else px(LEFT_WIDTH))
        x, y = px(SIZE["page_x"]), px(8 if narrow else SIZE["page_y"])
        self._beside.setContentsMargins(x, px(8), x, y)
        self._choose_below()
        self._say_capacity()

    def _choose_below(self) -> None:
        below = self.below.value() if self._narrow else ""
        self.pool_panel.setVisible(below in ("", "pool"))
        self.last_panel.setVisible(below in ("", "promotions"))
        self.rules_panel.setVisible(below in ("", "rules"))
        self._left.setVisible(below != "pool")

    def _listen(self) -> None:
        self._ranking = QTimer(self)
        self._ranking.setSingleShot(True)
        self._ranking.timeout.connect(self._rank)
        self._bridge.changed.connect(self._changed)
        self.search.textChanged.connect(lambda _: self._filter())
        self.accounts.activated.connect(lambda _: self._filter())
        self.below.chosen.connect(lambda _: self._choose_below())
        self.table.opened.connect(self._force)
        self.table.action.connect(
            lambda key, column: self._remove(key) if column == "remove" else self._force(key)
        )
        self.pool.opened.connect(lambda key: self.wanted.emit("positions", key))
        self.last.opened.connect(self._show_alert_of)
        delete = QShortcut(QKeySequence(Qt.Key.Key_Delete), self.table)
        delete.setWhatsThis(tr("Take the selected signals out of the queue…"))
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._remove_chosen)

    def _fill_menu(self, key: object, menu: QMenu) -> None:
        row = self.model.record(key)
        if row is None:
            return
        chosen = self.table.selected_keys()
        if len(chosen) > 1 and key in chosen:
            removable = [key for key in chosen if self._now_of(key) is not None]
            several = menu.addAction(
                tr("Remove {count}…").format(count=counted(len(removable), tr("signal"), tr("signals")))
            )
            several.setEnabled(bool(removable))
            several.triggered.connect(lambda _=False: self._remove_chosen())
            return
        for text, act in ((tr("Force add…"), self._force), (tr("Remove…"), self._remove)):
            entry = menu.addAction(text)
            entry.setEnabled(not row.busy)
            entry.triggered.connect(lambda _=False, act=act: act(key))
        menu.addSeparator()
        show = menu.addAction(tr("Show alert"))
        show.triggered.connect(lambda: self.wanted.emit("signals", row.row.alert_id))
        menu.addAction(tr("Copy")).triggered.connect(self.table.copy)

    def _fill_last_menu(self, key: object, menu: QMenu) -> None:
        menu.addAction(tr("Show alert")).triggered.connect(lambda: self._show_alert_of(key))
        menu.addAction(tr("Copy")).triggered.connect(self.last.copy)

    def _show_alert_of(self, key: object) -> None:
        row = self.promoted.record(key)
        if row is not None:
            self.wanted.emit("signals", row.alert_id)

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
        self.accounts.setCurrentIndex(0)
        self._filter()
        self.table.select(key)

    def shown(self) -> None:
        """Catch up with what happened meanwhile."""
        self._show_whole()

    def refresh(self) -> None:
        """Look again, at everything."""
        self._show_whole()

    def tick(self) -> None:
        """Let the time in the queue go on, and take notice of prices that became old."""
        aged = self._ranked.aged(self._bridge.doors.now())
        if aged:
            self._rank(aged)
        self._say_standstill()
        self.model.refresh()
        self.promoted.refresh()

    # -- what happens

    def _changed(self, batch: Batch) -> None:
        if self._ranked.busy:
            self._ranked.busy &= set(self._bridge.queue)
            self._turning.show(busy=bool(self._ranked.busy))
        if not self.isVisible():
            return
        if batch.whole:
            self._show_whole()
            return
        touched = self._ranked.take(batch, self._bridge.doors.now())
        if batch.queue or batch.groups:
            self._rank(touched)
        else:
            self.model.upsert(self._ranked.rows(touched))
            if touched and not self._ranking.isActive():
                self._ranking.start(RANK_MS)
        self._show_slots(self._holdings.touched)
        if not batch.only_prices:
            self._say()
        if any(id not in self._bridge.queue for id in batch.queue):
            self._read_promotions()

    def _rank(self, touched: Collection[int] = ()) -> None:
        """Put the queue into order, and show what moved or was touched."""
        self._ranking.stop()
        several = len({row.world for row in self._bridge.queue.values()}) > 1
        moved = self._ranked.rank() | set(touched)
        if several is not self._several_worlds:
            self._several_worlds = several
            moved = set(self._bridge.queue)
        self.model.remove([id for id in touched if id not in self._bridge.queue])
        self.model.upsert(self._ranked.rows(moved))

    def _show_whole(self) -> None:
        """Show everything anew."""
        self._ranked.take(Batch(whole=True), self._bridge.doors.now())
        self._ranked.rank()
        self._several_worlds = len({row.world for row in self._bridge.queue.values()}) > 1
        self.model.replace(self._ranked.rows(self._bridge.queue))
        self.slots.replace(self._holdings.by_id.values())
        self._say()
        self._read_promotions()

    def _show_slots(self, touched: Collection[int]) -> None:
        known = self._holdings.by_id
        self.slots.remove([id for id in touched if id not in known])
        self.slots.upsert([known[id] for id in touched if id in known])

    def _say(self) -> None:
        """Say how full queue and pool are, and what keeps signals waiting."""
        bridge = self._bridge
        world, size = shown_world(bridge), bridge.doors.settings().pool.max_open_groups
        used = sum(1 for held in self._holdings.by_id.values() if held.group.world is world)
        self.pool_panel.set_subtitle(f"{used} / {size}")
        self._say_standstill()
        choosing.offer_accounts(self.accounts, sorted({row.account for row in bridge.queue.values()}))
        self._say_capacity()
        self._say_empty(used, size)

    def _say_standstill(self) -> None:
        """Say what keeps signals waiting: all of them in a line above, those of one account beside each."""
        found = self._bridge.doors.standstill() if self._bridge.queue else ()
        self.note.say(found)
        own = {each.account: each.own for each in found if each.account}
        self.model.upsert(self._ranked.rows(self._ranked.keep_back(own)))

    def _say_capacity(self) -> None:
        pool, count = self._bridge.doors.settings().pool, len(self._bridge.queue)
        said = rules.capacity(count, pool)
        self.counted.show_text(
            tr("{count} of {max_queue}").format(count=f"{count:,}", max_queue=f"{pool.max_queue:,}")
            if self._narrow
            else said
        )
        if self._narrow:
            self.counted.setToolTip(said)

    def _say_empty(self, used: int, size: int) -> None:
        text = visible(self.search.text().strip(), 30)
        free = max(0, size - used)
        if len(self.model):
            found, act, then = (
                tr("No signal matches “{text}”.").format(text=text),
                tr("Clear filter"),
                self._clear_filter,
            )
            if not text:
                found = tr("No signal of this account waits.")
        else:
            found = (
                tr("Nothing waits. {free} of {size} slots is free: a new key opens at once.")
                if free == 1
                else tr("Nothing waits. {free} of {size} slots are free: new keys open at once.")
            ).format(free=free, size=size)
            if not free:
                taken = (
                    tr("All {size} slots are used").format(size=size)
                    if size > 1
                    else tr("The only slot is used")
                )
                found = tr("Nothing waits. {taken}: the next new key waits here.").format(taken=taken)
            act, then = tr("Pool settings"), self._open_settings
        if found != self._said:
            self._said = found
            self.table.set_empty(found, [(act, then)])

    def _open_settings(self) -> None:
        self.wanted.emit("settings", "pool.max_open_groups")

    def _clear_filter(self) -> None:
        self.search.clear()
        self.accounts.setCurrentIndex(0)
        self._filter()

    def _filter(self) -> None:
        text, account = self.search.text().strip().casefold(), self.accounts.currentData() or ""
        self._say()

        def accepts(row: Waiting) -> bool:
            return text in name(row.row).casefold() and account in ("", row.row.account)

        self.model.set_filter(accepts if text or account else None)

    def _read_promotions(self) -> None:
        self._bridge.run(self._bridge.doors.read_promotions(promotions.SHOWN), self._promotions_are_there)

    def _promotions_are_there(self, found: Sequence[QueuedSignal] | Refusal) -> None:
        if not isinstance(found, Refusal):
            self.promoted.replace(found)

    # -- what the user wants

    def _now_of(self, key: object) -> Waiting | None:
        """Return a signal as it is at this moment; None while nothing can be done with it."""
        known = self.model.record(key) if key is not None else None
        if known is None or known.busy:
            return None
        return self._ranked.first(known.row.id, self._bridge.doors.now())

    def _force(self, key: object) -> None:
        row = self._now_of(key)
        if row is None:
            return
        dialog = asking.force_add(self._bridge, row, self)
        dialog.confirmed.connect(dialog.accept)
        dialog.accepted.connect(lambda: self._promote(row))
        self._ask(dialog)

    def _set_busy(self, id: int, *, busy: bool) -> None:
        (self._ranked.busy.add if busy else self._ranked.busy.discard)(id)
        self._turning.show(busy=bool(self._ranked.busy))
        if id in self._bridge.queue:
            self.model.upsert(self._ranked.rows([id]))

    def _promote(self, row: Waiting) -> None:
        self._set_busy(row.row.id, busy=True)
        self._bridge.wish(Promote(queued_id=row.row.id), lambda reply: self._promoted(row, reply))

    def _promoted(self, row: Waiting, reply: Answer | Refusal) -> None:
        self._set_busy(row.row.id, busy=False)
        if isinstance(reply, Refusal):
            said = visible(translated(reply.message), 240)
            kept = tr(" It keeps its place.") if row.row.id in self._bridge.queue else ""
            self.notice.emit(Notice("error", FAILED, f"{said[:1].upper()}{said[1:]}.{kept}"))
            return
        title = tr("Success: Position group for {name} has been forced into the pool.").format(
            name=name(row.row)
        )
        size = self._bridge.doors.settings().pool.max_open_groups
        used = sum(1 for g in self._bridge.groups.values() if g.holds_slot and g.world is row.row.world)
        group_id = reply.group_id
        self.notice.emit(
            Notice(
                "success",
                title,
                tr("Pool {used} / {size}.").format(used=used, size=size),
                tr("Show"),
                lambda: self.wanted.emit("positions", group_id),
            )
        )

    def _remove(self, key: object) -> None:
        row = self._now_of(key)
        if row is None:
            return
        dialog = asking.remove(row, self._bridge.doors.now(), self)
        dialog.confirmed.connect(lambda: self._take_out(row, dialog))
        self._ask(dialog)

    def _remove_chosen(self) -> None:
        """Ask, then remove every signal that is selected."""
        chosen = [row for key in self.table.selected_keys() if (row := self._now_of(key)) is not None]
        if len(chosen) < 2:
            self._remove(self.table.key())
            return
        dialog = asking.remove_several(chosen, self)
        dialog.confirmed.connect(lambda: self._take_out_several(chosen, dialog))
        self._ask(dialog)

    def _take_out_several(self, rows: Sequence[Waiting], dialog: ConfirmDialog) -> None:
        """Remove signals one after another and say once what became of all."""
        kept: list[str] = []
        answers = 0

        def done(row: Waiting, reply: Answer | Refusal) -> None:
            nonlocal answers
            answers += 1
            if isinstance(reply, Refusal):
                kept.append(f"{name(row.row)}: {visible(translated(reply.message), 160)}.")
            if answers == len(rows):
                finished()

        def finished() -> None:
            if len(kept) == len(rows):
                dialog.fail(" ".join(kept[:3]))
                return
            dialog.accept()
            title = tr("{count} removed from the queue").format(
                count=counted(len(rows) - len(kept), tr("signal"), tr("signals"))
            )
            words = tr("Their places cannot be had back; replayed, their alerts wait again as the newest.")
            self.notice.emit(Notice("success", title, words))
            if kept:
                title = tr("{count} stayed in the queue").format(
                    count=counted(len(kept), tr("signal"), tr("signals"))
                )
                self.notice.emit(Notice("error", title, " ".join(kept[:3])))

        dialog.busy()
        for row in rows:
            self._bridge.wish(RemoveQueued(queued_id=row.row.id), partial(done, row))

    def _take_out(self, row: Waiting, dialog: ConfirmDialog) -> None:
        def done(reply: Answer | Refusal) -> None:
            if isinstance(reply, Refusal):
                dialog.fail(visible(translated(reply.message), 240))
                return
            dialog.accept()
            title = tr("{name} was removed from the queue").format(name=name(row.row))
            words = tr("Its place cannot be had back; replayed, its alert waits again as the newest.")
            self.notice.emit(Notice("success", title, words, tr("Show alert"), show))

        def show() -> None:
            self.wanted.emit("signals", row.row.alert_id)

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
