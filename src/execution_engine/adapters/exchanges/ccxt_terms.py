"""Leverage, margin mode and position mode of a perpetual: set as the settings ask, and read back.

Nothing is changed where something is held. What differs afterwards keeps entries out and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from execution_engine.adapters.exchanges.ccxt_client import Client, is_named
from execution_engine.adapters.exchanges.ccxt_lists import Unreadable, ask, inside, positions, rows
from execution_engine.adapters.exchanges.translate import decimal
from execution_engine.domain.errors import EngineError
from execution_engine.domain.money import plain, text
from execution_engine.domain.settings import AccountSettings, MarginMode, PositionMode


class TermsDiffer(EngineError):
    """The exchange keeps another leverage or mode than the settings ask for; the text is a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a market's next order would be under. None: every order says it itself."""

    leverage: Decimal | None
    margin: MarginMode | None
    position: PositionMode

    def differences(self, wanted: AccountSettings) -> list[str]:
        found = []
        if self.leverage not in (None, wanted.leverage):
            found.append(f"leverage {text(plain(self.leverage or wanted.leverage))}")
        if self.margin not in (None, wanted.margin_mode):
            found.append(f"{self.margin} margin")
        if self.position is not wanted.position_mode:
            found.append(f"the {str(self.position).replace('_', '-')} position mode")
        return found


async def agree(client: Client, symbol: str, wanted: AccountSettings) -> None:
    """Have the exchange keep what is wanted for a market. Raises TermsDiffer, and whatever a call raises."""
    read, write = _TERMS[client.venue.name]
    if client.venue.whole_leverage and wanted.leverage % 1:
        raise TermsDiffer(f"{client.venue.title} takes whole leverages only, not {text(wanted.leverage)}.")
    there = await read(client, symbol, wanted)
    if not there.differences(wanted):
        return
    if not await positions(client, symbol):
        await write(client, symbol, wanted, there)
        there = await read(client, symbol, wanted)
    if differences := there.differences(wanted):
        asked = (
            f"leverage {text(plain(wanted.leverage))}, {wanted.margin_mode} margin and the "
            f"{str(wanted.position_mode).replace('_', '-')} position mode"
        )
        raise TermsDiffer(
            f"{client.venue.title} has {' and '.join(differences)} on {symbol.split(':')[0]}, "
            f"but the settings ask for {asked}; nothing new is opened there."
        )


async def _set(client: Client, name: str, *args: Any) -> None:
    """Change something; that it was so already is no error. It is read back in any case."""
    try:
        await client.call(name, *args)
    except Exception as error:
        if not is_named(error, "NoChange") and not any(code in str(error) for code in _ALREADY):
            raise


# Bybit's "leverage not modified" is a BadRequest to ccxt.
_ALREADY = ('"retCode":110043', '"retCode": 110043', '"retCode":110026')


def _position_mode(hedged: bool) -> PositionMode:
    return PositionMode.HEDGE if hedged else PositionMode.ONE_WAY


# Binance


async def _read_binance(client: Client, symbol: str, wanted: AccountSettings) -> Terms:
    id = client.exchange.market_id(symbol)
    configs = rows(client, {"all": await ask(client, "fapiPrivateGetSymbolConfig", {"symbol": id})}, "all")
    config = next((one for one in configs if one.get("symbol") == id), None)
    dual = await ask(client, "fapiPrivateGetPositionSideDual")
    if config is None or not isinstance(dual.get("dualSidePosition"), bool):
        raise Unreadable("Binance does not tell leverage and modes.")
    crossed = str(config["marginType"]).upper().startswith("CROSS")
    return Terms(
        leverage=decimal(config["leverage"]),
        margin=MarginMode.CROSS if crossed else MarginMode.ISOLATED,
        position=_position_mode(dual["dualSidePosition"]),
    )


async def _write_binance(client: Client, symbol: str, wanted: AccountSettings, there: Terms) -> None:
    if there.margin is not wanted.margin_mode:
        await _set(client, "set_margin_mode", wanted.margin_mode.value, symbol)
    if there.leverage != wanted.leverage:
        await _set(client, "set_leverage", int(wanted.leverage), symbol)


# Bybit: the margin mode is the whole account's


_BYBIT_MARGIN = {"ISOLATED_MARGIN": MarginMode.ISOLATED, "REGULAR_MARGIN": MarginMode.CROSS}


