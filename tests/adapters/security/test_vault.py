"""The vault: what is in it is there again after a start, and nothing and nobody else gets at it."""

from __future__ import annotations

import json
import os
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from loguru import logger

from execution_engine.adapters.security import vault_file
from execution_engine.adapters.security.os_keyring import OsKeyring
from execution_engine.adapters.security.vault import Vault
from execution_engine.domain.errors import VaultError, VaultTrouble
from execution_engine.domain.keys import Keys
from tests.adapters.security.keyrings import Broken, Forgetful, Locked, PlaintextKeyring, Remembering, Silent

KEYS = Keys("canary-api-key", "canary-api-secret", "canary-phrase")
OTHER = Keys("canary-other-key", "canary-other-secret")
PASSWORD, ANOTHER = "canary correct horse", "canary battery staple"
CANARIES = ("canary", "horse", "staple")

New = Callable[[], Vault]

pytestmark = pytest.mark.usefixtures("cheap", "remembering")


def fails(trouble: VaultTrouble, work: Callable[[], object]) -> str:
    """Return the sentence of a failure, after making sure that neither it nor its traceback tells a secret."""
    with pytest.raises(VaultError) as caught:
        work()
    assert caught.value.trouble is trouble
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    # Lines of this file's own source are in it.
    told = "\n".join(line for line in told.splitlines() if "PASSWORD" not in line)
    for canary in CANARIES:
        assert canary not in told
    sentence = str(caught.value)
    assert sentence.endswith((".", ")."))
    return sentence


def filled(vault: Vault, password: str | None = PASSWORD, *, in_keyring: bool = False) -> Vault:
    vault.make(password, in_keyring=in_keyring)
    vault.put_keys("main", KEYS)
    vault.set_body_secret("canary-body")
    vault.set_hmac_secret("canary-hmac")
    return vault


def prove_whole(vault: Vault) -> None:
    assert vault.keys("main") == KEYS
    assert (vault.body_secret, vault.hmac_secret) == ("canary-body", "canary-hmac")


@pytest.mark.parametrize(
    ("password", "in_keyring", "opens_with"),
    [(PASSWORD, False, PASSWORD), (None, True, None), (PASSWORD, True, None), (PASSWORD, True, PASSWORD)],
)
def test_what_was_entered_is_there_after_a_start(
    new_vault: New, password: str | None, in_keyring: bool, opens_with: str | None
) -> None:
    filled(new_vault(), password, in_keyring=in_keyring)
    vault = new_vault()
    assert vault.exists
    assert not vault.is_open
    assert (vault.has_password, vault.is_in_keyring) == (password is not None, in_keyring)
    assert (vault.keys("main"), vault.body_secret, vault.hmac_secret) == (None, None, None)
    vault.open(opens_with)
    prove_whole(vault)
    vault.open("whatever is given to an open vault")
    prove_whole(vault)


def test_nothing_is_on_the_disk_in_clear_nor_in_the_keyring(
    new_vault: New, tmp_path: Path, remembering: Remembering
) -> None:
    vault = filled(new_vault(), in_keyring=True)
    vault.put_keys("other", OTHER)
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert {path.name for path in files} == {"vault", "vault.previous"}
    for place in (*(path.read_bytes() for path in files), repr(remembering.kept).encode()):
        assert b"canary" not in place
        assert b"main" not in place


def test_the_file_belongs_to_its_user_alone(new_vault: New, tmp_path: Path) -> None:
    filled(new_vault())
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_every_writing_has_a_fresh_nonce(new_vault: New, tmp_path: Path) -> None:
    vault = filled(new_vault())
    seen = set()
    for _ in range(20):
        vault.put_keys("main", KEYS)
        seen.add((tmp_path / "vault").read_bytes().split(b"\n", 2)[2][:12])
    assert len(seen) == 20


def test_keys_can_be_changed_and_removed(new_vault: New) -> None:
    vault = filled(new_vault())
    vault.put_keys("other", OTHER)
    vault.put_keys("main", OTHER)
    assert vault.remove_keys("other")
    assert not vault.remove_keys("other")
    vault.set_body_secret(None)
    again = new_vault()
    again.open(PASSWORD)
    assert (again.keys("main"), again.keys("other"), again.body_secret) == (OTHER, None, None)


def test_removed_keys_are_in_no_copy_of_the_file(new_vault: New, tmp_path: Path) -> None:
    vault = filled(new_vault())
    vault.put_keys("other", OTHER)
    vault.remove_keys("main")
    vault.set_hmac_secret(None)
    (tmp_path / "vault").unlink()
    earlier = new_vault()
    earlier.open(PASSWORD)
    assert (earlier.keys("main"), earlier.hmac_secret) == (None, None)
    assert earlier.keys("other") == OTHER


