"""Who runs a shell block, in what surroundings and within which limits."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tocsin.execution import Limits, Order, Status
from tocsin.hosting import RunEnded

from .host_client import Agent, Host, order

NOBODY = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run as another user")


class Desk:
    """Runs blocks, and tells what they print."""

    def __init__(self, host: Host, agent: Agent) -> None:
        self.host = host
        self.agent = agent
        self._count = 0

    def order(self, block: dict[str, Any] | str, **changes: Any) -> Order:
        """An order of its own for a block."""
        self._count += 1
        return order("shell", f"R{self._count}", block, **changes)

    def run(self, block: dict[str, Any] | str, **changes: Any) -> tuple[RunEnded, str, str]:
        """How a block ends, and both of its streams."""
        made = self.order(block, **changes)
        end = self.agent.run(made)
        return end, self.host.stdout(made).decode(), self.host.stderr(made).decode()

    def says(self, block: dict[str, Any] | str, **changes: Any) -> str:
        """What a block prints that succeeds."""
        end, out, err = self.run(block, **changes)
        assert (end.outcome.status, err) == (Status.SUCCEEDED, ""), end.outcome.message
        return out

    def refuses(self, block: dict[str, Any] | str, **changes: Any) -> tuple[str, int | None]:
        """Why a block is never begun."""
        end, out, err = self.run(block, **changes)
        assert (end.began_us, end.outcome.status) == (None, Status.FAILED)
        assert out == err == ""
        return end.outcome.message, end.outcome.exit_code


@pytest.fixture
def desk(shell: Host, agent: Agent) -> Desk:
    """A desk at a host of the shell executor."""
    return Desk(shell, agent)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that everybody can reach; that of a test is its user's own."""
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="tocsin-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


# Environment and streams.


def test_a_blocks_variables_lie_over_the_jobs(desk: Desk) -> None:
    """`env` of the block wins over that of the job, and cannot hide whose run it is."""
    block = {
        "command": 'echo "$A $B $PATH $TOCSIN_RUN_ID"',
        "env": {"B": "block", "PATH": "/usr/bin:/bin", "TOCSIN_RUN_ID": "other"},
    }
    made = desk.order(block, env={"A": "job", "B": "job"})
    desk.agent.run(made)
    assert desk.host.stdout(made).decode().split() == [
        "job", "block", "/usr/bin:/bin", made.env["TOCSIN_RUN_ID"],
    ]  # fmt: skip


def test_a_huge_environment(desk: Desk) -> None:
    """What fits arrives whole; what no process could be given fails before the start."""
    big = {f"V{n}": "x" * 100_000 for n in range(10)}
    assert desk.says({"command": 'echo "${#V0} ${#V9}"', "env": big}) == "100000 100000\n"
    message, code = desk.refuses({"command": "true;", "env": {"V": "x" * 200_000}})
    assert message.startswith("the command and its environment are too long")
    assert code == 126


def test_input_from_a_file(desk: Desk, tmp_path: Path) -> None:
    """`stdin_file` is read from its beginning; a relative path starts from `cwd`."""
    (tmp_path / "words").write_text("one\ntwo\n", encoding="utf-8")
    for path in (str(tmp_path / "words"), "words"):
        block = {"command": "cat", "stdin_file": path, "cwd": str(tmp_path)}
        assert desk.says(block) == "one\ntwo\n"


def test_input_that_cannot_be_read(desk: Desk, tmp_path: Path) -> None:
    """A missing file, a folder and a pipe fail the run before it begins, and hold nothing up."""
    os.mkfifo(tmp_path / "pipe")
    for path, reason in (
        ("/no/such", ": No such file or directory"),
        (str(tmp_path), " is neither a file nor a device"),
        (str(tmp_path / "pipe"), " is neither a file nor a device"),
    ):
        message, _ = desk.refuses({"command": "cat", "stdin_file": path})
        assert message == f"stdin_file '{path}'{reason}"


# Limits of a process.


def test_umask(desk: Desk, tmp_path: Path) -> None:
    """It holds for the run's files, and leaves the output as private as ever."""
    made = desk.order({"command": "umask; > made", "umask": "0777", "cwd": str(tmp_path)})
    assert desk.agent.run(made).outcome.status is Status.SUCCEEDED
    assert desk.host.stdout(made) == b"0777\n"
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0
    assert (desk.host.out / f"{made.key}.out").stat().st_mode & 0o777 == 0o600
    assert desk.says("umask") == "0022\n"


