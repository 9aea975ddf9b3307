"""The process table of this machine, read."""

from __future__ import annotations

import os
import sys

from tocsin.executors.process_tree import ProcessTable, RunMark, read_process

MARK = RunMark(b"R-of-this-test", b"7")


def test_a_process_with_a_strange_name() -> None:
    """A name with spaces and parentheses does not confuse the reading of a process."""
    read_end, write_end = os.pipe()
    code = (
        "import signal; open('/proc/self/comm', 'w').write(') R 1 (x)'); "
        "print(flush=True); signal.pause()"
    )
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", "-c", code],
        {},
        file_actions=[(os.POSIX_SPAWN_DUP2, write_end, 1)],
        setsid=True,
    )
    os.close(write_end)
    try:
        assert os.read(read_end, 1) == b"\n"
        process = read_process(pid)
        assert process is not None
        assert (process.parent, process.group, process.session) == (os.getpid(), pid, pid)
    finally:
        os.close(read_end)
        os.kill(pid, 9)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert read_process(pid) is None, "a zombie counts as gone"
        os.waitpid(pid, 0)
    assert read_process(pid) is None


def test_a_mark_needs_run_and_attempt() -> None:
    """A process belongs to a run by both variables, and by the whole of their values."""
    wanted = {"TOCSIN_RUN_ID": "R-of-this-test", "TOCSIN_ATTEMPT": "7"}
    others = [
        {**wanted, "TOCSIN_ATTEMPT": "77"},
        {**wanted, "TOCSIN_RUN_ID": "R-of-this-test-too"},
        {"TOCSIN_RUN_ID": "R-of-this-test"},
        {"NOT_TOCSIN_RUN_ID": "R-of-this-test", "TOCSIN_ATTEMPT": "7"},
    ]
    pids = [os.posix_spawn("/bin/sleep", ["sleep", "600"], env) for env in (wanted, *others)]
    try:
        tree = ProcessTable().tree(0x7FFF_FFFF, MARK)
        assert [process.pid for process in tree] == pids[:1]
    finally:
        for pid in pids:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
