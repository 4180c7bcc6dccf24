"""What counts as secret in the address of a place that is told."""

import pytest

from execution_engine.adapters.security.address import parts_of


@pytest.mark.parametrize(
    ("address", "secrets"),
    [
        ("tgram://123456789:ABC-def_123/-100987", {"123456789", "ABC-def_123", "-100987"}),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o", {"4174216298", "JHMHI8qBe7bk2ZwO5U711o"}),
        ("mailto://user:abc@smtp.example.com:587?to=me@example.org", {"abc"}),
        (
            "json://u:p%40ss@127.0.0.1:8080/hook/correcthorsebattery",
            {"p%40ss", "p@ss", "correcthorsebattery"},
        ),
        ("jsons://localhost/hook", set()),
    ],
)
def test_passwords_and_tokens_are_hidden_hosts_and_plain_words_are_not(
    address: str, secrets: set[str]
) -> None:
    assert set(parts_of(address)) == {address} | secrets
