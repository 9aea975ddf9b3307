"""What a host of root's gives to an agent that is not root."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from tocsin.executors.agent_user import AgentUser, agent_of

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
NOBODY = AgentUser(65534, 65534)


def test_nothing_is_given_between_equals(tmp_path: Path) -> None:
    """The folder is the host's own user's."""
    assert agent_of(str(tmp_path)) is None


@AS_ROOT
def test_all_that_the_agent_has_to_reach(tmp_path: Path) -> None:
    """Sockets, folders and output, the last for nobody else; a link leads nowhere."""
    os.chown(tmp_path, *NOBODY)
    user = agent_of(str(tmp_path))
    assert user == NOBODY
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        user.give(str(tmp_path / "sock"))
    (tmp_path / "handles").mkdir()
    user.give_folder(str(tmp_path / "handles"))
    user.give_folder(str(tmp_path / "none"))
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    user.make_files([str(tmp_path / name) for name in ("a.out", "link", "no/such")])
    found = {path.name: path.lstat() for path in tmp_path.iterdir()}
    assert {name: it.st_uid for name, it in found.items()} == {
        "sock": 65534, "handles": 65534, "a.out": 65534, "link": 0,
    }  # fmt: skip
    assert stat.S_IMODE(found["a.out"].st_mode) == 0o600
