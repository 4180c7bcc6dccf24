"""The page Signals: every alert with its outcome, its story, its message; what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from execution_engine.domain.inputs import RequestRefused
from execution_engine.domain.rows import Alert, Leg
from execution_engine.ui import theme
from execution_engine.ui.pages.signals import SignalsPage
from execution_engine.ui.pages.signals import list as lists
from execution_engine.ui.pages.signals.message import laid_out
from execution_engine.ui.pages.signals.story import later
from execution_engine.ui.widgets import ConfirmDialog, Label, Notice
from tests.ui.house_bridge import WatchedHouse
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


class Desk:
    """A house with the page open over it."""

    def __init__(self, qtbot: QtBot, **settings: Any) -> None:
        self.house = WatchedHouse({path.replace("__", "."): value for path, value in settings.items()})
        self.house.price("BTCUSDT", "65000")
        self.page = SignalsPage(self.house.bridge)
        self.notices: list[Notice] = []
        self.page.notice.connect(self.notices.append)
        qtbot.addWidget(self.page)
        self.page.resize(1300, 780)
        self.page.show()
        self.page.shown()

    def alert(self, **fields: Any) -> Alert:
        alert = self.house.alert(**fields)
        self.house.accept()
        self.house.show()
        return alert

    def fill(self, leg: Leg, quantity: str | None = None) -> None:
        order = next(o for o in self.house.working if o.leg_id == leg.id and o.purpose == "entry")
        self.house.fill(order, quantity=quantity, fee_percent="0.1")
        self.house.show()

    def row(self, id: int) -> list[str]:
        model = self.page.list.alerts
        return [cell.text for cell in model.cells(model.index_of(id))]

    def ids(self) -> list[int]:
        return [line.id for line in self.page.list.lines()]

    @property
    def story(self) -> str:
        return self.page.story.story.text()

    def refuse(self, status: int = 422, **more: Any) -> None:
        given: dict[str, Any] = {
            "errors": (("tv.symbol", "unknown symbol MATICUSDT"),),
            "body": '{"symbol": "MATICUSDT"}',
            "source": "52.89.214.238",
        }
        self.house.post(RequestRefused(at=self.house.clock.now(), status=status, **(given | more)))


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    made = Desk(qtbot)
    yield made
    made.page.close()


async def test_the_newest_alert_stands_on_top(desk: Desk) -> None:
    first = desk.alert()
    second = desk.alert(symbol="BTCUSDT", entry_price="64000")
    assert desk.ids() == [second.id, first.id]
    assert desk.row(second.id)[1:4] == ["BTCUSDT 15m Long", "Pyramid", "Pyramided"]
    assert desk.row(second.id)[4] == "pyramid 2 of 5"
    assert desk.page.bar.summary.text() == "2 alerts · 2 acted on · 0 rejected"


async def test_an_alert_that_is_not_decided_says_what_it_waits_for(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    alert = desk.alert(symbol="ETHUSDT")
    assert desk.row(alert.id)[3:] == ["Working", "waits for its account, a price or a balance"]
    desk.page.go_to(alert.id)
    assert "It waits for its account, a price or a balance." in desk.story


async def test_an_exit_is_exiting_until_it_is_flat(desk: Desk) -> None:
    desk.alert()
    desk.fill(desk.house.legs()[0])
    leaving = desk.alert(type="exit")
    assert desk.row(leaving.id)[1:4] == ["BTCUSDT 15m", "Exit", "Exiting"]
    desk.house.confirm_cancels()
    desk.house.fill_all("exit", "65100")
    desk.house.show()
    assert desk.row(leaving.id)[3] == "Exited"


async def test_what_came_out_of_the_queue_was_promoted(qtbot: QtBot) -> None:
    desk = Desk(qtbot, pool__max_open_groups=1)
    desk.house.price("ETHUSDT", "3400")
    desk.alert()
    waiting = desk.alert(symbol="ETHUSDT", entry_price="3400")
    assert desk.row(waiting.id)[3] == "Queued"
    desk.alert(type="exit")
    desk.house.confirm_cancels()
    desk.house.accept()
    desk.house.show()
    assert desk.row(waiting.id)[3] == "Promoted"


async def test_the_story_goes_from_the_receipt_to_the_result(desk: Desk) -> None:
    desk.alert(timeframe="60")
    second = desk.house.alert(timeframe="60", entry_price="63850")
    desk.house.clock.forward(seconds=0.058)
    desk.house.accept()
    legs = desk.house.legs()[5:]
    desk.fill(legs[0])
    desk.fill(legs[1], quantity="0.0019")
    desk.house.price("BTCUSDT", "63742.10")
    desk.house.show()
    desk.page.go_to(second.id)
    await until(lambda: "Fills" in desk.story)
    assert [step.title for step in desk.page.story.story.steps] == [
        "Received", "Classified", "Decided", "Orders", "Fills", "Pyramided",
    ]  # fmt: skip
    assert "token “TradingView”" in desk.story
    assert "Pyramid: BTCUSDT 1h has an open long group" in desk.story
    assert "pyramid 2 on paper, grid “default”, base 63,850.00, 1,000.00 USD; all 5 legs fit" in desk.story
    assert "+58 ms" in desk.story
    assert "5 buy limits accepted by the exchange" in desk.story
    assert "Leg 0 63,850.00 0.00313 199.85 Filled" in desk.story
    assert "Leg 1 63,530.75 0.00314 199.49 Part filled" in desk.story
    assert "leg 0: 0.00313 at 63,850.00, fee 0.1998505 USDT" in desk.story
    assert "leg 1: 0.00190 of 0.00314 at 63,530.75" in desk.story
    assert "unrealized +0.06 USD on this pyramid" in desk.story


async def test_each_order_tells_its_id_at_the_exchange_its_latency_and_its_slippage(desk: Desk) -> None:
    alert = desk.house.alert()
    desk.house.clock.forward(seconds=0.042)
    desk.house.accept()
    desk.house.clock.forward(seconds=1)
    first = desk.house.legs()[0]
    order = next(each for each in desk.house.working if each.leg_id == first.id)
    desk.house.fill(order, price="64935")
    desk.house.show()
    desk.page.go_to(alert.id)
    await until(lambda: "Fills" in desk.story)
    known = desk.house.book.orders[order.id].exchange_order_id
    assert (
        f"id {known} · accepted 42 ms after it was sent · 0.10\u202f% better than the signal's 65,000.00"
        in desk.story
    )
    assert "Slippage: 0.10\u202f% better than planned, 0.20 USDT" in desk.story
    assert "12:00:01.042 leg 0: 0.00307 at 64,935.00" in desk.story


async def test_a_fill_that_costs_more_than_the_signal_said_is_called_worse(desk: Desk) -> None:
    desk.alert()
    desk.fill(desk.house.legs()[0])
    leaving = desk.alert(type="exit", entry_price="65000")
    desk.house.confirm_cancels()
    desk.house.fill_all("exit", "64350")
    desk.house.show()
    desk.page.go_to(leaving.id)
    await until(lambda: "Fills" in desk.story)
    assert "1.00\u202f% worse than the signal's 65,000.00" in desk.story
    assert "Slippage: 1.00\u202f% worse than planned, 2.00 USDT" in desk.story


async def test_the_story_ends_with_what_closed_the_pyramid(desk: Desk) -> None:
    alert = desk.alert()
    desk.fill(desk.house.legs()[0])
    desk.house.price("BTCUSDT", "66000")
    desk.house.accept()
    desk.house.fill_all("take_profit", "66000")
    desk.house.show()
    desk.page.go_to(alert.id)
    await until(lambda: "Closed" in [step.title for step in desk.page.story.story.steps])
    assert "Target 66,000.00 0.00307" in desk.story
    assert "realized +" in desk.story


async def test_the_story_follows_the_price_and_the_fills(desk: Desk) -> None:
    alert = desk.alert()
    desk.page.go_to(alert.id)
    assert "Leg 0 65,000.00 0.00307 199.55 Open" in desk.story
    desk.fill(desk.house.legs()[0])
    await until(lambda: "leg 0: 0.00307 at 65,000.00" in desk.story)
    desk.house.price("BTCUSDT", "64000")
    desk.house.show()
    assert "unrealized −3.07 USD on this pyramid" in desk.story


async def test_a_rejected_alert_says_why_and_ends_there(desk: Desk) -> None:
    alert = desk.alert(entry_price="1000")
    desk.page.go_to(alert.id)
    last = desk.page.story.story.steps[-1]
    assert (last.title, last.token) == ("Rejected", "danger")
    assert "Nothing was ordered." in desk.story
    assert not desk.page.story.group_button.isEnabled()


async def test_the_exit_of_a_group_tells_its_closing_order(desk: Desk) -> None:
    desk.alert()
    desk.fill(desk.house.legs()[0])
    leaving = desk.alert(type="exit")
    desk.house.confirm_cancels()
    desk.house.fill_all("exit", "65100")
    desk.house.show()
    desk.page.go_to(leaving.id)
    await until(lambda: "Fills" in desk.story)
    assert "Sell 65,100.00 0.00307 199.86 Filled" in desk.story
    assert "sell: 0.00307 at 65,100.00" in desk.story


async def test_the_message_is_shown_as_received_with_its_secret_hidden(desk: Desk) -> None:
    alert = desk.alert(secret="hush", note="<b>bold</b> \u202egnikcart")
    desk.page.go_to(alert.id)
    shown = desk.page.story.message.edit.toPlainText()
    assert "hush" not in shown
    assert '"secret": "•••"' in shown
    assert "<b>bold</b>" in shown
    assert "\u202e" not in shown
    desk.page.story.message.copy_button.click()
    assert QGuiApplication.clipboard().text() == alert.body


def test_a_long_line_of_json_gets_an_indent_and_loses_nothing() -> None:
    body = '{"id":"a, b: {c}","tv":{"close":"1.50","list":[1,{}]},"empty":[],"long":"' + "x" * 60 + '"}'
    shown = laid_out(body)
    assert '  "tv": {\n    "close": "1.50",\n    "list": [\n      1,\n      {}\n    ]\n  },' in shown
    assert '"a, b: {c}"' in shown
    assert "".join(shown.split()).replace('"a,b:{c}"', "") == "".join(body.split()).replace('"a,b:{c}"', "")


@pytest.mark.parametrize(
    "body",
    ["not json at all " * 20, "{" * 200, '{"a": "' + "\\" * 300, "}" * 200, '{"a":\x1b[31m' + " " * 90],
)
def test_whatever_was_sent_is_shown_as_harmless_text(body: str) -> None:
    shown = laid_out(body)
    assert "\x1b" not in shown
    assert len(shown) < 50 * len(body)


def test_a_difference_is_written_as_short_as_it_is() -> None:
    assert later(timedelta(milliseconds=4)) == "+4 ms"
    assert later(timedelta(seconds=2.34)) == "+2.3 s"
    assert later(timedelta(minutes=77)) == "+1 h 17 min"
    assert later(timedelta(milliseconds=-3)) == "+0 ms"


async def test_alerts_are_found_by_symbol_reason_and_id(desk: Desk) -> None:
    desk.house.price("ETHUSDT", "3400")
    desk.alert()
    far = desk.alert(symbol="ETHUSDT", entry_price="1", id="the far one")
    for typed in ("eth", "market", "far one", str(far.id)):
        desk.page.bar.search.setText(typed)
        assert far.id in desk.ids(), typed
        assert desk.page.bar.summary.text().startswith("1 alert"), typed
    desk.page.bar.search.setText("nothing like it")
    assert desk.page.list.empty.sentence == "No alert matches."


async def test_alerts_are_filtered_by_outcome_and_time(desk: Desk) -> None:
    opened = desk.alert()
    desk.house.clock.forward(hours=3)
    desk.house.price("BTCUSDT", "65000")
    rejected = desk.alert(entry_price="1")
    bar = desk.page.bar
    bar.outcomes.setCurrentIndex(bar.outcomes.findText("Rejected"))
    assert desk.ids() == [rejected.id]
    bar.outcomes.setCurrentIndex(bar.outcomes.findText("Acted on"))
    assert desk.ids() == [opened.id]
    bar.outcomes.setCurrentIndex(0)
    bar.ranges.setCurrentIndex(bar.ranges.findText("Last hour"))
    assert desk.ids() == [rejected.id]


async def test_time_goes_on_and_takes_alerts_out_of_the_last_hour(desk: Desk) -> None:
    desk.alert()
    bar = desk.page.bar
    bar.ranges.setCurrentIndex(bar.ranges.findText("Last hour"))
    desk.house.clock.forward(minutes=61)
    for _ in range(30):
        desk.page.tick()
    assert desk.ids() == []


async def test_older_alerts_are_read_when_the_time_asks_for_them(desk: Desk) -> None:
    alert = desk.alert()
    desk.house.older = [
        replace(alert, id=-n, received_at=alert.received_at - timedelta(days=n)) for n in range(1, 40)
    ]
    assert desk.ids() == [alert.id]
    bar = desk.page.bar
    bar.ranges.setCurrentIndex(bar.ranges.findText("Last 7 d"))
    await until(lambda: len(desk.ids()) == 8)
    bar.ranges.setCurrentIndex(bar.ranges.findText("Everything"))
    await until(lambda: len(desk.ids()) == 40)
    received = desk.row(-3)[0]
    assert received.startswith("17 Nov ")


async def test_alerts_of_weeks_ago_are_let_go_and_read_again_when_they_are_wanted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "HELD", 5)
    monkeypatch.setattr(lists, "AT_ONCE", 2)
    rows = []
    for _ in range(12):
        rows.append(desk.alert(type="exit", action=None))
        desk.house.clock.forward(days=2)
    held = [line.id for line in desk.page.list.alerts.records()]
    assert len(held) < 5 + 2
    assert held[-1] == rows[-1].id
    desk.house.older = rows
    desk.page.bar.ranges.setCurrentIndex(3)
    await until(lambda: len(desk.page.list.alerts) == 12)


async def test_older_alerts_are_read_at_the_end_of_the_list(desk: Desk) -> None:
    alert = desk.alert()
    for _ in range(40):
        desk.house.alert(entry_price="1")
    desk.house.show()
    older = replace(alert, id=-1, received_at=alert.received_at - timedelta(hours=2))
    desk.house.older = [older]
    desk.page.grab()
    bar = desk.page.list.verticalScrollBar()
    assert bar.maximum() > 0
    bar.setValue(bar.maximum())
    await until(lambda: -1 in desk.ids())
    assert desk.ids()[-1] == -1


async def test_what_is_read_stays_in_place_while_alerts_arrive(desk: Desk) -> None:
    for _ in range(60):
        desk.house.alert(entry_price="1")
    desk.house.show()
    view = desk.page.list
    desk.page.grab()
    view.verticalScrollBar().setValue(400)
    key = desk.ids()[20]
    before = view.visualRect(view.alerts.index_of(key)).y()
    for _ in range(5):
        desk.house.alert(entry_price="1")
    desk.house.show()
    assert view.visualRect(view.alerts.index_of(key)).y() == before
    view.verticalScrollBar().setValue(0)
    desk.alert(entry_price="1")
    assert view.verticalScrollBar().value() == 0


async def test_replaying_asks_and_then_tells_the_new_story(desk: Desk) -> None:
    alert = desk.alert()
    desk.page.go_to(alert.id)
    desk.page.story.replay_button.click()
    (dialog,) = desk.page.findChildren(ConfirmDialog)
    said = " ".join(label.text() for label in dialog.findChildren(Label))
    assert "Replay as a new alert?" in said
    assert "It is marked as a replay and trades on paper now." in said
    dialog.confirm.click()
    await until(lambda: bool(desk.notices))
    desk.house.show()
    replayed = max(desk.house.book.alerts)
    assert desk.page.list.key() == replayed
    assert f"A replay of alert {alert.id}." in desk.story


async def test_a_refused_replay_says_why_in_the_dialog(desk: Desk) -> None:
    alert = desk.alert()
    desk.page.go_to(alert.id)
    desk.page.ask_replay()
    (dialog,) = desk.page.findChildren(ConfirmDialog)
    del desk.house.book.alerts[alert.id]
    dialog.confirm.click()
    await until(lambda: bool(dialog.error))
    assert not desk.notices


async def test_a_test_alert_is_asked_of_the_frame(desk: Desk, qtbot: QtBot) -> None:
    with qtbot.waitSignal(desk.page.asked) as asked:
        desk.page.bar.test.click()
    assert asked.args == ["test_alert"]


async def test_the_group_of_an_alert_can_be_shown(desk: Desk, qtbot: QtBot) -> None:
    alert = desk.alert()
    desk.page.go_to(alert.id)
    with qtbot.waitSignal(desk.page.show_group) as shown:
        desk.page.story.group_button.click()
    assert shown.args == [desk.house.group.id]


async def test_going_to_a_hidden_alert_takes_the_filter_off(desk: Desk) -> None:
    alert = desk.alert()
    desk.page.bar.search.setText("nothing")
    assert desk.ids() == []
    desk.page.go_to(alert.id)
    assert desk.page.list.key() == alert.id


async def test_going_to_an_old_alert_reads_it(desk: Desk) -> None:
    alert = desk.alert()
    old = replace(alert, id=-7, received_at=alert.received_at - timedelta(days=3))
    desk.house.older = [old]
    desk.page.go_to(-7)
    await until(lambda: desk.page.list.key() == -7)


async def test_refused_requests_have_their_own_tab_and_arrive_by_themselves(desk: Desk) -> None:
    desk.page.bar.choose_tab("refused")
    desk.refuse()
    await until(lambda: len(desk.page.refused.rows) == 1)
    assert desk.page.bar.summary.text() == "1 refused request"
    (key,) = desk.page.refused.rows.keys()
    cells = [cell.text for cell in desk.page.refused.rows.cells(desk.page.refused.rows.index_of(key))]
    assert cells[1:] == [
        "422",
        "tv.symbol: unknown symbol MATICUSDT",
        "52.89.214.238",
        '{"symbol": "MATICUSDT"}',
    ]
    desk.page.refused.view.select(key)
    assert desk.page.refused.errors.text() == "tv.symbol: unknown symbol MATICUSDT"
    assert desk.page.refused.message.edit.toPlainText() == '{"symbol": "MATICUSDT"}'


async def test_a_small_window_shows_a_short_list_and_enter_the_story_alone(desk: Desk, qtbot: QtBot) -> None:
    alert = desk.alert()
    desk.page.resize(976, 600)
    desk.page.set_narrow(True)
    desk.page.go_to(alert.id)
    heading = desk.page.list.heading
    shown = [c.key for at, c in enumerate(desk.page.list.alerts.columns) if not heading.isSectionHidden(at)]
    assert shown == ["received", "signal", "outcome"]
    qtbot.keyClick(desk.page.list, Qt.Key.Key_Return)
    assert not desk.page.list.isVisible()
    assert desk.page.story.isVisible()
    qtbot.keyClick(desk.page.story, Qt.Key.Key_Escape)
    assert desk.page.list.isVisible()


async def test_an_empty_list_offers_a_test_alert(desk: Desk) -> None:
    assert desk.page.list.empty.sentence == "No alert yet. Make one with the composer, or send a test alert."
    assert desk.page.story.story.steps == ()


async def test_a_screen_reader_hears_an_alert_in_words(desk: Desk) -> None:
    alert = desk.alert(entry_price="1000")
    said = desk.page.list.alerts.index_of(alert.id).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said.startswith("BTCUSDT 15m long, entry, rejected, ")
