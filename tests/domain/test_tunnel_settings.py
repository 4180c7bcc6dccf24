"""What may stand in the settings about the way in from outside."""

from __future__ import annotations

from typing import Any

import pytest

from execution_engine.domain import document as documents
from execution_engine.domain.errors import SettingsError
from execution_engine.domain.senders import PRESETS, spelled_out


def faults(**section: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as refused:
        documents.check(section)
    return str(refused.value)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        (" https://Alerts.example.com/ ", "https://Alerts.example.com"),
        ("https://alerts.example.com:443/in", "https://alerts.example.com:443/in"),
        ("http://203.0.113.7:80", "http://203.0.113.7:80"),
    ],
)
def test_a_public_address_is_one_that_tradingview_could_send_to(given: str, kept: str) -> None:
    assert documents.check({"tunnel": {"public_url": given}}).tunnel.public_url == kept


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("alerts.example.com", "must be an address"),
        ("ftp://alerts.example.com", "must be an address"),
        ("https://", "must be an address"),
        ("https://[2001:db8::1]", "must be an address"),  # TradingView has no IPv6
        ("https://user:pw@alerts.example.com", "must be an address"),
        ("https://alerts.example.com:8443", "ports 80 (http) and 443 (https) only"),
        ("http://alerts.example.com:443", "ports 80 (http) and 443 (https) only"),
        ("https://alerts.example.com/a?b", "without “?”"),
        ("https://alerts.example.com/a b", "without “?”"),
        ("https://alerts.example.com/ä", "without “?”"),
    ],
)
def test_what_tradingview_could_not_send_to_is_refused_at_its_field(given: str, why: str) -> None:
    said = faults(tunnel={"public_url": given})
    assert "tunnel.public_url" in said
    assert why in said


@pytest.mark.parametrize(
    "name", ["https://x.example.com", "x.example.com/in", "nodots", "a..b.com", "-a.com"]
)
def test_a_host_name_is_a_name_alone(name: str) -> None:
    assert "tunnel.hostname" in faults(tunnel={"hostname": name})


def test_a_host_name_is_kept_in_small_letters() -> None:
    tunnel = documents.check({"tunnel": {"hostname": "Alerts.Example.COM", "name": "mine"}}).tunnel
    assert (tunnel.hostname, tunnel.name) == ("alerts.example.com", "mine")


@pytest.mark.parametrize("name", ["--config=/etc/x", "a b", "ä"])
def test_a_tunnel_name_is_never_an_option_of_the_program(name: str) -> None:
    assert "tunnel.name" in faults(tunnel={"hostname": "alerts.example.com", "name": name})


def test_a_tunnel_of_ones_own_needs_its_host_name() -> None:
    assert "needs its host name" in faults(tunnel={"name": "mine"})


def test_an_allowlist_may_name_tradingview_beside_addresses() -> None:
    rules = documents.check({"webhook": {"ip_allowlist": ["tradingview", "10.0.0.0/8"]}}).webhook
    assert list(spelled_out(rules.ip_allowlist)) == [*PRESETS["tradingview"], "10.0.0.0/8"]
    assert "tradingviev" in faults(webhook={"ip_allowlist": ["tradingviev"]})
