"""From a seed to its program: a random market, a random strategy, and a random swarm of faults."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from tests.simulation.program import AccountPlan, Event, Program

VENUES = ("binance", "binance", "bybit", "okx", "kucoin")
BASES = ("BTC", "ETH", "SOL", "XRP", "DOGE")
TIMEFRAMES = ("15", "60", "240")

# How often each fault may happen at most, where it happens at all: a part of the calls or messages it concerns.
RATES = {
    "place_lost": 0.2,
    "place_answer_lost": 0.2,
    "place_late": 0.15,
    "clock_jumps_meanwhile": 0.3,
    "place_slow": 0.2,
    "place_garbage": 0.15,
    "place_doubled": 0.15,
    "refused_funds": 0.1,
    "refused_rules": 0.1,
    "refused_rate": 0.15,
    "cancel_lost": 0.25,
    "cancel_answer_lost": 0.25,
    "cancel_late": 0.2,
    "cancel_garbage": 0.2,
    "cancel_slow": 0.25,
    "cancel_unknown": 0.9,
    "fill_before_cancel": 0.5,
    "late_fill": 0.8,
    "trades_late": 0.3,
    "look_blank": 0.4,
    "look_fails": 0.4,
    "read_fails": 0.3,
    "read_lag": 0.4,
    "stream_drops": 0.5,
    "stream_early": 0.5,
    "stream_late": 0.4,
    "stream_doubles": 0.3,
    "partial": 0.95,
    "request_lost": 0.2,
    "answer_lost": 0.3,
}
NOT_ON_PAPER = {
    "place_late",
    "clock_jumps_meanwhile",
    "cancel_late",
    "read_lag",
    "look_blank",
}  # it answers in process

# What happens at chosen moments: how many of each there are at most in a seed that has any.
HAPPENINGS = {
    "crash": 12,
    "power": 4,
    "fail": 3,
    "defect": 3,
    "sleep": 3,
    "step": 3,
    "down": 4,
    "stale": 4,
    "read_defect": 3,
    "cancelled": 8,
    "hand": 2,
    "liquidation": 1,
    "foreign": 3,
    "rules": 2,
}
COMMANDS = (
    "exit", "exit", "cancel_legs", "mode", "promote", "remove", "pause", "resume", "close_all", "replay", "settings",
)  # fmt: skip
CHANGES = (
    ("pool.max_open_groups", (1, 2, 4)),
    ("pool.max_pyramids", (1, 3)),
    ("take_profit.mode", ("per_leg", "aggregate", "hybrid")),
    ("take_profit.order", ("market", "limit")),
    ("take_profit.on_flat", ("close", "keep_grid")),
    ("signals.opposite", ("reject", "reverse")),
    ("capital.total_usd", (2000, 10000)),
)


def draw(seed: int, length_s: float | None = None) -> Program:
    """Return the program of a seed; always the same."""
    chance = Random(f"program {seed}")
    paper = chance.random() < 0.15
    venue = chance.choice(VENUES)
    markets = chance.choice((("spot",), ("swap",), ("spot", "swap")))
    accounts = tuple(
        AccountPlan(name=market, exchange="paper" if paper else venue, market=market) for market in markets
    )
    bases = chance.sample(BASES, chance.choice((1, 1, 2, 2, 3)))
    symbols = tuple(f"{base}USDT{'.P' if market == 'swap' else ''}" for base in bases for market in markets)
    length = length_s or chance.choice((600, 900, 1200, 1200, 1800))
    rates = _rates(chance, paper)
    happenings = list(_happenings(chance, length, [plan.name for plan in accounts], symbols))
    events = [*_alerts(chance, length, venue, symbols), *_commands(chance, length), *happenings]
    events += _around_the_queue(Random(f"queue {seed}"), length, venue, symbols)
    events += _around_the_risk(Random(f"risk events {seed}"), length, symbols)
    events += _late_prices(Random(f"late prices {seed}"), length, symbols)
    events.sort(key=lambda event: event["at"])
    return Program(
        seed=seed,
        length_s=length,
        start=chance.choice(
            ("2026-03-01T12:00:00+00:00", "2026-12-31T23:50:00+00:00", "2028-02-29T23:55:00+00:00")
        ),
        venue=venue,
        accounts=accounts,
        symbols=symbols,
        balance_usd=chance.choice((100_000, 100_000, 100_000, 3_000)),
        volatility=chance.choice((0.02, 0.05, 0.05, 0.1, 0.2)),
        spread=chance.choice((0, 0, 1, 5)),
        settings=_settings(chance) | _risk(Random(f"risk {seed}")),
        price_s=Random(f"prices {seed}").choice((1, 1, 4, 7)),
        rates=rates | _quotes(Random(f"quotes {seed}")),
        commit_s=chance.choice((0.001, 0.02, 0.02, 0.3, 1.0)),
        latency_s=chance.choice((0.02, 0.1, 0.1, 0.6)),
        timeout_s=chance.choice((1.5, 5.0, 10.0)),
        jitter=chance.choice((0.0, 0.1)),
        stream=chance.random() < 0.75,
        counts_sleep=chance.random() < 0.3,
        retention_s=chance.choice((1e9, 1e9, 90)),
        most_open=chance.choice((200, 200, 200, 4)),
        budget=chance.choice(((0, 0), (0, 0), (5, 1), (6, 10))),
        fee_currency=chance.choice(("", "", "", "BNB")),
        events=tuple(events),
    )


def _rates(chance: Random, paper: bool) -> dict[str, float]:
    """Choose a swarm: some faults, each with its own rate; sometimes none at all."""
    if chance.random() < 0.1:
        return {}
    share = chance.choice((0.15, 0.35, 0.7))
    found = {
        name: most * chance.choice((0.1, 0.3, 1.0)) for name, most in RATES.items() if chance.random() < share
    }
    return {name: round(rate, 4) for name, rate in found.items() if not (paper and name in NOT_ON_PAPER)}


def _quotes(chance: Random) -> dict[str, float]:
    """Choose how often prices that a promotion asks for are lost or late; often they are neither."""
    most = {"quote_lost": 0.5, "quotes_slow": 0.6}
    return {
        name: round(rate * chance.choice((0.3, 1.0)), 4)
        for name, rate in most.items()
        if chance.random() < 0.4
    }


def _settings(chance: Random) -> dict[str, Any]:
    size = chance.choice(("0.2", "0.5", "1.0"))
    grid = [
        {"gap_percent": "0", "weight_percent": "40", "tp_percent": size},
        {"gap_percent": f"-{size}", "weight_percent": "30", "tp_percent": size},
        {"gap_percent": f"-{float(size) * 2.5}", "weight_percent": "30", "tp_percent": "0.8"},
    ]
    slots = chance.choice((1, 2, 3, 5))
    return {
        "grid.profiles": {"default": grid},
        "grid.first_leg": chance.choice(("limit", "limit", "market")),
        "grid.max_slippage_percent": 50,
        "pool.max_open_groups": slots,
        "pool.max_pyramids": chance.choice((1, 2, 3)),
        "pool.max_queue": chance.choice((0, 2, 10)),
        "pool.overflow": chance.choice(("reject_new", "drop_lowest")),
        "pool.max_queue_age_s": chance.choice((0, 120, 86400)),
        "capital.total_usd": 1500 * slots,
        "capital.pyramid_capital": chance.choice(("full", "split")),
        "take_profit.mode": chance.choice(("per_leg", "aggregate", "hybrid")),
        "take_profit.aggregate_percent": size,
        "take_profit.order": chance.choice(("market", "market", "limit")),
        "take_profit.on_flat": chance.choice(("close", "close", "keep_grid")),
        "signals.opposite": chance.choice(("reject", "reverse")),
        "signals.max_deviation_percent": 60,
        "signals.max_entries_per_day": chance.choice((0, 200, 12)),
        "orders.poll_s": chance.choice((5, 10, 10)),
    }


def _risk(chance: Random) -> dict[str, Any]:
    """Choose how eagerly losers are closed; in many seeds not at all."""
    if chance.random() < 0.5:
        return {"risk.enabled": False}
    drawn: dict[str, Any] = {
        "risk.interval_s": chance.choice((10, 10, 20)),
        "risk.timer_start": chance.choice(
            ("after_5_pyramids", "after_all_dca_submitted", "after_all_dca_filled")
        ),
        "risk.post_full_wait_minutes": chance.choice((0, 0, 1)),
        "risk.reset_timer_on_replacement": chance.random() < 0.5,
        "risk.require_full_pyramids": chance.random() < 0.3,
        "risk.require_filled_grid": chance.random() < 0.3,
        "risk.loss_threshold_percent": chance.choice(("-0.05", "-0.2", "-0.5")),
        "risk.max_winners_to_combine": chance.choice((1, 2, 3)),
        "risk.allow_partial_offset": chance.random() < 0.6,
        "risk.top_up": chance.random() < 0.5,
    }
    if chance.random() < 0.8:  # let profits grow until somebody needs them, and have many groups soon
        legs = chance.choice((["100"], ["60", "40"]))
        grid = [
            {"gap_percent": f"-{at * 0.1}" if at else "0", "weight_percent": weight, "tp_percent": "6"}
            for at, weight in enumerate(legs)
        ]
        drawn |= {"grid.profiles": {"default": grid}, "grid.first_leg": "market"}
        drawn |= {"take_profit.mode": chance.choice(("aggregate", "per_leg"))}
        drawn |= {"take_profit.aggregate_percent": "6", "signals.opposite": "reject"}
        drawn |= {"pool.max_open_groups": 6, "pool.max_pyramids": 1, "capital.total_usd": 9000}
    return drawn


def _around_the_risk(chance: Random, length: float, symbols: tuple[str, ...]) -> Iterator[Event]:
    """Have the user run the risk engine, spare groups and pause; have prices fall silent, and the program die."""
    for _ in range(chance.choice((0, 0, 3, 8))):
        what = chance.choice(("risk_run", "risk_run", "risk_skip", "risk_block", "risk_unblock"))
        yield {"at": round(chance.uniform(20, length), 3), "do": "command", "what": what}
    for _ in range(chance.choice((0, 0, 4, 8))):
        yield {
            "at": round(chance.uniform(20, length), 3),
            "do": "crash",
            "where": f"offset {chance.choice(('winner', 'winner', 'loser', 'loser', 'top_up', 'between'))}",
            "when": chance.choice(("before", "after")),
            "pause": chance.choice((0.2, 3.0, 60.0)),
        }
    for _ in range(chance.choice((0, 0, 1, 3))):
        at = round(chance.uniform(20, length), 3)
        yield {"at": at, "do": "command", "what": "pause"}
        yield {"at": round(at + 60, 3), "do": "command", "what": "resume"}
    for _ in range(chance.choice((0, 0, 2, 4))):
        at, symbol = round(chance.uniform(20, length), 3), chance.choice(symbols)
        yield {"at": at, "do": "stale", "symbol": symbol, "seconds": chance.choice((30, 90))}


def _late_prices(chance: Random, length: float, symbols: tuple[str, ...]) -> Iterator[Event]:
    """Have the prices of a market come late for a while, in their order, as from an exchange under load."""
    for _ in range(chance.choice((0, 0, 2, 6))):
        yield {
            "at": round(chance.uniform(1, length), 3),
            "do": "late",
            "symbol": chance.choice(symbols),
            "seconds": chance.choice((60, 300, 900)),
            "lag": chance.choice((0.3, 3.0, 9.0)),
        }


def _alerts(chance: Random, length: float, venue: str, symbols: tuple[str, ...]) -> Iterator[Event]:
    """Play a strategy per key: it is flat, long or short, and sometimes says so badly."""
    number = 0
    for _ in range(chance.choice((1, 2, 3, 5, 8))):
        symbol, timeframe = chance.choice(symbols), chance.choice(TIMEFRAMES)
        held, at = "flat", chance.uniform(2, 60)
        pace = chance.choice((15, 60, 180))
        while at < length - 5:
            number += 1
            event, held = _alert(chance, number, venue, symbol, timeframe, held)
            yield {"at": round(at, 3), "do": "alert", **event}
            if chance.random() < 0.08:  # the same once more
                yield {
                    "at": round(at + chance.choice((0.1, 20)) * chance.random(), 3),
                    "do": "alert",
                    **event,
                }
            at += chance.expovariate(1 / pace) + 0.2


def _alert(
    chance: Random, number: int, venue: str, symbol: str, timeframe: str, held: str
) -> tuple[Event, str]:
    sides = ("long", "long", "short") if symbol.endswith(".P") else ("long", "long", "long", "short")
    wanted = chance.choice((*sides, "flat")) if held != "flat" else chance.choice((*sides, *sides, "flat"))
    action = {"long": "buy", "short": "sell", "flat": "sell" if held == "long" else "buy"}[wanted]
    body: dict[str, Any] = {
        "id": f"{symbol}|{timeframe}|{number}",
        "exchange": venue.upper(),
        "symbol": symbol,
        "timeframe": timeframe,
        "action": action,
        "market_position": wanted,
    }
    if chance.random() < 0.6:
        body["prev_market_position"] = held
    luck = chance.random()
    event: Event = {"body": body}
    if luck < 0.03:
        body["action"] = "sell" if wanted == "long" else "buy"  # it contradicts itself
    elif luck < 0.08:
        event["age_s"] = chance.choice((200, 400, 100_000))
    elif luck < 0.13:
        body["timeframe"] = "30"  # a key that nobody holds
    elif luck < 0.15:
        body["symbol"] = "NOSUCHUSDT"
    if chance.random() < 0.6 and luck >= 0.15:
        event["price"] = round(chance.uniform(-0.3, 0.3), 3) or 0.1
    return event, wanted


def _crowd(chance: Random, length: float, venue: str, symbols: tuple[str, ...]) -> Iterator[Event]:
    """Have many signals come at once for few slots, again and again, and leave one after the other."""
    for number in range(chance.randint(2, 6)):
        at = chance.uniform(2, length - 120)
        for _ in range(chance.randint(3, 9)):
            at += chance.choice((0.05, 0.5, 3))
            symbol, timeframe = chance.choice(symbols), chance.choice(("45", "90", "180"))
            side = chance.choice(("long", "short") if symbol.endswith(".P") else ("long",))
            body = {
                "exchange": venue.upper(),
                "symbol": symbol,
                "timeframe": timeframe,
                "action": "buy" if side == "long" else "sell",
            }
            id = f"crowd {number} {symbol} {timeframe} {at:.3f}"
            enter = {"id": id, "market_position": side}
            off = round(chance.uniform(-0.6, 0.6), 3) or 0.1
            yield {"at": round(at, 3), "do": "alert", "body": body | enter, "price": off}
            leave = {"id": f"{id} out", "market_position": "flat"}
            yield {"at": round(at + chance.uniform(5, 100), 3), "do": "alert", "body": body | leave}


def _around_the_queue(chance: Random, length: float, venue: str, symbols: tuple[str, ...]) -> Iterator[Event]:
    """Have prices fall silent while signals wait, and signals come for keys that are just turning."""
    if chance.random() < 0.4:
        for _ in range(chance.randint(2, 10)):
            at = round(chance.uniform(1, length), 3)
            yield {
                "at": at,
                "do": "stale",
                "symbol": chance.choice(symbols),
                "seconds": chance.choice((5, 30)),
            }
    swaps = [symbol for symbol in symbols if symbol.endswith(".P")]
    if swaps and chance.random() < 0.3:
        symbol, timeframe, held = chance.choice(swaps), "360", "flat"
        for number in range(chance.randint(2, 6)):
            at = chance.uniform(2, length - 30)
            wanted = "short" if held == "long" else "long"
            for turn in range(3):  # turned, and once or twice more on the new side
                yield {
                    "at": round(at, 3),
                    "do": "alert",
                    "body": {
                        "id": f"{symbol}|{timeframe}|{number}|{turn}",
                        "exchange": venue.upper(),
                        "symbol": symbol,
                        "timeframe": timeframe,
                        "action": "buy" if wanted == "long" else "sell",
                        "market_position": wanted,
                        "prev_market_position": wanted if turn else "short" if wanted == "long" else "long",
                    },
                }
                at += chance.choice((0.05, 0.3, 2))
            held = wanted


def _commands(chance: Random, length: float) -> Iterator[Event]:
    if chance.random() < 0.5:
        return
    for _ in range(chance.randint(1, 10)):
        what = chance.choice(COMMANDS)
        at = chance.uniform(5, length)
        event: Event = {"at": round(at, 3), "do": "command", "what": what}
        if what == "settings":
            path, values = chance.choice(CHANGES)
            event |= {"path": path, "value": chance.choice(values)}
        yield event
        if what in ("pause", "close_all"):
            yield {"at": round(at + chance.uniform(5, 120), 3), "do": "command", "what": "resume"}


def _happenings(
    chance: Random, length: float, accounts: list[str], symbols: tuple[str, ...]
) -> Iterator[Event]:
    share = chance.choice((0.0, 0.1, 0.25, 0.5))
    for kind, most in HAPPENINGS.items():
        if chance.random() >= share:
            continue
        for _ in range(chance.randint(1, most)):
            at = round(chance.uniform(1, length), 3)
            yield {"at": at, **_happening(chance, kind, accounts, symbols)}


def _happening(chance: Random, kind: str, accounts: list[str], symbols: tuple[str, ...]) -> Event:
    """Say what one happening needs."""
    symbol = chance.randrange(len(symbols))
    pause = round(chance.choice((0.0, 0.2, 3.0, 30.0, 200.0)) * chance.uniform(0.5, 1.5), 3)
    if kind == "crash":
        where = chance.choice(("now", "commit", "send", "receive"))
        return {"do": kind, "where": where, "when": chance.choice(("before", "after")), "pause": pause}
    if kind == "defect":
        return {"do": kind, "where": chance.choice(DEFECTS)}
    if kind == "sleep":
        return {"do": kind, "seconds": round(chance.choice((5, 60, 600)) * chance.uniform(0.5, 1.5), 3)}
    if kind == "step":
        return {"do": kind, "seconds": chance.choice((-3600, -90, -2, 2, 90, 3600))}
    if kind == "down":
        how = chance.choice(("maintenance", "network", "lists"))
        return {
            "do": kind,
            "account": chance.choice(accounts),
            "seconds": chance.choice((10, 60, 240)),
            "how": how,
        }
    if kind == "stale":
        return {"do": kind, "symbol": symbols[symbol], "seconds": chance.choice((20, 120))}
    if kind == "read_defect":
        return {"do": kind, "account": chance.choice(accounts)}
    if kind in ("hand", "liquidation"):
        percent = chance.choice((20, 50, 100)) if kind == "hand" else 100
        return {"do": "hand", "name": kind, "symbol": symbol, "percent": percent}
    if kind == "foreign":
        return {"do": kind, "symbol": symbol, "ours": chance.random() < 0.4}
    if kind == "rules":
        return {"do": kind, "symbol": symbol, "seconds": chance.choice((30, 200))}
    return {"do": kind, "pause": pause}


DEFECTS = ("OrderReport", "OrderReports", "Reached", "Settle", "AlertReceived", "Judge", "DueRow")
