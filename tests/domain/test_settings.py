"""The settings document: what it refuses, in which words, and how single values are read and changed."""

from __future__ import annotations

import json
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution_engine.domain import document as documents
from execution_engine.domain.errors import SettingsError
from execution_engine.domain.rows import World
from execution_engine.domain.settings import Settings


def layer(gap: str = "0", weight: str = "100", target: str = "1") -> dict[str, str]:
    return {"gap_percent": gap, "weight_percent": weight, "tp_percent": target}


def grid(*layers: dict[str, str]) -> dict[str, Any]:
    return {"grid": {"profiles": {"default": list(layers)}}}


def faults(document: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        documents.parse(document if isinstance(document, str) else json.dumps(document))
    return {fault.field: fault.message for fault in caught.value.faults}


def test_the_defaults_are_the_specifications():
    settings = Settings()
    plain = settings.model_dump(mode="json")
    expected = {
        "capital": {"total_usd": "10000", "pyramid_capital": "full", "max_order_usd": "0"},
        "pool": {"max_open_groups": 10, "max_pyramids": 5, "max_queue": 100, "overflow": "reject_new",
                 "max_queue_age_s": 86400},
        "take_profit": {"mode": "per_leg", "aggregate_percent": "1.0", "order": "market", "on_flat": "close"},
        "signals": {"opposite": "reject", "duplicate_window_s": 60, "max_alert_age_s": 300, "max_exit_age_s": 86400,
                    "max_deviation_percent": "10", "max_capital_usd": "0", "symbols": [], "max_entries_per_day": 200},
        "orders": {"poll_s": 10, "retries": 5, "breaker_failures": 5, "breaker_pause_s": 30},
        "logs": {"level": "INFO", "keep_days": 30, "compress_after_days": 7, "audit_keep_days": 0},
    }  # fmt: skip
    assert {section: plain[section] for section in expected} == expected
    gaps = [entry["gap_percent"] for entry in plain["grid"]["profiles"]["default"]]
    assert gaps == ["0", "-0.5", "-1.0", "-2.0", "-4.0"]
    assert settings.group_capital() == 1000


@pytest.mark.fault(76)
@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        ("{", "document", "ends too early, in line 1: the rest of it is missing"),
        ("", "document", "is empty"),
        ("{capital: 1}", "document", "is not valid JSON"),
        ("[" * 100_000, "document", "is not valid JSON"),
        ('{"capital": {"total_usd": NaN}}', "document", "NaN is not a number that can be used"),
        ("[]", "document", "must be an object with sections"),
        ("7", "document", "must be an object with sections"),
        ({"pool": []}, "pool", "must be an object of names and values"),
        ({"pools": {}}, "pools", "there is no such setting; is pool meant?"),
        ({"banana": {}}, "banana", "there is no such setting"),
        (
            {"pool": {"max_groups": 3}},
            "pool.max_groups",
            "there is no such setting; is max_open_groups meant?",
        ),
        ({"accounts": {"a": {"levrage": 3}}}, "accounts.a.levrage", "there is no such setting"),
        ({"pool": {"max_open_groups": 0}}, "pool.max_open_groups", "must be at least 1"),
        ({"pool": {"max_open_groups": 1001}}, "pool.max_open_groups", "must be at most 1000"),
        ({"pool": {"max_open_groups": 1.5}}, "pool.max_open_groups", "must be a whole number"),
        ({"pool": {"max_open_groups": "many"}}, "pool.max_open_groups", "must be a whole number"),
        ({"pool": {"max_open_groups": None}}, "pool.max_open_groups", "must be a whole number"),
        ({"capital": {"total_usd": 0}}, "capital.total_usd", "must be above 0"),
        ({"capital": {"total_usd": "a lot"}}, "capital.total_usd", "must be a number"),
        ({"capital": {"total_usd": []}}, "capital.total_usd", "must be a number"),
        ({"capital": {"total_usd": "1e13"}}, "capital.total_usd", "must be at most"),
        ({"capital": {"max_order_usd": "1" * 29}}, "capital.max_order_usd", "has more than 28 digits"),
        ({"capital": {"max_order_usd": "Infinity"}}, "capital.max_order_usd", "must be a finite number"),
        (
            {"capital": {"pyramid_capital": "half"}},
            "capital.pyramid_capital",
            "must be one of 'full' or 'split'",
        ),
        (
            {"version": 2},
            "version",
            "is 2, written by a newer version of this application; this one reads up to 1",
        ),
        ({"version": 0}, "version", "must be a whole number from 1 to 1"),
        ({"version": "1"}, "version", "must be a whole number from 1 to 1"),
        ({"version": True}, "version", "must be a whole number from 1 to 1"),
        ({"webhook": {"host": "http://x/"}}, "webhook.host", "is no address to listen on"),
        ({"webhook": {"host": "1.2.3"}}, "webhook.host", "is no address to listen on"),
        ({"webhook": {"host": ""}}, "webhook.host", "is no address to listen on"),
        ({"signals": {"symbols": ["BTC USDT"]}}, "signals.symbols.0", "must be a pattern without spaces"),
        ({"signals": {"symbols": [""]}}, "signals.symbols.0", "must be a pattern without spaces"),
        (
            {"grid": {"bindings": [{"timeframe": "often", "profile": "default"}]}},
            "grid.bindings.0.timeframe",
            "“often” is no timeframe",
        ),
        ({"capital": {"max_order_usd": "1e13"}}, "capital.max_order_usd", "must be at most 1000000000000"),
        ({"risk": {"enabled": "perhaps"}}, "risk.enabled", "must be true or false"),
        ({"risk": {"rehearsal": "never"}}, "risk.rehearsal", ""),
        ({"risk": {"loss_threshold_percent": "5"}}, "risk.loss_threshold_percent", "must be below 0"),
        ({"webhook": {"host": 7}}, "webhook.host", "must be text"),
        (
            {"webhook": {"ip_allowlist": ["10.0.0.0/33"]}},
            "webhook.ip_allowlist",
            "is no IP address or network",
        ),
        (grid(), "grid.profiles.default", "a grid has 1 to 50 legs"),
        (grid(*[layer(str(-n), "2") for n in range(51)]), "grid.profiles.default", "a grid has 1 to 50 legs"),
        (grid(layer(), layer("-1", "0")), "grid.profiles.default.1.weight_percent", "must be above 0"),
        (grid(layer(weight="99")), "grid.profiles.default", "weights add up to 99 %; 1 % are missing"),
        (
            grid(layer(), layer("-1", "20")),
            "grid.profiles.default",
            "weights add up to 120 %; 20 % are too much",
        ),
        (grid(layer("1")), "grid.profiles.default", "gap of leg 0 must be 0 or below"),
        (
            grid(layer("-1", "50"), layer("-1", "50")),
            "grid.profiles.default",
            "gap of leg 1 must be below -1 %",
        ),
        (grid(layer("-100")), "grid.profiles.default", "gap of leg 0 must be above −100 %"),
        (grid(layer(target="0")), "grid.profiles.default.0.tp_percent", "must be above 0"),
        (grid({"gap_percent": "0"}), "grid.profiles.default.0.weight_percent", "is missing"),
        ({"grid": {"default": "wide"}}, "grid", "there is no grid profile “wide”; there are: default"),
        ({"grid": {"bindings": [{"profile": "x"}]}}, "grid", "there is no grid profile “x”"),
        ({"grid": {"profiles": {}}}, "grid", "there are: none"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field_in_a_sentence(document, field, words):
    found = faults(document)
    assert field in found
    assert words in found[field]


def test_every_fault_is_told_at_once():
    document = {"pool": {"max_queue": -1}, "logs": {"level": "LOUD"}, "capital": {"total_usd": "x"}}
    assert set(faults(document)) == {"pool.max_queue", "logs.level", "capital.total_usd"}


def test_a_document_reads_as_it_was_written():
    settings = documents.parse('{"capital": {"total_usd": 0.1}, "grid": {"max_slippage_percent": "0.30"}}')
    assert settings.capital.total_usd == D("0.1")
    assert documents.parse(documents.dump(settings)) == settings
    assert documents.check({"capital": {"total_usd": 0.1}}).capital.total_usd == D("0.1")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("pool.max_open_groups", 10),
        ("capital.total_usd", "10000"),
        ("grid.profiles.default.1.gap_percent", "-0.5"),
        ("risk.rehearsal", "auto"),
        ("webhook.ip_allowlist", []),
    ],
)
def test_a_value_is_read_by_its_path(path, value):
    assert documents.get(Settings(), path) == value


