"""The vault as a file: what its bytes mean, and how they get to the disk and back.

A line with the format's number, a line of JSON (the header), the nonce and the sealed contents, and a SHA-256 of all
that. The digest tells damage from a wrong password; it proves nothing against whoever can write the file. That
is what AES-256-GCM does: the contents are sealed with the header as associated data, so no part of it can be changed.

The contents are sealed with a random data key. The header holds that key once per lock, each time sealed with
another key: one derived from the master password, one kept in the system's keyring.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from execution_engine.adapters.security.password import KEY_BYTES, SALT_BYTES, Cost, derive
from execution_engine.domain.errors import VaultError, VaultTrouble

FORMAT = 1
MAGIC = b"execution-engine vault "
NONCE_BYTES = 12
DIGEST_BYTES = 32
MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PasswordLock:
    """The data key, sealed with what a master password gives."""

    salt: bytes
    cost: Cost
    sealed: bytes = field(repr=False)

    @classmethod
    def closing(cls, data_key: bytes, password: str, cost: Cost, vault: str) -> PasswordLock:
        """Return the lock that this password opens. Blocking, about half a second."""
        salt = os.urandom(SALT_BYTES)
        said = cls(salt, cost, b"").described(vault)
        return cls(salt, cost, seal(derive(password, salt, cost), data_key, said))

    def opened(self, password: str, vault: str) -> bytes:
        """Return the data key. Blocking. Raises VaultError for a wrong password."""
        try:
            return unseal(derive(password, self.salt, self.cost), self.sealed, self.described(vault))
        except InvalidTag:
            raise VaultError(
                VaultTrouble.PASSWORD_WRONG, "The master password is wrong; the vault stays locked."
            ) from None

    def described(self, vault: str) -> bytes:
        """Return what is authenticated together with the data key."""
        cost = [self.cost.memory_mib, self.cost.passes, self.cost.lanes]
        return json.dumps(["password", vault, self.salt.hex(), cost]).encode()


@dataclass(frozen=True, slots=True)
class KeyringLock:
    """The data key, sealed with a random key that the system's keyring holds under `name`."""

    name: str
    sealed: bytes = field(repr=False)

    @classmethod
    def closing(cls, data_key: bytes, device_key: bytes, name: str, vault: str) -> KeyringLock:
        """Return the lock that the key in the keyring opens."""
        return cls(name, seal(device_key, data_key, cls(name, b"").described(vault)))

    def opened(self, device_key: bytes, vault: str) -> bytes:
        """Return the data key. Raises VaultError for a key that belongs to another vault."""
        try:
            return unseal(device_key, self.sealed, self.described(vault))
        except (InvalidTag, ValueError):
            raise VaultError(
                VaultTrouble.KEYRING_EMPTY,
                "The key in the system's keyring does not belong to this vault. "
                "Forget all keys and enter them again.",
            ) from None

    def described(self, vault: str) -> bytes:
        """Return what is authenticated together with the data key."""
        return json.dumps(["keyring", vault, self.name]).encode()


@dataclass(frozen=True, slots=True)
class VaultFile:
    """A vault as it lies on the disk. `vault` names its data key; another one has another name."""

    vault: str
    password: PasswordLock | None
    keyring: KeyringLock | None
    body: bytes = field(default=b"", repr=False)

    def with_contents(self, data_key: bytes, contents: bytes) -> bytes:
        """Return the bytes of the file with these contents; every call seals them with a fresh nonce."""
        head = self._head()
        sealed = head + seal(data_key, contents, head)
        return sealed + hashlib.sha256(sealed).digest()

    def contents(self, data_key: bytes) -> bytes:
        """Return what is sealed in the file. Raises VaultError if anything of it was changed."""
        try:
            return unseal(data_key, self.body, self._head())
        except InvalidTag:
            raise damaged("was changed by something else") from None

    def _head(self) -> bytes:
        header: dict[str, Any] = {"vault": self.vault}
        if self.password is not None:
            lock, cost = self.password, self.password.cost
            header["password"] = {
                "salt": _text(lock.salt),
                "memory_mib": cost.memory_mib,
                "passes": cost.passes,
                "lanes": cost.lanes,
                "key": _text(lock.sealed),
            }
        if self.keyring is not None:
            header["keyring"] = {"name": self.keyring.name, "key": _text(self.keyring.sealed)}
        line = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
        return MAGIC + str(FORMAT).encode() + b"\n" + line + b"\n"


