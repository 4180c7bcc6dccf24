"""What is true on paper is true on the exchanges: spot and perpetuals, with streams and without them.

`make test` goes through each story once, spread so that each exchange meets each kind of market and both ways of
hearing of things; `make stories` (STORIES=all) goes through all of them everywhere.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import certifi
import pytest

from execution_engine.domain.errors import Refusal
from execution_engine.domain.instrument import Market
from tests.stories.at_exchanges import Trading, at_exchange

D = Decimal
SPOT, SWAP = Market.SPOT, Market.SWAP
EXCHANGES = ("binance", "bybit", "okx", "kucoin")
EVERYWHERE = os.environ.get("STORIES") == "all"

Story = Callable[[Trading], Awaitable[None]]


async def opened(here: Trading) -> None:
    await here.alert()
    await here.rests()
    here.goes("-1.1")
    await here.stand("fffoo")


async def ended(here: Trading) -> None:
    await here.ends()
    here.prove_same()
    here.prove_flat()


async def per_leg(here: Trading) -> None:
    await opened(here)
    legs = here.legs(here.groups[-1])
    for leg, statuses in ((2, "ffhoo"), (1, "fhhoo")):
        here.price(legs[leg].tp_price + here.sign * D("0.02"))
        await here.stand(statuses)
    here.price(legs[0].tp_price + here.sign * D("0.02"))
    await ended(here)
    assert [leg.status for leg in here.legs(here.groups[-1])] == ["tp_hit"] * 3 + ["cancelled"] * 2
    assert here.groups[-1].realized > 0


async def aggregate(here: Trading) -> None:
    await opened(here)
    here.price(here.legs(here.groups[-1])[2].tp_price)  # a leg's own target means nothing here
    target = here.groups[-1].avg_entry * (100 + here.sign) / 100
    here.price(target + here.sign * D("0.1"))
    await ended(here)
    assert [leg.status for leg in here.legs(here.groups[-1])][3:] == ["cancelled"] * 2


async def hybrid(here: Trading) -> None:
    await opened(here)
    here.price(here.legs(here.groups[-1])[2].tp_price + here.sign * D("0.02"))
    await here.stand("ffhoo")
    here.goes("1.5")
    await ended(here)


async def leave(here: Trading) -> None:
    await opened(here)
    await here.alert(type="exit")
    await ended(here)
    assert [leg.status for leg in here.legs(here.groups[-1])][3:] == ["cancelled"] * 2


async def reversal(here: Trading) -> None:
    """On spot, where nothing can be short, it only ends what is held."""
    await opened(here)
    turned = {"action": "sell", "market_position": "short", "prev_market_position": "long"}
    await here.alert(**turned)
    await here.ends(0)
    if here.market is SPOT:
        await ended(here)
        assert len(here.groups) == 1
        return
    here.sign = -1
    group = await here.rests(after=1)
    assert group.side == "short"
    here.goes("-1.1")
    await here.stand("fffoo")
    await here.until(
        lambda: -here.theirs.position(here.ticker) == here.groups[-1].open_quantity, "it is short"
    )
    await here.alert(type="exit")
    await ended(here)


async def pyramid(here: Trading) -> None:
    """A second entry joins, and one more only counts."""
    await here.alert()
    await here.rests()
    here.goes("-3")
    await here.alert(entry_price=str(100 - 3 * here.sign))
    await here.rests(legs=10)
    assert here.groups[-1].pyramid_count == 2
    await here.alert(entry_price=str(100 - 4 * here.sign))
    await here.until(lambda: here.groups[-1].replacement_count == 1, "the replacement counts")
    assert len(here.legs(here.groups[-1])) == 10
    await here.alert(type="exit")
    await ended(here)


async def duplicate(here: Trading) -> None:
    await here.alert(id="once")
    await here.rests()
    for _ in range(3):
        answer = await here.alert(id="once")
        assert not isinstance(answer, Refusal)
        assert answer.status == "duplicate"
    assert len(here.groups) == 1
    assert len(here.theirs.orders) == 5
    await here.alert(type="exit")
    await ended(here)
    assert here.groups[-1].status == "cancelled" or here.groups[-1].filled_quantity == 0


async def stale(here: Trading) -> None:
    long_ago = (here.application.clock.now() - timedelta(hours=1)).isoformat()
    await here.alert(timestamp=long_ago)
    (alert,) = here.book.alerts.values()
    await here.until(lambda: here.book.alerts[alert.id].outcome == "rejected", "it is rejected")
    assert (here.groups, here.theirs.orders) == ([], [])


async def full_pool(here: Trading) -> None:
    """One waits until another has ended, and its grid then rests."""
    other = here.of("LINK")
    other.goes("1")
    await opened(here)
    await other.alert()
    await here.until(lambda: here.book.waiting(here.groups[-1].world), "it waits")
    assert not other.groups
    await here.alert(type="exit")
    await ended(here)
    await other.rests()
    await other.alert(type="exit")
    await other.ends()
    other.prove_same()
    other.prove_flat()


STORIES: dict[str, tuple[Story, int, dict[str, Any]]] = {
    "per leg": (per_leg, 1, {"take_profit.mode": "per_leg"}),
    "per leg, with limit orders": (per_leg, 1, {"take_profit.mode": "per_leg", "take_profit.order": "limit"}),
    "per leg, short": (per_leg, -1, {"take_profit.mode": "per_leg"}),
    "aggregate": (aggregate, 1, {"take_profit.mode": "aggregate"}),
    "aggregate, short": (aggregate, -1, {"take_profit.mode": "aggregate"}),
    "hybrid": (hybrid, 1, {"take_profit.mode": "hybrid"}),
    "hybrid, short": (hybrid, -1, {"take_profit.mode": "hybrid"}),
    "exit": (leave, 1, {}),
    "reversal": (reversal, 1, {}),
    "pyramid and replacement": (pyramid, 1, {"pool.max_pyramids": 2}),
    "duplicate": (duplicate, 1, {}),
    "stale": (stale, 1, {}),
    "full pool": (full_pool, 1, {"pool.max_open_groups": 1}),
}
# Every story once, and among them every exchange with both markets and both ways of hearing.
CHOSEN = {
    "per leg": ("binance", SPOT, True),
    "per leg, with limit orders": ("kucoin", SPOT, True),
    "per leg, short": ("kucoin", SWAP, True),
    "aggregate": ("bybit", SPOT, False),
    "aggregate, short": ("okx", SWAP, False),
    "hybrid": ("okx", SPOT, True),
    "hybrid, short": ("bybit", SWAP, True),
    "exit": ("kucoin", SPOT, False),
    "reversal": ("binance", SWAP, False),
    "pyramid and replacement": ("okx", SWAP, True),
    "duplicate": ("kucoin", SWAP, False),
    "stale": ("binance", SPOT, False),
    "full pool": ("binance", SWAP, True),
}
ALL = [
    (name, *place)
    for name, (_, sign, _) in STORIES.items()
    for place in itertools.product(EXCHANGES, (SPOT, SWAP), (True, False))
    if sign > 0 or place[1] is SWAP
]
SELECTED = ALL if EVERYWHERE else [(name, *place) for name, place in CHOSEN.items()]


@pytest.fixture(autouse=True)
def _names_lead_where_they_led(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(aiohttp, "ThreadedResolver", aiohttp.ThreadedResolver)
    monkeypatch.setattr(certifi, "where", certifi.where)
    return iter([None])


@pytest.mark.parametrize(
    ("story", "exchange", "market", "streams"),
    [
        pytest.param(*one, id=f"{one[0]}-{one[1]}-{one[2]}-{'streams' if one[3] else 'asking'}")
        for one in SELECTED
    ],
)
async def test_a_story(
    story: str, exchange: str, market: Market, streams: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell, sign, settings = STORIES[story]
    async with at_exchange(tmp_path / "data", monkeypatch, exchange, market, streams, sign, settings) as here:
        await tell(here)
        assert here.world.strangers == []


def test_the_selection_has_every_story_and_every_pair() -> None:
    assert set(CHOSEN) == set(STORIES)
    for first, second in itertools.combinations(range(3), 2):
        values = ((EXCHANGES, (SPOT, SWAP), (True, False))[index] for index in (first, second))
        assert {(place[first], place[second]) for place in CHOSEN.values()} == set(itertools.product(*values))
