"""What stands where secrets stand is hidden, whether it is known or not; ordinary words stay."""

from __future__ import annotations

import base64
import time

import pytest

from execution_engine.adapters.security.redact import HIDDEN, Redaction, without_secret_places

CANARY = "q7Xy9-canary_Z"
LONG = "Ab1" * 21


@pytest.mark.parametrize(
    "place",
    [
        "GET https://api.binance.com/api/v3/order?symbol=BTCUSDT&timestamp=1&signature={}",
        "X-MBX-APIKEY: {}",
        "{{'X-MBX-APIKEY': '{}', 'Content-Type': 'x'}}",
        "('OK-ACCESS-KEY', '{}')",
        '"OK-ACCESS-SIGN": "{}"',
        "OK-ACCESS-PASSPHRASE={}",
        "KC-API-KEY: {}",
        "KC-API-SIGN: {}",
        "KC-API-PASSPHRASE: {}",
        "X-BAPI-API-KEY: {}",
        "X-BAPI-SIGN: {}",
        "POST /webhook/{} HTTP/1.1",
        "http://127.0.0.1:8787/webhook/{}?a=b",
        "Authorization: Bearer {}",
        "X-Signature: sha256={}",
        '{{"apiKey": "{}", "secret": "x"}}',
        '{{"api_secret":"{}"}}',
        '{{"passphrase" : "{}"}}',
        '{{"listenKey": "{}"}}',
        "{{'password': '{}'}}",
        '"{{\\"secret\\": \\"{}\\"}}"',
        "Keys(api_key='{}', api_secret='x')",
        "?api_key={}&sign=x",
        "wss://ws-api.kucoin.com/?token={}&connectId=1",
        '{{"op": "auth", "args": ["{}", 1700000000, "x"]}}',
        '{{"op":"login","args":[{{"apiKey":"x","sign":"{}"}}]}}',
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\\n{}\\n-----END EC PRIVATE KEY-----",
    ],
)
def test_an_unknown_secret_is_hidden_by_where_it_stands(place: str) -> None:
    told = without_secret_places(place.format(CANARY))
    assert CANARY not in told
    assert HIDDEN in told


def test_a_stream_whose_address_is_a_secret() -> None:
    assert without_secret_places(f"wss://stream.binance.com:9443/ws/{LONG}") == (
        f"wss://stream.binance.com:9443/ws/{HIDDEN}"
    )


@pytest.mark.parametrize(
    "plain",
    [
        "The master password is wrong; the vault stays locked.",
        "wss://stream.binance.com:9443/ws/btcusdt@bookTicker",
        "A token that expired, a sign of life, a secret that is missing.",
        "GET /api/v3/order?symbol=BTCUSDT&side=BUY&quantity=0.1",
        "design=flat",
        "The keys of account main were entered.",
        '{"op": "subscribe", "args": ["tickers.BTCUSDT"]}',
    ],
)
def test_ordinary_words_stay(plain: str) -> None:
    assert without_secret_places(plain) == plain


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    redact = Redaction()
    redact.learn("pass word/with=odd\"chars'", CANARY, None, "abc")
    for text in (
        f"It was {CANARY}.",
        f"{CANARY}{CANARY}",
        "pass%20word%2Fwith%3Dodd%22chars%27",
        r"pass word/with=odd\"chars'",
        repr("pass word/with=odd\"chars'"),
        base64.b64encode(CANARY.encode()).decode(),
    ):
        told = redact(text)
        assert CANARY not in told
        assert "with" not in told.replace(" with ", "")
        assert HIDDEN in told
    assert redact("abc") == "abc"


def test_a_long_line_without_secrets_costs_little() -> None:
    redact = Redaction([f"secret number {number}" for number in range(100)])
    line = "-----BEGIN " * 500 + '{"op": ' * 500 + "api_key" * 500
    began = time.thread_time()
    redact(line)
    assert time.thread_time() - began < 1
