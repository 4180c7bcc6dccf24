"""The language of the window. Texts stand in the source in English and are looked up here as they are made.

`tr("Close everything…")` is the text in the language that is spoken. Values come in afterwards, by name, so that a
language can move them: `tr("{count} of {all} filled").format(count=…, all=…)`; a noun with its number is
`counted(3, tr("group"), tr("groups"))`. Where one English text means two things, a second argument says which:
`tr("Open", "not closed")`. What names a thing in a file or in the code is made with `later`, stays English, and
goes through `tr` where it is shown.

What the engine writes into the database is English, values and all; `translated` says such a sentence in the language
of the window by the template it was made of.

English needs no catalogue. Another language has to be chosen before the pages are imported, since their tables of
words are made then; that is why the setting counts from the next start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

CONTEXT = "Execution Engine"
ENGLISH, GERMAN = "en", "de"
LANGUAGES: Final = {"english": ENGLISH, "deutsch": GERMAN}  # as the setting names them
SENTENCES = "sentences.json"

FIELD: Final = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
# Where a sentence of several can be cut, the greatest pieces first.
_ENDS = tuple(re.compile(each) for each in (r"((?<=[.!?…]) |\n)", "(; | · )", "(: )", "(, )"))


def wished(choice: str) -> str:
    """Return the language that a choice of the settings means: `system` asks the system."""
    if choice in LANGUAGES:
        return LANGUAGES[choice]
    return GERMAN if QLocale.system().language() is QLocale.Language.German else ENGLISH


def speak(language: str, folder: Path) -> None:
    """Speak a language from now on; one without a catalogue leaves it at English.

    folder: where the catalogues are. Qt's own words, in its menus and buttons, come from Qt.
    """
    global _catalogue, _known
    _looked_up.cache_clear()
    translated.cache_clear()
    _sources.clear()
    _catalogue, _known = None, None
    _speak_qt(ENGLISH)
    catalogue = QTranslator()
    if language == ENGLISH or not catalogue.load(f"execution_engine_{language}", str(folder)):
        return
    _catalogue = catalogue
    _known = _Sentences(json.loads((folder / SENTENCES).read_text("utf-8")))
    _speak_qt(language)


def _speak_qt(language: str) -> None:
    """Let Qt's own words, in menus of text fields and on its buttons, be in a language."""
    global _of_qt
    qt = QCoreApplication.instance()
    if qt is None:
        return
    if _of_qt is not None:
        qt.removeTranslator(_of_qt)
        _of_qt = None
    own = QTranslator()
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if language != ENGLISH and own.load(f"qtbase_{language}", folder):
        qt.installTranslator(own)
        _of_qt = own


def language() -> str:
    """Return the language that is spoken."""
    return ENGLISH if _catalogue is None else _catalogue.language()


def tr(text: str, meaning: str = "") -> str:
    """Return a text in the language that is spoken; the English one where it has no other."""
    return text if _catalogue is None else _looked_up(text, meaning)


def later(text: str) -> str:
    """Note a text that goes through `tr` where it is shown; return it as it is."""
    return text


def source(text: str) -> str:
    """Return the English of what `tr` returned: a name that stays when the language changes."""
    return _sources.get(text, text)


def inline(heading: str) -> str:
    """Return a word of a heading as it stands within a sentence: small in English; German nouns stay as they are."""
    return heading.lower() if _catalogue is None else heading


@lru_cache(maxsize=4096)
def translated(text: str) -> str:
    """Return an English sentence of the engine, values and all, in the language that is spoken.

    A sentence of several is told part by part; what no template fits stays as it is.
    """
    if _catalogue is None or _known is None or not text:
        return text
    return _part(_known, text)


def _part(known: _Sentences, text: str, cuts: tuple[re.Pattern[str], ...] = _ENDS) -> str:
    """Return a sentence or a part of one; the window ends some of the engine's with a full stop."""
    said = known.tell(text)
    if said is None and text.endswith("."):
        bare = known.tell(text[:-1])
        said = None if bare is None else f"{bare}."
    if said is not None:
        return said
    for finer, cut in enumerate(cuts, 1):
        parts = cut.split(text)
        if len(parts) > 1:  # else it is the same text, which no template fits
            return "".join(_part(known, part, cuts[finer:]) for part in parts)
    return text


class _Sentences:
    """The templates of the engine's sentences, each with the longest piece that is its own: it has to be there."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._templates = [
            (max(_own(template), key=len), template)
            for template in sorted(templates, key=lambda each: sum(map(len, _own(each))), reverse=True)
        ]

    def tell(self, text: str) -> str | None:
        """Return a sentence in the language that is spoken; None where no template fits it.

        Templates with more words of their own are tried first.
        """
        direct = tr(text)
        if direct != text:
            return direct
        for own, template in self._templates:
            if own in text and (found := _pattern(template).fullmatch(text)) is not None:
                said = tr(template)
                return said.format(**{name: translated(value) for name, value in found.groupdict().items()})
        return None


def _own(template: str) -> list[str]:
    """Return what stands between the values of a template."""
    return [part.replace("{{", "{").replace("}}", "}") for part in FIELD.split(template)[::2]]


@lru_cache(maxsize=1024)
def _pattern(template: str) -> re.Pattern[str]:
    own, names = _own(template), FIELD.findall(template)
    made, seen = re.escape(own[0]), set[str]()
    for name, part in zip(names, own[1:], strict=True):
        made += f"(?P={name})" if name in seen else f"(?P<{name}>.*?)"
        made += re.escape(part)
        seen.add(name)
    return re.compile(made, re.DOTALL)


@lru_cache(maxsize=8192)
def _looked_up(text: str, meaning: str) -> str:
    if _catalogue is None:
        return text
    said = _catalogue.translate(CONTEXT, text, meaning or None) or text
    if said != text:  # else it would keep every sentence that was ever shown
        _sources.setdefault(said, text)
    return said


_catalogue: QTranslator | None = None  # None speaks English
_of_qt: QTranslator | None = None
_known: _Sentences | None = None
_sources: dict[str, str] = {}
