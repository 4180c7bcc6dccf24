"""What the last words of each program mean for the user; the first pattern that a line holds counts."""

from __future__ import annotations

import re
from collections.abc import Sequence

COMPLAINTS: dict[str, tuple[tuple[str, str], ...]] = {
    "cloudflared": (
        (
            r"429 Too Many Requests|error code: 1015",
            "Cloudflare gives no new quick tunnel now: too many were asked for.",
        ),
        (
            r"failed to request quick tunnel|Error unmarshaling QuickTunnel|dial tcp.*trycloudflare",
            "Cloudflare cannot be reached; is this machine online?",
        ),
        (
            r"credentials file|tunnel.*not found|cert\.pem|origin certificate",
            "cloudflared knows no such tunnel here. Run “cloudflared tunnel login” and create it, or leave "
            "tunnel.name empty for a quick tunnel.",
        ),
        (
            r"failed to (dial|connect).*(edge|quic)",
            "cloudflared does not get through to Cloudflare; a firewall may block it.",
        ),
    ),
    "ngrok": (
        (
            r"ERR_NGROK_(4018|105|107)\b",
            "ngrok needs an account. Get its token at dashboard.ngrok.com and run “ngrok config add-authtoken TOKEN”.",
        ),
        (r"ERR_NGROK_108\b", "ngrok runs elsewhere already: an account without a plan may run it once."),
        (r"ERR_NGROK_334\b", "This ngrok address is in use by another agent; end that one first."),
        (
            r"ERR_NGROK_(314|319|320)\b",
            "This host name does not belong to the ngrok account; choose one of its domains.",
        ),
        (r"ERR_NGROK_(120|121)\b", "This ngrok is too old; run “ngrok update”."),
        (
            r"failed to (dial|fetch)|no such host|ERR_NGROK_8012",
            "ngrok cannot be reached; is this machine online?",
        ),
    ),
    "tailscale": (
        (
            r"logged out|not logged in|NeedsLogin|tailscale (up|login)\b",
            "Tailscale is not signed in; run “tailscale up”.",
        ),
        (
            r"funnel.*(not (available|enabled)|nodeAttr)|enable funnel|to enable,? visit",
            "Funnel is not switched on for this machine; do so at {address}.",
        ),
        (
            r"access denied|--operator|permission denied",
            "Tailscale lets only its operator do this; run “sudo tailscale set --operator=$USER”.",
        ),
        (
            r"failed to connect to local tailscaled?|is tailscaled? running|isn't running",
            "The Tailscale service does not run; start it.",
        ),
        (
            r"foreground (listener|config).*already|already in use",
            "Something else uses this machine's funnel; end it with “tailscale funnel reset”.",
        ),
        (
            r"HTTPS.*(not enabled|disabled)|certificate",
            "HTTPS certificates are not switched on for this tailnet; do so at {address}.",
        ),
    ),
}


def meaning(program: str, lines: Sequence[str]) -> str | None:
    """Say in a sentence what the newest line that is known means; nothing where none of them is."""
    for number, line in reversed(list(enumerate(lines))):
        for pattern, sentence in COMPLAINTS[program]:
            if re.search(pattern, line, re.IGNORECASE):
                # The web page often stands on a line of its own.
                address = re.search(r"https://\S+", " ".join(lines[number : number + 4]))
                return sentence.replace("{address}", address[0].rstrip(".,") if address else "its web page")
    return None