def test_niceness(desk: Desk) -> None:
    """`nice` is the niceness itself, not an addition to it."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert desk.says({"command": "nice", "nice": 7}) == "7\n"
    assert desk.says({"argv": ["nice"], "nice": own}) == f"{own}\n"


def test_ulimits(desk: Desk) -> None:
    """Soft and hard limits are what the block says; the others stay."""
    block = {
        "command": "ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -f; ulimit -s",
        "ulimits": {"nofile": "100:200", "core": 0, "fsize": "1MiB", "stack": "4M:unlimited"},
    }
    assert desk.says(block).split() == ["100", "200", "0", "2048", "4096"]


def test_all_of_it_together(desk: Desk) -> None:
    """A block may ask for everything at once, of a program as well as of a line."""
    block = {"nice": 3, "umask": "027", "ulimits": {"nofile": 64}, "login": True, "stdin": "in\n"}
    line = "nice; umask; ulimit -n; cat"
    assert desk.says({"command": line, **block}).split() == ["3", "0027", "64", "in"]
    assert desk.says({"argv": ["sh", "-c", line], **block}).split() == ["3", "0027", "64", "in"]


@pytest.mark.parametrize("block", [{}, {"nice": 3}], ids=["plain", "wrapped"])
def test_programs_that_do_not_run(desk: Desk, block: dict[str, Any]) -> None:
    """Whatever stands in front of a program, what is wrong with it is said in the same words."""
    assert desk.refuses({"argv": ["no-such-program"], **block}) == (
        "command not found: no-such-program", 127,
    )  # fmt: skip
    assert desk.refuses({"argv": ["/no/such"], **block}) == ("command not found: /no/such", 127)
    assert desk.refuses({"argv": ["/etc/passwd"], **block}) == (
        "/etc/passwd: Permission denied", 126,
    )  # fmt: skip
    end, _, err = desk.run({"command": "no-such-program", **block})
    assert end.outcome.message == "exit code 127 (command not found)"
    assert "no-such-program" in err


def test_a_program_in_front_that_fails(desk: Desk, tmp_path: Path) -> None:
    """What only the program in front can find out is told in its words."""
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    end, _, err = desk.run({"argv": [str(script)], "ulimits": {"nofile": 64}})
    assert end.outcome.exit_code == 127
    if "unit" in end.outcome.facts or end.began_us is None:
        assert end.outcome.message == f"{script}: its interpreter is missing"
    else:
        assert end.outcome.message.startswith(f"prlimit: failed to execute {script}")
        assert err.strip() == end.outcome.message


def test_a_command_that_only_looks_like_it(desk: Desk) -> None:
    """A command's own words are not taken for those of a program in front of it."""
    end, _, _ = desk.run({"command": "echo one >&2; echo nice: no >&2; exit 127", "nice": 3})
    assert end.outcome.message == "exit code 127 (command not found)"


# Login shells.


def test_a_login_shell_reads_the_profile(desk: Desk, tmp_path: Path) -> None:
    """The profile of the home is read, by lines and programs alike; without `login` it is not."""
    (tmp_path / ".profile").write_text("export SEEN=profile\n", encoding="utf-8")
    env = {"HOME": str(tmp_path)}
    line = 'echo "seen $SEEN"'
    assert desk.says({"command": line, "login": True, "env": env}) == "seen profile\n"
    program = {"argv": ["sh", "-c", line], "login": True, "env": env}
    assert desk.says(program) == "seen profile\n"
    assert desk.says({"command": line, "env": env}) == "seen \n"


# Other users.


@as_root
def test_another_user(desk: Desk) -> None:
    """Ids, groups and the environment are those of the user; so is the home, if there is one."""
    line = 'id -u; id -g; id -G; echo "$HOME $USER $LOGNAME $SHELL"; pwd'
    for user in ("nobody", NOBODY.pw_uid, str(NOBODY.pw_uid)):
        uid, gid, groups, around, cwd = desk.says({"command": line, "user": user}).splitlines()
        assert (uid, gid) == (str(NOBODY.pw_uid), str(NOBODY.pw_gid))
        assert set(groups.split()) == set(map(str, os.getgrouplist("nobody", NOBODY.pw_gid)))
        assert around == f"{NOBODY.pw_dir} nobody nobody /bin/sh"
        assert cwd == (NOBODY.pw_dir if Path(NOBODY.pw_dir).is_dir() else "/")


@as_root
def test_supplementary_groups(desk: Desk) -> None:
    """The groups of a user come along; `groups` replaces them, `[]` by none."""
    user = next((e for e in pwd.getpwall() if len(os.getgrouplist(e.pw_name, e.pw_gid)) > 1), None)
    if user is not None:
        said = desk.says({"command": "id -G", "user": user.pw_name})
        assert set(said.split()) == set(map(str, os.getgrouplist(user.pw_name, user.pw_gid)))
    adm, tty = grp.getgrnam("adm").gr_gid, grp.getgrnam("tty").gr_gid
    block = {"command": "id -G", "user": "nobody", "group": "daemon"}
    daemon = str(grp.getgrnam("daemon").gr_gid)
    assert desk.says({**block, "groups": []}).split() == [daemon]
    assert set(desk.says({**block, "groups": ["adm", tty]}).split()) == {daemon, str(adm), str(tty)}
    assert desk.says({"command": "id -G", "groups": ["adm"]}).split() == ["0", str(adm)]


