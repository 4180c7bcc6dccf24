"""The vault behind the real Secret Service: GNOME's keyring under a D-Bus of its own, without a desktop."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = ("dbus-run-session", "gnome-keyring-daemon")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]

pytestmark = [
    pytest.mark.skipif(
        bool(MISSING),
        reason=f"{', '.join(MISSING)} missing: apt-get install dbus gnome-keyring tests the real keyring, too",
    ),
    pytest.mark.slow,
]

FILL = """
import keyring, sys
from pathlib import Path
from execution_engine.adapters.security.vault import Vault
from execution_engine.domain.keys import Keys
print(type(keyring.get_keyring()).__module__)
vault = Vault(Path(sys.argv[1]))
vault.make(in_keyring=True)
vault.put_keys("main", Keys("the-api-key", "the-api-secret"))
"""
READ = """
import sys
from pathlib import Path
from execution_engine.adapters.security.vault import Vault
vault = Vault(Path(sys.argv[1]))
vault.open()
print(vault.keys("main").api_secret)
"""
FORGET = """
import sys
from pathlib import Path
from execution_engine.adapters.security.vault import Vault
Vault(Path(sys.argv[1])).forget()
"""
TRY_LOCKED = """
import sys
from pathlib import Path
from execution_engine.adapters.security.os_keyring import OsKeyring
from execution_engine.adapters.security.vault import Vault
from execution_engine.domain.errors import VaultError
try:
    Vault(Path(sys.argv[1]), keyring=OsKeyring(deadline_s=3)).open()
except VaultError as error:
    print(error.trouble)
"""
UNLOCKED = "printf secret-login | gnome-keyring-daemon --unlock --components=secrets >/dev/null"
LOCKED = "gnome-keyring-daemon --start --components=secrets >/dev/null"


def session(folder: Path, keyring: str, *programs: str) -> list[str]:
    """Run programs in one D-Bus session with this keyring; return what each printed."""
    home = folder / "home"
    runtime = folder / "runtime"
    for made in (home, runtime):
        made.mkdir(mode=0o700, exist_ok=True)
    kept = ("PATH", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime), "VAULT": str(folder / "vault")}
    lines = [keyring]
    for at, program in enumerate(programs):
        (folder / f"{at}.py").write_text(program)
        lines += [f'"{sys.executable}" "{folder}/{at}.py" "$VAULT" || exit 1', "echo --"]
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", "\n".join(lines)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "the-api" not in done.stderr
    return [part.strip() for part in done.stdout.split("--\n")[:-1]]


def test_keys_are_there_after_another_login(tmp_path: Path) -> None:
    kind, secret = session(tmp_path, UNLOCKED, FILL, READ)
    assert kind == "keyring.backends.SecretService"
    assert secret == "the-api-secret"
    assert session(tmp_path, UNLOCKED, READ) == ["the-api-secret"]
    for file in (path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".py"):
        assert b"the-api" not in file.read_bytes()


def test_a_locked_keyring_is_said_to_be_and_not_waited_for(tmp_path: Path) -> None:
    session(tmp_path, UNLOCKED, FILL)
    (trouble,) = session(tmp_path, LOCKED, TRY_LOCKED)
    assert trouble == "keyring_locked"


def test_forgetting_takes_the_key_out_of_the_keyring(tmp_path: Path) -> None:
    session(tmp_path, UNLOCKED, FILL)
    copy = (tmp_path / "vault").read_bytes()
    session(tmp_path, UNLOCKED, FORGET)
    (tmp_path / "vault").write_bytes(copy)
    assert session(tmp_path, UNLOCKED, TRY_LOCKED) == ["keyring_empty"]
