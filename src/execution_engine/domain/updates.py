"""New versions: what a release document says, and whether it may be believed and offered.

The document is signed and was checked before it comes here; what is left to doubt is its age. A document that
names an older version than one that was seen already is an old one that somebody shows again, to keep back a
newer one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from execution_engine.domain.errors import Refusal

APPLICATION = "execution-engine"
_VERSION = re.compile(
    r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)

# A part of what comes after the dash: numbers before words, each in its own order (semver.org, 11.4).
_Part = tuple[int, int, str]
_RELEASED: tuple[_Part, ...] = ((2, 0, ""),)  # after everything that only leads to it


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version by semver.org: `0.2.0`, or `0.2.0-rc.1`, which comes before it."""

    numbers: tuple[int, int, int]
    leads_to: tuple[_Part, ...] = _RELEASED

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read a version. Raises ValueError with a sentence."""
        found = _VERSION.fullmatch(text)
        if found is None:
            raise ValueError(f"“{text[:40]}” is no version, as 0.2.0")
        major, minor, patch, tail = found.groups()
        leads_to = tuple(_part(each) for each in tail.split(".")) if tail else _RELEASED
        return cls((int(major), int(minor), int(patch)), leads_to)

    def __str__(self) -> str:
        numbers = ".".join(map(str, self.numbers))
        if self.leads_to == _RELEASED:
            return numbers
        return f"{numbers}-" + ".".join(word or str(number) for _, number, word in self.leads_to)


def _part(text: str) -> _Part:
    return (0, int(text), "") if text.isascii() and text.isdigit() else (1, 0, text)


def _is_version(text: str) -> str:
    Version.parse(text)
    return text


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)  # later versions may say more


class System(StrEnum):
    WINDOWS = "windows"
    MACOS = "macos"
    LINUX = "linux"


# A link that is clicked: nothing but the web, and nothing that a terminal or a dialog would show as another one.
Link = Annotated[str, Field(max_length=2000, pattern=r"^https://[A-Za-z0-9.-]+(:\d{1,5})?/[!-~]*$")]


class Download(_Told):
    """One file of a release."""

    system: System
    machine: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,20}$")]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,120}$")]
    url: Link
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=1, le=10**11)]


class Release(_Told):
    """One release, as its document describes it. notes: what is new, as the changelog says it."""

    format: Literal[1]
    application: Literal["execution-engine"]
    version: Annotated[str, AfterValidator(_is_version)]
    published: datetime
    notes: Annotated[str, Field(max_length=100_000)]
    page: Link
    files: Annotated[tuple[Download, ...], Field(max_length=50)]

    def download(self, system: str, machine: str) -> Download | None:
        """Return the file for a computer; None if there is none."""
        return next((each for each in self.files if (each.system, each.machine) == (system, machine)), None)


def read(document: bytes) -> Release | Refusal:
    """Read a release document whose signature was found good."""
    try:
        return Release.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        return Refusal(
            "RELEASE_UNREADABLE", f"The release document is not understood: {where}: {first['msg']}."
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """A version that may be installed. download: None where there is no file for this computer.

    asks: positions are open; the user has to say that they want it all the same.
    """

    release: Release
    download: Download | None
    open_groups: int
    asks: bool


@dataclass(frozen=True, slots=True)
class UpToDate:
    """There is nothing newer."""

    version: str


def judge(
    release: Release,
    *,
    here: str,
    seen: str | None,
    system: str,
    machine: str,
    open_groups: int,
    while_open: bool,
) -> Offer | UpToDate | Refusal:
    """Decide what follows from a release document.

    here: the version that runs. seen: the newest that a document ever named. while_open: the user wants to be
    offered new versions whatever is open.
    """
    found, ours = Version.parse(release.version), Version.parse(here)
    if seen is not None and found < Version.parse(seen):
        return Refusal(
            "RELEASE_OLD",
            f"The release document names {release.version}, but {seen} was seen before. Somebody shows an old one, "
            "or that version was taken back; nothing is offered.",
        )
    if found < ours:
        return Refusal(
            "RELEASE_OLDER",
            f"The release document names {release.version}; {here} runs here. Older ones are not offered.",
        )
    if found == ours:
        return UpToDate(here)
    return Offer(
        release,
        release.download(system, machine),
        open_groups,
        asks=open_groups > 0 and not while_open,
    )
