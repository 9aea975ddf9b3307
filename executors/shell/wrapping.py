"""Programs put in front of a job's own, for what posix_spawn(3) cannot set.

Each replaces itself by the next, so the process that was spawned is the job's in the end. They are
util-linux's setpriv(1) and prlimit(1) and coreutils' nice(1), and cost an exec each.
"""

from __future__ import annotations

import functools
import os
import resource
from collections.abc import Mapping
from typing import Final

from tocsin.executors.refusal import CannotStart

from .config import ShellConfig
from .identity import Identity, own_identity
from .ulimits import UNLIMITED, Ulimits

FAILURES: Final = frozenset({1, 125, 126, 127})
"""Exit codes by which one of them says that it could not do its work."""
_FOLDERS: Final = ("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/local/sbin")
_NO_ULIMITS: Final = Ulimits()
_COMPLAINT_BYTES_MAX: Final = 4096


def wrapping(config: ShellConfig, who: Identity) -> list[str]:
    """The words to be put in front of a program's; none where nothing is asked for.

    Raises:
        CannotStart: it would not be allowed, or the program for it is not installed.
    """
    if config.nice is None and config.ulimits == _NO_ULIMITS and who is own_identity():
        return []  # as for nearly all runs
    return [*niceness(config.nice), *limited(config.ulimits.pairs()), *as_user(who)]


def niceness(nice: int | None) -> list[str]:
    """What sets the niceness."""
    if nice is None or nice == (own := os.getpriority(os.PRIO_PROCESS, 0)):
        return []
    lowest = min(own, 20 - resource.getrlimit(resource.RLIMIT_NICE)[0])
    if os.geteuid() != 0 and nice < lowest:
        raise CannotStart(f"nice {nice}: only root can go below {lowest}")
    return [tool("nice", "nice"), "-n", str(nice - own), "--"]


def limited(ulimits: Mapping[str, tuple[int, int]]) -> list[str]:
    """What sets resource limits."""
    if not ulimits:
        return []
    words = [tool("prlimit", "ulimits")]
    for name, (soft, hard) in ulimits.items():
        own = resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))[1]
        if os.geteuid() != 0 and _is_above(hard, own):
            raise CannotStart(f"ulimit {name} {_said(hard)}: only root can go above {_said(own)}")
        words.append(f"--{name}={_said(soft)}:{_said(hard)}")
    return [*words, "--"]


def as_user(who: Identity) -> list[str]:
    """What changes user and groups, for good."""
    if who[:3] == own_identity()[:3]:
        return []
    groups = ",".join(map(str, who.groups))
    return [
        tool("setpriv", "user"),
        f"--reuid={who.uid}",
        f"--regid={who.gid}",
        f"--groups={groups}" if groups else "--clear-groups",
        "--",
    ]


def own_words(wrapped: list[str], stderr: str, since: int) -> str:
    """The complaint of one of the programs in front, if all that was said is that.

    Args:
        wrapped: what `wrapping` gave.
        stderr: the output file that their words went to.
        since: its size when they were started.
    """
    try:
        with open(stderr, "rb") as file:  # noqa: PTH123 - a path less
            file.seek(since)
            said = file.read(_COMPLAINT_BYTES_MAX).decode(errors="replace")
    except OSError:
        return ""
    paths = [word for word in wrapped if word.startswith("/")]
    names = {*paths, *(os.path.basename(path) for path in paths)}  # noqa: PTH119
    is_one_line = said.count("\n") == 1 and said.endswith("\n")
    return said.strip() if is_one_line and said.partition(":")[0] in names else ""


@functools.cache
def tool(name: str, key: str) -> str:
    """The path of a program that is put in front for the sake of a key.

    Raises:
        CannotStart: it is not installed.
    """
    for folder in _FOLDERS:
        path = f"{folder}/{name}"
        if os.access(path, os.X_OK):
            return path
    raise CannotStart(f"`{key}` needs {name}(1), which is not installed here")


def _is_above(limit: int, bound: int) -> bool:
    return bound != UNLIMITED and (limit == UNLIMITED or limit > bound)


def _said(limit: int) -> str:
    return "unlimited" if limit == UNLIMITED else str(limit)
