"""The command of a crontab line: what the shell gets, what it reads, and a name for it."""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import Final

from tocsin.importing.naming import slug

_PIECE: Final = re.compile(
    r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|(?P<end>&&|\|\||[;|&\n])|.""", re.DOTALL
)
_ASIDE: Final = frozenset(
    {
        ".", ":", "[", "[[", "cd", "export", "if", "mkdir", "set", "sleep", "source", "test",
        "touch", "true", "ulimit", "umask", "unset",
    }
)  # fmt: skip
"""Commands that only prepare for the one that matters."""
_AROUND: Final = frozenset(
    {
        "!", "(", "{", "chronic", "cronic", "command", "do", "env", "exec", "flock", "ionice",
        "nice", "nohup", "setlock", "setsid", "sudo", "then", "time", "timeout",
    }
)  # fmt: skip
"""Commands that run another one, given behind their options and arguments."""
_ARGUMENTS: Final = {"flock": 1, "timeout": 1, "setlock": 1}
_OPTIONS_WITH_VALUE: Final = {
    "flock": {"-w", "-E"},
    "ionice": {"-c", "-n", "-p"},
    "nice": {"-n"},
    "sudo": {"-u", "-g", "-h", "-p"},
    "timeout": {"-k", "-s"},
}
_SHELLS: Final = frozenset(["sh", "bash", "dash", "zsh", "ksh", "fish"])
_INTERPRETER: Final = re.compile(r"(?:python|php|perl|ruby|node|java|Rscript|lua)[\d.]*")
_PROGRAM_DIRS: Final = frozenset(["/bin", "/sbin", "/usr/bin", "/usr/sbin"])
_EXTENSION: Final = re.compile(r"\.(?:sh|bash|py|pl|php|rb|js|mjs|jar|cgi|R|lua|run|bin)$")
_ASSIGNMENT: Final = re.compile(r"\w+=.*", re.DOTALL)
_WORDS_OF_TOOL: Final = 2
_DEPTH_MAX: Final = 4


def split_percent(command: str) -> tuple[str, str | None]:
    r"""The command line, and what cron writes to its stdin, if anything.

    An unescaped `%` ends the line; behind it each other one is a line break. `\%` is a `%`.
    """
    line: list[str] = []
    position, escaped = 0, False
    while position < len(command):
        char = command[position]
        position += 1
        if escaped:
            if char == "%":
                line.pop()
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == "%":
            return "".join(line), _stdin(command[position:])
        line.append(char)
    return "".join(line), None


def _stdin(text: str) -> str:
    out: list[str] = []
    escaped = False
    for char in text:
        if escaped and char != "%":
            out.append("\\")
        plain = "\n" if char == "%" and not escaped else char
        escaped = plain == "\\"
        if not escaped:
            out.append(plain)
    if escaped:
        out.append("\\")
    if out and out[-1] != "\n":
        out.append("\n")
    return "".join(out)


def names_for(command: str) -> tuple[str, str]:
    """A short name for what the command runs, and a longer one with its arguments."""
    words = _main_words(command, 0)
    if not words:
        return "", ""
    first, rest = words[0], words[1:]
    base = _EXTENSION.sub("", posixpath.basename(first.rstrip("/"))) or first
    plain = [_EXTENSION.sub("", _tail(word)) for word in rest if not word.startswith("-")]
    full = [_EXTENSION.sub("", _tail(word)).lstrip("-") for word in rest]
    is_tool = "/" not in first or posixpath.dirname(first) in _PROGRAM_DIRS
    short = [base, *plain[:_WORDS_OF_TOOL]] if is_tool and not _EXTENSION.search(first) else [base]
    return slug("-".join(short), 40), slug("-".join([base, *full]))


def _tail(word: str) -> str:
    """The part of a path or address that tells most."""
    if "://" in word:
        return word.partition("://")[2].partition("/")[0]
    return posixpath.basename(word.rstrip("/")) or word


def _main_words(command: str, depth: int) -> list[str]:
    """The words of the first step that does the work."""
    steps = [_words(step) for step in _steps(command)]
    steps = [_without_around(step, depth) for step in steps]
    working = [step for step in steps if step and step[0] not in _ASIDE]
    chosen = working or [step for step in steps if step]
    return chosen[0] if chosen else []


def _steps(command: str) -> list[str]:
    """What stands between `&&`, `|`, `;` and their like, outside of quotes."""
    steps = [""]
    for piece in _PIECE.finditer(command):
        if piece["end"]:
            steps.append("")
        else:
            steps[-1] += piece[0]
    return steps


def _words(step: str) -> list[str]:
    try:
        words = shlex.split(step, comments=False)
    except ValueError:  # a quote that another step closes
        words = step.split()
    ends = [i for i, word in enumerate(words) if re.match(r"\d*[<>]", word)]
    words = words[: ends[0]] if ends else words
    return [word for word in words if word not in {"{", "}", "(", ")"}]


def _without_around(words: list[str], depth: int) -> list[str]:
    while words:
        name = posixpath.basename(words[0])
        if _ASSIGNMENT.fullmatch(words[0]):
            words = words[1:]
        elif name in _AROUND:
            words = _behind_options(name, words[1:])[_ARGUMENTS.get(name, 0) :]
        elif name == "su" and "-c" in words[:-1]:
            return _main_words(words[words.index("-c") + 1], depth + 1) or words
        elif name in _SHELLS or _INTERPRETER.fullmatch(name):
            return _script(words, depth)
        else:
            break
    return words


def _behind_options(name: str, words: list[str]) -> list[str]:
    with_value = _OPTIONS_WITH_VALUE.get(name, set())
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in with_value else words[1:]
    return words


def _script(words: list[str], depth: int) -> list[str]:
    """What a shell or an interpreter is given to run."""
    for position, word in enumerate(words[1:], 1):
        behind = words[position + 1 :]
        if re.fullmatch(r"-\w*c", word) and behind and depth < _DEPTH_MAX:
            return _main_words(behind[0], depth + 1) or words
        if word in {"-m", "-jar"} and behind:
            return behind
        if not word.startswith("-"):
            return words[position:]
    return words
