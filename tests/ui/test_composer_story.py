"""What the composer writes goes to the real listener, and comes to what the composer said it would."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from execution_engine.adapters.security.vault import Vault
from execution_engine.domain.composer import SentBy
from execution_engine.domain.composer_placeholders import filled
from execution_engine.domain.inputs import AddToken
from execution_engine.ui.composer.chart import sample
from tests.ui.test_welcome_story import first_start
from tests.waiting import until

pytestmark = pytest.mark.qt_log_ignore("does not support (raise|propagateSizeHints)", extend=True)


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Vault, "keyring_is_there", lambda vault: False)
    return iter([None])


async def test_a_composed_message_opens_what_was_said(
    tmp_path: Path, qapp: QApplication, qloop: object
) -> None:
    async with first_start(tmp_path / "data", qapp) as (application, window):
        book = application.core.book
        if not book.tokens:
            await application.core.desk.ask(AddToken(name="TradingView", token="t" * 40))
        compose = window.open_composer().compose
        await until(lambda: "Entry on paper: opens a long position" in _judged(compose), 10)
        legs = len(book.settings.grid.profiles[book.settings.grid.default])
        assert f"with {legs} legs" in compose.verdict.text()
        compose.copy_message.click()
        message = QGuiApplication.clipboard().text()
        compose.copy_url.click()
        chart = sample(window.bridge, compose.form.composition)
        assert chart is not None
        assert not book.alerts
        body = filled(message, chart, SentBy.STRATEGY).encode()
        async with (
            aiohttp.ClientSession() as session,
            session.post(QGuiApplication.clipboard().text(), data=body) as answer,
        ):
            assert answer.status == 202
        await until(lambda: any(group.avg_entry or group.pyramid_count for group in book.groups.values()), 10)
        (group,) = book.groups.values()
        assert (group.account, group.symbol, group.timeframe, group.side) == (
            "paper",
            "BTCUSDT",
            "1h",
            "long",
        )
        assert len(book.legs) == legs
        assert all(leg.price > Decimal(0) for leg in book.legs.values())
        await until(
            lambda: "Pyramid on paper: adds a pyramid" in _judged(compose), 10
        )  # not in the same second


def _judged(compose: object) -> str:
    compose.refresh()  # type: ignore[attr-defined]
    return str(compose.verdict.text())  # type: ignore[attr-defined]
