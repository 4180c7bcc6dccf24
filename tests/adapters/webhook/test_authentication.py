"""Who may send: token, body secret, signature, address."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from execution_engine.adapters.webhook import Secrets
from execution_engine.adapters.webhook.limits import MAX_ADDRESSES, Failures
from tests.adapters.webhook.house import NOW, TOKEN, entry, listening, logged

BODY_SECRET = "body-secret-9d1f"
HMAC_SECRET = "hmac-secret-77aa"
RAW = json.dumps(entry()).encode()
OFF: dict[str, Any] = {"token_required": False, "secret_required": False, "signature_required": False}


def signed(raw: bytes, secret: str = HMAC_SECRET) -> dict[str, str]:
    return {"X-Signature": "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}


@pytest.mark.parametrize(
    ("rules", "path", "body", "headers", "status"),
    [
        # the token alone, as it is set up at first
        ({}, f"/webhook/{TOKEN}", entry(), {}, 202),
        ({}, f"/webhook/{TOKEN}", entry(secret="wrong"), {}, 202),
        ({}, "/webhook", entry(secret=BODY_SECRET), {}, 401),
        ({}, "/webhook/wrong", entry(secret=BODY_SECRET), signed(RAW), 401),
        # any one of them where none is required
        (OFF, f"/webhook/{TOKEN}", entry(), {}, 202),
        (OFF, "/webhook", entry(secret=BODY_SECRET), {}, 202),
        (OFF, "/webhook", entry(), signed(RAW), 202),
        (OFF, "/webhook", entry(), {"X-Signature": signed(RAW)["X-Signature"].upper()}, 202),
        (OFF, "/webhook/wrong", entry(secret=BODY_SECRET), {}, 202),
        (OFF, "/webhook", entry(), {}, 401),
        (OFF, "/webhook", entry(secret=""), {}, 401),
        (OFF, "/webhook", entry(secret="wrong"), signed(RAW), 401),  # signed another body
        (OFF, "/webhook", entry(), signed(RAW, "wrong"), 401),
        (OFF, "/webhook", entry(), {"X-Signature": "sha256="}, 401),
        (OFF, "/webhook", entry(secret=["x"]), {}, 401),
        # each of them required
        ({"secret_required": True}, f"/webhook/{TOKEN}", entry(secret=BODY_SECRET), {}, 202),
        ({"secret_required": True}, f"/webhook/{TOKEN}", entry(), {}, 401),
        ({"secret_required": True}, f"/webhook/{TOKEN}", entry(secret="wrong"), {}, 401),
        ({"secret_required": True}, "/webhook/wrong", entry(secret=BODY_SECRET), {}, 401),
        ({"signature_required": True}, f"/webhook/{TOKEN}", entry(), signed(RAW), 202),
        ({"signature_required": True}, f"/webhook/{TOKEN}", entry(), {}, 401),
        ({"signature_required": True}, f"/webhook/{TOKEN}", entry(), signed(RAW, "wrong"), 401),
        ({**OFF, "secret_required": True}, "/webhook", entry(secret=BODY_SECRET), {}, 202),
        ({**OFF, "secret_required": True}, f"/webhook/{TOKEN}", entry(), signed(RAW), 401),
    ],
)
async def test_a_sender_is_let_in_by_what_the_settings_ask_for(
    rules: dict[str, Any], path: str, body: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    async with listening(**rules) as house:
        house.secrets = Secrets(BODY_SECRET, HMAC_SECRET)
        assert (await house.send(body, path, headers=headers))[0] == status
    assert len(house.desk.alerts) == (status == 202)


@pytest.mark.parametrize("rules", [{"secret_required": True}, {"signature_required": True}])
@pytest.mark.parametrize("secrets", [Secrets(), Secrets("", "")])
async def test_a_required_secret_that_was_never_set_lets_nobody_in(
    rules: dict[str, Any], secrets: Secrets
) -> None:
    async with listening(**rules) as house:
        house.secrets = secrets
        assert (await house.send(entry(secret=""), headers=signed(b"", "")))[0] == 401
    assert "none is set" in house.desk.refused[0].errors[0][1]  # the user is told, the sender is not


async def test_a_disabled_token_is_wrong() -> None:
    async with listening() as house:
        house.token(enabled=False)
        assert (await house.send(entry()))[0] == 401


async def test_a_rotated_token_is_good_until_its_grace_period_ends() -> None:
    async with listening() as house:
        house.token(expires_at=NOW + timedelta(hours=1))
        assert (await house.send(entry()))[0] == 202
        house.now += timedelta(hours=1)
        assert (await house.send(entry()))[0] == 401


async def test_after_a_rotation_both_tokens_count_until_the_overlap_ends() -> None:
    new = "tok-new-9a8b7c6d5e4f3a2b"
    async with listening() as house:
        house.token(token=new, previous_token=TOKEN, previous_until=NOW + timedelta(hours=1))
        for number, token in enumerate((TOKEN, new)):
            assert (await house.send(entry(id=str(number)), f"/webhook/{token}"))[0] == 202
        assert [alert.token for alert in house.desk.alerts] == ["main", "main"]
        house.now += timedelta(hours=1)
        assert (await house.send(entry(id="late"), f"/webhook/{TOKEN}"))[0] == 401
        assert (await house.send(entry(id="late"), f"/webhook/{new}"))[0] == 202
        house.token(enabled=False)
        assert (await house.send(entry(id="off"), f"/webhook/{new}"))[0] == 401


async def test_an_old_token_without_an_end_does_not_count() -> None:
    async with listening() as house:
        house.token(token="x" * 24, previous_token=TOKEN, previous_until=None)
        assert (await house.send(entry()))[0] == 401


async def test_the_last_use_of_a_token_is_noted_once_in_a_while_and_behind_the_alert() -> None:
    async with listening() as house:
        for number in range(20):
            await house.send(entry(id=str(number)))
        assert [(one.name, one.at) for one in house.desk.used] == [("main", NOW)]
        house.now += timedelta(minutes=5)
        await house.send(b"no json")  # what is refused was sent with it as well
        await house.send(entry(), "/webhook/wrong")
        assert [one.at for one in house.desk.used] == [NOW, NOW + timedelta(minutes=5)]


async def test_an_alert_says_which_accounts_its_token_may_use() -> None:
    async with listening() as house:
        house.token(accounts=("paper",))
        await house.send(entry())
    assert (house.desk.alerts[0].token, house.desk.alerts[0].accounts) == ("main", ("paper",))


@pytest.mark.fault(7)
async def test_guessing_is_written_down_once_in_a_while_and_not_with_each_guess() -> None:
    async with listening(failures_per_minute=2) as house:
        for _ in range(9):
            await house.send(entry(), path="/webhook/wrong")
        assert [act.act for act in house.desk.acts] == ["secret_guessed"]
        assert "the last from 127.0.0.1" in house.desk.acts[0].detail
        house.seconds += 3601
        for _ in range(9):
            await house.send(entry(), path="/webhook/wrong")
        assert len(house.desk.acts) == 2


async def test_guesses_end_in_429_while_the_right_secret_still_gets_in() -> None:
    async with listening() as house:
        seen = set()
        for number in range(300):
            seen.add((await house.send(entry(), f"/webhook/guess-{number}"))[0])
            if number % 50 == 0:
                assert (await house.send(entry(id=str(number))))[0] == 202
        assert seen == {401, 429}
        assert (await house.send(entry(id="last")))[0] == 202
    assert len(house.desk.refused) <= 120


def test_failures_of_one_address_are_not_counted_against_another() -> None:
    failures = Failures()
    assert [failures.too_many("1.1.1.1", 2, 0) for _ in range(3)] == [False, False, True]
    assert not failures.too_many("2.2.2.2", 2, 0)


def test_an_ipv6_network_counts_as_one_sender() -> None:
    failures = Failures()
    assert [failures.too_many(f"2001:db8::{n}", 2, 0) for n in range(1, 4)] == [False, False, True]


@pytest.mark.fault(7)
def test_failures_from_everywhere_are_bounded_together_and_forgotten_in_time() -> None:
    failures = Failures()
    told = [failures.too_many(f"10.0.{n // 256}.{n % 256}", 30, 0) for n in range(MAX_ADDRESSES + 10)]
    assert told.index(True) == 600
    assert len(failures._of) == MAX_ADDRESSES
    assert not failures.too_many("9.9.9.9", 30, 60)


TRADINGVIEW = "52.89.214.238"


@pytest.mark.parametrize(
    ("rules", "headers", "status", "source"),
    [
        ({}, {}, 202, "127.0.0.1"),
        ({}, {"X-Forwarded-For": TRADINGVIEW}, 202, "127.0.0.1"),  # nobody's word is taken unasked
        ({"ip_allowlist": [TRADINGVIEW]}, {}, 401, "127.0.0.1"),
        ({"ip_allowlist": [TRADINGVIEW]}, {"X-Forwarded-For": TRADINGVIEW}, 401, "127.0.0.1"),
        ({"ip_allowlist": ["127.0.0.0/8"]}, {}, 202, "127.0.0.1"),
        # behind a tunnel
        ({"trusted_proxies": ["127.0.0.1"]}, {}, 202, "127.0.0.1"),
        (
            {"trusted_proxies": ["127.0.0.1"]},
            {"X-Forwarded-For": f"1.1.1.1, {TRADINGVIEW}"},
            202,
            TRADINGVIEW,
        ),
        ({"trusted_proxies": ["127.0.0.1"]}, {"CF-Connecting-IP": TRADINGVIEW}, 202, TRADINGVIEW),
        (
            {"trusted_proxies": ["127.0.0.1"]},
            {"CF-Connecting-IP": "1.1.1.1", "X-Forwarded-For": TRADINGVIEW},
            202,
            TRADINGVIEW,
        ),
        (
            {"trusted_proxies": ["127.0.0.1", "10.0.0.0/8"]},
            {"X-Forwarded-For": f"1.1.1.1, {TRADINGVIEW}, 10.1.2.3"},
            202,
            TRADINGVIEW,
        ),
        ({"trusted_proxies": ["127.0.0.1"]}, {"X-Forwarded-For": f"{TRADINGVIEW}, junk"}, 202, "127.0.0.1"),
        ({"trusted_proxies": ["127.0.0.1"]}, {"X-Forwarded-For": "::ffff:1.2.3.4"}, 202, "1.2.3.4"),
        # one header that was chosen, and nothing but that one
        (
            {"trusted_proxies": ["127.0.0.1"], "proxy_header": "cf-connecting-ip"},
            {"CF-Connecting-IP": "1.1.1.1", "X-Forwarded-For": TRADINGVIEW},
            202,
            "1.1.1.1",
        ),
        (
            {"trusted_proxies": ["127.0.0.1"], "proxy_header": "cf-connecting-ip"},
            {"X-Forwarded-For": TRADINGVIEW},
            202,
            "127.0.0.1",
        ),
        (
            {"trusted_proxies": ["127.0.0.1"], "proxy_header": "x-forwarded-for"},
            {"CF-Connecting-IP": TRADINGVIEW},
            202,
            "127.0.0.1",
        ),
        # TradingView by name
        (
            {"trusted_proxies": ["127.0.0.1"], "ip_allowlist": ["tradingview"]},
            {"X-Forwarded-For": TRADINGVIEW},
            202,
            TRADINGVIEW,
        ),
        (
            {"trusted_proxies": ["127.0.0.1"], "ip_allowlist": ["tradingview"]},
            {"X-Forwarded-For": "52.89.214.239"},
            401,
            "52.89.214.239",
        ),
        (
            {"trusted_proxies": ["127.0.0.1"], "ip_allowlist": [TRADINGVIEW]},
            {"X-Forwarded-For": f"{TRADINGVIEW}, 6.6.6.6"},
            401,
            "6.6.6.6",
        ),
    ],
)
async def test_the_address_of_a_sender_is_believed_only_from_trusted_proxies(
    rules: dict[str, Any], headers: dict[str, str], status: int, source: str
) -> None:
    async with listening(**rules) as house:
        assert (await house.send(entry(), headers=headers))[0] == status
    [told] = house.desk.alerts or house.desk.refused
    assert told.source == source


@pytest.mark.fault(88)
async def test_secrets_stand_in_no_line_of_the_log() -> None:
    canaries = (TOKEN, BODY_SECRET, HMAC_SECRET, "wrong-token-canary", "wrong-secret-canary")
    async with logged("TRACE") as lines, listening(secret_required=True, failures_per_minute=2) as house:
        house.secrets = Secrets(BODY_SECRET, HMAC_SECRET)
        for path in (
            f"/webhook/{TOKEN}",
            "/webhook/wrong-token-canary",
            f"/other/{TOKEN}",
            f"/webhook/{TOKEN}/x",
        ):
            for secret in (BODY_SECRET, "wrong-secret-canary"):
                await house.send(entry(secret=secret), path, headers=signed(RAW))
                await house.send(f'{{"secret": "{secret}'.encode(), path)
        house.desk.instead = [RuntimeError("a bug")]
        await house.send(entry(secret=BODY_SECRET))
    text = "".join(lines)
    assert "POST /webhook/… 202" in text
    assert [canary for canary in canaries if canary in text] == []
