"""Keys as they come out of a clipboard."""

from __future__ import annotations

import pytest

from execution_engine.adapters.security import pasted
from execution_engine.domain.errors import VaultError
from execution_engine.domain.keys import Keys

KEY, SECRET = "abcdefgh12345678", "SECRET-abcdefgh"


def test_clean_keys_stay_as_they_are() -> None:
    assert pasted.keys(KEY, SECRET, "phrase one") == (Keys(KEY, SECRET, "phrase one"), ())


@pytest.mark.parametrize(
    "accident", [" {} ", "{}\n", "\t{}\r\n", "\ufeff{}", "\u200b{}\u200b", "\u00a0{}", "\u202a{}\u202c"]
)
def test_what_is_around_a_key_is_taken_out_and_told(accident: str) -> None:
    keys, notes = pasted.keys(accident.format(KEY), SECRET)
    assert keys == Keys(KEY, SECRET)
    assert notes == ("Spaces and line breaks around or in the API key were taken out.",)


def test_a_key_that_was_broken_into_lines_is_put_together() -> None:
    keys, notes = pasted.keys(KEY, "SECRET-\n  abcdefgh", "  a phrase\n")
    assert keys == Keys(KEY, SECRET, "a phrase")
    assert [note.split(" in the ")[1] for note in notes] == [
        "API secret were taken out.",
        "passphrase were taken out.",
    ]


def test_a_private_key_keeps_its_lines() -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----"
    keys, _ = pasted.keys(KEY, f"\r\n  {pem}\n".replace("\n", "\r\n "))
    assert keys.api_secret == pem


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("", SECRET), "The API key is missing."),
        ((KEY, " \n"), "The API secret is missing."),
        (("qwert", SECRET), "The API key is too short: it has 5 characters"),
        ((KEY, SECRET, "abc"), "The passphrase is too short"),
        ((KEY, "x" * 10_000), "The API secret is too long: it has 10000 characters."),
        (("schlüsselbund", SECRET), "The API key holds unusual characters"),
    ],
)
def test_what_is_no_key_is_refused_without_being_quoted(given: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(VaultError) as caught:
        pasted.keys(*given)
    assert str(caught.value).startswith(sentence)
    assert not any(text.strip() in str(caught.value) for text in given if len(text.strip()) > 3)


def test_a_secret_of_the_listener() -> None:
    assert pasted.secret(" two words\n") == "two words"
    for wrong in ("", "short", "x" * 10_000):
        with pytest.raises(VaultError):
            pasted.secret(wrong)


def test_a_private_key_that_lost_its_line_breaks_in_a_field_gets_them_back():
    body = "MC4CAQAwBQYDK2Vw" * 8
    field = f"-----BEGIN PRIVATE KEY----- {body[:64]} {body[64:]} -----END PRIVATE KEY----- "
    keys, notes = pasted.keys("the-api-key", field)
    assert keys.api_secret.splitlines() == [
        "-----BEGIN PRIVATE KEY-----",
        body[:64],
        body[64:],
        "-----END PRIVATE KEY-----",
    ]
    assert notes == ("Spaces and line breaks around or in the API secret were taken out.",)
