"""Which command lines are run without a shell."""

from __future__ import annotations

import pytest

from tocsin.executors.shell.command_line import plain_words


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/bin/true", ("/bin/true",)),
        ("pg_dump --format=custom -f /backup/main.dump main", None),
        ("rsync -a /srv/data host:/srv", ("rsync", "-a", "/srv/data", "host:/srv")),
        ("  ./run   now ", ("./run", "now")),
        ("curl -fsS http://localhost:80/x,y@z+w%20", None),
    ],
)
def test_plain_words_need_no_shell(command: str, words: tuple[str, ...] | None) -> None:
    """Words of harmless characters are split at spaces, as a shell does."""
    assert plain_words(command) == (words or tuple(command.split()))


@pytest.mark.parametrize(
    "command",
    [
        "", " ", "true", "echo hi", "exit 3", "cd /tmp", ". ./x", "[ 1 ]", "time ls", "if x",
        "kill 1", "exec ls", "wait", "a=b", "a=b ls", "PATH=/x ls", "-x", "+x", "%1", "ls -l\n",
        "ls\tx", "a b\nc", "ls;", "ls|cat", "ls>x", "ls<x", "ls&", "ls $x", "ls `x`", "ls *",
        "ls ?", "ls [a]", "ls ~", "ls ~root", "ls 'a b'", 'ls "a"', "ls a\\ b", "ls (a)",
        "ls {a,b}", "ls a!b", "! ls", "ls #x", "ls é", "ls \u00a0x", "ls ^x", "ls \0x", "ls \r",
    ],
)  # fmt: skip
def test_all_else_needs_one(command: str) -> None:
    """Builtins, keywords, assignments, quotes, expansions and line ends are a shell's affair."""
    assert plain_words(command) is None
