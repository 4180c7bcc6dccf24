"""One light for the tunnel and the public address."""

from __future__ import annotations

import pytest

from execution_engine.domain.facts import Level
from execution_engine.domain.inputs import WayInChanged
from execution_engine.domain.way_in import Reach, TunnelState, WayIn, Word
from tests.house import House

URL = "https://alerts.example.com"


@pytest.mark.parametrize(
    ("shown", "light"),
    [
        (WayIn(), ("off", "There is no public address: TradingView cannot reach this machine.")),
        (WayIn(tunnel=TunnelState(word=Word.STARTING, sentence="It starts.")), ("warn", "It starts.")),
        (WayIn(tunnel=TunnelState(word=Word.MISSING, sentence="None.")), ("error", "None.")),
        (WayIn(tunnel=TunnelState(word=Word.DOWN, sentence="It ended.")), ("error", "It ended.")),
        (WayIn(url=URL), ("warn", "It was not checked yet.")),
        (WayIn(url=URL, reach=Reach(state="ok", url="https://old.example")), ("warn", "It was not checked yet.")),
        (WayIn(url=URL, reach=Reach(state="ok", sentence="Reached.", url=URL)), ("ok", "Reached.")),
        (WayIn(url=URL, reach=Reach(state="error", sentence="Silent.", url=URL)), ("error", "Silent.")),
    ],
)  # fmt: skip
def test_the_light_says_whether_tradingview_gets_through(shown: WayIn, light: tuple[str, str]) -> None:
    assert shown.light == light


@pytest.mark.parametrize(("bad", "level"), [(True, Level.ERROR), (False, Level.INFO)])
def test_a_change_is_a_notice_of_its_own(bad: bool, level: Level) -> None:
    house = House()
    house.post(WayInChanged(text="Alerts cannot arrive.", bad=bad))
    (fact,) = [fact for fact in house.facts if fact.code == "way_in"]
    assert (fact.text, fact.level, fact.notice) == ("Alerts cannot arrive.", level, True)
