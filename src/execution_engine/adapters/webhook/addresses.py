"""Where a request comes from. A header is believed only when the direct peer is a trusted proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from multidict import CIMultiDictProxy

from execution_engine.domain.senders import spelled_out
from execution_engine.domain.settings import ProxyHeader

Address = IPv4Address | IPv6Address

_FORWARDING = frozenset(
    ["forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "cf-ray"]
)


def client_address(
    peer: str,
    headers: CIMultiDictProxy[str],
    proxies: Sequence[str],
    header: ProxyHeader = ProxyHeader.AUTO,
) -> str:
    """Return the address of whoever sent the request, as far as it can be known.

    Every proxy appends the peer that it saw to X-Forwarded-For, so the rightmost address that is no trusted
    proxy is the true one and everything left of it may be forged. Unless it was chosen, CF-Connecting-IP counts
    only without that header: Cloudflare sets both alike, and other tunnels let a client's own one pass.
    """
    if not _is_in(peer, proxies):
        return _plain(peer)
    hops: list[str] = []
    if header is not ProxyHeader.CF_CONNECTING_IP:
        hops = [hop.strip() for line in headers.getall("X-Forwarded-For", ()) for hop in line.split(",")]
    if not hops and header is not ProxyHeader.X_FORWARDED_FOR:
        hops = [headers.get("CF-Connecting-IP", "").strip()]
    for hop in reversed(hops):
        address = _parsed(hop)
        if address is None:
            break
        if not _is_in(str(address), proxies):
            return str(address)
    return _plain(peer)


def may_send(address: str, allowlist: Sequence[str]) -> bool:
    """Say whether an address is on the list; an empty list lets everybody in."""
    return not allowlist or _is_in(address, allowlist)


def is_forwarded(headers: Mapping[str, str]) -> bool:
    """Say whether a request came through a tunnel or a proxy, by its own account."""
    names = [name.lower() for name in headers]
    return any(name in _FORWARDING or name.startswith("x-forwarded-") for name in names)


def is_local(peer: str, headers: Mapping[str, str]) -> bool:
    """Say whether a program on this machine asks by itself and not through a tunnel or a proxy."""
    address = _parsed(peer)
    return address is not None and address.is_loopback and not is_forwarded(headers)


def _is_in(address: str, networks: Sequence[str]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in _networks(tuple(networks)))


@lru_cache(maxsize=16)
def _networks(entries: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(entry, strict=False) for entry in spelled_out(entries))


def _plain(address: str) -> str:
    parsed = _parsed(address)
    return address if parsed is None else str(parsed)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Address | None:
    """Read an address; an IPv4 one that a dual socket shows as IPv6 becomes IPv4 again."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
