"""A request for another name than ours is refused once a public name is known, and never before."""

from __future__ import annotations

from typing import Any

import pytest

from execution_engine.adapters.webhook.names import known_names, stranger_name
from execution_engine.domain import document as documents
from execution_engine.domain.settings import Settings
from tests.adapters.webhook.house import entry, listening

PUBLIC = "https://alerts.example.com/desk"
OWN = {"tunnel": {"public_url": PUBLIC}}
TUNNEL = {"tunnel": {"enabled": True}}
QUICK = "https://odd-words.trycloudflare.com"


@pytest.mark.parametrize(
    ("host", "settings", "place"),
    [
        ("evil.example.net", {}, ""),  # no public name is known
        ("evil.example.net", TUNNEL, ""),  # nor has the tunnel said its own yet
        ("alerts.example.com", OWN, PUBLIC),
        ("Alerts.Example.COM.:443", OWN, PUBLIC),
        ("127.0.0.1:8787", OWN, PUBLIC),
        ("[::1]:8787", OWN, PUBLIC),
        ("192.168.1.20:8787", OWN, PUBLIC),  # a number cannot be pointed anywhere else
        ("localhost:8787", OWN, PUBLIC),
        ("desk:8787", OWN, PUBLIC),  # what a proxy at home calls it
        ("desk.local", OWN, PUBLIC),
        ("", OWN, PUBLIC),
        ("[nonsense", OWN, PUBLIC),
        ("odd-words.trycloudflare.com", TUNNEL, QUICK),
        ("alerts.example.com", {"tunnel": {"enabled": True, "public_url": PUBLIC}}, QUICK),
        ("tv.example.com", {"tunnel": {"enabled": True, "name": "desk", "hostname": "tv.example.com"}}, ""),
        ("old.example.com", OWN | {"webhook": {"names": ["OLD.example.com"]}}, PUBLIC),
        ("whatever.example.net", OWN | {"webhook": {"names": ["*"]}}, PUBLIC),
        ("box.example.net", OWN | {"webhook": {"host": "box.example.net"}}, PUBLIC),
    ],
)
def test_a_working_set_up_is_never_broken(host: str, settings: dict[str, Any], place: str) -> None:
    assert stranger_name({"Host": host}, Settings.model_validate(settings), place) == ""


@pytest.mark.parametrize(
    ("host", "settings", "place"),
    [
        ("evil.example.net", OWN, PUBLIC),
        ("evil.example.net:8787", OWN, ""),
        ("alerts.example.com.evil.net", OWN, PUBLIC),
        ("evil.example.net", TUNNEL, QUICK),
        ("1.2.3.4.nip.io", OWN, PUBLIC),
    ],
)
def test_a_name_of_somebody_else_is_named(host: str, settings: dict[str, Any], place: str) -> None:
    assert stranger_name({"Host": host}, Settings.model_validate(settings), place) == host.partition(":")[0]


def test_without_a_public_address_there_is_no_name_to_compare_with() -> None:
    assert known_names(Settings.model_validate({"webhook": {"names": ["x.example.com"]}}), "") == ()


async def test_the_sender_learns_nothing_and_the_user_reads_what_to_do() -> None:
    async with listening() as house:
        house.settings = documents.check(OWN)
        assert await house.send(entry(), headers={"Host": "evil.example.net"}) == (404, None)
        assert (await house.send(entry(), headers={"Host": "alerts.example.com"}))[0] == 202
        assert (await house.send(entry(id="2")))[0] == 202  # from this machine
    (refused,) = house.desk.refused
    ((field, why),) = refused.errors
    assert (refused.status, field) == (404, "Host")
    assert why.startswith("It was sent to “evil.example.net”, which is not the public address.")
    assert "Further names" in why
    assert len(house.desk.alerts) == 2
