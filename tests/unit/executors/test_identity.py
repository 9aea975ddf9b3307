"""Who a process may be made to run as."""

from __future__ import annotations

import pwd

import pytest

from tocsin.executors.refusal import CannotStart
from tocsin.executors.shell import identity
from tocsin.executors.shell.identity import Identity, identity_of

NOBODY = pwd.getpwnam("nobody")
WORKER = Identity(4242, 4242, (), "worker", "/", "/bin/sh")


@pytest.fixture
def as_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent is not root."""
    monkeypatch.setattr(identity, "own_identity", lambda: WORKER)


@pytest.mark.usefixtures("as_worker")
def test_only_root_becomes_somebody_else() -> None:
    """An agent of another user says who it is, and who was asked for."""
    with pytest.raises(CannotStart) as refused:
        identity_of("root", None, None)
    assert refused.value.message == (
        "only root can run as root:root: the agent runs as worker:4242"
    )
    for group, groups in (("root", None), (None, ["root"])):
        with pytest.raises(CannotStart, match="only root can run as worker"):
            identity_of(None, group, groups)


def test_everybody_may_run_as_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """To name the user that the agent is, by name or number, needs no privilege."""
    own = Identity(NOBODY.pw_uid, NOBODY.pw_gid, (), "nobody", "/", "/bin/sh")
    monkeypatch.setattr(identity, "own_identity", lambda: own)
    for user in ("nobody", NOBODY.pw_uid, str(NOBODY.pw_uid)):
        assert identity_of(user, None, None) == own
    assert identity_of(None, NOBODY.pw_gid, None) == own


def test_a_shell_that_is_none_is_replaced() -> None:
    """`SHELL` of a user who cannot log in is one that works."""
    assert identity_of("daemon", None, None).shell == "/bin/sh"
