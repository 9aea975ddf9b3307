"""Parts of an `http` block that mean here what they meant where they come from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote

from tocsin.importing.doubt import Doubts, Place

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
_ANCHOR: Final = re.compile(r"[$^]")
_ESCAPED: Final = re.compile(r"\\.", re.DOTALL)
_FLAGS: Final = re.compile(r"\(\?([ims]+)\)")
_POSIX_CLASS: Final = re.compile(r"\[:(\w+):\]")
_POSIX_CLASSES: Final = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f", "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~",
    "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ", "upper": "A-Z", "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}  # fmt: skip


def literal(text: str) -> str:
    """A text in which no placeholder of Tocsin is seen."""
    return text.replace("{{", "\\{{")


def add_url(block: dict[str, Any], url: str, place: Place, doubts: Doubts) -> None:
    """The url; a user in it becomes `auth`."""
    head, at, host = url.partition("@")
    scheme, slashes, user = head.partition("://")
    block["url"] = literal(url)
    if not (at and slashes and scheme.isalpha() and not re.search("[/?#]", user)):
        return
    name, _, password = user.partition(":")
    block["url"] = literal(f"{scheme}://{host}")
    block["auth"] = {"user": literal(unquote(name)), "password": literal(unquote(password))}
    doubts.check(place, "a user in the url", "written as auth", "take the password from secrets")


def fields(pairs: Iterable[tuple[str, str]], place: Place, doubts: Doubts) -> dict[str, str]:
    """The header fields that can be sent."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if not _NAME.fullmatch(name) or _CONTROL.search(value):
            doubts.lost(place, f"header {name!r}", "left out: it cannot be sent")
        elif name.lower() in _FRAMING:
            doubts.note(place, f"header {name}", "left out: it follows from what is sent")
        else:
            for other in [it for it in found if it.lower() == name.lower()]:
                del found[other]
                doubts.check(place, f"header {name}", "given twice: the last one stays")
            found[name] = literal(value)
    return found


def pattern(text: str, place: Place, doubts: Doubts) -> str:
    """A regular expression of Go or JavaScript, in which ^ and $ are the ends of the whole."""
    text = _POSIX_CLASS.sub(lambda found: _POSIX_CLASSES.get(found[1], found[0]), text)
    text = _ESCAPED.sub(lambda found: "\\Z" if found[0] == "\\z" else found[0], text)
    flags = _FLAGS.match(text)
    on, rest = (flags[1], text[flags.end() :]) if flags else ("", text)
    if _ANCHOR.search(rest) and "m" not in on:
        doubts.note(place, f"pattern {text!r}", "written so that ^ and $ are the ends of the whole")
        text = f"(?{on}-m:{rest})"
    return text
