"""How well what was typed stands for a name: letters in order, the closer together the better.

Letters side by side are looked for first. Else there are two passes as in fzf's first algorithm:
forward to the first end that the letters reach, back from there to their last beginning. Both take
time in the length of the text, so that ten thousand names are scored while somebody types.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Final

_WORD_START: Final = 8
"""A letter at the beginning of a word."""
_NEXT: Final = 8
"""A letter right behind the one before it."""
_FIRST: Final = 6
"""The first letter of the text."""
_GAP: Final = 1
"""What each letter that is left out between the first and the last costs."""


def score(typed: str, text: str) -> int | None:
    """How well `typed` stands for `text`, higher is better; None: it does not.

    What is typed may be several words, each of which must be found, in any order.
    """
    words, low = typed.lower().split(), text.lower()
    total = 0
    for word in words:
        found = _score_word(word, low, text)
        if found is None:
            return None
        total += found
    return total


def best(typed: str, texts: Iterable[str], limit: int) -> list[int]:
    """Which texts are meant, best first; of equals the shorter, then the earlier."""
    scored = []
    for place, text in enumerate(texts):
        found = score(typed, text)
        if found is not None:
            scored.append((-found, len(text) if typed.strip() else 0, place))
    return [place for *_, place in heapq.nsmallest(limit, scored)]


def _score_word(word: str, low: str, text: str) -> int | None:
    place = low.find(word)
    if place >= 0:
        return _worth_together(word, low, text, place)
    end = _end(word, low)
    return None if end < 0 else _worth(_back(word, low, end), text)


def _worth_together(word: str, low: str, text: str, first: int) -> int:
    """Of letters side by side: at the beginning of a word, if they are anywhere."""
    place = first
    while place >= 0 and not _begins_word(text, place):
        place = low.find(word, place + 1)
    worth = len(word) + _NEXT * (len(word) - 1)
    if place >= 0:
        worth += _WORD_START
    return worth + _FIRST if place == 0 else worth


def _end(word: str, low: str) -> int:
    """Where the last letter is, of the first way to find all of them in order; -1: nowhere."""
    place = -1
    for letter in word:
        place = low.find(letter, place + 1)
        if place < 0:
            return -1
    return place


def _back(word: str, low: str, end: int) -> list[int]:
    """The places of the letters, each as late as it can be."""
    places, place = [], end + 1
    for letter in reversed(word):
        place = low.rfind(letter, 0, place)
        places.append(place)
    return places[::-1]


def _worth(places: Sequence[int], text: str) -> int:
    worth = _FIRST if places[0] == 0 else 0
    for before, place in zip((None, *places), places, strict=False):
        worth += 1
        if before is not None and place == before + 1:
            worth += _NEXT
        elif _begins_word(text, place):
            worth += _WORD_START
    return worth - _GAP * (places[-1] - places[0] + 1 - len(places))


def _begins_word(text: str, place: int) -> bool:
    if place == 0:
        return True
    before, here = text[place - 1], text[place]
    return not before.isalnum() or (here.isupper() and before.islower())
