"""Bybit's account routes: the key's rights, the wallet, positions, leverage and modes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.exchanges.bybit_orders import OrderRoutes
from tests.exchanges.server import Asked, Body, route, wire
from tests.exchanges.venue import Account, Position, Refused, Venue, Why

_MARGIN = {"ISOLATED_MARGIN": "isolated", "REGULAR_MARGIN": "cross"}


class AccountRoutes(OrderRoutes):
    @route("GET", "/v5/user/query-api", "key", private=True, ip=1, reads=1)
    def key_rights(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        if venue.mode == "demo":
            raise self.fail(10032, "Demo trading are not supported.")
        transfers = ["Withdraw"] if account.withdraw else []
        return {
            "id": str(account.number),
            "note": "engine",
            "apiKey": account.keys.api_key,
            "readOnly": 0 if account.trade else 1,
            "secret": "",
            "permissions": {
                "ContractTrade": ["Order", "Position"] if account.trade and account.futures else [],
                "Spot": ["SpotTrade"] if account.trade else [],
                "Wallet": transfers,
                "Options": [],
                "Derivatives": ["DerivativesTrade"] if account.futures else [],
                "CopyTrading": [],
                "BlockTrade": [],
                "Exchange": [],
                "NFT": [],
                "Affiliate": [],
                "Earn": [],
            },
            "ips": list(account.ips) or ["*"],
            "type": 1,
            "deadlineDay": 90,
            "expiredAt": _expiry(account, self.now_ms()),
            "createdAt": "2026-01-01T00:00:00Z",
            "unified": 0,
            "uta": int(account.unified),
            "userID": account.number,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": "",
            "isMaster": True,
            "parentUid": "0",
            "kycLevel": "LEVEL_1",
            "kycRegion": "",
        }

    @route("GET", "/v5/asset/coin/query-info", "other", private=True, ip=1, reads=1)
    def coins(self, asked: Asked) -> Body:
        names = sorted({"USDT"} | {each.rules.base for each in self.listings.values() if not each.swap})
        chain = {
            "chainType": "Chain",
            "confirmation": "1",
            "withdrawFee": "1",
            "depositMin": "0",
            "withdrawMin": "1",
            "chainDeposit": "1",
            "chainWithdraw": "1",
            "minAccuracy": "8",
            "withdrawPercentageFee": "0",
        }
        rows = [
            {
                "name": name,
                "coin": name,
                "remainAmount": "1000000",
                "chains": [{"chain": name} | chain],
            }
            for name in names
        ]
        return {"rows": rows}

    @route("GET", "/v5/account/info", "other", private=True, ip=1, reads=1)
    def info(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        names = {mode: name for name, mode in _MARGIN.items()}
        return {
            "marginMode": names[venue.margin_mode(account, "*")],
            "updatedTime": str(account.opened_ms),
            "unifiedMarginStatus": 6,
            "dcpStatus": "OFF",
            "timeWindow": 0,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }

    @route("GET", "/v5/account/wallet-balance", "balance", private=True, ip=1, reads=1)
    def balance(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        return {"list": [wallet(venue, account, tuple(account.wallet()))]}

    @route("GET", "/v5/position/list", "positions", private=True, ip=1, reads=1)
    def positions(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        params, rows = asked.params, []
        if "symbol" in params:
            listing = self.market(params)
            sides = ("long", "short") if account.hedge else ("both",)
            held = [
                account.positions.get((listing.symbol, side)) or Position(listing, side) for side in sides
            ]
            rows = [position(venue, account, each) for each in held]
        elif "settleCoin" not in params:
            raise Refused(
                Why.PARAMETER, "Missing some parameters that must be filled in, symbol or settleCoin"
            )
        else:
            found = [each for each in account.positions.values() if each.quantity]
            rows = [position(venue, account, each) for each in found]
        return {"category": params["category"], "list": rows, "nextPageCursor": ""}

    @route("POST", "/v5/position/set-leverage", "leverage", private=True, needs="trade", ip=1, reads=1)
    def set_leverage(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        listing, leverage = self.market(asked.params), Decimal(asked.params["buyLeverage"])
        if venue.leverage(account, listing.symbol) == leverage:
            raise Refused(Why.UNCHANGED)
        venue.set_leverage(account, listing.symbol, leverage)
        return {}

    @route("POST", "/v5/account/set-margin-mode", "margin_mode", private=True, needs="trade", ip=1, reads=1)
    def set_margin_mode(self, asked: Asked) -> Body:
        _, account = self.here(asked)
        account.margin_mode["*"] = _MARGIN[asked.params["setMarginMode"]]
        return {"reasons": []}

    @route("POST", "/v5/position/switch-mode", "position_mode", private=True, needs="trade", ip=1, reads=1)
    def set_position_mode(self, asked: Asked) -> Body:
        venue, account = self.here(asked)
        venue.set_hedge(account, asked.params["mode"] == "3")
        return {}

    @route("GET", "/v5/account/fee-rate", "other", private=True, ip=1, reads=1)
    def fees(self, asked: Asked) -> Body:
        rules = self.market(asked.params).rules
        taker, maker = wire(rules.taker_fee_percent / 100), wire(rules.maker_fee_percent / 100)
        row = {"symbol": asked.params["symbol"], "takerFeeRate": taker, "makerFeeRate": maker}
        return {"category": asked.params["category"], "list": [row]}


def wallet(venue: Venue, account: Account, currencies: tuple[str, ...]) -> dict[str, Any]:
    """Return the unified wallet. What may be withdrawn is not said any more: an empty text."""
    rows = []
    for currency in currencies:
        held = account.wallet()[currency]
        margins = [each.margin for each in account.positions.values()] if currency == "USDT" else []
        in_positions = sum(margins, Decimal(0))
        in_orders = account.reserved(currency) - in_positions
        on_spot = any(not order.listing.swap for order in account.open_orders)
        profit = sum((_profit(venue, each) for each in account.positions.values()), Decimal(0))
        unrealized = profit if currency == "USDT" else Decimal(0)
        rows.append(
            {
                "coin": currency,
                "equity": wire(held + unrealized),
                "usdValue": wire(held),
                "walletBalance": wire(held),
                "locked": wire(in_orders) if on_spot else "0",
                "availableToWithdraw": "",
                "availableToBorrow": "",
                "borrowAmount": "0",
                "accruedInterest": "0",
                "totalOrderIM": "0" if on_spot else wire(in_orders),
                "totalPositionIM": wire(in_positions.quantize(Decimal("1e-8"))),
                "totalPositionMM": "0",
                "unrealisedPnl": wire(unrealized),
                "cumRealisedPnl": "0",
                "bonus": "0",
                "collateralSwitch": True,
                "marginCollateral": True,
            }
        )
    usdt = wire(account.wallet()["USDT"])
    return {
        "accountIMRate": "0",
        "accountMMRate": "0",
        "totalEquity": usdt,
        "totalWalletBalance": usdt,
        "totalMarginBalance": usdt,
        "totalAvailableBalance": wire(account.free("USDT").quantize(Decimal("1e-8"))),
        "totalPerpUPL": "0",
        "totalInitialMargin": "0",
        "totalMaintenanceMargin": "0",
        "coin": rows,
        "accountType": "UNIFIED",
        "accountLTV": "0",
    }


def _profit(venue: Venue, held: Position) -> Decimal:
    quote = venue.quotes.get(held.listing.symbol)
    return held.profit(quote.last) if quote else Decimal(0)


def position(venue: Venue, account: Account, held: Position) -> dict[str, Any]:
    """Return a position; an empty one has no side."""
    symbol = held.listing.symbol
    mark = venue.quotes[symbol].last if symbol in venue.quotes else Decimal(0)
    side = "" if not held.quantity else ("Buy" if held.quantity > 0 else "Sell")
    margin = wire(held.margin.quantize(Decimal("1e-8")))
    return {
        "positionIdx": {"both": 0, "long": 1, "short": 2}[held.side],
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": held.listing.native,
        "side": side,
        "size": wire(abs(held.quantity)),
        "avgPrice": wire(held.entry.quantize(Decimal("1e-8"))),
        "positionValue": wire(held.cost) if held.quantity else "",
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 0,
        "leverage": wire(venue.leverage(account, symbol)),
        "positionBalance": margin,
        "markPrice": wire(mark),
        "liqPrice": "",
        "bustPrice": "",
        "positionMM": "0",
        "positionIM": margin,
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "unrealisedPnl": wire(held.profit(mark)) if held.quantity else "",
        "curRealisedPnl": wire(held.realized),
        "cumRealisedPnl": wire(held.realized),
        "seq": held.updated_ms,
        "isReduceOnly": False,
        "createdTime": str(held.opened_ms),
        "updatedTime": str(held.updated_ms),
        "sessionAvgPrice": "",
    }


def _expiry(account: Account, now_ms: int) -> str:
    at_ms = account.expires_at_ms or now_ms + 90 * 86_400_000
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
