"""OKX's account routes: configuration, balance, positions, leverage and modes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.exchanges.okx_orders import OkxOrders, in_contracts, leverage
from tests.exchanges.server import Asked, Body, route, wire
from tests.exchanges.venue import Account, Position, Refused, Venue, Why


class OkxAccount(OkxOrders):
    @route("GET", "/api/v5/account/config", "key", private=True, reads=1)
    def config(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        rights = ["read_only"]
        rights += ["trade"] if account.trade else []
        rights += ["withdraw"] if account.withdraw else []
        return [
            {
                "uid": str(account.number),
                "mainUid": str(account.number),
                "acctLv": "2" if account.futures else "1",
                "posMode": "long_short_mode" if account.hedge else "net_mode",
                "autoLoan": False,
                "greeksType": "PA",
                "level": "Lv1",
                "levelTmp": "",
                "ctIsoMode": "automatic",
                "mgnIsoMode": "automatic",
                "spotOffsetType": "",
                "roleType": "0",
                "traderInsts": [],
                "spotRoleType": "0",
                "opAuth": "0",
                "kycLv": "2",
                "label": "engine",
                "ip": ",".join(account.ips),
                "perm": ",".join(rights),
                "enableSpotBorrow": False,
                "acctStpMode": "cancel_maker",
            }
        ]

    @route("GET", "/api/v5/account/balance", "balance", private=True, reads=1)
    def balance(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        return [wallet(venue, account)]

    @route("GET", "/api/v5/account/positions", "positions", private=True, reads=1)
    def positions(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        wanted = asked.params.get("instId", "")
        return [
            position(venue, account, each)
            for each in account.positions.values()
            if each.quantity and (not wanted or each.listing.native in wanted.split(","))
        ]

    @route("POST", "/api/v5/account/set-leverage", "leverage", private=True, needs="trade", reads=1)
    def set_leverage(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        listing = self.market(asked.params["instId"])
        wanted, mode = Decimal(asked.params["lever"]), asked.params["mgnMode"]
        if not 1 <= wanted <= listing.rules.max_leverage:
            raise Refused(Why.LEVERAGE)
        account.leverage[f"{listing.symbol}/{mode}"] = wanted
        account.leverage[listing.symbol] = wanted
        for held in account.positions.values():
            if held.listing is listing and held.margin_mode == mode:
                held.leverage = wanted
        side = asked.params.get("posSide", "net" if mode == "isolated" else "")
        return [{"instId": listing.native, "lever": wire(wanted), "mgnMode": mode, "posSide": side}]

    @route("GET", "/api/v5/account/leverage-info", "other", private=True, reads=1)
    def leverage_info(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        listing, mode = self.market(asked.params["instId"]), asked.params["mgnMode"]
        sides = ("long", "short") if account.hedge else ("net",)
        lever = wire(leverage(venue, account, listing, mode))
        row = {"ccy": "", "instId": listing.native, "mgnMode": mode, "lever": lever}
        return [row | {"posSide": side} for side in sides]

    @route("POST", "/api/v5/account/set-position-mode", "position_mode", private=True, needs="trade", reads=1)
    def set_position_mode(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        hedge = asked.params["posMode"] == "long_short_mode"
        if hedge != account.hedge:
            venue.set_hedge(account, hedge)
        return [{"posMode": asked.params["posMode"]}]

    @route("GET", "/api/v5/account/trade-fee", "other", private=True, reads=1)
    def fees(self, asked: Asked) -> Body:
        return [{"category": "1", "level": "Lv1", "maker": "-0.0008", "taker": "-0.001", "ts": "0"}]


def wallet(venue: Venue, account: Account) -> dict[str, Any]:
    now = str(venue.now_ms())
    details = []
    for currency, held in account.wallet().items():
        free = account.free(currency)
        profit = Decimal(0)
        if currency == "USDT":
            profit = sum((_profit(venue, each) for each in account.positions.values()), Decimal(0))
        free_text = wire(free.quantize(Decimal("1e-8")))
        details.append(
            {
                "ccy": currency,
                "eq": wire(held + profit),
                "cashBal": wire(held),
                "uTime": now,
                "isoEq": "0",
                # Only accounts that can trade perpetuals have an available equity.
                "availEq": free_text if account.futures else "",
                "disEq": wire(held),
                "fixedBal": "0",
                "availBal": free_text,
                "frozenBal": wire((held - free).quantize(Decimal("1e-8"))),
                "ordFrozen": wire((held - free).quantize(Decimal("1e-8"))),
                "liab": "",
                "upl": wire(profit),
                "uplLiab": "",
                "crossLiab": "",
                "isoLiab": "",
                "mgnRatio": "",
                "interest": "",
                "twap": "0",
                "maxLoan": "",
                "eqUsd": wire(held),
                "borrowFroz": "",
                "notionalLever": "0",
                "stgyEq": "0",
                "isoUpl": "0",
                "spotInUseAmt": "",
                "clSpotInUseAmt": "",
                "maxSpotInUse": "",
            }
        )
    return {
        "adjEq": "",
        "borrowFroz": "",
        "details": details,
        "imr": "",
        "isoEq": "0",
        "mgnRatio": "",
        "mmr": "",
        "notionalUsd": "",
        "ordFroz": "",
        "totalEq": wire(account.wallet()["USDT"]),
        "uTime": now,
        "upl": "",
    }


def _profit(venue: Venue, held: Position) -> Decimal:
    quote = venue.quotes.get(held.listing.symbol)
    return held.profit(quote.last) if quote else Decimal(0)


def position(venue: Venue, account: Account, held: Position) -> dict[str, Any]:
    """Return a position; what is short is negative where positions are netted."""
    rules, listing = held.listing.rules, held.listing
    mark = venue.quotes[listing.symbol].last
    size = held.quantity if held.side == "both" else abs(held.quantity)
    margin = wire(held.margin.quantize(Decimal("1e-8")))
    return {
        "adl": "1",
        "availPos": in_contracts(listing, abs(held.quantity)),
        "avgPx": wire(held.entry.quantize(Decimal("1e-8"))),
        "cTime": str(held.opened_ms),
        "ccy": rules.quote,
        "deltaBS": "",
        "imr": margin if held.margin_mode == "cross" else "",
        "instId": listing.native,
        "instType": "SWAP",
        "interest": "0",
        "last": wire(mark),
        "lever": wire(leverage(venue, account, listing, held.margin_mode)),
        "liab": "",
        "liabCcy": "",
        "liqPx": "",
        "margin": margin if held.margin_mode == "isolated" else "",
        "markPx": wire(mark),
        "mgnMode": held.margin_mode,
        "mgnRatio": "100",
        "mmr": "0",
        "notionalUsd": wire(abs(held.quantity) * mark),
        "optVal": "",
        "pos": in_contracts(listing, size),
        "posCcy": "",
        "posId": str(1_000_000 + held.opened_ms),
        "posSide": {"both": "net"}.get(held.side, held.side),
        "realizedPnl": wire(held.realized),
        "tradeId": "",
        "uTime": str(held.updated_ms),
        "upl": wire(held.profit(mark)),
        "uplRatio": "0",
        "usdPx": "1",
    }
