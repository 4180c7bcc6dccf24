"""What the settings schema says of each setting, in the language of the window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from execution_engine.domain import schema
from execution_engine.domain.schema import Setting
from execution_engine.ui.tongue import tr


@cache
def settings() -> tuple[Setting, ...]:
    """Return every setting that has a fixed path, in the order of the document."""
    return tuple(_spoken(each) for each in schema.settings())


@cache
def of_account(name: str) -> tuple[Setting, ...]:
    """Return the settings of one account."""
    return tuple(_spoken(each) for each in schema.of_account(name))


def section(name: str) -> tuple[Setting, ...]:
    """Return the settings of one section."""
    return tuple(each for each in settings() if each.section == name)


@cache
def by_path() -> Mapping[str, Setting]:
    return {each.path: each for each in settings()}


def heading(section: str) -> tuple[str, str]:
    """Return the title of a section and a sentence about it."""
    title, sentence = schema.SECTIONS.get(section, (schema.title_of(section), ""))
    return tr(title), tr(sentence) if sentence else ""


def _spoken(setting: Setting) -> Setting:
    """Return a setting with its title, its help and its choices in the language of the window."""
    return replace(
        setting,
        title=tr(setting.title),
        help=tr(setting.help) if setting.help else "",
        choices=tuple((value, tr(word)) for value, word in setting.choices),
    )
