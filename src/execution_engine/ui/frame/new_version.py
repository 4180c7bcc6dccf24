"""A new version: what is new in it, and the way to it. Nothing is downloaded or installed from here."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QTextCharFormat, QTextCursor, QTextDocument, QTextFormat
from PySide6.QtWidgets import QCheckBox, QDialog, QFrame, QHBoxLayout, QTextBrowser, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.updates import Offer, UpToDate
from execution_engine.ui.format import counted
from execution_engine.ui.theme import font, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Label, Notice, button

SIZE = (568, 420)


class NewVersion(QDialog):
    """Show what a version brings. With positions open its file is offered only to who says so."""

    def __init__(self, offer: Offer, version: str, parent: QWidget | None = None) -> None:
        """Take what is offered and the version that runs."""
        super().__init__(parent)
        self._offer = offer
        release = offer.release
        self.setWindowTitle(tr("New version"))
        self.resize(px(SIZE[0]), px(SIZE[1]))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        content = QFrame()
        content.setProperty("ground", "panel")
        whole.addWidget(content, 1)
        column = QVBoxLayout(content)
        column.setContentsMargins(px(20), px(18), px(20), px(14))
        column.setSpacing(px(10))
        column.addWidget(Label(tr("Execution Engine {version}").format(version=release.version), "heading"))
        told = tr("Published on {published}; version {version} runs here. {file}").format(
            published=f"{release.published:%Y-%m-%d}", version=version, file=self._file()
        )
        column.addWidget(Label(told, "body", "text2", wrap=True))
        self.notes = QTextBrowser()
        self.notes.setOpenLinks(False)
        self.notes.setAccessibleName(tr("What is new"))
        # The notes are signed, and still no page of the web: no markup but their own, and nothing is fetched.
        self.notes.document().setDocumentMargin(0)
        self.notes.document().setMarkdown(release.notes, QTextDocument.MarkdownFeature.MarkdownNoHTML)
        _set(self.notes.document())
        column.addWidget(self.notes, 1)
        groups = counted(offer.open_groups, tr("position group"), tr("position groups"))
        self.agreed = QCheckBox(tr("Update with {groups} open").format(groups=groups))
        self.meanwhile = Label(
            tr("Until the new version runs, nothing is watched or closed."), "small", "warn"
        )
        for part in (self.agreed, self.meanwhile):
            part.setVisible(offer.asks)
            column.addWidget(part)
        whole.addWidget(self._footer())
        self.close_button.setFocus()

    def _file(self) -> str:
        file = self._offer.download
        if file is None:
            return tr("There is no file for this computer; its page says more.")
        return tr("The file is {file}, {size} MB.").format(
            file=file.name, size=f"{file.size / 1000000.0:.0f}"
        )

    def _footer(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("ground", "chrome")
        frame.setProperty("rule", "top")
        row = QHBoxLayout(frame)
        row.setContentsMargins(px(20), px(12), px(20), px(12))
        row.setSpacing(px(8))
        self.page = button(tr("Open its page"))
        self.page.clicked.connect(lambda: self._open(self._offer.release.page))
        self.download = button(tr("Download"), "primary")
        file = self._offer.download
        if file is None:
            self.download.hide()
        else:
            self.download.setToolTip(f"SHA-256 {file.sha256}")
            self.download.clicked.connect(lambda: self._open(file.url))
        self.download.setEnabled(not self._offer.asks)
        self.agreed.toggled.connect(lambda agreed: self.download.setEnabled(agreed or not self._offer.asks))
        self.close_button = button(tr("Not now"))
        self.close_button.clicked.connect(self.reject)
        for widget in (self.page, None, self.close_button, self.download):
            row.addStretch(1) if widget is None else row.addWidget(widget)
        return frame

    def _open(self, address: str) -> None:
        """Let the browser go there. The installation keeps the data, and it is copied before the first start."""
        QDesktopServices.openUrl(QUrl(address))
        self.accept()


def _set(notes: QTextDocument) -> None:
    """Set headings and lists as the rest of the window is set: no larger letters, and room between parts."""
    block = notes.begin()
    while block.isValid():
        cursor, shape = QTextCursor(block), block.blockFormat()
        heads = shape.headingLevel() > 0
        shape.setTopMargin(px(10) if heads and block.position() else 0)
        shape.setBottomMargin(px(4))
        cursor.setBlockFormat(shape)
        if heads:
            cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
            letters = QTextCharFormat()
            letters.setProperty(QTextFormat.Property.FontSizeAdjustment, 0)
            letters.setFont(font("body", 600))
            cursor.mergeCharFormat(letters)
        listed = block.textList()
        if listed is not None:
            item = listed.format()
            item.setIndent(0)
            listed.setFormat(item)
            shape.setLeftMargin(px(16))
            cursor.setBlockFormat(shape)
        block = block.next()


def notice_of(offer: Offer, look: Callable[[], object]) -> Notice:
    """Return the notice of a version that may be installed."""
    waits = (
        tr(" {count} is open: better close them first.")
        if offer.open_groups == 1
        else tr(" {count} are open: better close them first.")
    ).format(count=counted(offer.open_groups, tr("position group"), tr("position groups")))
    sentence = tr("You have the choice; nothing is installed by itself.{waits}").format(
        waits=waits if offer.asks else ""
    )
    return Notice(
        "info",
        tr("Version {version} is available").format(version=offer.release.version),
        sentence,
        tr("What is new"),
        look,
    )


def answer_of(found: UpToDate | Refusal) -> Notice:
    """Return the notice for who asked and need not do anything."""
    if isinstance(found, UpToDate):
        return Notice(
            "success",
            tr("There is no newer version"),
            tr("Version {version} is the newest.").format(version=found.version),
        )
    return Notice("warning", tr("New versions could not be asked about"), translated(found.message))