def read(raw: bytes) -> VaultFile:
    """Return the vault in these bytes. Raises VaultError (damaged, newer)."""
    first, _, rest = raw.partition(b"\n")
    number = first.removeprefix(MAGIC)
    if not first.startswith(MAGIC) or not number.isdigit():
        raise damaged("is not a vault")
    if int(number) > FORMAT:
        raise VaultError(
            VaultTrouble.NEWER,
            "The vault was written by a newer version of this program. Install that version to open it.",
        )
    if hashlib.sha256(raw[:-DIGEST_BYTES]).digest() != raw[-DIGEST_BYTES:]:
        raise damaged("is damaged")
    line, _, body = rest[:-DIGEST_BYTES].partition(b"\n")
    try:
        return _parsed(json.loads(line), body)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise damaged("makes no sense") from None


def _parsed(header: dict[str, Any], body: bytes) -> VaultFile:
    password, keyring = header.get("password"), header.get("keyring")
    file = VaultFile(str(header["vault"]), None, None, body)
    if password is not None:
        cost = Cost(
            memory_mib=int(password["memory_mib"]),
            passes=int(password["passes"]),
            lanes=int(password["lanes"]),
        )
        if not cost.is_sane:
            raise ValueError
        lock = PasswordLock(_bytes(password["salt"]), cost, _bytes(password["key"]))
        file = VaultFile(file.vault, lock, None, body)
    if keyring is not None:
        in_keyring = KeyringLock(str(keyring["name"]), _bytes(keyring["key"]))
        file = VaultFile(file.vault, file.password, in_keyring, body)
    return file


def damaged(how: str) -> VaultError:
    return VaultError(
        VaultTrouble.DAMAGED,
        f"The vault's file {how}. Forget all keys and enter them again; nothing else is lost.",
    )


def seal(key: bytes, plain: bytes, said: bytes) -> bytes:
    """Encrypt and authenticate; the nonce comes first."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, said)


def unseal(key: bytes, sealed: bytes, said: bytes) -> bytes:
    """Undo `seal`. Raises InvalidTag if anything was changed, or the key is another."""
    if len(sealed) <= NONCE_BYTES:
        raise InvalidTag
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], said)


def fresh_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


# -- on the disk


def previous(path: Path) -> Path:
    """Return where the copy before the newest one is kept."""
    return path.with_name(path.name + ".previous")


def fetch(path: Path) -> bytes | None:
    """Return a file's bytes; None if it is not there. Raises VaultError."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from error


def save(path: Path, raw: bytes) -> None:
    """Put bytes in the place of the newest copy, which becomes the previous one. Raises VaultError.

    Whatever happens meanwhile, there is a whole file under the name of the newest copy.
    """
    try:
        written = _written(path, raw)
        if path.exists():
            _keep(path)
        os.replace(written, path)
        _flush_folder(path.parent)
    except OSError as error:
        raise _unusable(path, error) from error


def save_both(path: Path, raw: bytes) -> None:
    """Put bytes in the place of both copies: what opened the old ones must not open anything any more."""
    try:
        os.replace(_written(path, raw), path)
        os.replace(_written(previous(path), raw), previous(path))
        _flush_folder(path.parent)
    except OSError as error:
        raise _unusable(path, error) from error


def set_aside(path: Path) -> Path:
    """Rename a file that cannot be used, so that nothing is written over it; return its new name."""
    count = 1
    while (aside := path.with_name(f"{path.name}.damaged-{count}")).exists():
        count += 1
    try:
        path.rename(aside)
    except OSError as error:
        raise _unusable(path, error) from error
    return aside


def delete(path: Path) -> None:
    """Remove both copies. On most disks their blocks can be read until something else is written there."""
    try:
        for one in (path, previous(path), path.with_name(path.name + ".new")):
            one.unlink(missing_ok=True)
        _flush_folder(path.parent)
    except OSError as error:
        raise _unusable(path, error) from error


def _written(path: Path, raw: bytes) -> Path:
    """Write bytes beside a file, for this user alone, and wait until they are on the disk."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    return new


def _keep(path: Path) -> None:
    """Give the newest copy a second name, the previous one's, and leave it in place."""
    aside = path.with_name(path.name + ".kept")
    aside.unlink(missing_ok=True)
    try:
        os.link(path, aside)
    except OSError:  # a file system without hard links
        shutil.copy2(path, aside)
    os.replace(aside, previous(path))


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(path: Path, error: OSError) -> VaultError:
    reason = (error.strerror or type(error).__name__).lower()
    return VaultError(
        VaultTrouble.UNREADABLE,
        f"The vault's file {path.name} cannot be read or written in {path.parent} ({reason}). Nothing was changed.",
    )


def _text(raw: bytes) -> str:
    return b64encode(raw).decode("ascii")


def _bytes(text: str) -> bytes:
    return b64decode(text, validate=True)
