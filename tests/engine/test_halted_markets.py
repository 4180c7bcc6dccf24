"""A market that is not traded, as it is told to whoever has no window, and decided there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from execution_engine.cli import parser
from execution_engine.commands import WISHES
from execution_engine.domain.inputs import Instruments
from execution_engine.engine.state import Past, state
from tests.house import House, spot


def hold(house: House) -> str:
    (group,) = state(house.book, Past(), version="1", status="running")["groups"]
    return group["hold"]


@pytest.mark.fault(39)
def test_the_state_says_why_a_position_is_held_and_what_can_be_chosen():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(entry_price="65000")
    house.accept()
    house.fill(house.sent[0])
    assert hold(house) == ""
    house.desk.post(Instruments(instruments=(replace(spot(), traded=False),)))
    (id,) = house.book.findings
    assert hold(house) == (
        "BTCUSDT is not traded on BINANCE any more, or not now. "
        f"Decide with `decide {id} close` or `decide {id} release`."
    )
    asked = vars(parser().parse_args(["decide", str(id), "close"]))
    house.post(WISHES["decide"](asked))
    assert house.sent[-1].purpose == "exit"
