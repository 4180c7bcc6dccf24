"""The vault: API keys and the listener's secrets, on the disk only encrypted, in memory only while it is open.

What each lock is good for:

- **The system's keyring.** Starts without asking; a copied or stolen file opens nothing. A program that runs as
  the same user, on a machine where that user is logged in, can open it.
- **A master password.** Opens nowhere without it, so also not for somebody who has the whole disk and the login;
  a start that nobody attends needs it in a file or in the environment. Lost, the keys have to be entered again.
- **Both.** The keyring opens it, and the password does where the keyring cannot be had. It is as weak as either.

Memory: the data key is kept in a buffer that is overwritten when the vault is locked. That is the best that can
be done and no promise: Python's texts cannot be overwritten, and libraries and the interpreter make copies of
both. What was open is gone for certain when the process has ended; core dumps are switched off (`core_dumps`).

The file: somebody who can write to the data folder can put an older copy of the vault back, with its older keys.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from loguru import logger

from execution_engine.adapters.security import vault_file as files
from execution_engine.adapters.security.address import parts_of
from execution_engine.adapters.security.os_keyring import OsKeyring
from execution_engine.adapters.security.password import calibrated, refuse_a_weak_one
from execution_engine.adapters.security.vault_file import KeyringLock, PasswordLock, VaultFile
from execution_engine.domain.errors import VaultError, VaultTrouble
from execution_engine.domain.keys import Keys


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that is secret: keys by the account's name, what senders of alerts may know, and where
    notifications go, by the target's name."""

    keys: Mapping[str, Keys] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    body_secret: str | None = field(default=None, repr=False)
    hmac_secret: str | None = field(default=None, repr=False)
    targets: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def texts(self) -> Iterator[str]:
        """Yield every secret, and the lines of those that have several."""
        found = [
            text for keys in self.keys.values() for text in (keys.api_key, keys.api_secret, keys.passphrase)
        ]
        for text in (*found, self.body_secret, self.hmac_secret):
            if text:
                yield text
                yield from (line for line in text.splitlines()[1:-1] if line)
        for address in self.targets.values():
            yield from parts_of(address)


