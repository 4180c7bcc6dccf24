"""Every row of the answers table, over a real socket."""

import asyncio
import gzip
import json
from typing import Any

import pytest

from execution_engine.adapters.webhook import Limits, Secrets
from execution_engine.domain.errors import Refusal, StoreFailed
from tests.adapters.webhook.house import NOW, TOKEN, entry, exit_, listening, logged
from tests.waiting import until


async def test_a_stored_alert_is_answered_202_with_its_id() -> None:
    async with listening() as house:
        assert await house.send(entry()) == (202, {"alert_id": 1, "status": "accepted"})
    [alert] = house.desk.alerts
    assert (alert.signal.symbol, alert.signal.timeframe, alert.received_at) == ("BTCUSDT", "15m", NOW)
    assert (alert.token, alert.source) == ("main", "127.0.0.1")


@pytest.mark.fault(1)
async def test_the_same_alert_again_is_answered_200_with_the_first_id() -> None:
    async with listening() as house:
        await house.send(entry(id="a"))
        await house.send(entry(id="b"))
        assert await house.send(entry(id="a")) == (200, {"alert_id": 1, "status": "duplicate"})


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/json", "application/x-www-form-urlencoded", "???"]
)
async def test_the_body_is_read_whatever_its_content_type_says(kind: str) -> None:
    async with listening() as house:
        status, _ = await house.send(entry(), headers={"Content-Type": kind})
    assert status == 202


async def test_no_answer_goes_out_before_the_desk_has_given_one() -> None:
    async with listening() as house:
        house.desk.instead = ["later"]
        sending = asyncio.create_task(house.send(entry()))
        await until(lambda: house.desk.held)
        house.seconds += 60  # a slow commit is answered late, but it is never answered 503
        await house.send(b"", "/health", "GET")
        assert not sending.done()
        house.desk.release()
        assert (await sending)[0] == 202


@pytest.mark.parametrize(
    "body", [b"", b"buy BTC", b"{", b'{"a": 1, "a": 2}', b"[1]", b"\xff\xfe", b'{"close": NaN}']
)
async def test_what_is_no_json_object_is_answered_400_with_the_reason(body: bytes) -> None:
    async with listening() as house:
        status, answer = await house.send(body)
    assert (status, answer["status"]) == (400, "rejected")
    assert [set(error) for error in answer["errors"]] == [{"field", "message"}]
    assert [(one.status, one.token) for one in house.desk.refused] == [(400, "main")]
    assert house.desk.alerts == []


async def test_what_makes_no_sense_is_answered_422_with_every_error_at_once() -> None:
    async with listening() as house:
        status, answer = await house.send(entry(symbol="NOPEUSDT", timeframe="{{interval}}", price="-1"))
    assert (status, answer["status"]) == (422, "rejected")
    assert {error["field"] for error in answer["errors"]} == {"symbol", "timeframe", "price"}
    [refused] = house.desk.refused
    assert {field for field, _ in refused.errors} == {"symbol", "timeframe", "price"}
    assert json.loads(refused.body)["symbol"] == "NOPEUSDT"


@pytest.mark.parametrize(
    "path", ["/webhook/wrong", "/webhook", f"/webhook/{TOKEN}x", f"/webhook/{TOKEN[:-1]}"]
)
async def test_a_wrong_token_is_answered_401_without_a_hint(path: str) -> None:
    async with listening() as house:
        assert await house.send(entry(), path) == (401, {"status": "rejected"})
    [refused] = house.desk.refused
    assert refused.status == 401
    assert "BTC" not in refused.body  # nothing of what a stranger sent is kept
    assert "bytes" in refused.body


