"""How most dialects spread what happens over their sockets: quotes to many, private events to their owner."""

from __future__ import annotations

import itertools

from tests.exchanges.listing import Listing
from tests.exchanges.server import LocalExchange
from tests.exchanges.streams import Socket
from tests.exchanges.venue import Happened, Quote, Venue


class UsualStreams(LocalExchange):
    """A dialect says how a quote, a print and a private event look; this finds who hears them."""

    def __init__(self) -> None:
        super().__init__()
        self._prints = itertools.count(5_000_001)

    def next_print(self) -> int:
        return next(self._prints)

    def quotes_for(self, socket: Socket) -> Venue:
        """Return the venue whose prices a socket shows."""
        return socket.venue

    def tell_quote(self, socket: Socket, listing: Listing, quote: Quote, topics: set[str]) -> None:
        raise NotImplementedError

    def tell_print(self, socket: Socket, listing: Listing, quote: Quote) -> None:
        raise NotImplementedError

    def tell_private(self, socket: Socket, happened: Happened) -> None:
        raise NotImplementedError

    def tell_all_quotes(self, socket: Socket, topics: set[str]) -> None:
        """Send what is known to somebody who has just subscribed."""
        for symbol, quote in self.quotes_for(socket).quotes.items():
            if symbol in self.listings:
                self.tell_quote(socket, self.listings[symbol], quote, topics)

    def beat(self) -> None:
        """Say every price again, as markets that trade do all the time."""
        for socket in self.streams.sockets:
            if socket.topics:
                self.tell_all_quotes(socket, set(socket.topics))

    def tell(self, venue: Venue, happened: Happened) -> None:
        assert happened.listing is not None
        for socket in self.streams.sockets:
            if happened.kind in ("quote", "print"):
                if self.quotes_for(socket) is not venue:
                    continue
                quote = venue.quotes[happened.listing.symbol]
                if happened.kind == "quote":
                    self.tell_quote(socket, happened.listing, quote, set(socket.topics))
                else:
                    self.tell_print(socket, happened.listing, quote)
            elif socket.account is happened.account and socket.account is not None:
                self.tell_private(socket, happened)
