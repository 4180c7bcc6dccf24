"""Folders in which a database comes to harm are known by their names, their marks and their file systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from execution_engine.adapters.storage import whereabouts

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home/me/far\\040away nfs4 rw 0 0
//nas/share /mnt/nas cifs rw 0 0
me@host:/ /home/me/there fuse.sshfs rw 0 0
/dev/sdb1 /mnt/nas/local ext4 rw 0 0
"""


@pytest.mark.fault(89)
@pytest.mark.parametrize(
    ("folder", "program"),
    [
        ("/home/me/Dropbox/engine", "Dropbox"),
        ("/home/me/Dropbox (Personal)/engine", "Dropbox"),
        ("/Users/me/Library/Mobile Documents/com~apple~CloudDocs/engine", "iCloud Drive"),
        ("/Users/me/Library/CloudStorage/GoogleDrive-me/My Drive/engine", "Google Drive"),
        ("C:/Users/me/OneDrive - Company/engine", "OneDrive"),
        ("/home/me/Nextcloud", "Nextcloud"),
        ("/home/me/.local/share/execution-engine", ""),
        ("/home/me/dropboxes", ""),
    ],
)
def test_a_synchronised_folder_is_known_by_its_name(folder: str, program: str) -> None:
    assert whereabouts.synced_by(Path(folder)) == program


def test_and_by_what_lies_in_it(tmp_path: Path) -> None:
    inside = tmp_path / "data" / "engine"
    inside.mkdir(parents=True)
    assert whereabouts.synced_by(inside) == ""
    (tmp_path / "data" / ".stfolder").mkdir()
    assert whereabouts.synced_by(inside) == "Syncthing"
    assert "Syncthing keeps in step" in whereabouts.cautions(inside, "The data lies")[0]


@pytest.mark.fault(89)
@pytest.mark.parametrize(
    ("folder", "remote"),
    [
        ("/home/me/far away/engine", True),
        ("/mnt/nas/engine", True),
        ("/mnt/nas/local/engine", False),
        ("/home/me/there", True),
        ("/home/me/engine", False),
    ],
)
def test_a_network_drive_is_known_by_its_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, remote: bool
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    monkeypatch.setattr(whereabouts, "MOUNTS", mounts)
    assert whereabouts.on_network(Path(folder)) is remote
    assert bool(whereabouts.cautions(Path(folder), "The data lies")) is remote


def test_where_nothing_is_known_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whereabouts, "MOUNTS", tmp_path / "none")
    assert whereabouts.cautions(tmp_path, "The data lies") == []
