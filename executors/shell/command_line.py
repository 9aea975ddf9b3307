"""Which command lines need no shell: those that /bin/sh would only split and then exec.

A shell in front doubles the cost of a short run. The rule is narrow on purpose: plain words, and
a first word that no common sh takes for itself. Whatever then fails to exec is handed to
/bin/sh after all, which finds its own words for it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./:,+@%-]*(?: +[A-Za-z0-9_./:,+@%=-]+)*")

# Builtins and keywords of dash, bash, ksh and busybox, those that are programs as well included:
# a builtin `echo` and /bin/echo differ.
_OWN_WORDS_TEXT: Final = """
    . : [ [[ alias autoload bg bind break builtin bye caller case cat cd chdir command compgen
    complete compopt continue coproc declare dirs disown do done echo elif else enable end esac
    eval exec exit export false fc fg fi for function functions getconf getopts global hash help
    hist history if in integer jobs kill let local logout mapfile mkdir mknod nameref newgrp popd
    print printf pushd pwd read readarray readonly realpath rename repeat return rm rmdir select
    set setgroups shift shopt sleep source stop suspend sync test then time times trap true type
    typeset ulimit umask unalias unset until wait whence which while who
"""
_OWN_WORDS: Final = frozenset(_OWN_WORDS_TEXT.split())


@functools.lru_cache(maxsize=4096)
def plain_words(command: str) -> tuple[str, ...] | None:
    """The words of a command line that needs no shell; None when it needs one."""
    line = command.strip(" ")
    if not _PLAIN.fullmatch(line):
        return None
    words = tuple(line.split())
    return None if words[0] in _OWN_WORDS else words


def shell_words(command: str | None, argv: Sequence[str] | None, *, login: bool) -> list[str]:
    """The words by which /bin/sh runs a command line, or a program with its arguments."""
    words = ["sh", "-l", "-c"] if login else ["sh", "-c"]
    if command is None:
        assert argv is not None
        return [*words, 'exec "$@"', "sh", *argv]
    dashes = ["--"] if command[:1] in {"-", "+"} else []
    return [*words, *dashes, command, "sh"]  # its `$0`, whatever path it is executed by
