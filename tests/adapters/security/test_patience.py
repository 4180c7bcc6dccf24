"""Wrong passwords in a row: the first ones cost nothing, ten of them minutes."""

from __future__ import annotations

import pytest

from execution_engine.adapters.security.patience import LONGEST_S, Patience
from execution_engine.domain.errors import VaultError, VaultTrouble


class Watch:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_typing_errors_cost_nothing_and_ten_wrong_passwords_two_minutes() -> None:
    watch = Watch()
    patience = Patience(watch)
    waits = []
    for _ in range(10):
        patience.refuse()
        patience.wrong()
        waits.append(patience.wait_s)
        watch.at += patience.wait_s
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128]


def test_who_does_not_wait_is_told_how_long_and_the_right_one_ends_it() -> None:
    watch = Watch()
    patience = Patience(watch)
    for _ in range(5):
        patience.wrong()
    watch.at += 1.5
    with pytest.raises(VaultError, match="5 wrong master passwords were given; try again in 3 s") as caught:
        patience.refuse()
    assert caught.value.trouble is VaultTrouble.TOO_SOON
    watch.at += 2.5
    patience.refuse()
    patience.right()
    patience.wrong()
    assert patience.wait_s == 0


def test_it_never_takes_longer_than_five_minutes() -> None:
    patience = Patience(Watch())
    for _ in range(2_000):
        patience.wrong()
    assert patience.wait_s == LONGEST_S
