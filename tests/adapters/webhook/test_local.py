"""Routes for this machine alone."""

from decimal import Decimal

import pytest

from execution_engine.domain.errors import Refusal
from tests.adapters.webhook.house import TOKEN, listening

BEARER = {"Authorization": f"Bearer {TOKEN}"}
PRICE = {"symbol": "BTCUSDT", "price": "64000"}


async def test_health_is_200_while_all_is_well_and_503_with_reasons_otherwise() -> None:
    async with listening() as house:
        assert await house.send(b"", "/health", "GET") == (200, {"status": "running"})
        house.health = (False, {"reasons": ["The exchange does not answer."], "age": Decimal("1.5")})
        assert await house.send(b"", "/health", "GET") == (
            503,
            {"reasons": ["The exchange does not answer."], "age": "1.5"},
        )


async def test_a_price_is_answered_once_its_markets_have_matched_it() -> None:
    async with listening() as house:
        answer = await house.send(PRICE, "/paper/price", headers=BEARER)
    assert answer == (
        200,
        {"symbol": "BTCUSDT", "price": "64000", "markets": ["binance BTCUSDT", "bybit BTCUSDT"]},
    )
    assert house.prices == {"BTCUSDT": Decimal(64000)}


async def test_a_price_may_be_a_number_and_is_answered_as_text() -> None:
    async with listening() as house:
        _, answer = await house.send(b'{"symbol": "BTCUSDT", "price": 0.10}', "/paper/price", headers=BEARER)
    assert answer["price"] == "0.10"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}],
)
async def test_a_price_needs_a_webhook_token(headers: dict[str, str]) -> None:
    async with listening(failures_per_minute=2) as house:
        for status in (401, 401, 429):
            assert (await house.send(PRICE, "/paper/price", headers=headers))[0] == status
        assert (await house.send(PRICE, "/paper/price", headers=BEARER))[0] == 200


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"no json", {"body"}),
        (b'{"symbol": "BTCUSDT"}', {"price"}),
        (b'{"price": "1"}', {"symbol"}),
        (b"{}", {"symbol", "price"}),
        (b'{"symbol": "BTCUSDT", "price": "-1"}', {"price"}),
        (b'{"symbol": "BTCUSDT", "price": 0}', {"price"}),
        (b'{"symbol": "BTCUSDT", "price": true}', {"price"}),
        (b'{"symbol": "BTCUSDT", "price": "1,5"}', {"price"}),
        (b'{"symbol": "BTCUSDT", "price": "Infinity"}', {"price"}),
        (b'{"symbol": "BTCUSDT", "price": "1e99"}', {"price"}),
        (b'{"symbol": ["BTCUSDT"], "price": "1"}', {"symbol"}),
        (b'{"symbol": "BTC USDT", "price": "1"}', {"symbol"}),
        (b'{"symbol": "NOPE", "price": "1"}', {"symbol"}),
    ],
)
async def test_a_price_that_makes_no_sense_is_422(body: bytes, fields: set[str]) -> None:
    async with listening() as house:
        status, answer = await house.send(body, "/paper/price", headers=BEARER)
    assert status == 422
    assert {error["field"] for error in answer["errors"]} == fields


async def test_a_price_is_409_while_prices_are_not_set_by_hand() -> None:
    async def not_manual(symbol: str, price: Decimal) -> Refusal:
        return Refusal("feed", "The practice prices are live.")

    async with listening() as house:
        house.set_price = not_manual  # type: ignore[method-assign, assignment]
        status, answer = await house.send(PRICE, "/paper/price", headers=BEARER)
    assert (status, answer["errors"]) == (
        409,
        [{"field": "feed", "message": "The practice prices are live."}],
    )


async def test_a_price_that_is_too_large_is_413() -> None:
    async with listening() as house:
        assert (await house.send(b" " * 20_000, "/paper/price", headers=BEARER))[0] == 413


FOREIGN: list[dict[str, str]] = [
    {"X-Forwarded-For": "1.2.3.4"},
    {"X-Forwarded-Proto": "https"},
    {"Forwarded": "for=1.2.3.4"},
    {"CF-Connecting-IP": "1.2.3.4"},
    {"X-Real-IP": "1.2.3.4"},
    {"Via": "1.1 proxy"},
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost:80:80"},
    {"Host": "127.0.0.1@evil.example"},
    {"Origin": "http://127.0.0.1"},
    {"Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_whoever_asks_through_a_tunnel_a_proxy_or_a_web_page_finds_nothing(
    headers: dict[str, str],
) -> None:
    async with listening() as house:
        assert await house.send(b"", "/health", "GET", headers=headers) == (404, None)
        assert await house.send(b"", "/metrics", "GET", headers=headers) == (404, None)
        assert await house.send(PRICE, "/paper/price", headers=BEARER | headers) == (404, None)
    assert house.prices == {}


async def test_metrics_are_text_for_this_machine() -> None:
    async with listening() as house, house.client.get(house.url("/metrics")) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        assert await answer.text() == "execution_engine_up 1\n"


@pytest.mark.parametrize("host", ["localhost", "localhost:8787", "127.0.0.1:1", "[::1]:8787", "LOCALHOST"])
async def test_this_machine_may_be_called_by_any_of_its_names(host: str) -> None:
    async with listening() as house:
        assert (await house.send(b"", "/health", "GET", headers={"Host": host}))[0] == 200


async def test_health_can_be_opened_in_a_browser() -> None:
    async with listening() as house:
        assert (await house.send(b"", "/health", "GET", headers={"Sec-Fetch-Site": "none"}))[0] == 200
