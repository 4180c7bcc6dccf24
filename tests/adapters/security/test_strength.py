"""What is said of a master password before it is taken."""

from __future__ import annotations

import sys

import pytest

from execution_engine.adapters.security.password import refuse_a_weak_one
from execution_engine.adapters.security.strength import span, strength
from execution_engine.domain.errors import VaultError


@pytest.mark.parametrize(
    ("password", "score", "word"),
    [
        ("", 0, "guessed at once"),
        ("password", 0, "guessed at once"),
        ("hunter2hunter2", 1, "weak"),
        ("correct horse", 3, "good"),
        ("correct horse battery staple", 4, "strong"),
    ],
)
def test_a_password_is_judged_by_what_people_choose(password: str, score: int, word: str) -> None:
    found = strength(password)
    assert (found.score, found.word) == (score, word)


def test_a_weak_one_comes_with_advice_and_a_long_one_is_judged_at_once() -> None:
    assert "This is a very common password." in strength("password1234").advice
    assert strength("a1" * 5_000).score == 1


@pytest.mark.parametrize("password", ["password1234", "qwertyuiop", "iloveyou1", "aaaabbbb"])
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(VaultError, match="master password"):
        refuse_a_weak_one(password)


def test_the_word_lists_do_not_stay_once_a_password_was_chosen() -> None:
    strength("correct horse")
    assert "zxcvbn.matching" in sys.modules
    words = sys.modules["zxcvbn.matching"].__dict__
    refuse_a_weak_one("correct horse battery staple")
    assert "zxcvbn.matching" not in sys.modules
    assert not words
    assert strength("correct horse").score == 3  # and come again for the next one


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.001, "about 1 second"),
        (59, "about 59 seconds"),
        (120, "about 2 minutes"),
        (3 * 3600, "about 3 hours"),
        (400 * 86400, "about 1 year"),
        (1e12, "centuries"),
    ],
)
def test_how_long_it_lasts_is_said_in_words(seconds: float, words: str) -> None:
    assert span(seconds) == words