def test_every_secret_is_learnt_before_it_could_be_logged(new_vault: New, learnt: list[str]) -> None:
    filled(new_vault())
    everything = {PASSWORD, *KEYS.__getstate__(), "canary-body", "canary-hmac"}  # type: ignore[attr-defined]
    assert everything <= set(learnt)
    learnt.clear()
    new_vault().open(PASSWORD)
    assert everything <= set(learnt)


def test_the_lines_of_a_private_key_are_learnt_one_by_one(new_vault: New, learnt: list[str]) -> None:
    vault = filled(new_vault())
    vault.put_keys("pem", Keys("canary-api-key", "-----BEGIN KEY-----\ncanary-line\n-----END KEY-----"))
    assert "canary-line" in learnt


def test_no_secret_is_in_what_objects_say_of_themselves(new_vault: New) -> None:
    vault = filled(new_vault())
    for shown in (vault, vault._contents, vault._file, vault.keys("main"), vars(vault)):
        text = repr(shown).replace(repr(vault._data_key), "")
        assert "canary" not in text


def test_a_wrong_password_is_one_sentence_ten_times_and_then_the_right_one_opens(new_vault: New) -> None:
    filled(new_vault())
    vault = new_vault()
    for attempt in range(10):
        told = fails(VaultTrouble.PASSWORD_WRONG, lambda attempt=attempt: vault.open(f"{ANOTHER} {attempt}"))  # type: ignore[misc]
        assert told == "The master password is wrong; the vault stays locked."
    vault.open(PASSWORD)
    prove_whole(vault)


def test_a_password_is_the_same_however_its_accents_are_composed(new_vault: New) -> None:
    filled(new_vault(), "pa\u00dfwort \u00e9t\u00e9")
    vault = new_vault()
    vault.open("pa\u00dfwort e\u0301te\u0301")
    prove_whole(vault)


def test_without_a_password_the_vault_asks_for_it(new_vault: New) -> None:
    filled(new_vault())
    assert "--password-file" in fails(VaultTrouble.PASSWORD_NEEDED, new_vault().open)


@pytest.mark.parametrize("weak", ["", "short", "aaaaaaaaaaaa", "abababababab"])
def test_a_weak_password_is_refused(new_vault: New, weak: str) -> None:
    vault = new_vault()
    fails(VaultTrouble.PASSWORD_WEAK, lambda: vault.make(weak))
    assert not vault.exists


def test_a_vault_without_any_lock_is_not_made(new_vault: New) -> None:
    fails(VaultTrouble.PASSWORD_NEEDED, lambda: new_vault().make())


def test_where_there_is_no_vault_there_is_nothing_to_open(new_vault: New) -> None:
    vault = new_vault()
    assert not vault.exists
    assert "made with the first keys" in fails(VaultTrouble.NONE, vault.open)


def test_a_locked_vault_tells_and_takes_nothing(new_vault: New) -> None:
    vault = filled(new_vault())
    vault.lock()
    assert not vault.is_open
    assert vault.keys("main") is None
    for work in (
        lambda: vault.put_keys("main", OTHER),
        lambda: vault.remove_keys("main"),
        lambda: vault.set_body_secret("x" * 10),
        lambda: vault.protect(ANOTHER),
    ):
        fails(VaultTrouble.LOCKED, work)
    vault.open(PASSWORD)
    prove_whole(vault)


def test_locking_overwrites_the_key_in_memory(new_vault: New) -> None:
    vault = filled(new_vault())
    buffer = vault._data_key
    assert any(buffer)
    vault.lock()
    assert not any(buffer)


def test_a_vault_is_never_made_over_another(new_vault: New) -> None:
    filled(new_vault())
    fails(VaultTrouble.LOCKED, lambda: new_vault().make(ANOTHER))
    vault = new_vault()
    vault.open(PASSWORD)
    prove_whole(vault)


# -- other locks


def test_a_changed_password_opens_and_the_old_one_opens_neither_copy(new_vault: New, tmp_path: Path) -> None:
    filled(new_vault()).protect(ANOTHER)
    fails(VaultTrouble.PASSWORD_WRONG, lambda: new_vault().open(PASSWORD))
    vault = new_vault()
    vault.open(ANOTHER)
    prove_whole(vault)
    (tmp_path / "vault").write_bytes(b"gone")
    fails(VaultTrouble.PASSWORD_WRONG, lambda: new_vault().open(PASSWORD))
    new_vault().open(ANOTHER)


