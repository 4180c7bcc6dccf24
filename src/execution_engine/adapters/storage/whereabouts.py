"""Where data lies: whether a folder is kept in step with other computers, or is on another one altogether.

A program that synchronises a folder copies a database while it is written to, and puts copies back; a network drive
loses locks and what was flushed. Either ends in a damaged database.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

SYNCED = {
    "dropbox": "Dropbox",
    "onedrive": "OneDrive",
    "google drive": "Google Drive",
    "googledrive": "Google Drive",
    "my drive": "Google Drive",
    "mobile documents": "iCloud Drive",
    "icloud drive": "iCloud Drive",
    "iclouddrive": "iCloud Drive",
    "cloudstorage": "a cloud drive",
    "nextcloud": "Nextcloud",
    "owncloud": "ownCloud",
    "pclouddrive": "pCloud",
    "megasync": "MEGA",
    "seafile": "Seafile",
    "box sync": "Box",
    "syncthing": "Syncthing",
}
MARKS = {".stfolder": "Syncthing", ".dropbox": "Dropbox", ".owncloudsync.log": "ownCloud"}
NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "ncpfs",
    "afs",
    "9p",
    "fuse.sshfs",
    "fuse.rclone",
    "davfs",
    "fuse.davfs",
    "ceph",
)
MOUNTS = Path("/proc/self/mounts")
DRIVE_REMOTE = 4


def cautions(folder: Path, what: str) -> list[str]:
    """Return what speaks against keeping `what` in a folder, a sentence each. Blocking."""
    found = []
    if name := synced_by(folder):
        found.append(
            f"{what} in a folder that {name} keeps in step with other computers ({folder}): that damages a database. "
            "Choose a folder outside of it."
        )
    if on_network(folder):
        found.append(
            f"{what} on a network drive ({folder}), where locks and flushes are not what they promise: that damages "
            "a database. Choose a folder on a disk of this computer."
        )
    return found


def synced_by(folder: Path) -> str:
    """Return the name of the program that synchronises a folder; empty if none is known to. Blocking."""
    for place in (folder, *folder.parents):
        name = place.name.casefold()
        for known, program in SYNCED.items():
            if name == known or name.startswith((f"{known} ", f"{known}-")):
                return program
        for mark, program in MARKS.items():
            if (place / mark).exists() and place != Path.home():
                return program
    return ""


def on_network(folder: Path) -> bool:
    """Return whether a folder is on another computer's disk. Blocking."""
    if sys.platform == "win32":
        return _is_remote_on_windows(folder)
    kind = file_system(folder, MOUNTS)
    return any(kind == each or (each in ("nfs", "smb") and kind.startswith(each)) for each in NETWORK)


def file_system(folder: Path, mounts: Path) -> str:
    """Return the kind of file system that a folder is on, by a list of mounts; empty where there is no such list."""
    best, kind = -1, ""
    for place, found in _mounted(mounts):
        if (folder == place or place in folder.parents) and len(place.parts) >= best:
            best, kind = len(place.parts), found
    return kind


def _mounted(mounts: Path) -> Iterator[tuple[Path, str]]:
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # macOS has no such list
        return
    for line in lines:
        words = line.split(" ")
        if len(words) > 2:
            yield Path(words[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")), words[2]


def _is_remote_on_windows(folder: Path) -> bool:
    if str(folder).startswith("\\\\"):
        return True
    import ctypes  # only where it is asked

    dlls = getattr(ctypes, "windll")  # noqa: B009 (other systems' types know of none)
    return int(dlls.kernel32.GetDriveTypeW(os.path.splitdrive(folder)[0] + "\\")) == DRIVE_REMOTE