class Vault:
    """The vault of one data folder. Everything that changes or opens it is blocking; reading it is not.

    learn: told every secret the moment it is known, so that none of them is ever written to a log.
    Raises VaultError with a sentence; no secret is in any of them.
    """

    def __init__(
        self,
        path: Path,
        *,
        learn: Callable[..., None] = lambda *texts: None,
        keyring: OsKeyring | None = None,
    ) -> None:
        self._path = path
        self._learn = learn
        self._keyring = keyring or OsKeyring()
        self._turn = threading.RLock()
        self._file: VaultFile | None = None
        self._data_key = bytearray()
        self._contents: Contents | None = None

    # -- what is in it

    @property
    def exists(self) -> bool:
        """Return whether there is a vault, sound or not."""
        # Asked with every request to the webhook while there is none: `Path.exists` would take ten times as long.
        return os.path.exists(self._path) or os.path.exists(files.previous(self._path))

    @property
    def is_open(self) -> bool:
        return self._contents is not None

    def keys(self, account: str) -> Keys | None:
        """Return an account's keys; None while the vault is locked, or where there are none."""
        contents = self._contents  # another thread may lock the vault meanwhile
        return contents.keys.get(account) if contents else None

    @property
    def body_secret(self) -> str | None:
        contents = self._contents
        return contents.body_secret if contents else None

    @property
    def hmac_secret(self) -> str | None:
        contents = self._contents
        return contents.hmac_secret if contents else None

    @property
    def targets(self) -> Mapping[str, str]:
        """Return where notifications go; empty while the vault is locked."""
        contents = self._contents
        return contents.targets if contents else MappingProxyType({})

    @property
    def count(self) -> int:
        """Return how many accounts, secrets and targets have something in it; 0 while it is locked."""
        contents = self._contents
        if contents is None:
            return 0
        secrets = (contents.body_secret, contents.hmac_secret)
        return len(contents.keys) + len(contents.targets) + sum(text is not None for text in secrets)

    @property
    def has_password(self) -> bool:
        """Return whether a master password opens it. Reads the file while the vault is locked."""
        return self._on_disk().password is not None

    @property
    def is_in_keyring(self) -> bool:
        """Return whether the system's keyring opens it. Reads the file while the vault is locked."""
        return self._on_disk().keyring is not None

    def keyring_is_there(self) -> bool:
        """Return whether the system has a keyring that can be relied upon. Blocking."""
        return self._keyring.is_there()

    def _on_disk(self) -> VaultFile:
        return self._file or self._soundest()[0]

    # -- opening and closing

    def open(self, password: str | None = None) -> None:
        """Open the vault: with the password if one is given, else with the system's keyring."""
        with self._turn:
            if self.is_open:
                return
            self._learn(password)
            file, path = self._soundest()
            data_key = self._unlocked(file, password)
            raw = self._read_contents(file, data_key)
            if raw is None:
                file, path = self._earlier(file)
                data_key = self._unlocked(file, password)
                raw = file.contents(data_key)
            self._take(file, data_key, _parsed(raw))
            self._mend(file, path, data_key, raw)

    def _soundest(self) -> tuple[VaultFile, Path]:
        """Return the newest copy that is whole, and where it lies."""
        fault: VaultError | None = None
        for path in (self._path, files.previous(self._path)):
            raw = files.fetch(path)
            if raw is None:
                continue
            try:
                return files.read(raw), path
            except VaultError as error:
                if error.trouble is VaultTrouble.NEWER:
                    raise
                fault = fault or error
        raise fault or VaultError(VaultTrouble.NONE, "There is no vault yet; it is made with the first keys.")

    def _read_contents(self, file: VaultFile, data_key: bytes) -> bytes | None:
        try:
            return file.contents(data_key)
        except VaultError:
            if files.fetch(files.previous(self._path)) is None:
                raise
            return None

    def _earlier(self, changed: VaultFile) -> tuple[VaultFile, Path]:
        """Return the previous copy, after the newest one turned out to have been changed."""
        path = files.previous(self._path)
        file = files.read(files.fetch(path) or b"")
        if file == changed:
            raise files.damaged("was changed by something else")
        return file, path

    def _unlocked(self, file: VaultFile, password: str | None) -> bytes:
        if password is not None and file.password is not None:
            return file.password.opened(password, file.vault)
        if file.keyring is None:
            raise VaultError(
                VaultTrouble.PASSWORD_NEEDED,
                "The vault is locked; its master password opens it "
                "(--password-file, or EXECUTION_ENGINE_PASSWORD).",
            )
        try:
            return file.keyring.opened(self._device_key(file.keyring), file.vault)
        except VaultError as error:
            if file.password is None:
                raise
            raise VaultError(
                VaultTrouble.PASSWORD_NEEDED, f"{error} The master password opens it, too."
            ) from None

    def _device_key(self, lock: KeyringLock) -> bytes:
        kept = self._keyring.get(lock.name)
        if kept is None:
            raise VaultError(
                VaultTrouble.KEYRING_EMPTY,
                "The system's keyring does not hold the key of this vault: another user or another machine made "
                "it. Forget all keys and enter them again.",
            )
        try:
            return b64decode(kept, validate=True)
        except ValueError:
            return b""  # opens nothing, which is said

    def _take(self, file: VaultFile, data_key: bytes, contents: Contents) -> None:
        self._wipe()
        self._learn(*contents.texts())
        self._file, self._data_key, self._contents = file, bytearray(data_key), contents

    def _mend(self, file: VaultFile, path: Path, data_key: bytes, raw: bytes) -> None:
        """Make both copies good again: one may be damaged, or be opened by what should open it no more."""
        if path != self._path:
            what = "is gone"
            if self._path.exists():
                what = f"is damaged (kept as {files.set_aside(self._path).name})"
            logger.bind(category="SECURITY").warning(
                "The vault's newest copy {}; the previous one is used. What was entered last may be missing.",
                what,
            )
            files.save(self._path, file.with_contents(data_key, raw))
            return
        earlier = files.fetch(files.previous(self._path))
        if earlier is not None and not _same_vault(earlier, file):
            files.save_both(self._path, file.with_contents(data_key, raw))

    def stop_waiting(self) -> None:
        """Let go of a keyring that does not answer: the program ends."""
        self._keyring.stop_waiting()

    def lock(self) -> None:
        """Forget what was read, as well as that can be done; see the top of this file."""
        with self._turn:
            self._wipe()
            self._file = self._contents = None

    def _wipe(self) -> None:
        for at in range(len(self._data_key)):
            self._data_key[at] = 0
        self._data_key = bytearray()

    def prove(self, password: str | None = None) -> None:
        """Make sure that who asks could open the vault now, whether it is open or not. Blocking, half a second.

        Without a password the system's keyring answers for its user. Raises VaultError.
        """
        with self._turn:
            self._learn(password)
            file = self._on_disk()
            if password is not None and file.password is None:
                raise VaultError(
                    VaultTrouble.PASSWORD_WRONG, "This vault has no master password; its keyring opens it."
                )
            try:
                self._unlocked(file, password)
            except VaultError as error:
                if error.trouble is not VaultTrouble.PASSWORD_WRONG:
                    raise
                raise VaultError(error.trouble, "The master password is wrong.") from None

    # -- making, other locks, forgetting

    def make(self, password: str | None = None, *, in_keyring: bool = False) -> None:
        """Make an empty vault with these locks, and open it. A damaged one is set aside."""
        with self._turn:
            if self.exists:
                self._refuse_to_replace()
            self._close_with(password, in_keyring, Contents())

    def _refuse_to_replace(self) -> None:
        """Raise VaultError if there is a vault that can still be opened; set aside what cannot."""
        try:
            self._soundest()
        except VaultError as error:
            if error.trouble is not VaultTrouble.DAMAGED:
                raise
            for path in (self._path, files.previous(self._path)):
                if path.exists():
                    files.set_aside(path)
            return
        raise VaultError(VaultTrouble.LOCKED, "There is a vault already; open it instead.")

    def protect(self, password: str | None = None, *, in_keyring: bool = False) -> None:
        """Put other locks on the open vault: those that are given, and none else.

        Everything is encrypted anew, with another data key: an old copy and the old password open only each other.
        """
        with self._turn:
            contents, before = self._needed(), self._file
            self._close_with(password, in_keyring, contents)
            if before is not None and before.keyring is not None:
                self._forget_device_key(before.keyring)

    def _close_with(self, password: str | None, in_keyring: bool, contents: Contents) -> None:
        if password is None and not in_keyring:
            raise VaultError(
                VaultTrouble.PASSWORD_NEEDED,
                "A vault needs a master password, or a place in the system's keyring.",
            )
        data_key, vault = files.fresh_key(), secrets.token_hex(8)
        by_password = None
        if password is not None:
            refuse_a_weak_one(password)
            self._learn(password)
            by_password = PasswordLock.closing(data_key, password, calibrated(), vault)
        by_keyring = self._closed_with_keyring(data_key, vault) if in_keyring else None
        file = VaultFile(vault, by_password, by_keyring)
        try:
            files.save_both(self._path, file.with_contents(data_key, _plain(contents)))
        except VaultError:
            if by_keyring is not None:
                self._forget_device_key(by_keyring)
            raise
        self._take(file, data_key, contents)

    def _closed_with_keyring(self, data_key: bytes, vault: str) -> KeyringLock:
        device_key, name = files.fresh_key(), f"vault {vault}"
        self._keyring.set(name, b64encode(device_key).decode("ascii"))
        return KeyringLock.closing(data_key, device_key, name, vault)

    def _forget_device_key(self, lock: KeyringLock) -> None:
        """Take a key out of the keyring that opens nothing any more; failing at it harms nobody."""
        try:
            self._keyring.delete(lock.name)
        except VaultError as error:
            logger.bind(category="SECURITY").warning("An old key is left in the system's keyring: {}", error)

    def forget(self) -> None:
        """Delete the vault with everything in it, open or not. There is no way back."""
        with self._turn:
            locks = [file.keyring for file in self._readable() if file.keyring is not None]
            files.delete(self._path)
            self.lock()
            for lock in locks:
                self._forget_device_key(lock)

    def _readable(self) -> Iterator[VaultFile]:
        for path in (self._path, files.previous(self._path)):
            try:
                raw = files.fetch(path)
                if raw is not None:
                    yield files.read(raw)
            except VaultError:
                continue

    # -- entering and removing

    def put_keys(self, account: str, keys: Keys) -> None:
        """Keep an account's keys, in place of those it had."""
        with self._turn:
            contents = self._needed()
            self._write(replace(contents, keys=MappingProxyType({**contents.keys, account: keys})))

    def remove_keys(self, account: str) -> bool:
        """Forget an account's keys; return whether there were any."""
        with self._turn:
            contents = self._needed()
            if account not in contents.keys:
                return False
            left = {name: keys for name, keys in contents.keys.items() if name != account}
            self._write(replace(contents, keys=MappingProxyType(left)), for_good=True)
            return True

    def set_body_secret(self, secret: str | None) -> None:
        """Set what a sender may show in the body's `secret`; None removes it."""
        with self._turn:
            self._write(replace(self._needed(), body_secret=secret), for_good=secret is None)

    def set_hmac_secret(self, secret: str | None) -> None:
        """Set what a sender may sign bodies with; None removes it."""
        with self._turn:
            self._write(replace(self._needed(), hmac_secret=secret), for_good=secret is None)

    def put_target(self, name: str, address: str) -> None:
        """Keep where a target of notifications is, in place of where it was."""
        with self._turn:
            contents = self._needed()
            self._write(replace(contents, targets=MappingProxyType({**contents.targets, name: address})))

    def remove_target(self, name: str) -> bool:
        """Forget where a target of notifications is; return whether that was known."""
        with self._turn:
            contents = self._needed()
            if name not in contents.targets:
                return False
            left = {each: address for each, address in contents.targets.items() if each != name}
            self._write(replace(contents, targets=MappingProxyType(left)), for_good=True)
            return True

    def _needed(self) -> Contents:
        if self._contents is None:
            raise VaultError(VaultTrouble.LOCKED, "The vault is locked; open it first.")
        return self._contents

    def _write(self, contents: Contents, *, for_good: bool = False) -> None:
        """Write new contents; `for_good` leaves no copy of the old ones."""
        assert self._file is not None
        self._learn(*contents.texts())
        save = files.save_both if for_good else files.save
        save(self._path, self._file.with_contents(bytes(self._data_key), _plain(contents)))
        self._contents = contents


def _same_vault(raw: bytes, file: VaultFile) -> bool:
    try:
        return files.read(raw).vault == file.vault
    except VaultError:
        return False


def _plain(contents: Contents) -> bytes:
    return json.dumps(
        {
            "keys": {name: asdict(keys) for name, keys in contents.keys.items()},
            "body_secret": contents.body_secret,
            "hmac_secret": contents.hmac_secret,
            "targets": dict(contents.targets),
        }
    ).encode()


def _parsed(raw: bytes) -> Contents:
    plain = json.loads(raw)
    keys = {name: Keys(**fields) for name, fields in plain["keys"].items()}
    targets = MappingProxyType(dict(plain.get("targets", {})))  # older vaults know of none
    return Contents(MappingProxyType(keys), plain["body_secret"], plain["hmac_secret"], targets)
