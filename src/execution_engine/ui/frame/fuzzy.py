"""Finding by a few letters: how well what was typed fits a title, and which letters of it were meant."""

from __future__ import annotations

from dataclasses import dataclass

START, INITIALS, INSIDE, ELSEWHERE_START, ELSEWHERE = 100, 80, 60, 40, 25
LETTERS, SHORTEST_LETTERS = 30, 2
EARLY = 10  # what stands at the very beginning of the title is meant rather than what follows


@dataclass(frozen=True, slots=True)
class Fit:
    """How well it fits, more being better, and the places of the letters in the title."""

    score: int
    places: frozenset[int]


def fit(typed: str, title: str, more: str = "") -> Fit | None:
    """Return how well a title fits what was typed; None if it does not.

    Each word must be found: in the title, as letters of it in their order (`clev` finds Close everything), or whole in
    what else the thing is known by.
    """
    title, more = title.casefold(), more.casefold()
    score, places = 0, set[int]()
    for word in typed.casefold().split():
        found = _begins(word, title) or _initials(word, title) or _inside(word, title)
        found = found or _elsewhere(word, more) or _letters(word, title)
        if found is None:
            return None
        score += found.score
        places |= found.places
    return Fit(score, frozenset(places))


def _begins(word: str, title: str) -> Fit | None:
    at = _word_start(word, title)
    return Fit(START + (EARLY if at == 0 else 0), _run(at, word)) if at >= 0 else None


def _initials(word: str, title: str) -> Fit | None:
    """Find the first letters of the words: `ce` is Close everything."""
    places = [at for at, letter in enumerate(title) if letter.isalnum() and not title[at - 1 : at].isalnum()]
    firsts = "".join(title[at] for at in places)
    at = firsts.find(word)
    fits = len(word) >= SHORTEST_LETTERS and at >= 0
    return Fit(INITIALS, frozenset(places[at : at + len(word)])) if fits else None


def _inside(word: str, title: str) -> Fit | None:
    at = title.find(word)
    return Fit(INSIDE, _run(at, word)) if at >= 0 else None


def _run(at: int, word: str) -> frozenset[int]:
    return frozenset(range(at, at + len(word)))


def _elsewhere(word: str, more: str) -> Fit | None:
    if _word_start(word, more) >= 0:
        return Fit(ELSEWHERE_START, frozenset())
    return Fit(ELSEWHERE, frozenset()) if len(word) > SHORTEST_LETTERS and word in more else None


def _letters(word: str, title: str) -> Fit | None:
    """Find the letters one after another, each preferably at the beginning of a word of the title."""
    if len(word) < SHORTEST_LETTERS:
        return None
    places: list[int] = []
    at = 0
    for letter in word:
        found = title.find(letter, at)
        if found < 0:
            return None
        if places and found != at:
            begins = _word_start(letter, title, at)
            found = (
                begins if begins >= 0 and _rest_fits(word[len(places) + 1 :], title[begins + 1 :]) else found
            )
        places.append(found)
        at = found + 1
    gaps = places[-1] - places[0] + 1 - len(places)
    return Fit(max(1, LETTERS - gaps), frozenset(places))


def _rest_fits(letters: str, title: str) -> bool:
    rest = iter(title)
    return all(letter in rest for letter in letters)


def _word_start(word: str, text: str, at: int = 0) -> int:
    """Return where a word of the text begins with these letters; -1 if none does."""
    found = text.find(word, at)
    while found > 0 and text[found - 1].isalnum():
        found = text.find(word, found + 1)
    return found
