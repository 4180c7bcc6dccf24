"""The table of instrument rules: what ships, and what is refused."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from execution_engine.adapters.exchanges.instruments import TableFaulty, load, load_table
from execution_engine.domain.instrument import Instrument, Market

SHIPPED = Path(__file__).resolve().parents[3] / "resources" / "instruments.json"
TABLE = {instrument.key: instrument for instrument in load(SHIPPED)}
EXCHANGES = ("binance", "bybit", "okx", "kucoin")


def entry(**changes: Any) -> dict[str, Any]:
    fields = {
        "exchange": "binance", "symbol": "BTCUSDT", "market": "spot", "base": "BTC", "quote": "USDT",
        "tick": "0.01", "step": "0.001", "min_qty": "0.001", "max_qty": "100", "market_min_qty": "0",
        "market_max_qty": "0", "min_notional": "5", "contract_size": "1", "max_leverage": "1",
        "maker_fee_percent": "0.1", "taker_fee_percent": "0.1", "source": "known",
    }  # fmt: skip
    return {key: value for key, value in (fields | changes).items() if value is not None}


def written(path: Path, *entries: Any, date: Any = "2026-01-31") -> Path:
    file = path / "instruments.json"
    file.write_text(json.dumps({"date": date, "instruments": list(entries)}), encoding="utf-8")
    return file


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("suffix", ["", ".P"])
@pytest.mark.parametrize("base", ["BTC", "ETH", "SOL", "XRP", "LTC", "DOGE", "ADA", "BNB", "LINK"])
def test_the_large_coins_ship_for_every_exchange_and_market(exchange: str, suffix: str, base: str) -> None:
    instrument = TABLE[(exchange, f"{base}USDT{suffix}")]

    assert (instrument.base, instrument.quote) == (base, "USDT")
    assert instrument.market is (Market.SWAP if suffix else Market.SPOT)


@pytest.mark.parametrize(
    ("exchange", "symbol", "tick", "step", "min_notional", "contract_size"),
    [
        ("binance", "BTCUSDT", "0.01", "0.00001", "5", "1"),
        ("binance", "BTCUSDT.P", "0.1", "0.001", "100", "1"),
        ("bybit", "BTCUSDT.P", "0.1", "0.001", "5", "1"),
        ("okx", "BTCUSDT.P", "0.1", "0.0001", "0", "0.01"),
        ("kucoin", "BTCUSDT.P", "0.1", "0.001", "0", "0.001"),
    ],
)
def test_the_shipped_rules_of_bitcoin_are_the_real_ones(
    exchange: str, symbol: str, tick: str, step: str, min_notional: str, contract_size: str
) -> None:
    rules = TABLE[(exchange, symbol)]

    assert rules.tick == Decimal(tick)
    assert rules.step == Decimal(step)
    assert rules.min_notional == Decimal(min_notional)
    assert rules.contract_size == Decimal(contract_size)


def test_the_last_leg_of_the_worked_short_is_large_enough() -> None:
    assert Decimal("0.002") * Decimal("67600.0") > TABLE[("binance", "BTCUSDT.P")].min_notional


def test_small_coins_are_named_as_each_exchange_names_them() -> None:
    assert TABLE[("binance", "1000SHIBUSDT.P")].base == "1000SHIB"
    assert TABLE[("bybit", "SHIB1000USDT.P")].base == "SHIB1000"
    assert TABLE[("okx", "SHIBUSDT.P")].contract_size == 1_000_000


def whole_contracts(instrument: Instrument) -> bool:
    return instrument.exchange != "kucoin" or instrument.step == instrument.contract_size


def test_kucoin_perpetuals_trade_whole_contracts() -> None:
    assert all(whole_contracts(rules) for rules in TABLE.values() if rules.market is Market.SWAP)


def test_the_table_says_which_day_it_is_of(tmp_path: Path) -> None:
    assert load_table(written(tmp_path, entry())).date.isoformat() == "2026-01-31"
    assert load_table(SHIPPED).date.year >= 2026


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"tick": "0"}, "`tick` must be above zero"),
        ({"tick": "-0.1"}, "`tick` must be above zero"),
        ({"step": "NaN"}, "`step` must be a number"),
        ({"step": 0.001}, "`step` must be a number, written as text"),
        ({"min_notional": "-5"}, "`min_notional` must not be below zero"),
        ({"market": "future"}, "`market` must be spot or swap"),
        ({"base": ""}, "`base` must be a word"),
        ({"source": "rumour"}, "`source` must be"),
        ({"quote": None}, "`quote` is missing"),
        ({"colour": "red"}, "`colour` is not a field"),
        ({"min_qty": "0.0015"}, "`min_qty` is no multiple of `step`"),
        ({"max_qty": "0.0005"}, "`max_qty` is below `min_qty`"),
        ({"market_max_qty": "0.0005"}, "`market_max_qty` is below the least quantity"),
        ({"symbol": "BTCUSDT.P"}, "a perpetual's symbol ends in `.P`"),
        ({"contract_size": "10"}, "a spot market has a contract size and a leverage of 1"),
    ],
)
def test_a_rule_that_makes_no_sense_is_named(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(TableFaulty) as raised:
        load(written(tmp_path, entry(**changes)))

    assert any(fault in sentence for sentence in raised.value.faults)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(TableFaulty) as raised:
        load(written(tmp_path, entry(tick="0", step="x"), "text", entry(), entry(), date="today"))

    assert len(raised.value.faults) == 5


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", "not valid JSON"),
        ("[]", "a list `instruments`"),
        ('{"date": "2026-01-31", "instruments": []}', "is empty"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: str, fault: str) -> None:
    file = tmp_path / "instruments.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(TableFaulty, match=fault):
        load(file)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableFaulty, match=r"instruments\.json can't be used"):
        load(tmp_path / "instruments.json")
