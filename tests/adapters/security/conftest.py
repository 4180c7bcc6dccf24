"""A vault in a folder of its own, a keyring that remembers, and a password that costs little."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from execution_engine.adapters.security import vault as vaults
from execution_engine.adapters.security.os_keyring import OsKeyring
from execution_engine.adapters.security.password import Cost
from execution_engine.adapters.security.vault import Vault
from tests.adapters.security.keyrings import Remembering

CHEAP = Cost(memory_mib=8, passes=1)


@pytest.fixture
def use_keyring() -> Iterator[Callable[[KeyringBackend], None]]:
    """Give what puts a keyring in the place of the system's."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


@pytest.fixture
def remembering(use_keyring: Callable[[KeyringBackend], None]) -> Remembering:
    backend = Remembering()
    use_keyring(backend)
    return backend


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a password cost a few milliseconds: what it costs otherwise has a test of its own."""
    monkeypatch.setattr(vaults, "calibrated", lambda: CHEAP)


@pytest.fixture
def learnt() -> list[str]:
    return []


@pytest.fixture
def new_vault(tmp_path: Path, learnt: list[str]) -> Callable[[], Vault]:
    """Give what reads the vault of this test anew, as another start of the program would."""

    def learn(*texts: str | None) -> None:
        learnt.extend(text for text in texts if text)

    return lambda: Vault(tmp_path / "vault", learn=learn, keyring=OsKeyring(deadline_s=5))
