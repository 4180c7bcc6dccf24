"""The settings in force, with what each of them means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from execution_engine.domain.settings import Section, Settings
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.pages.page import Page
from execution_engine.ui.tables import Cell, Column, TreeModel, TreeView
from execution_engine.ui.theme import Token, mono, px
from execution_engine.ui.widgets import Label, Notice, PageBar, SearchField, button

COMMAND = "execution-engine settings set"


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting or section. default: what it would be; None where it is the same."""

    path: str
    parent: str | None
    name: str
    value: str = ""
    unit: str = ""
    default: str | None = None
    help: str = ""
    section: bool = False


class SettingsPage(Page):
    """Show the document; it is changed on the command line."""

    title = "Settings"

    def __init__(self, bridge: Bridge) -> None:
        """Show what is in force."""
        super().__init__()
        self._bridge = bridge
        self.model: TreeModel[Entry] = TreeModel(
            _COLUMNS, key=lambda entry: entry.path, parent_key=lambda entry: entry.parent
        )
        self.table = TreeView(self.model, name="Settings")
        self.search = SearchField("Find a setting", 240)
        self.command = Label("", "small", "text")
        self.copy = button("Copy", icon="copy", small=True, tip="Copy the command")
        self._lay_out()
        self.search.textChanged.connect(lambda _: self._filter())
        self.table.current_changed.connect(self._chosen)
        self.copy.clicked.connect(self._copy)
        bridge.changed.connect(self._changed)
        self._show()
        self._chosen(None)

    def _lay_out(self) -> None:
        bar = PageBar(self.title)
        bar.add(self.search)
        bar.add_right(Label("read only here; saved at once on the command line", "small", "text3"))
        foot = QFrame()
        foot.setProperty("ground", "chrome")
        foot.setProperty("rule", "top")
        row = QHBoxLayout(foot)
        row.setContentsMargins(px(16), px(8), px(16), px(8))
        row.setSpacing(px(8))
        row.addWidget(Label("Change it on the command line:", "small", "text2"))
        self.command.setFont(mono("small"))
        self.command.setProperty("type", "")
        row.addWidget(self.command, 1)
        row.addWidget(self.copy)
        self.table.set_empty("No setting matches.", [("Clear", self.search.clear)])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self.table, 1)
        column.addWidget(foot)

    def focus_rows(self) -> None:
        """Let the arrow keys walk through the settings."""
        self.table.setFocus()

    def focus_filter(self) -> None:
        """Put the cursor into the search field."""
        self.search.setFocus()

    def set_narrow(self, narrow: bool) -> None:
        """Leave the default out of a small window."""
        widths = {column.key: column.width for column in _COLUMNS}
        if narrow:
            del widths["default"]
        self.table.show_columns(widths)

    def _changed(self, batch: Batch) -> None:
        if batch.settings or batch.whole:
            self._show()

    def _show(self) -> None:
        found = list(entries(self._bridge.doors.settings()))
        self.model.replace(found)
        for entry in found:
            if entry.section:
                self.table.setExpanded(self.model.index_of(entry.path), True)

    def _filter(self) -> None:
        text = self.search.text().strip().casefold()
        if not text:
            self.model.set_filter(None)
            return
        found = entries(self._bridge.doors.settings())
        sections = {e.path.partition(".")[0] for e in found if text in f"{e.path} {e.help}".casefold()}
        self.model.set_filter(lambda entry: entry.path.partition(".")[0] in sections)

    def _chosen(self, path: object) -> None:
        entry = self.model.record(path) if isinstance(path, str) else None
        value = "VALUE" if entry is None or entry.section else entry.value or '""'
        place = "PATH" if entry is None or entry.section else entry.path
        self.command.show_text(f"{COMMAND} {place} {value}")
        self.copy.setEnabled(entry is not None and not entry.section)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.command.text())
        self.notice.emit(Notice("info", "Copied the command", "Change the value at its end."))


def entries(settings: Settings) -> Iterator[Entry]:
    """Yield every section and setting of a document, in its order."""
    return _of(settings, Settings(), "", None)


def _of(section: Section, usual: Section | None, prefix: str, parent: str | None) -> Iterator[Entry]:
    for name, field in type(section).model_fields.items():
        path = f"{prefix}{name}"
        value = getattr(section, name)
        standard = getattr(usual, name, None)
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        if isinstance(value, Section):
            yield Entry(path, parent, name.replace("_", " ").capitalize(), section=True)
            yield from _of(value, standard, f"{path}.", path)
            continue
        if path == "version":
            continue
        shown, default = _written(value), _written(standard)
        yield Entry(
            path,
            parent,
            name,
            shown,
            str(extra.get("unit", "")),
            default if default != shown else None,
            field.description or "",
            section=parent is None,
        )
        yield from _inside(value, path)


def _inside(value: Any, path: str) -> Iterator[Entry]:
    """Yield what is below a setting that holds several: the legs of a profile, the accounts."""
    items = value.items() if isinstance(value, dict) else ()
    for name, each in items:
        inner = f"{path}.{name}"
        if isinstance(each, Section):
            yield Entry(inner, path, name, section=False)
            yield from _of(each, None, f"{inner}.", inner)
            continue
        yield Entry(inner, path, name, f"{len(each)} legs")
        for number, layer in enumerate(each):
            words = f"gap {layer.gap_percent} %, weight {layer.weight_percent} %, target {layer.tp_percent} %"
            yield Entry(f"{inner}.{number}", inner, f"leg {number}", words)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return ", ".join(value)
    if isinstance(value, tuple):
        return ", ".join(_written(each) for each in value)
    return str(getattr(value, "value", value))


def _name(entry: Entry) -> Cell:
    return Cell(entry.name, "text" if entry.section else "text2", bold=entry.section, raw=entry.path)


def _value(entry: Entry) -> Cell:
    changed = entry.default is not None
    text = f"{entry.value} {entry.unit}".strip()
    parts: tuple[tuple[str, Token], ...] = (
        (entry.value, "accent" if changed else "text"),
        (f" {entry.unit}", "text3"),
    )
    return Cell(text, "accent" if changed else "text", raw=entry.value, parts=parts if entry.unit else ())


_COLUMNS: Sequence[Column[Entry]] = (
    Column(key="name", title="Setting", width=250, cell=_name, tooltip=lambda entry: entry.path),
    Column(key="value", title="Value", width=230, cell=_value),
    Column(
        key="default",
        title="Default",
        width=130,
        cell=lambda entry: Cell(entry.default or "", "text3"),
        hint="Shown where the value is another one",
    ),
    Column(key="help", title="What it does", width=420, cell=lambda entry: Cell(entry.help, "text2")),
)
