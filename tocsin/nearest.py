"""The word that somebody most likely meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """The one of `known` that is spelt most like `wrong`; None when none is close."""
    from difflib import get_close_matches  # only a mistake pays for it

    by_plain = {word.lower().replace("-", "_"): word for word in known}
    found = get_close_matches(wrong.lower().replace("-", "_"), by_plain, n=1, cutoff=0.61)
    return by_plain[found[0]] if found else None


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """`did you mean "x"?`, or nothing when no known word is close."""
    word = nearest(wrong, known)
    return f'did you mean "{word}"?' if word else ""