def test_from_the_keyring_to_a_password_and_back(new_vault: New, remembering: Remembering) -> None:
    vault = filled(new_vault(), None, in_keyring=True)
    (first,) = remembering.kept
    vault.protect(PASSWORD)
    assert remembering.kept == {}
    fails(VaultTrouble.PASSWORD_NEEDED, new_vault().open)
    vault = new_vault()
    vault.open(PASSWORD)
    vault.protect(in_keyring=True)
    assert first not in remembering.kept
    assert len(remembering.kept) == 1
    again = new_vault()
    again.open()
    prove_whole(again)
    assert (again.has_password, again.is_in_keyring) == (False, True)


def test_a_copy_with_the_old_lock_that_a_crash_left_behind_goes_with_the_next_opening(
    new_vault: New, tmp_path: Path
) -> None:
    vault = filled(new_vault())
    old = (tmp_path / "vault").read_bytes()
    vault.protect(ANOTHER)
    (tmp_path / "vault.previous").write_bytes(old)
    new_vault().open(ANOTHER)
    assert b"vault" in (tmp_path / "vault.previous").read_bytes()
    (tmp_path / "vault").unlink()
    fails(VaultTrouble.PASSWORD_WRONG, lambda: new_vault().open(PASSWORD))


def test_a_lock_that_cannot_be_made_leaves_the_old_ones(
    new_vault: New, use_keyring: Callable[[KeyringBackend], None]
) -> None:
    vault = filled(new_vault())
    use_keyring(Locked())
    fails(VaultTrouble.KEYRING_LOCKED, lambda: vault.protect(in_keyring=True))
    again = new_vault()
    again.open(PASSWORD)
    prove_whole(again)


def test_forgetting_leaves_nothing(new_vault: New, tmp_path: Path, remembering: Remembering) -> None:
    vault = filled(new_vault(), in_keyring=True)
    vault.forget()
    assert not vault.is_open
    assert not vault.exists
    assert list(tmp_path.iterdir()) == []
    assert remembering.kept == {}
    vault.make(ANOTHER)
    assert vault.keys("main") is None


def test_a_vault_that_cannot_be_opened_can_be_forgotten(new_vault: New, tmp_path: Path) -> None:
    filled(new_vault())
    (tmp_path / "vault").write_bytes(b"nonsense")
    vault = new_vault()
    vault.forget()
    assert not vault.exists


# -- keyrings


def test_a_keyring_of_another_machine_does_not_open_it(new_vault: New, remembering: Remembering) -> None:
    filled(new_vault(), None, in_keyring=True)
    ((name, kept),) = remembering.kept.items()
    remembering.kept[name] = "A" * 44
    assert "does not belong to this vault" in fails(VaultTrouble.KEYRING_EMPTY, new_vault().open)
    remembering.kept[name] = "no base64 at all"
    fails(VaultTrouble.KEYRING_EMPTY, new_vault().open)
    remembering.kept.clear()
    assert "does not hold the key" in fails(VaultTrouble.KEYRING_EMPTY, new_vault().open)
    remembering.kept[name] = kept
    new_vault().open()


KEYRINGS = [
    (Locked, VaultTrouble.KEYRING_LOCKED, "The system's keyring is locked. Unlock it and try again."),
    (Broken, VaultTrouble.KEYRING_FAILED, "The system's keyring failed (RuntimeError)."),
    (Forgetful, VaultTrouble.KEYRING_FAILED, "did not keep what it was given"),
    (PlaintextKeyring, VaultTrouble.KEYRING_MISSING, "Choose a master password instead"),
]


@pytest.mark.parametrize(("kind", "trouble", "sentence"), KEYRINGS)
def test_a_keyring_that_cannot_be_relied_upon_is_not_used(
    new_vault: New,
    use_keyring: Callable[[KeyringBackend], None],
    kind: type[Remembering],
    trouble: VaultTrouble,
    sentence: str,
) -> None:
    use_keyring(kind())
    vault = new_vault()
    assert sentence in fails(trouble, lambda: vault.make(in_keyring=True))
    assert not vault.exists
    filled(vault, PASSWORD)
    prove_whole(vault)


@pytest.mark.parametrize("name", ["fail", "null"])
def test_the_keyrings_that_are_none_are_not_used(
    new_vault: New, use_keyring: Callable[[KeyringBackend], None], name: str
) -> None:
    module = __import__(f"keyring.backends.{name}", fromlist=["Keyring"])
    use_keyring(module.Keyring())
    vault = new_vault()
    assert not vault.keyring_is_there()
    told = fails(VaultTrouble.KEYRING_MISSING, lambda: vault.make(in_keyring=True))
    assert "--password-file" in told


