"""A key from a master password: Argon2id, as costly as this machine can bear for half a second.

Source of the least values: OWASP's password storage cheat sheet, 19 MiB and two passes with one lane. It is
written for servers under load; a vault is opened once, so the floor here is 64 MiB, the ceiling 256 MiB, and
what time is left goes into more passes.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from execution_engine.adapters.security.strength import forget_words, strength
from execution_engine.domain.errors import VaultError, VaultTrouble

KEY_BYTES = 32
SALT_BYTES = 16
WANTED_S = 0.5
TOLERANCE = 1.1
LEAST_MIB, MOST_MIB = 64, 256
LEAST_PASSES, USUAL_PASSES, MOST_PASSES = 2, 3, 64
LANES = 1
LEAST_LENGTH = 8
LEAST_SCORE = 2  # of 4: more than a million guesses
# What is believed of a file: more would let a file from somebody else fill the memory.
MOST_MIB_READ = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What deriving a key takes: memory [MiB], passes over it, lanes."""

    memory_mib: int
    passes: int
    lanes: int = LANES

    @property
    def is_sane(self) -> bool:
        """Return whether a file may ask for this."""
        return (
            8 <= self.memory_mib <= MOST_MIB_READ
            and 1 <= self.passes <= MOST_PASSES
            and 1 <= self.lanes <= MOST_PASSES
        )


PROBE = Cost(memory_mib=LEAST_MIB, passes=USUAL_PASSES)


def derive(password: str, salt: bytes, cost: Cost) -> bytes:
    """Return the key for a password. Blocking, about half a second; lets other threads run meanwhile.

    Raises VaultError where the memory for it is not there.
    """
    try:
        kdf = Argon2id(
            salt=salt,
            length=KEY_BYTES,
            iterations=cost.passes,
            lanes=cost.lanes,
            memory_cost=cost.memory_mib * 1024,
        )
        return kdf.derive(_canonical(password))
    except MemoryError:
        raise VaultError(
            VaultTrouble.UNREADABLE,
            f"Opening the vault takes {cost.memory_mib} MiB of memory for half a second, which are not free. "
            "End other programs and try again.",
        ) from None


def calibrated(spent: Callable[[Cost], float] | None = None) -> Cost:
    """Return the cost that takes about half a second on this machine. Blocking, about a second.

    spent: how long deriving a key takes [s]; measured here unless it is given. What the processor works counts, not
    what the clock shows: a machine that is busy at the moment would get a weak vault for good.
    """
    measure = spent or _spent
    cost = fitted(min(measure(PROBE) for _ in range(2)))  # the first one also fetches the memory
    # Where the caches end, more memory takes more than its share of time: what was chosen is tried itself.
    return cost if (took := measure(cost)) <= WANTED_S * TOLERANCE else _shrunk(cost, WANTED_S / took)


def _spent(cost: Cost) -> float:
    """Return the processor time of this thread that deriving one key takes [s]."""
    began = time.thread_time()
    derive("a password to measure with", b"salt" * 4, cost)
    return time.thread_time() - began


def _shrunk(cost: Cost, share: float) -> Cost:
    """Return a share of a cost: fewer passes while there are more than usual, then less memory."""
    passes = max(round(cost.passes * share), min(cost.passes, USUAL_PASSES))
    memory = int(cost.memory_mib * share * cost.passes / passes)
    return Cost(memory_mib=min(max(memory, LEAST_MIB), cost.memory_mib), passes=passes)


def fitted(probe_s: float) -> Cost:
    """Return the cost for this machine, given how long `PROBE` took."""
    # The time goes with memory times passes.
    bearable = PROBE.memory_mib * PROBE.passes * WANTED_S / max(probe_s, 1e-6)
    memory = min(max(int(bearable / USUAL_PASSES), LEAST_MIB), MOST_MIB)
    passes = min(max(round(bearable / memory), LEAST_PASSES), MOST_PASSES)
    return Cost(memory_mib=memory, passes=passes)


def refuse_a_weak_one(password: str) -> None:
    """Raise VaultError for a password that nobody should rely on."""
    if len(password) < LEAST_LENGTH:
        raise VaultError(
            VaultTrouble.PASSWORD_WEAK, f"A master password has at least {LEAST_LENGTH} characters."
        )
    if len(set(password)) < LEAST_LENGTH // 2:
        raise VaultError(
            VaultTrouble.PASSWORD_WEAK, "A master password is more than a few characters again and again."
        )
    judged = strength(password)
    forget_words()
    if judged.score < LEAST_SCORE:
        raise VaultError(
            VaultTrouble.PASSWORD_WEAK,
            f"This master password is among the first that are tried: it would hold for {judged.lasts}. "
            "Several words that have nothing to do with one another are better.",
        )


def _canonical(password: str) -> bytes:
    # An accented letter is one character or two, depending on the system it was typed on.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
