"""Ten thousand bodies that no friend would send."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.webhook.house import House, entry, listening, logged
from tests.conftest import run_on_plain_loop

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["{{close}}", "1e309", "-0", "１２", "\u202eTDSU", "\x00", "9" * 200, "\ud800", "flat", "BTCUSDT"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [*entry(), "secret", "id", "timestamp", "tv", "execution_intent", "capital_usd", "grid"]
)
ALERTS = st.dictionaries(FIELDS, VALUES, max_size=6).map(
    lambda some: json.dumps({**entry(), **some}).encode()
)
NESTED = st.integers(1, 5000).map(lambda depth: b"[" * depth + b"1" + b"]" * depth)
DEEP = st.integers(1, 2500).map(lambda depth: b'{"a":' * depth + b"1" + b"}" * depth)
DIGITS = st.integers(1, 15_000).map(lambda count: b'{"secret": "x", "price": ' + b"1" * count + b"}")
NUMBERS = st.sampled_from(
    ["1e400", "1e-400", "1E999999999", "-1e5", "Infinity", "NaN", "0x10", "1_000", "١٢"]
).map(lambda number: json.dumps(entry()).replace('"64000"', number).encode())
CUT = st.integers(0, 200).map(lambda length: json.dumps(entry(secret="body-secret")).encode()[:length])
TEXTS = st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
BODIES = st.one_of(st.binary(max_size=500), TEXTS, ALERTS, NESTED, DEEP, DIGITS, NUMBERS, CUT)

AT_ONCE = 50


@pytest.mark.fault(10, 11, 12)
@pytest.mark.slow
@pytest.mark.no_cover  # the tests beside it name what they send
@pytest.mark.timeout(240)  # a busy machine
@settings(max_examples=60)
@given(st.lists(BODIES, min_size=AT_ONCE, max_size=AT_ONCE))
def test_a_hostile_body_is_refused_or_taken_but_never_breaks_anything(bodies: list[bytes]) -> None:
    run_on_plain_loop(sent(bodies))


async def sent(bodies: list[bytes]) -> None:
    async with logged("WARNING") as lines, listening() as house:
        for body in bodies:
            status, answer = await house.send(body)
            assert status in (200, 202, 400, 413, 422), (status, body)
            assert_said_why(house, status, answer)
    assert lines == []


def assert_said_why(house: House, status: int, answer: Any) -> None:
    if status >= 400:
        assert answer["errors"], "a refusal names what is wrong"
        assert all(refused.body.isprintable() for refused in house.desk.refused)