def test_of_a_chain_of_keyrings_a_safe_one_is_used(
    new_vault: New, use_keyring: Callable[[KeyringBackend], None]
) -> None:
    safe = Remembering()

    class Chained(Remembering):
        backends = (PlaintextKeyring(), safe)

    use_keyring(Chained())
    filled(new_vault(), None, in_keyring=True)
    assert len(safe.kept) == 1


def test_a_keyring_that_never_answers_is_not_waited_for(
    tmp_path: Path, use_keyring: Callable[[KeyringBackend], None]
) -> None:
    silent = Silent()
    use_keyring(silent)
    vault = Vault(tmp_path / "vault", keyring=OsKeyring(deadline_s=0.05))
    try:
        told = fails(VaultTrouble.KEYRING_SILENT, lambda: vault.make(in_keyring=True))
        assert "did not answer" in told
    finally:
        silent.let_go.set()


def test_a_program_that_ends_does_not_wait_for_a_keyring(
    new_vault: New, use_keyring: Callable[[KeyringBackend], None], tmp_path: Path
) -> None:
    filled(new_vault(), None, in_keyring=True)
    silent = Silent()
    use_keyring(silent)
    vault = Vault(tmp_path / "vault", keyring=OsKeyring(deadline_s=1000))
    told: list[VaultTrouble] = []

    def open_it() -> None:
        try:
            vault.open()
        except VaultError as error:
            told.append(error.trouble)

    opening = threading.Thread(target=open_it)
    opening.start()
    assert silent.asked.wait(20)
    vault.stop_waiting()
    opening.join(20)
    silent.let_go.set()
    assert told == [VaultTrouble.KEYRING_SILENT]


def test_with_both_locks_the_password_opens_where_the_keyring_does_not(
    new_vault: New, use_keyring: Callable[[KeyringBackend], None]
) -> None:
    filled(new_vault(), in_keyring=True)
    use_keyring(Locked())
    told = fails(VaultTrouble.PASSWORD_NEEDED, new_vault().open)
    assert told == (
        "The system's keyring is locked. Unlock it and try again. The master password opens it, too."
    )
    vault = new_vault()
    vault.open(PASSWORD)
    prove_whole(vault)


def test_an_old_key_that_stays_in_the_keyring_is_told_and_harms_nobody(
    new_vault: New, use_keyring: Callable[[KeyringBackend], None]
) -> None:
    vault = filled(new_vault(), None, in_keyring=True)
    use_keyring(Locked())
    heard: list[str] = []
    sink = logger.add(heard.append, format="{message}")
    vault.protect(PASSWORD)
    vault.forget()
    logger.remove(sink)
    assert "An old key is left in the system's keyring" in heard[0]


# -- damage


def damage(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0x01
    path.write_bytes(raw)


def test_any_flipped_bit_of_the_newest_copy_is_found_and_the_previous_one_is_used(
    new_vault: New, tmp_path: Path
) -> None:
    vault = filled(new_vault())
    vault.put_keys("later", OTHER)
    newest, earlier = ((tmp_path / name).read_bytes() for name in ("vault", "vault.previous"))
    for at in range(0, len(newest), 7):
        (tmp_path / "vault").write_bytes(newest)
        (tmp_path / "vault.previous").write_bytes(earlier)
        damage(tmp_path / "vault", at)
        again = new_vault()
        again.open(PASSWORD)
        prove_whole(again)
        assert again.keys("later") is None
        after = new_vault()
        after.open(PASSWORD)
        prove_whole(after)
    assert list(tmp_path.glob("vault.damaged-*"))


@pytest.mark.parametrize("left", [0, 1, 30, 200])
def test_a_copy_that_was_cut_off_is_damaged(new_vault: New, tmp_path: Path, left: int) -> None:
    filled(new_vault())
    (tmp_path / "vault").write_bytes((tmp_path / "vault").read_bytes()[:left])
    vault = new_vault()
    vault.open(PASSWORD)
    assert vault.keys("main") == KEYS


def test_a_newest_copy_that_is_gone_is_not_taken_for_a_first_start(new_vault: New, tmp_path: Path) -> None:
    filled(new_vault())
    (tmp_path / "vault").unlink()
    vault = new_vault()
    assert vault.exists
    vault.open(PASSWORD)
    assert vault.keys("main") == KEYS
    assert (tmp_path / "vault").exists()


def test_two_damaged_copies_are_said_to_be_and_are_set_aside_by_a_new_vault(
    new_vault: New, tmp_path: Path
) -> None:
    filled(new_vault())
    for name in ("vault", "vault.previous"):
        damage(tmp_path / name, -1)
    vault = new_vault()
    assert "enter them again; nothing else is lost" in fails(
        VaultTrouble.DAMAGED, lambda: vault.open(PASSWORD)
    )
    vault.make(ANOTHER)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "vault",
        "vault.damaged-1",
        "vault.previous",
        "vault.previous.damaged-1",
    ]