async def _read_bybit(client: Client, symbol: str, wanted: AccountSettings) -> Terms:
    params = {"category": "linear", "symbol": client.exchange.market_id(symbol)}
    held = rows(client, await ask(client, "privateGetV5PositionList", params), "result", "list")
    account = inside(client, await ask(client, "privateGetV5AccountInfo"), "result")
    margin = _BYBIT_MARGIN.get(str(account.get("marginMode")))
    if not held or margin is None:
        raise Unreadable("Bybit does not tell leverage and modes that this application knows.")
    return Terms(
        leverage=decimal(held[0]["leverage"]),
        margin=margin,
        position=_position_mode(any(int(one.get("positionIdx") or 0) for one in held)),
    )


async def _write_bybit(client: Client, symbol: str, wanted: AccountSettings, there: Terms) -> None:
    if there.margin is not wanted.margin_mode and not await positions(client):
        mode = next(name for name, known in _BYBIT_MARGIN.items() if known is wanted.margin_mode)
        await _set(client, "privatePostV5AccountSetMarginMode", {"setMarginMode": mode})
    if there.leverage != wanted.leverage:
        await _set(client, "set_leverage", text(plain(wanted.leverage)), symbol)


# OKX: the margin mode is each order's


async def _read_okx(client: Client, symbol: str, wanted: AccountSettings) -> Terms:
    params = {"instId": client.exchange.market_id(symbol), "mgnMode": wanted.margin_mode.value}
    levers = rows(client, await ask(client, "privateGetAccountLeverageInfo", params), "data")
    config = rows(client, await ask(client, "privateGetAccountConfig"), "data")
    if not levers or not config:
        raise Unreadable("OKX does not tell leverage and modes.")
    leverages = {decimal(one["lever"]) for one in levers}
    same = leverages.pop() if len(leverages) == 1 else Decimal(0)
    return Terms(
        leverage=same, margin=None, position=_position_mode(config[0]["posMode"] == "long_short_mode")
    )


async def _write_okx(client: Client, symbol: str, wanted: AccountSettings, there: Terms) -> None:
    request = {
        "instId": client.exchange.market_id(symbol),
        "mgnMode": wanted.margin_mode.value,
        "lever": text(plain(wanted.leverage)),
    }
    sides: list[dict[str, str]] = [{}]
    if there.position is PositionMode.HEDGE and wanted.margin_mode is MarginMode.ISOLATED:
        sides = [{"posSide": "long"}, {"posSide": "short"}]
    for side in sides:
        await _set(client, "privatePostAccountSetLeverage", {**request, **side})


# KuCoin: the leverage of isolated margin is each order's


async def _read_kucoin(client: Client, symbol: str, wanted: AccountSettings) -> Terms:
    named = {"symbol": client.exchange.market_id(symbol)}
    margin = inside(client, await ask(client, "futuresPrivateGetPositionGetMarginMode", named), "data")
    mode = inside(client, await ask(client, "futuresPrivateGetPositionGetPositionMode"), "data")
    leverage = None
    if wanted.margin_mode is MarginMode.CROSS:
        cross = await ask(client, "futuresPrivateGetGetCrossUserLeverage", named)
        leverage = decimal(inside(client, cross, "data", "leverage"))
    return Terms(
        leverage=leverage,
        margin=MarginMode.CROSS if margin["marginMode"] == "CROSS" else MarginMode.ISOLATED,
        position=_position_mode(str(mode["positionMode"]) == "1"),
    )


async def _write_kucoin(client: Client, symbol: str, wanted: AccountSettings, there: Terms) -> None:
    if there.margin is not wanted.margin_mode:
        await _set(client, "set_margin_mode", wanted.margin_mode.value, symbol)
    if there.leverage not in (None, wanted.leverage):
        named = {"symbol": client.exchange.market_id(symbol), "leverage": text(plain(wanted.leverage))}
        await _set(client, "futuresPrivatePostChangeCrossUserLeverage", named)


Read = Callable[[Client, str, AccountSettings], Awaitable[Terms]]
Write = Callable[[Client, str, AccountSettings, Terms], Awaitable[None]]

_TERMS: dict[str, tuple[Read, Write]] = {
    "binance": (_read_binance, _write_binance),
    "bybit": (_read_bybit, _write_bybit),
    "okx": (_read_okx, _write_okx),
    "kucoin": (_read_kucoin, _write_kucoin),
}
