"""What the forms rest on: the schema of each setting, numbers as typed, exposure, cautions, templates, versions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution_engine.domain import document as documents
from execution_engine.domain import inputs, read_only, schema, templates, versions
from execution_engine.domain.cautions import cautions, is_exposed
from execution_engine.domain.changes import Change, between, of_plain, same, told, written
from execution_engine.domain.errors import Refusal, SettingsError
from execution_engine.domain.exposure import worst_case
from execution_engine.domain.inputs import MayChange, Pause, SaveSettings
from execution_engine.domain.rows import SettingsVersion
from execution_engine.domain.schema import Kind
from execution_engine.domain.settings import Settings
from execution_engine.domain.typed import read_number
from tests.house import House

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def settings(**values: Any) -> Settings:
    """Return the defaults with some values, dots written as two underscores."""
    made = Settings()
    for path, value in values.items():
        made = documents.with_value(made, path.replace("__", "."), value)
    return made


# -- the schema


def test_every_setting_is_described_but_what_has_an_editor_of_its_own():
    described = {each.path for each in schema.settings()}
    plain = Settings().model_dump(mode="json")
    document = {f"{section}.{name}" for section in plain if section != "version" for name in plain[section]}
    assert document - described == {"grid.profiles", "grid.bindings", "notifications.targets"}
    assert described <= document
    assert {each.section for each in schema.settings()} | {"accounts"} == set(schema.SECTIONS)


def test_every_setting_has_a_title_of_its_own_and_a_sentence():
    for section in schema.SECTIONS:
        found = schema.section(section)
        assert len({each.title for each in found}) == len(found)
    for each in schema.settings():
        assert each.title[0].isupper()
        assert each.help.endswith("."), each.path


@pytest.mark.parametrize(
    ("path", "kind", "limits", "unit"),
    [
        ("capital.total_usd", Kind.NUMBER, "above 0 up to 1000000000000", "USD"),
        ("capital.pyramid_capital", Kind.CHOICE, "", ""),
        ("pool.max_open_groups", Kind.WHOLE, "from 1 to 1000", ""),
        ("risk.loss_threshold_percent", Kind.NUMBER, "from -100 below 0", "%"),
        ("risk.rehearsal", Kind.CHOICE, "", ""),
        ("risk.enabled", Kind.SWITCH, "", ""),
        ("webhook.host", Kind.TEXT, "", ""),
        ("webhook.ip_allowlist", Kind.LIST, "", ""),
        ("signals.symbols", Kind.LIST, "", ""),
        ("ui.scale", Kind.NUMBER, "from 0.9 to 1.4", ""),
    ],
)
def test_a_setting_says_what_may_be_entered(path, kind, limits, unit):
    setting = schema.by_path()[path]
    assert (setting.kind, setting.range, setting.unit) == (kind, limits, unit)


def test_choices_have_words():
    rehearsal = schema.by_path()["risk.rehearsal"]
    assert rehearsal.choices == (("auto", "Auto"), (True, "On"), (False, "Off"))
    assert schema.by_path()["take_profit.on_flat"].choices[1] == ("keep_grid", "Keep grid")
    assert schema.by_path()["logs.level"].choices[0] == ("DEBUG", "DEBUG")


def test_the_settings_of_an_account_are_found_under_its_name():
    assert schema.of_account("main")[0].path == "accounts.main.leverage"


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("pool.max_open_groups", "10", ""),
        ("pool.max_open_groups", "1.5", "must be a whole number"),
        ("pool.max_open_groups", "0", "must be at least 1"),
        ("pool.max_open_groups", "1001", "must be at most 1000"),
        ("capital.total_usd", "0", "must be above 0"),
        ("risk.loss_threshold_percent", "0", "must be below 0"),
        ("risk.loss_threshold_percent", "-101", "must be at least -100"),
        ("ui.scale", "1.41", "must be at most 1.4"),
    ],
)
def test_limits_speak_like_the_document_does(path, value, fault):
    assert schema.by_path()[path].fault_of(D(value)) == fault
    if fault:
        with pytest.raises(SettingsError) as caught:
            documents.with_value(Settings(), path, value)
        assert caught.value.faults[0].message == fault


# -- numbers as they are typed


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1.5", "1.5"),
        ("1,5", "1.5"),
        ("0,125", "0.125"),
        ("0.125", "0.125"),
        ("1.125", "1.125"),
        (".5", "0.5"),
        (",5", "0.5"),
        ("5.", "5"),
        ("+3", "3"),
        ("-0.5", "-0.5"),
        ("\u22120,5", "-0.5"),
        ("\u20130.5", "-0.5"),
        ("10 000", "10000"),
        ("10\u202f000,25", "10000.25"),
        ("1000", "1000"),
        ("1234567", "1234567"),
        ("12345.678", "12345.678"),
        ("12345,678", "12345.678"),
        ("5 %", "5"),
        ("5%", "5"),
        ("  7  ", "7"),
        ("007", "7"),
    ],
)
def test_a_number_is_read_with_either_decimal_mark(typed, number):
    assert read_number(typed, "%") == D(number)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "is missing"),
        ("   ", "is missing"),
        ("%", "is missing"),
        ("1,234", "“1,234” can be read as 1234 and as 1.234: write it one of these ways"),
        ("1,230", "“1,230” can be read as 1230 and as 1.23: write it one of these ways"),
        ("-1,234", "“-1,234” can be read as -1234 and as -1.234: write it one of these ways"),
        ("10.000", "“10.000” can be read as 10000 and as 10.0: write it one of these ways"),
        ("12.500", "“12.500” can be read as 12500 and as 12.5: write it one of these ways"),
        ("1,234.5", "write thousands without marks: 1234.5"),
        ("1.234,5", "write thousands without marks: 1234.5"),
        ("1,234,567", "write thousands without marks: 1234567"),
        ("1.234.567", "write thousands without marks: 1234567"),
        ("1'234.50", "write thousands without marks: 1234.50"),
        ("1'234", "write thousands without marks: 1234"),
        ("1e5", "must be written with all its digits, without an exponent"),
        ("NaN", "must be a number"),
        ("Infinity", "must be a number"),
        ("-", "must be a number"),
        (".", "must be a number"),
        ("1.2.3", "must be a number"),
        ("1,23,456", "must be a number"),
        ("--1", "must be a number"),
        ("0x10", "must be a number"),
        ("١٢", "must be a number"),
        ("１２", "must be a number"),
        ("1_000", "must be a number"),
        ("ten", "must be a number"),
        ("5 USD", "must be a number"),
        ("9" * 29, "has more than 28 digits"),
        ("1; DROP TABLE", "must be a number"),
    ],
)
def test_what_is_no_number_or_two_is_refused_in_a_sentence(typed, sentence):
    assert read_number(typed, "%") == sentence


@given(st.text(max_size=12))
def test_nothing_that_is_typed_raises(typed):
    read = read_number(typed)
    assert isinstance(read, D | str)
    assert read != ""


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-999999, max_value=999999))
def test_what_a_field_shows_it_reads_back(value):
    assert read_number(f"{value:f}".rstrip("0").rstrip(".") or "0") == value


@pytest.mark.parametrize("typed", ["1,234", "1,230", "10.000"])
def test_both_ways_that_are_proposed_are_understood(typed):
    words = read_number(typed)
    assert isinstance(words, str)
    _, _, ways = words.partition("read as ")
    one, _, other = ways.partition(":")[0].partition(" and as ")
    whole, parted = read_number(one), read_number(other)
    assert isinstance(whole, D)
    assert parted == whole / 1000


# -- the worst case


@pytest.mark.parametrize(
    ("values", "leg", "pyramid", "group", "total", "times"),
    [
        ({}, 200, 1000, 5000, 50000, 5),
        ({"capital__pyramid_capital": "split"}, 40, 200, 1000, 10000, 1),
        ({"accounts__swap__leverage": "3"}, 600, 3000, 15000, 150000, 15),
        ({"signals__max_capital_usd": "2500"}, 500, 2500, 12500, 125000, D("12.5")),
        ({"signals__max_capital_usd": "500"}, 200, 1000, 5000, 50000, 5),
        ({"capital__max_order_usd": "100"}, 100, 500, 2500, 25000, D("2.5")),
        ({"capital__max_order_usd": "500"}, 200, 1000, 5000, 50000, 5),
        ({"pool__max_open_groups": 1, "pool__max_pyramids": 1}, 2000, 10000, 10000, 10000, 1),
    ],
)
def test_the_worst_case_is_every_group_with_every_pyramid(values, leg, pyramid, group, total, times):
    worst = worst_case(settings(**values))
    assert (worst.leg, worst.pyramid, worst.group, worst.total, worst.times) == (
        leg,
        pyramid,
        group,
        total,
        times,
    )


def test_the_heaviest_leg_of_any_profile_counts_because_an_alert_may_name_it():
    one = [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "1"}]
    changed = settings(grid__profiles__one=one)
    assert worst_case(changed).leg == 1000
    limited = documents.with_value(changed, "capital.max_order_usd", "100")
    assert (worst_case(limited).leg, worst_case(limited).pyramid) == (100, 500)


# -- what differs


def test_differences_name_path_old_and_new():
    old, new = (
        settings(),
        settings(pool__max_open_groups=7, risk__enabled=False, webhook__ip_allowlist=["10.0.0.1"]),
    )
    assert between(old, new) == (
        Change("pool.max_open_groups", "10", "7"),
        Change("risk.enabled", "on", "off"),
        Change("webhook.ip_allowlist", "", "10.0.0.1"),
    )
    assert told(between(old, new)) == (
        "pool.max_open_groups 10 → 7; risk.enabled on → off; webhook.ip_allowlist empty → 10.0.0.1"
    )
    assert told(between(old, new), 1) == "pool.max_open_groups 10 → 7; and 2 more"
    assert told(between(new, new)) == "nothing differs"


def test_legs_and_bindings_are_compared_one_by_one():
    old = {"legs": [{"gap": "0"}, {"gap": "-1"}], "names": {"a": 1}}
    new = {"legs": [{"gap": "0.0"}, {"gap": "-2"}, {"gap": "-3"}], "names": {"b": [{"x": 1}]}}
    assert of_plain(old, new) == (
        Change("legs.1.gap", "-1", "-2"),
        Change("legs.2", None, "gap -3"),
        Change("names.a", "1", None),
        Change("names.b", None, "1 entry"),
    )
    assert of_plain(new, old)[1] == Change("legs.2", "gap -3", None)
    assert str(Change("a", None, "")) == "a added: empty"
    assert str(Change("a", "", None)) == "a removed: empty"


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("1.0", "1", True),
        ("1", 1, True),
        (1, True, False),
        (True, 1, False),
        ("on", "off", False),
        ("NaN", "NaN", True),
        ("nan", "NaN", False),
        (None, "1", False),
        (["a"], ["a"], True),
        ("1.0", "x", False),
    ],
)
def test_two_values_are_the_same_if_they_mean_the_same(one, other, equal):
    assert same(one, other) is equal


def test_values_are_written_on_one_line():
    assert written({"a": True, "b": ["x", "y"]}) == "a on, b x, y"


# -- what is dangerous


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({}, {"pool__max_open_groups": 11}, []),
        ({}, {"pool__max_pyramids": 6}, ["Worst case rises from 50,000.00 to 60,000.00 USD, 6.0 × the capital."]),
        ({}, {"pool__max_pyramids": 4}, []),
        (
            {},
            {"accounts__a__leverage": "5"},
            ["Worst case rises", "Leverage rises from 1 to 5 ×; positions are liquidated after a smaller move."],
        ),
        ({"capital__max_order_usd": "900"}, {}, ["Largest order is not limited any more."]),
        ({}, {"signals__max_entries_per_day": 0}, ["Entries per day are not limited any more."]),
        ({}, {"signals__max_exit_age_s": 60}, ["Exits that are older than 60 s are rejected from now on."]),
        ({}, {"risk__rehearsal": False}, ["Risk engine closes positions in the live world, too"]),
        ({"risk__rehearsal": True}, {"risk__rehearsal": "auto"}, []),
        ({}, {"webhook__host": "0.0.0.0"}, ["Webhook is reachable from the network at 0.0.0.0"]),
        ({}, {"webhook__host": "localhost"}, []),
        ({"webhook__host": "0.0.0.0"}, {"webhook__host": "::"}, []),
        ({}, {"webhook__token_required": False}, ["Webhook does not insist on a token in the path any more"]),
        ({"webhook__ip_allowlist": ["10.0.0.1"]}, {}, ["Webhook takes alerts from every address."]),
        ({}, {"webhook__trusted_proxies": ["0.0.0.0/0", "10.0.0.0/8"]}, ["believes the forwarding header of everybody "
                                                                         "in 0.0.0.0/0."]),
        ({}, {"webhook__trusted_proxies": ["::/0"]}, ["everybody in ::/0."]),
        ({}, {"security__read_only": True}, ["Read only begins"]),
        ({"security__read_only": True}, {}, ["Read only ends: everything can be changed again."]),
    ],
)  # fmt: skip
def test_what_becomes_more_dangerous_is_said(old, new, words):
    found = [f"{each.about} {each.sentence}" for each in cautions(settings(**old), settings(**new))]
    assert len(found) == len(words)
    for said, expected in zip(found, words, strict=True):
        assert expected in said


def test_with_real_money_every_change_of_trading_is_said():
    old, new = settings(), settings(pool__max_pyramids=4)
    (one,) = cautions(old, new, live=["main"])
    assert (one.about, one.sentence) == ("Real money", "main trades by these settings at once.")
    (two,) = cautions(old, new, live=["main", "also"])
    assert two.sentence == "also, main trade by these settings at once."
    assert cautions(old, settings(ui__theme="dark"), live=["main"]) == ()


@pytest.mark.parametrize(
    ("host", "exposed"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("mypc.lan", True)],
)
def test_which_address_is_reachable_from_elsewhere(host, exposed):
    assert is_exposed(host) is exposed


# -- templates


@pytest.mark.parametrize("template", templates.TEMPLATES, ids=lambda each: each.name)
def test_a_template_changes_what_it_names_and_nothing_else(template):
    before = settings(webhook__port=9000, capital__total_usd="777")
    after = templates.applied(before, template)
    assert {change.path for change in between(before, after)} <= set(template.values)
    assert all(same(documents.get(after, path), value) for path, value in template.values.items())
    assert template.sentence.endswith(".")


def test_templates_are_in_the_order_of_their_risk_and_the_middle_one_is_the_default():
    times = [worst_case(templates.applied(Settings(), each)).times for each in templates.TEMPLATES]
    assert times == sorted(times)
    assert times[0] == 1
    assert templates.applied(Settings(), templates.TEMPLATES[1]) == Settings()


# -- versions


def rows(*documents_: str) -> list[SettingsVersion]:
    return [
        SettingsVersion(id=10 * n, saved_at=NOON + timedelta(hours=n), document=text, note=f"note {n}")
        for n, text in enumerate(documents_, 1)
    ]


def test_versions_are_numbered_and_say_what_they_changed():
    first, second = settings(pool__max_queue=5), settings(pool__max_queue=5, risk__enabled=False)
    found = versions.numbered(reversed(rows(documents.dump(first), "{oops", documents.dump(second))))
    assert [each.number for each in found] == [3, 2, 1, 0]
    assert [told(each.changes) for each in found] == [
        "risk.enabled on → off",
        "nothing differs",
        "pool.max_queue 100 → 5",
        "nothing differs",
    ]
    assert found[1].fault == "this version cannot be read"
    assert found[0].saved_at == NOON + timedelta(hours=3)
    assert versions.restorable(found, 1) == first
    assert versions.restorable(found, 0) == Settings()
    assert versions.difference(found, 1, 3) == (Change("risk.enabled", "on", "off"),)
    assert versions.difference(found, 3, 1) == (Change("risk.enabled", "off", "on"),)


def test_a_version_that_is_not_there_or_not_readable_is_named():
    found = versions.numbered(rows("[]"))
    missing = versions.difference(found, 0, 7)
    assert isinstance(missing, Refusal)
    assert missing.message == "There is no version 7 of the settings; there are 0 to 1."
    broken = versions.difference(found, 1, 0)
    assert isinstance(broken, Refusal)
    assert broken.message == "Version 1 cannot be read."
    for number in (1, 7):
        with pytest.raises(SettingsError):
            versions.restorable(found, number)


# -- older documents and those from the future


def test_an_older_document_passes_through_every_step_to_the_newest():
    def second(data: dict[str, Any]) -> dict[str, Any]:
        return {"two": data["one"]}

    def third(data: dict[str, Any]) -> dict[str, Any]:
        return {"three": data["two"], "pool": {}}

    chain = {1: second, 2: third}
    old = {"version": 1, "one": "kept"}
    assert documents.migrated(old, chain, 3) == {"version": 3, "three": "kept", "pool": {}}
    assert documents.migrated({"version": 2, "two": "kept"}, chain, 3)["three"] == "kept"
    assert documents.migrated({"three": "by hand"}, chain, 3) == {"three": "by hand"}
    assert old == {"version": 1, "one": "kept"}


def test_there_is_a_step_from_every_older_version():
    assert sorted(documents.MIGRATIONS) == list(range(1, Settings().version))


@pytest.mark.fault(76)
@pytest.mark.parametrize("kept", range(0, 3000, 97))
def test_a_document_that_was_cut_off_is_never_taken(kept):
    whole = documents.dump(Settings())
    assert kept < len(whole)
    with pytest.raises(SettingsError) as caught:
        documents.parse(whole[:kept])
    (fault,) = caught.value.faults
    assert fault.field == "document"
    assert (
        "ends too early" in fault.message
        or "is empty" in fault.message
        or "is not valid JSON" in fault.message
    )


def test_an_account_has_its_settings_before_the_first_is_changed():
    changed = documents.with_value(Settings(), "accounts.main.leverage", "3")
    assert changed.account("main").leverage == 3
    with pytest.raises(SettingsError):
        documents.with_value(Settings(), "accounts.main.colour", "red")


def test_a_bound_timeframe_is_written_as_the_engine_writes_it():
    bound = settings(grid__bindings=[{"symbol": "BTC*", "timeframe": "60", "profile": "default"},
                                     {"symbol": "*", "timeframe": "*h", "profile": "default"}])  # fmt: skip
    assert [each.timeframe for each in bound.grid.bindings] == ["1h", "*h"]


# -- read only


def saved(house: House, **values: Any) -> Any:
    document = documents.dump(settings(**values))
    return house.post(SaveSettings(document=document))


def test_read_only_refuses_what_is_done_by_hand_and_lets_the_engine_go_on():
    house = House({"security": {"read_only": True}})
    house.price("BTCUSDT", "65000")
    for wish in (Pause(), MayChange(), SaveSettings(document=documents.dump(Settings())[:-9])):
        reply = house.post(wish)
        assert isinstance(reply, Refusal)
        assert reply.message == read_only.SENTENCE
    assert house.book.engine.paused is False
    house.alert(entry_price="65000")
    assert house.working


def test_read_only_ends_by_switching_it_off_and_by_nothing_beside_it():
    house = House({"security": {"read_only": True}})
    assert isinstance(saved(house, pool__max_queue=5), Refusal)
    assert isinstance(saved(house, security__read_only=True, pool__max_queue=5), Refusal)
    assert not isinstance(saved(house), Refusal)
    assert not isinstance(house.post(Pause()), Refusal)
    assert not isinstance(house.post(MayChange()), Refusal)


BY_ITSELF = {
    "AlertReceived", "RequestRefused", "Price", "NoPrice", "Balances", "OrderReport", "OrderReports", "Fills",
    "Difference", "Fits", "Interrupted", "LineChanged", "Sending", "OpenOrders", "AccountUnreadable", "AccountChanged",
    "Instruments", "RulesRead", "SeenOn", "Started", "History", "Reached", "Judge", "Settle", "SecondHalf",
    "PromoteWaiting", "DueRow", "PricesAsked",
    "Evaluate", "AdvanceOffset", "KeysChanged", "KeysChecked", "SecurityAct", "DatabaseReplaced",
    "TokenUsed", "TokenChanged",
    "WayInChanged", "AlarmChanged",
}  # fmt: skip


def test_of_every_input_it_is_known_whether_a_hand_is_behind_it():
    """A new input belongs into `read_only.BY_HAND`, or here if the engine posts it by itself."""
    by_hand = {each.__name__ for each in read_only.BY_HAND}
    every = {each.__name__ for each in get_args(inputs.Input)}
    assert every - by_hand - BY_ITSELF == set()
    assert not by_hand & BY_ITSELF


def test_what_was_saved_stands_in_the_audit_log():
    house = House()
    saved(house, pool__max_queue=5)
    assert [row.detail for row in house.store.committed if getattr(row, "act", "") == "settings_saved"][
        -1
    ] == ("Settings were saved: pool.max_queue 100 → 5.")


def test_the_defaults_are_a_document_like_any_other():
    assert json.loads(documents.dump(Settings()))["version"] == 1
