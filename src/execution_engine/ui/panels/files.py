"""Asking where a file is to be written, without ever stopping the loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from execution_engine.ui.tongue import tr

TABLES = tr("Table (*.csv);;JSON (*.json)")


def ask_where_to_write(parent: QWidget, title: str, name: str, then: Callable[[Path], object]) -> QFileDialog:
    """Return a dialog, to be opened, that names a file for a table."""
    dialog = QFileDialog(parent, title, name, TABLES)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("csv")
    dialog.filterSelected.connect(
        lambda chosen: dialog.setDefaultSuffix("json" if "json" in chosen else "csv")
    )
    dialog.fileSelected.connect(lambda file: then(Path(file)))
    return dialog


def ask_which_to_read(
    parent: QWidget, title: str, folder: str, then: Callable[[Path], object]
) -> QFileDialog:
    """Return a dialog, to be opened, that names a backup."""
    dialog = QFileDialog(parent, title, folder, tr("Backups (*.sqlite);;All files (*)"))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(lambda file: then(Path(file)))
    return dialog
