"""Who runs a process: the agent's own user, or another one that a job names."""

from __future__ import annotations

import contextlib
import functools
import grp
import os
import pwd
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from tocsin.execution import Order
from tocsin.executors.refusal import CannotStart

from .config import ShellConfig

SH: Final = "/bin/sh"
_NO_SHELLS: Final = frozenset({"", "nologin", "false"})

Account = str | int
"""A user or a group: a name, or a number, which may be written as text."""


class Identity(NamedTuple):
    """A user as a process has it."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    """Supplementary ones, in order, without `gid`."""
    name: str
    home: str
    shell: str


@functools.cache
def own_identity() -> Identity:
    """Whoever this process is."""
    try:
        user = pwd.getpwuid(os.geteuid())
        name, home, shell = user.pw_name, user.pw_dir, user.pw_shell
    except KeyError:  # a uid without a name, as in containers
        name, home, shell = str(os.geteuid()), "/", SH
    gid = os.getegid()
    return Identity(os.geteuid(), gid, _without(gid, os.getgroups()), name, home, _shell(shell))


def identity_of(
    user: Account | None, group: Account | None, groups: Sequence[Account] | None
) -> Identity:
    """The identity of a user, by default the own one, with other groups where they are given.

    Raises:
        CannotStart: somebody is not known here, or only root could become them.
    """
    own = own_identity()
    who = own if user is None else _of_user(user)
    if group is not None:
        gid = _gid(group)
        who = who._replace(gid=gid, groups=_groups_of(who.name, gid, who.groups))
    if groups is not None:
        who = who._replace(groups=_without(who.gid, map(_gid, groups)))
    if own.uid != 0:
        if groups is None and who[:2] == own[:2]:
            return own
        if who[:3] != own[:3]:
            text = f"only root can run as {_said(who)}: the agent runs as {_said(own)}"
            raise CannotStart(text)
    return who


def runner_of(order: Order, config: ShellConfig) -> Identity:
    """Who runs an order: the job's `run_as`, else what its block says, else whoever we are.

    Raises:
        CannotStart: as `identity_of`.
    """
    user, group = config.user, config.group
    if order.run_as:
        user, _, named = order.run_as.partition(":")
        group = named or None
    elif user is None and group is None and config.groups is None:
        return own_identity()
    return identity_of(user, group, config.groups)


@contextlib.contextmanager
def acting_as(who: Identity) -> Iterator[None]:
    """See files as `who` would, for a moment.

    Only the effective ids change: by its real one, root's, this process stays out of reach of the
    signals of that user, see kill(2). It must have a single thread, or all of them change.
    """
    own = own_identity()
    if own.uid != 0 or who[:3] == own[:3]:
        yield
        return
    os.setgroups(who.groups)
    os.setegid(who.gid)
    os.seteuid(who.uid)
    try:
        yield
    finally:
        os.seteuid(own.uid)
        os.setegid(own.gid)
        os.setgroups(own.groups)


def _of_user(user: Account) -> Identity:
    entry = _user_entry(user)
    if entry is None:
        raise CannotStart(f"user {user} is not known on this host")
    groups = _groups_of(entry.pw_name, entry.pw_gid, ())
    return Identity(
        entry.pw_uid, entry.pw_gid, groups, entry.pw_name, entry.pw_dir, _shell(entry.pw_shell)
    )


def _user_entry(user: Account) -> pwd.struct_passwd | None:
    with contextlib.suppress(KeyError):
        if isinstance(user, str):
            return pwd.getpwnam(user)
    with contextlib.suppress(KeyError, OverflowError):
        if str(user).isdecimal():
            return pwd.getpwuid(int(user))
    return None


def _gid(group: Account) -> int:
    with contextlib.suppress(KeyError):
        if isinstance(group, str):
            return grp.getgrnam(group).gr_gid
    with contextlib.suppress(KeyError, OverflowError):
        if str(group).isdecimal():
            return grp.getgrgid(int(group)).gr_gid
    raise CannotStart(f"group {group} is not known on this host")


def _groups_of(name: str, gid: int, otherwise: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return _without(gid, os.getgrouplist(name, gid))
    except OSError:  # more than the system takes
        return otherwise


def _without(gid: int, groups: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({*groups} - {gid}))


def _shell(path: str) -> str:
    return SH if path.rpartition("/")[2] in _NO_SHELLS else path


def _said(who: Identity) -> str:
    try:
        group = grp.getgrgid(who.gid).gr_name
    except KeyError:
        group = str(who.gid)
    return f"{who.name}:{group}"
