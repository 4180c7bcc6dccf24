"""Make every system's icon from icon.svg: `python packaging/icon.py FOLDER` writes .ico, .icns and .png files."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

DRAWING = Path(__file__).with_name("icon.svg")
ON_WINDOWS = (16, 24, 32, 48, 64, 128, 256)
ON_LINUX = (16, 32, 48, 64, 128, 256, 512)
# The names that macOS gives to PNG images of these sizes.
ON_MACOS = {b"icp4": 16, b"icp5": 32, b"icp6": 64, b"ic07": 128, b"ic08": 256, b"ic09": 512, b"ic10": 1024}


def png(size: int, margin: float = 0.0) -> bytes:
    """Draw the icon, `size` [px] wide; margin: the share that stays empty on each side."""
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    drawing = QSvgRenderer(str(DRAWING))
    if not drawing.isValid():
        raise SystemExit(f"{DRAWING} cannot be drawn")
    box = image.rect().toRectF()
    edge = size * margin
    drawing.render(painter, box.adjusted(edge, edge, -edge, -edge))
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):
        raise SystemExit("the icon could not be written as PNG")
    return bytes(buffer.data().data())


def ico(images: Mapping[int, bytes]) -> bytes:
    """Return a Windows icon of these PNG images, by size [px]."""
    head, body = struct.pack("<HHH", 0, 1, len(images)), b""
    at = len(head) + 16 * len(images)
    for size, image in images.items():
        side = size % 256  # 0 stands for 256
        head += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(image), at + len(body))
        body += image
    return head + body


def icns(images: Mapping[bytes, bytes]) -> bytes:
    """Return a macOS icon of these PNG images, by their four-letter names."""
    body = b"".join(name + struct.pack(">I", 8 + len(image)) + image for name, image in images.items())
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def write(folder: Path) -> None:
    """Write all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "execution-engine.ico").write_bytes(ico({size: png(size) for size in ON_WINDOWS}))
    # Apple's own icons leave a tenth free on each side.
    images = {name: png(size, 0.1) for name, size in ON_MACOS.items()}
    (folder / "execution-engine.icns").write_bytes(icns(images))
    for size in ON_LINUX:
        (folder / f"{size}.png").write_bytes(png(size))


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    write(Path(sys.argv[1]))