@pytest.mark.fault(7)
async def test_repeated_failures_of_one_address_are_answered_429() -> None:
    async with listening(failures_per_minute=3) as house:
        statuses = [(await house.send(entry(), "/webhook/guess"))[0] for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        house.seconds += 20  # a minute's worth comes back evenly
        assert (await house.send(entry(), "/webhook/guess"))[0] == 401


@pytest.mark.fault(8)
@pytest.mark.parametrize("answer_to", [b'{"x": "%s"}' % (b"a" * 16384), b"a" * 1_000_000])
async def test_more_than_16_kib_are_answered_413(answer_to: bytes) -> None:
    async with listening(Limits(linger_s=0.1)) as house:
        status, answer = await house.send(answer_to)
    assert (status, answer["status"]) == (413, "rejected")
    assert [one.status for one in house.desk.refused] == [413]


async def test_exactly_16_kib_are_taken() -> None:
    body = json.dumps(entry(note="")).encode()
    body = json.dumps(entry(note="x" * (16384 - len(body)))).encode()
    assert len(body) == 16384
    async with listening() as house:
        assert (await house.send(body))[0] == 202


@pytest.mark.fault(8)
async def test_a_body_in_chunks_is_cut_off_where_it_grows_too_large() -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 4096

    async with (
        listening(Limits(linger_s=0.1)) as house,
        house.client.post(house.url(), data=endless()) as answer,
    ):
        assert answer.status == 413
    assert read < 100_000


async def test_chunks_make_an_alert_as_well() -> None:
    async def pieces() -> Any:
        for byte in json.dumps(entry()).encode():
            yield bytes([byte])

    async with listening() as house:
        assert (await house.client.post(house.url(), data=pieces())).status == 202


@pytest.mark.fault(8)
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x-unheard-of"])
async def test_a_compressed_body_is_answered_413(encoding: str) -> None:
    async with listening() as house:
        body = gzip.compress(json.dumps(entry()).encode())
        status, _ = await house.send(body, headers={"Content-Encoding": encoding}, compress=False)
    assert status == 413


@pytest.mark.fault(3)
async def test_more_alerts_than_the_rate_allows_are_answered_503_but_exits_are_not() -> None:
    async with listening(rate_per_minute=2) as house:
        statuses = [(await house.send(entry(id=str(number))))[0] for number in range(3)]
        assert statuses == [202, 202, 503]
        assert (await house.send(exit_(id="x")))[0] == 202
        reversal = entry(id="r", market_position="long", prev_market_position="short")
        assert (await house.send(reversal))[0] == 202
        house.seconds += 30
        assert (await house.send(entry(id="again")))[0] == 202


@pytest.mark.fault(3)
async def test_a_store_that_is_too_far_behind_takes_exits_only() -> None:
    async with listening() as house:
        house.not_ready = "The store is 3,000 writes behind."
        status, answer = await house.send(entry())
        assert (status, answer["message"]) == (503, "The store is 3,000 writes behind.")
        assert (await house.send(exit_()))[0] == 202
    assert [alert.signal.is_exit for alert in house.desk.alerts] == [True]


@pytest.mark.fault(16)
async def test_an_alert_that_cannot_be_stored_is_answered_503() -> None:
    async with listening() as house:
        house.desk.instead = [StoreFailed("The disk is full.")]
        status, answer = await house.send(entry())
    assert (status, answer["message"]) == (503, "The disk is full.")


async def test_a_refusal_of_the_desk_is_answered_422() -> None:
    async with listening() as house:
        house.desk.instead = [Refusal("account", "The token may not use this account.")]
        status, answer = await house.send(entry())
    assert status == 422
    assert answer["errors"] == [{"field": "account", "message": "The token may not use this account."}]


async def test_a_failure_of_ours_is_answered_500_with_an_id_that_is_in_the_log() -> None:
    async with logged("ERROR") as lines, listening() as house:
        house.desk.instead = [ZeroDivisionError("a bug")]
        status, answer = await house.send(entry())
        assert (status, answer["status"]) == (500, "error")
        assert set(answer) == {"status", "request_id"}
    [line] = lines
    assert answer["request_id"] in line
    assert "ZeroDivisionError" in line


async def test_the_list_of_refused_requests_cannot_be_flooded() -> None:
    async with listening(Limits(refusals=5)) as house:
        for _ in range(20):
            await house.send(b"no json")
        assert len(house.desk.refused) == 5
        await house.send(entry(symbol="NOPE"))  # another status has room of its own
        assert len(house.desk.refused) == 6
        house.seconds += 30
        await house.send(b"no json")
        assert house.desk.refused[-1].errors[-1] == (
            "more",
            "15 more of this kind came before it and are not listed.",
        )


async def test_hours_of_flood_leave_a_bounded_number_of_refused_requests() -> None:
    async with listening() as house:
        for _ in range(6 * 60):
            for _ in range(2):
                await house.send(b"", "/webhook/guess")
            house.seconds += 60
    assert len(house.desk.refused) <= 60 + 6 * 120  # all of them 401


@pytest.mark.fault(12, 88)
async def test_a_refused_body_is_kept_short_printable_and_without_secrets() -> None:
    async with listening() as house:
        house.secrets = Secrets("body-secret-canary", "hmac-canary")
        broken = f'{{"secret": "body-secret-canary", "x": "{TOKEN}", \x00\x1b[31m\u202e' + "y" * 9000
        await house.send(broken.encode())
        await house.send(entry(secret="body-secret-canary", symbol="NOPE", note="hmac-canary"))
    for refused in house.desk.refused:
        assert len(refused.body) <= 2048
        assert refused.body.isprintable()
        for secret in ("body-secret-canary", "hmac-canary", TOKEN):
            assert secret not in refused.body


async def test_a_list_that_cannot_be_kept_changes_no_answer() -> None:
    async with listening() as house:
        house.desk.instead = [OSError("no room for it")]
        assert (await house.send(b"no json"))[0] == 400


@pytest.mark.parametrize("name", ["Origin", "Sec-Fetch-Site"])
async def test_a_web_page_cannot_send_alerts(name: str) -> None:
    async with listening() as house:
        assert await house.send(entry(), headers={name: "null"}) == (401, {"status": "rejected"})
    assert house.desk.alerts == []


@pytest.mark.fault(18)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/webhook/{TOKEN}"),
        ("HEAD", f"/webhook/{TOKEN}"),
        ("OPTIONS", f"/webhook/{TOKEN}"),
        ("PUT", f"/webhook/{TOKEN}"),
        ("DELETE", "/webhook"),
        ("PATCH", "/health"),
        ("POST", "/health"),
        ("GET", "/paper/price"),
        ("GET", "/"),
        ("POST", f"/webhook/{TOKEN}/"),
        ("POST", f"/webhook/{TOKEN}/more"),
        ("POST", "/webhook/"),
        ("POST", f"//webhook/{TOKEN}"),
        ("POST", f"/Webhook/{TOKEN}"),
        ("GET", "/favicon.ico"),
    ],
)
async def test_everything_else_is_404_with_nothing_in_it(method: str, path: str) -> None:
    async with listening() as house:
        assert await house.send(entry(), path, method) == (404, None)
    assert house.desk.alerts == house.desk.refused == []


async def test_the_listener_tells_strangers_nothing_about_its_software() -> None:
    async with listening() as house, house.client.get(house.url("/nothing")) as answer:
        assert "aiohttp" not in str(answer.headers)
        assert "Python" not in str(answer.headers)


async def test_notes_that_cannot_be_kept_change_no_answer() -> None:
    async with listening(failures_per_minute=1) as house:
        house.desk.instead = [OSError("the use of the webhook"), "now"]
        assert (await house.send(entry()))[0] == 202
        assert (len(house.desk.alerts), house.desk.used) == (1, [])
        house.desk.instead = [OSError("the guesses"), "now", "now"]
        statuses = [(await house.send(entry(), "/webhook/guess"))[0] for _ in range(2)]
        assert statuses == [401, 429]
        assert (house.desk.instead, house.desk.acts) == ([], [])