def test_the_empty_path_is_the_whole_document():
    whole = documents.get(Settings(), "")
    assert documents.with_value(Settings(), "", whole) == Settings()


@pytest.mark.parametrize(
    ("path", "value", "now"),
    [
        ("pool.max_open_groups", 3, 3),
        ("grid.profiles.default.0.tp_percent", "2.5", "2.5"),
        ("grid.profiles.default.4", layer("-9", "20"), layer("-9", "20")),
        ("accounts.main", {"leverage": 3}, {"leverage": "3", "margin_mode": "isolated", "position_mode": "one_way",
                                            "default": False}),
    ],
)  # fmt: skip
def test_one_value_is_changed_and_the_rest_stays(path, value, now):
    changed = documents.with_value(Settings(), path, value)
    assert documents.get(changed, path) == now
    assert documents.with_value(changed, "", Settings().model_dump(mode="json")) == Settings()


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "pool.nothing",
        "pool.max_queue.deeper",
        "grid.profiles.default.9",
        "grid.profiles.default.x.y",
    ],
)
def test_a_path_that_leads_nowhere_is_named(path):
    for act in (lambda: documents.get(Settings(), path), lambda: documents.with_value(Settings(), path, 1)):
        with pytest.raises(SettingsError) as caught:
            act()
        (fault,) = caught.value.faults
        assert (fault.field, fault.message) == (path, "there is no such setting")


def test_rehearsal_is_on_in_the_live_world_alone_unless_it_is_set():
    auto, always = Settings(), documents.with_value(Settings(), "risk.rehearsal", True)
    assert [auto.rehearses(world) for world in World] == [False, False, True]
    assert all(always.rehearses(world) for world in World)
    assert not documents.with_value(Settings(), "risk.rehearsal", False).rehearses(World.LIVE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


PLACES = [
    (section, name)
    for section, value in Settings().model_dump().items()
    for name in (value if isinstance(value, dict) else ())
]


@pytest.mark.fault(76)
@given(st.sampled_from([*PLACES, ("accounts", "main"), ("version", ""), ("nothing", "")]), JSON)
def test_no_document_makes_the_reader_raise_anything_but_sentences(place, value):
    section, name = place
    try:
        documents.check({section: {name: value} if name else value})
    except SettingsError as error:
        told = error
    else:
        return
    assert told.faults
    assert all(fault.field and fault.message for fault in told.faults)
