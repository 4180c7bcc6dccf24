"""The first step: paper, or an exchange."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from execution_engine.domain import document as documents
from execution_engine.domain.rows import Mode
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import usd
from execution_engine.ui.pages.welcome.choice import ChoicePanel, Choices
from execution_engine.ui.pages.welcome.outcome import OutcomeStrip
from execution_engine.ui.pages.welcome.step import Step
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, Turning

PAPER, EXCHANGE = "paper", "exchange"
FEED = "paper.feed"
FEEDS = (
    ("auto", tr("Auto: live, or synthetic offline")),
    ("live", tr("Live prices of the exchanges")),
    ("synthetic", tr("Synthetic market, works offline")),
    ("manual", tr("Manual: you set every price")),
)


class WhereStep(Step):
    """Ask where orders go."""

    name: ClassVar = tr("Paper or exchange")
    about: ClassVar = tr("where orders go")
    question: ClassVar = tr("Where should orders go?")
    sentence: ClassVar = tr(
        "TradingView sends an alert, the engine turns it into a grid of limit orders, takes profit, and closes. "
        "Start on paper and watch a whole trade without risk."
    )

    def __init__(self, bridge: Bridge) -> None:
        """Propose paper, or the exchange where one is in use."""
        super().__init__(bridge)
        self.choices = Choices(
            ((PAPER, self._paper()), (EXCHANGE, self._exchange())), tr("Where should orders go?")
        )
        self.feed = QComboBox()
        self.feed.setAccessibleName(tr("Prices for paper"))
        for key, words in FEEDS:
            self.feed.addItem(words, key)
        self.outcome = OutcomeStrip(bridge)
        real = any(account.mode is not Mode.PAPER for account in bridge.accounts.values())
        self.choices.set_value(EXCHANGE if real else PAPER)
        self._prices = self._field()
        self.add(self.choices)
        self.add(self._prices)
        self.add(self.said)
        self.add(self.outcome)
        self.choices.chosen.connect(lambda _: self._chosen())
        self.feed.currentIndexChanged.connect(lambda _: self.changed.emit())
        self._show_feed()
        self._chosen()

    def _paper(self) -> ChoicePanel:
        start = usd(self.bridge.doors.settings().paper.start_balance_usd)
        return ChoicePanel(
            tr("Paper exchange"),
            (
                tr("{start} USD of play money, spot and perpetuals").format(start=start),
                tr("Fees, filters, partial fills and delays as on a real exchange"),
                tr("No account, no keys, no network needed"),
            ),
            tr(
                "Everything behaves as it will with real orders. You can add an exchange at any time in Settings, "
                "Exchanges."
            ),
            badges=("paper",),
            aside=tr("recommended to start"),
        )

    @staticmethod
    def _exchange() -> ChoicePanel:
        return ChoicePanel(
            tr("Real exchange"),
            (
                tr("Binance, Bybit, OKX or KuCoin, spot or USDT perpetuals"),
                tr("Keys are checked before they are saved, and stored encrypted"),
                tr("A key that may withdraw is refused"),
            ),
            tr(
                "You need an API key with reading and trading rights. The next step asks for it; "
                "the test alert at the end "
                "still trades on paper."
            ),
            badges=("testnet", "live"),
        )

    def _field(self) -> QWidget:
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        row = Turning()
        row.setSpacing(px(12))
        label = Label(tr("Prices for paper"), "body", "text2")
        label.setBuddy(self.feed)
        label.setMinimumWidth(px(140))
        self.feed.setMinimumWidth(px(280))
        row.addWidget(label)
        row.addWidget(self.feed)
        row.addWidget(Label(tr("can be changed later"), "small", "text3"))
        row.addStretch(1)
        column.addLayout(row)
        return whole

    def _show_feed(self) -> None:
        self.feed.setCurrentIndex(self.feed.findData(self.bridge.doors.settings().paper.feed.value))

    def _chosen(self) -> None:
        self._prices.setVisible(self.is_paper)
        self.changed.emit()

    @property
    def is_paper(self) -> bool:
        """Return whether paper is chosen."""
        return self.choices.value() == PAPER

    # -- what the guide asks

    def verb(self) -> str:
        return tr("Continue with paper") if self.is_paper else tr("Continue with an exchange")

    def go_on(self) -> None:
        """Keep where paper's prices come from, if that was changed."""
        settings = self.bridge.doors.settings()
        if self.is_paper and self.feed.currentData() != settings.paper.feed.value:
            self.save(documents.with_value(settings, FEED, self.feed.currentData()))
        else:
            self.done.emit()

    def shown(self) -> None:
        self.outcome.show_settings(self.bridge.doors.settings())

    def begin(self) -> None:
        self.choices.begin()