def resealed(path: Path, change: Callable[[dict[str, object]], None]) -> None:
    """Change the header as somebody would who knows the format: with a digest that fits."""
    raw = path.read_bytes()[: -vault_file.DIGEST_BYTES]
    first, line, body = raw.split(b"\n", 2)
    header = json.loads(line)
    change(header)
    changed = b"\n".join([first, json.dumps(header, sort_keys=True, separators=(",", ":")).encode(), body])
    path.write_bytes(changed + vault_file.hashlib.sha256(changed).digest())


def test_a_header_that_somebody_changed_is_refused(new_vault: New, tmp_path: Path) -> None:
    vault = filled(new_vault(), in_keyring=True)
    vault.put_keys("main", KEYS)

    def without_password(header: dict[str, object]) -> None:
        del header["password"]

    for name in ("vault", "vault.previous"):
        resealed(tmp_path / name, without_password)
    assert "changed by something else" in fails(VaultTrouble.DAMAGED, new_vault().open)


def test_a_newest_copy_that_somebody_changed_gives_way_to_the_previous_one(
    new_vault: New, tmp_path: Path
) -> None:
    filled(new_vault(), in_keyring=True)
    resealed(tmp_path / "vault", lambda header: header.pop("password"))
    vault = new_vault()
    vault.open()
    assert vault.keys("main") == KEYS


@pytest.mark.parametrize(
    "changes",
    [
        {"memory_mib": 1_000_000},
        {"passes": 10_000},
        {"lanes": 0},
        {"salt": "?"},
        {"memory_mib": "much"},
    ],
)
def test_a_header_that_asks_for_the_impossible_is_damage(
    new_vault: New, tmp_path: Path, changes: dict[str, object]
) -> None:
    filled(new_vault())
    for name in ("vault", "vault.previous"):
        resealed(tmp_path / name, lambda header: header["password"].update(changes))  # type: ignore[attr-defined]
    fails(VaultTrouble.DAMAGED, lambda: new_vault().open(PASSWORD))


def test_a_file_of_a_newer_version_is_left_alone(new_vault: New, tmp_path: Path) -> None:
    filled(new_vault())
    newer = (tmp_path / "vault").read_bytes().replace(b"vault 1\n", b"vault 2\n", 1)
    (tmp_path / "vault").write_bytes(newer)
    vault = new_vault()
    for work in (lambda: vault.open(PASSWORD), lambda: vault.make(ANOTHER)):
        assert "newer version of this program" in fails(VaultTrouble.NEWER, work)
    assert (tmp_path / "vault").read_bytes() == newer


def test_a_disk_that_is_full_loses_nothing(
    new_vault: New, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = filled(new_vault())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        told = fails(VaultTrouble.UNREADABLE, lambda: vault.put_keys("main", OTHER))
    assert "(no space left on device)" in told
    prove_whole(vault)
    again = new_vault()
    again.open(PASSWORD)
    prove_whole(again)


@pytest.mark.parametrize("step", ["fsync", "link", "replace"])
def test_a_crash_at_any_step_of_a_writing_leaves_a_whole_vault(
    new_vault: New, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    vault = filled(new_vault())

    class Crash(BaseException):
        pass

    for calls in (0, 1, 2):
        left = [calls]
        real = getattr(os, step)

        def crashing(*given: object, real: Callable[..., object] = real, left: list[int] = left) -> object:
            if left[0] == 0:
                raise Crash
            left[0] -= 1
            return real(*given)

        with monkeypatch.context() as patched:
            patched.setattr(os, step, crashing)
            with suppress(Crash):
                vault.put_keys("new", OTHER)
        again = new_vault()
        again.open(PASSWORD)
        prove_whole(again)
        assert again.keys("new") in (None, OTHER)


def test_where_files_have_no_second_names_the_previous_copy_is_a_copy(
    new_vault: New, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    vault = filled(new_vault())
    before = (tmp_path / "vault").read_bytes()
    vault.put_keys("main", OTHER)
    assert (tmp_path / "vault.previous").read_bytes() == before


def test_a_vault_that_cannot_be_read_is_not_taken_for_none(new_vault: New, tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    assert "cannot be read or written" in fails(VaultTrouble.UNREADABLE, new_vault().open)