@as_root
def test_nothing_is_left_to_go_back_by(desk: Desk) -> None:
    """All three ids of the process are the user's, and it has no capability."""
    line = "grep -E '^(Uid|Gid|CapEff|CapPrm|CapAmb)' /proc/self/status"
    said = desk.says({"argv": ["sh", "-c", line], "user": "nobody"})
    fields = dict(row.split(":\t") for row in said.splitlines())
    assert set(fields["Uid"].split()) == {str(NOBODY.pw_uid)}
    assert set(fields["Gid"].split()) == {str(NOBODY.pw_gid)}
    assert {int(fields[name], 16) for name in ("CapEff", "CapPrm", "CapAmb")} == {0}


@as_root
def test_run_as(desk: Desk) -> None:
    """The job's `run_as` says the same in one word, and wins over a block's `user`."""
    assert desk.says("id -un; id -gn", run_as="nobody").split() == ["nobody", "nogroup"]
    assert desk.says("id -un; id -gn", run_as="nobody:daemon").split() == ["nobody", "daemon"]
    block = {"command": "id -un", "user": "daemon"}
    assert desk.says(block, run_as="nobody") == "nobody\n"


@as_root
def test_the_output_stays_the_agents(desk: Desk) -> None:
    """A user who cannot reach the output's folder writes there all the same."""
    made = desk.order({"command": "echo hi", "user": "nobody"})
    desk.host.out.chmod(0o700)
    assert desk.agent.run(made).outcome.status is Status.SUCCEEDED
    path = desk.host.out / f"{made.key}.out"
    assert (path.stat().st_uid, path.read_bytes()) == (0, b"hi\n")


@as_root
def test_what_the_user_may_not(desk: Desk, tmp_path: Path, open_path: Path) -> None:
    """Folder, input and program must be the user's to use; what is not fails before the start."""
    tmp_path.chmod(0o700)
    (tmp_path / "input").write_text("secret", encoding="utf-8")
    tool = open_path / "tool"
    tool.write_text("#!/bin/sh\nid -un\n", encoding="utf-8")
    tool.chmod(0o700)
    who = {"user": "nobody"}
    message, _ = desk.refuses({"command": "true", "cwd": str(tmp_path), **who})
    assert message == f"cwd '{tmp_path}': Permission denied"
    message, _ = desk.refuses({"command": "cat", "stdin_file": f"{tmp_path}/input", **who})
    assert message == f"stdin_file '{tmp_path}/input': Permission denied"
    assert desk.refuses({"argv": [str(tool)], **who}) == (f"{tool}: Permission denied", 126)
    block = {"argv": ["tool"], "env": {"PATH": f"{open_path}:/usr/bin:/bin"}, **who}
    assert desk.refuses(block) == ("command not found: tool", 127)
    tool.chmod(0o755)
    assert desk.says(block) == "nobody\n"
    assert desk.says("id -un") == "root\n"


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ({"user": "no-such-user"}, "user no-such-user is not known on this host"),
        ({"user": 3_999_999}, "user 3999999 is not known on this host"),
        ({"group": "no-such-group"}, "group no-such-group is not known on this host"),
        ({"groups": [3_999_999]}, "group 3999999 is not known on this host"),
    ],
)
def test_an_unknown_account(desk: Desk, block: dict[str, Any], says: str) -> None:
    """Whoever is not known here fails the run before it begins, and is named."""
    assert desk.refuses({"command": "true", **block}) == (says, None)


@as_root
def test_another_users_tree_is_ended(desk: Desk) -> None:
    """A timeout ends the processes of another user, escapees among them."""
    line = "trap '' TERM; setsid sleep 600 & sleep 600"
    made = desk.order({"command": line, "user": "nobody"}, timeout_s=0.5, kill_after_s=0.2)
    assert desk.agent.run(made).outcome.status is Status.TIMED_OUT


def test_limits_without_systemd(desk: Desk) -> None:
    """Limits that nobody enforces are said not to be, and the run goes on."""
    end, _, _ = desk.run({"command": "true", "unit": False}, limits=Limits(memory_bytes=1 << 30))
    assert end.outcome.status is Status.SUCCEEDED
    assert end.outcome.facts["limits"].startswith("not enforced: ")
