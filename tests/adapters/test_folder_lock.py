"""One engine per data folder; a lock ends with its process, however that ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from execution_engine.adapters.security.folder_lock import FolderInUse, FolderLock, FolderNotLockable

HOLDER = """
import sys
from pathlib import Path
from execution_engine.adapters.security.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.fault(63)
def test_a_second_process_is_told_that_the_engine_runs(path: Path) -> None:
    with holder(path) as process:
        lock = FolderLock(path)
        with pytest.raises(FolderInUse, match=r"running already with the data folder .*Use its window"):
            lock.acquire()
        assert not lock.held
        process.communicate("")
    lock.acquire()
    assert lock.held
    lock.release()


@pytest.mark.fault(64)
def test_a_killed_process_leaves_no_lock_behind(path: Path) -> None:
    with holder(path) as process:
        process.kill()
    with FolderLock(path) as lock:
        assert lock.held


def test_a_second_lock_in_the_same_process_is_refused_too(path: Path) -> None:
    with FolderLock(path) as lock:
        lock.acquire()  # its own again: nothing to do
        with pytest.raises(FolderInUse):
            FolderLock(path).acquire()


def test_a_released_lock_can_be_taken_again(path: Path) -> None:
    lock = FolderLock(path)
    for _ in range(3):
        with lock:
            assert lock.held
        assert not lock.held
    lock.release()


def test_a_child_does_not_inherit_the_lock(path: Path) -> None:
    with FolderLock(path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with child, FolderLock(path) as again:
        assert again.held
        child.communicate(b"\n")


def test_a_file_with_something_in_it_is_left_as_it_is(path: Path) -> None:
    path.write_text("whatever")
    with FolderLock(path):
        pass
    assert path.read_text() == "whatever"


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_the_lock_is_this_users_alone(path: Path) -> None:
    with FolderLock(path):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_not_there_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(FolderNotLockable, match="cannot be locked"):
        FolderLock(tmp_path / "nowhere" / "lock").acquire()


def test_a_file_system_without_locks_is_not_taken_for_a_running_engine(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("execution_engine.adapters.security.folder_lock.lock_file", unsupported)
    with pytest.raises(FolderNotLockable, match="no locks available"):
        FolderLock(path).acquire()
