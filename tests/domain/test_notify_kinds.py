"""How the address of each kind of target comes out of its fields."""

import pytest

from execution_engine.domain.notify_kinds import KINDS

BY_KEY = {kind.key: kind for kind in KINDS}
MAIL = {"user": "me@example.com", "password": "p@ss/w", "to": "you@example.com"}


@pytest.mark.parametrize(
    ("kind", "values", "address"),
    [
        ("telegram", {"token": "1:AA", "chat": "42"}, "tgram://1:AA/42"),
        (
            "discord",
            {"address": "https://discord.com/api/webhooks/1/a"},
            "https://discord.com/api/webhooks/1/a",
        ),
        (
            "mail",
            MAIL | {"server": "smtp.example.com"},
            "mailtos://me%40example.com:p%40ss%2Fw@smtp.example.com:587"
            "?from=me%40example.com&to=you%40example.com&mode=starttls",
        ),
        (
            "mail",
            MAIL | {"server": "smtp.example.com:465", "from": "bot@example.com"},
            "mailtos://me%40example.com:p%40ss%2Fw@smtp.example.com:465"
            "?from=bot%40example.com&to=you%40example.com&mode=ssl",
        ),
        ("webhook", {"address": "https://example.com/hook"}, "jsons://example.com/hook"),
        ("webhook", {"address": "http://127.0.0.1:9/hook"}, "json://127.0.0.1:9/hook"),
        ("other", {"address": "ntfy://topic"}, "ntfy://topic"),
    ],
)
def test_an_address_is_put_together(kind: str, values: dict[str, str], address: str) -> None:
    assert BY_KEY[kind].missing(values) == ""
    assert BY_KEY[kind].build(values) == address


def test_what_is_missing_is_named() -> None:
    assert BY_KEY["telegram"].missing({"chat": "1"}) == "Bot token"
    assert BY_KEY["mail"].missing({}) == "Server"
