"""What the composer says of a message is what the listener answers, over a real socket."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from execution_engine.adapters.webhook import Secrets
from execution_engine.domain import composer
from execution_engine.domain.composer import Act, Composition, Form, SentBy
from execution_engine.domain.composer_check import BodySecret, check
from execution_engine.domain.composer_placeholders import Sample, filled
from execution_engine.domain.symbols import Catalogue
from tests.adapters.webhook.house import BTC, NOW, House, listening

SAMPLE = Sample(instrument=BTC, price=Decimal(64000), timeframe="1h", at=NOW)
PASTED = (
    "buy BTC",
    '{"symbol": {{ticker}}}',
    '{"exchange": "BINANCE", "symbol": "BTCUSD", "timeframe": "7x", "close": "{{closed}}"}',
    '{"exchange": "BINANCE", "symbol": "BTCUSDT", "timeframe": "15"}',
    '{"exchange": "BINANCE", "symbol": "BTCUSDT", "timeframe": "15", "action": "buy", "price": {{close}}}',
    '{"tv": [], "execution_intent": {"strategy": "dca", "capital_usd": "-1"}}',
    json.dumps({"exchange": "x" * 20_000}),
)


async def compared(house: House, message: str, sent_by: SentBy, secret: str = "") -> int:
    """Check and send a message; return the status that both gave it."""
    known = BodySecret(secret)
    rules = house.settings.webhook
    checked = check(message, SAMPLE, sent_by, Catalogue([BTC]), rules, known)
    body = filled(message, SAMPLE, sent_by)
    status, answer = await house.send(body.encode())
    assert checked.status == status
    if status in (400, 422):
        told = [{"field": each.field, "message": each.sentence} for each in checked.found]
        assert told == answer["errors"]
    return checked.status


async def test_pasted_messages_are_judged_alike() -> None:
    async with listening() as house:
        statuses = [await compared(house, message, SentBy.STRATEGY) for message in PASTED]
    assert statuses == [400, 400, 422, 422, 202, 422, 413]


@pytest.mark.parametrize("sent_by", [SentBy.STRATEGY, SentBy.PRICE])
async def test_composed_messages_are_accepted(sent_by: SentBy) -> None:
    async with listening() as house:
        for number, form in enumerate(Form):
            chosen = Composition(sent_by=sent_by, act=Act.EXIT, form=form, account=f"account {number}")
            assert await compared(house, composer.message(chosen), sent_by) == 202
    assert len(house.desk.alerts) == len(Form)


async def test_secrets_are_judged_alike() -> None:
    async with listening(secret_required=True) as house:
        house.secrets = Secrets(body_secret="right")
        statuses = [
            await compared(house, composer.message(Composition(), secret), SentBy.STRATEGY, "right")
            for secret in ("", "wrong", "right")
        ]
    assert statuses == [401, 401, 202]
