"""The kinds of targets that are asked for field by field, and how their addresses are put together.

The addresses are those of apprise; whatever else it speaks to is entered as one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One field. example: stands in it while it is empty. secret: it is hidden as it is typed."""

    key: str
    title: str
    example: str = ""
    secret: bool = False
    needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of target. hint: where the user finds what is asked."""

    key: str
    title: str
    fields: tuple[Asked, ...]
    hint: str
    build: Callable[[Values], str]

    def missing(self, values: Values) -> str:
        """Return the title of the first field that is needed and empty."""
        return next((each.title for each in self.fields if each.needed and not values.get(each.key)), "")


def _telegram(values: Values) -> str:
    return f"tgram://{values['token']}/{values['chat']}"


def _as_given(values: Values) -> str:
    return values["address"]


def _mail(values: Values) -> str:
    server, _, port = values["server"].partition(":")
    login = f"{quote(values['user'], safe='')}:{quote(values['password'], safe='')}"
    mode = "ssl" if port == "465" else "starttls"
    wanted = {"from": values.get("from") or values["user"], "to": values["to"], "mode": mode}
    return f"mailtos://{login}@{server}:{port or '587'}?{urlencode(wanted)}"


def _webhook(values: Values) -> str:
    """Turn `https://…` into the address of a place that takes JSON."""
    scheme, _, rest = values["address"].partition("://")
    return f"{'json' if scheme.lower() == 'http' else 'jsons'}://{rest}"


KINDS = (
    Kind(
        key="telegram",
        title="Telegram",
        fields=(
            Asked(key="token", title="Bot token", example="123456789:AA…", secret=True),
            Asked(key="chat", title="Chat id", example="987654321"),
        ),
        hint="@BotFather makes a bot and gives its token; write to the bot once, and @userinfobot tells your id.",
        build=_telegram,
    ),
    Kind(
        key="discord",
        title="Discord",
        fields=(
            Asked(
                key="address",
                title="Webhook URL",
                example="https://discord.com/api/webhooks/…",
                secret=True,
            ),
        ),
        hint="Channel settings, Integrations, Webhooks, Copy webhook URL.",
        build=_as_given,
    ),
    Kind(
        key="mail",
        title="E-mail",
        fields=(
            Asked(key="server", title="Server", example="smtp.example.com:587"),
            Asked(key="user", title="User", example="me@example.com"),
            Asked(key="password", title="Password", secret=True),
            Asked(key="from", title="From", example="as the user", needed=False),
            Asked(key="to", title="To", example="me@example.com"),
        ),
        hint="Many providers want an app password here. Port 465 is TLS from the start, others begin it.",
        build=_mail,
    ),
    Kind(
        key="webhook",
        title="Webhook",
        fields=(Asked(key="address", title="URL", example="https://example.com/hook", secret=True),),
        hint="It is sent a JSON object with title, message and type.",
        build=_webhook,
    ),
    Kind(
        key="other",
        title="Other",
        fields=(Asked(key="address", title="Address", example="pover://user@token", secret=True),),
        hint="Any address of apprise: Slack, Pushover, ntfy, Gotify, Matrix, Signal and some hundred more.",
        build=_as_given,
    ),
)
