"""The requests that the program sends to itself: they count once, and nobody else can make one."""

from typing import Any

import pytest

from execution_engine.adapters.webhook import Secrets
from execution_engine.adapters.webhook.probes import GOOD_FOR_S, HEADER, MOST_OPEN, Pass, Probes
from tests.adapters.webhook.house import House, entry, listening

PROXY = {"X-Forwarded-For": "203.0.113.9"}


async def shown(house: House, text: str, **headers: str) -> tuple[int, Any]:
    return await house.send(b"", "/webhook", headers={HEADER: text, **headers})


async def test_a_probe_is_answered_and_leaves_nothing_behind() -> None:
    async with listening() as house:
        probe = house.probes.new()
        assert await shown(house, probe.shown) == (200, {"probe": probe.answer})
        assert house.probes.cautions(probe) == ()
    assert (house.desk.alerts, house.desk.refused, house.desk.used) == ([], [], [])


async def test_a_probe_that_carries_an_alert_is_still_no_alert() -> None:
    async with listening() as house:
        probe = house.probes.new()
        assert (await house.send(entry(), "/webhook", headers={HEADER: probe.shown}))[0] == 200
    assert house.desk.alerts == []


def forged(probe: Pass) -> list[str]:
    nonce, _, signature = probe.shown.partition(".")
    other = Probes(lambda: 0.0).new()
    return [
        "",
        ".",
        nonce,
        f"{nonce}.",
        f"{nonce}.{signature[:-1]}0" if signature[-1] != "0" else f"{nonce}.{signature[:-1]}1",
        f"{nonce[:-1]}.{signature}",
        f"{nonce}.{probe.answer}",
        other.shown,
        "\udc80.\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
    ]


async def test_a_probe_cannot_be_forged() -> None:
    async with listening(failures_per_minute=100) as house:
        probe = house.probes.new()
        for text in forged(probe):
            assert (await shown(house, text))[0] == 401, text
        assert (await shown(house, probe.shown))[0] == 200


async def test_a_probe_cannot_be_replayed_or_kept_for_later() -> None:
    async with listening() as house:
        used, late = house.probes.new(), house.probes.new()
        assert (await shown(house, used.shown))[0] == 200
        assert (await shown(house, used.shown))[0] == 401
        house.seconds += GOOD_FOR_S + 1
        assert (await shown(house, late.shown))[0] == 401


async def test_guessing_probes_ends_in_429_like_guessing_tokens() -> None:
    async with listening(failures_per_minute=2) as house:
        assert [(await shown(house, "x"))[0] for _ in range(3)] == [401, 401, 429]
        assert (await house.send(entry()))[0] == 202


def test_only_the_newest_passes_are_open() -> None:
    probes = Probes(lambda: 0.0)
    first, *others = [probes.new() for _ in range(MOST_OPEN + 1)]
    assert probes.take(first.shown, ()) is None
    assert all(probes.take(each.shown, ()) == each.answer for each in others)


@pytest.mark.parametrize(
    ("rules", "headers", "word"),
    [
        ({}, PROXY, ""),
        ({"signature_required": True}, PROXY, "cannot sign"),
        ({"ip_allowlist": ["10.0.0.0/8"], "trusted_proxies": ["127.0.0.1"]}, PROXY, "leaves out"),
        ({"ip_allowlist": ["tradingview"]}, PROXY, "Add 127.0.0.1 to webhook.trusted_proxies"),
        ({"ip_allowlist": ["tradingview"], "trusted_proxies": ["127.0.0.1"]}, PROXY, ""),
        ({"ip_allowlist": ["tradingview"]}, {}, ""),
        ({"secret_required": True}, PROXY, "vault is locked"),
    ],
)
async def test_a_probe_tells_why_an_alert_on_the_same_way_would_be_refused(
    rules: dict[str, Any], headers: dict[str, str], word: str
) -> None:
    async with listening(**rules) as house:
        house.secrets = Secrets(locked=True)
        probe = house.probes.new()
        assert (await shown(house, probe.shown, **headers))[0] == 200
        said = house.probes.cautions(probe)
    assert len(said) == bool(word)
    assert not word or word in said[0]
