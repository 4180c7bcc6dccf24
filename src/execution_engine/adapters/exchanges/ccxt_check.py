"""What keys can do: read, trade, and above all not take money out. A `KeyCheck`.

What could not be read is not taken for fine; what an exchange does not tell is None, and the user confirms it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
from loguru import logger

from execution_engine.adapters.exchanges.catalogue import VENUES, Venue
from execution_engine.adapters.exchanges.ccxt_client import (
    Client,
    Clock,
    NotThere,
    listening,
    open_client,
    refusal,
)
from execution_engine.adapters.exchanges.ccxt_lists import ask, balances, inside, rows
from execution_engine.adapters.exchanges.ccxt_markets import Markets
from execution_engine.adapters.exchanges.translate import CREDENTIALS, SENTENCES, engine_error
from execution_engine.domain.errors import EngineError
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import CheckResult, Keys, nothing_to_check, unreachable
from execution_engine.domain.rows import Account, Mode
from execution_engine.domain.settings import AccountSettings, PositionMode

Terms = Callable[[str], AccountSettings]
MarketsOf = Callable[[Venue, Market, Mode], Markets]

KUCOIN_UNIFIED = (
    "This is a unified trading account, which this application does not trade on KuCoin yet: "
    "make the keys for a classic account."
)


class CcxtKeyCheck:
    """Asks the exchanges. session: the connections. terms: the settings of an account by its name."""

    def __init__(
        self,
        session: Callable[[], aiohttp.ClientSession],
        markets: MarketsOf,
        terms: Terms,
        clock: Clock,
    ) -> None:
        self._session = session
        self._markets = markets
        self._terms = terms
        self._clock = clock

    async def check(self, account: Account, keys: Keys) -> CheckResult:
        """Ask an exchange about keys. Never raises."""
        now = self._clock.now()
        if account.mode is Mode.PAPER:
            return nothing_to_check(now)
        client = None
        venue = VENUES[account.exchange]
        with listening() as heard:
            try:
                client = await open_client(
                    venue, account.market, account.mode, keys, self._session(), self._clock
                )
                return await self._ask(client, account, now)
            except NotThere as error:
                return CheckResult(at=now, problems=(str(error),))
            except Exception as error:
                logger.warning("the keys of {} could not be checked: {}", account.name, str(error)[:2000])
                said = refusal(venue, heard)
                return _failed(account, error, now, refused=bool(said and said.code in venue.credentials))
            finally:
                if client is not None:
                    await client.close()

    async def _ask(self, client: Client, account: Account, now: datetime) -> CheckResult:
        await client.sync_clock()
        await self._markets(client.venue, account.market, account.mode).teach(client, ())
        result = CheckResult(at=now, can_read=True, mode_fits=True)
        if client.venue.name == "kucoin" and await _kucoin_is_unified(client):
            # Asked first: what such an account has is read in another way, and that fails with other words.
            return await _kucoin(client, account, _with(result, KUCOIN_UNIFIED, mode_fits=False))
        await balances(client)
        result = await _RIGHTS[account.exchange](client, account, result)
        if account.market is Market.SWAP:
            result = await self._position_mode(client, account, result)
        return result

    async def _position_mode(self, client: Client, account: Account, result: CheckResult) -> CheckResult:
        hedged = await _HEDGED[account.exchange](client)
        if hedged is None:
            return result
        wanted = self._terms(account.name).position_mode
        if hedged == (wanted is PositionMode.HEDGE):
            return result
        has, asked = ("hedge", "one-way") if hedged else ("one-way", "hedge")
        problem = (
            f"The account is in {has} mode on {client.venue.title}, but the settings ask for {asked} mode."
        )
        return _with(result, problem, mode_fits=False)


def _failed(account: Account, error: Exception, now: datetime, *, refused: bool) -> CheckResult:
    if isinstance(error, EngineError):
        return unreachable(now, str(error))
    code = CREDENTIALS if refused else engine_error(error)
    if code != CREDENTIALS:
        return unreachable(now, SENTENCES[code])
    others = [mode for (kind, mode) in VENUES[account.exchange].places if kind is account.market]
    named = ", ".join(mode.value for mode in others if mode is not account.mode)
    other = f"These keys are not of this mode: were they made for another one ({named})?"
    problems = (SENTENCES[CREDENTIALS], *((other,) if named else ()))
    return CheckResult(at=now, mode_fits=True, problems=problems)


def _with(result: CheckResult, *problems: str, **changes: Any) -> CheckResult:
    return replace(result, problems=(*result.problems, *problems), **changes)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


# Rights, per exchange


async def _binance(client: Client, account: Account, result: CheckResult) -> CheckResult:
    """Ask production for the rights; the test modes have no such call, and nothing to take out."""
    if account.mode is not Mode.LIVE:
        return replace(result, can_trade=await _binance_trades(client, account), can_withdraw=False)
    rights = await ask(client, "sapiGetAccountApiRestrictions")
    for name in ("enableReading", "enableWithdrawals"):
        inside(client, rights, name)
    takes = ("enableWithdrawals", "enableInternalTransfer", "permitsUniversalTransfer")
    trades = "enableFutures" if account.market is Market.SWAP else "enableSpotAndMarginTrading"
    until = rights.get("tradingAuthorityExpirationTime")
    return replace(
        result,
        can_trade=bool(rights.get(trades)),
        can_withdraw=any(rights.get(name) for name in takes),
        ip_bound=bool(rights.get("ipRestrict")),
        expires_at=_time(int(until)) if until else None,
    )


async def _binance_trades(client: Client, account: Account) -> bool:
    if account.market is Market.SPOT:
        return bool(inside(client, await ask(client, "privateGetAccount"), "canTrade"))
    return True  # the balance was read; without the right to futures that fails


async def _bybit(client: Client, account: Account, result: CheckResult) -> CheckResult:
    if account.mode is Mode.DEMO:  # the call is not there; the keys come from production and reach only here
        return replace(result, can_trade=True, can_withdraw=False)
    about = inside(client, await ask(client, "privateGetV5UserQueryApi"), "result")
    rights = inside(client, about, "permissions")
    wallet = {str(right).lower() for right in rights.get("Wallet") or ()}
    trade = rights.get("Spot" if account.market is Market.SPOT else "ContractTrade") or ()
    read_only = str(about.get("readOnly")) == "1"
    ips = [ip for ip in about.get("ips") or () if ip != "*"]
    until = about.get("expiredAt")
    result = replace(
        result,
        can_trade=bool(trade) and not read_only,
        can_withdraw=any("withdraw" in right or "transfer" in right for right in wallet),
        ip_bound=bool(ips),
        expires_at=datetime.fromisoformat(until) if until and not ips else None,
    )
    if str(about.get("uta", "1")) == "0":
        return _with(result, "This is no unified trading account; change it on Bybit first.", mode_fits=False)
    return result


async def _okx(client: Client, account: Account, result: CheckResult) -> CheckResult:
    config = rows(client, await ask(client, "privateGetAccountConfig"), "data")[0]
    rights = {right.strip() for right in str(inside(client, config, "perm")).split(",")}
    result = replace(
        result,
        can_trade="trade" in rights,
        can_withdraw="withdraw" in rights,
        ip_bound=bool(config.get("ip")),
    )
    if account.market is Market.SWAP and str(config.get("acctLv")) == "1":
        problem = "The account's mode on OKX is `spot`: perpetuals need one of the futures modes."
        return _with(result, problem, mode_fits=False)
    return result


async def _kucoin(client: Client, account: Account, result: CheckResult) -> CheckResult:
    about = inside(client, await ask(client, "privateGetUserApiKey"), "data")
    rights = {right.strip().lower() for right in str(inside(client, about, "permission")).split(",")}
    return replace(
        result,
        can_trade=("futures" if account.market is Market.SWAP else "spot") in rights or "trade" in rights,
        can_withdraw=any("withdraw" in right or "transfer" in right for right in rights),
        ip_bound=bool(about.get("ipWhitelist")),
    )


async def _kucoin_is_unified(client: Client) -> bool:
    mode = await ask(client, "utaPrivateGetAccountMode")
    return str(inside(client, mode, "data", "selfAccountMode")) == "UNIFIED"


_RIGHTS: dict[str, Callable[[Client, Account, CheckResult], Awaitable[CheckResult]]] = {
    "binance": _binance,
    "bybit": _bybit,
    "okx": _okx,
    "kucoin": _kucoin,
}


# One-way or hedge, per exchange; None where only a symbol has it


async def _binance_hedged(client: Client) -> bool | None:
    return bool(inside(client, await ask(client, "fapiPrivateGetPositionSideDual"), "dualSidePosition"))


async def _bybit_hedged(client: Client) -> bool | None:
    return None


async def _okx_hedged(client: Client) -> bool | None:
    config = rows(client, await ask(client, "privateGetAccountConfig"), "data")[0]
    return bool(inside(client, config, "posMode") == "long_short_mode")


async def _kucoin_hedged(client: Client) -> bool | None:
    said = await ask(client, "futuresPrivateGetPositionGetPositionMode")
    return str(inside(client, said, "data", "positionMode")) == "1"


_HEDGED: dict[str, Callable[[Client], Awaitable[bool | None]]] = {
    "binance": _binance_hedged,
    "bybit": _bybit_hedged,
    "okx": _okx_hedged,
    "kucoin": _kucoin_hedged,
}
