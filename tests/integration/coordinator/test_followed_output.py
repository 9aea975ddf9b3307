"""Who follows a run sees its newest output while it goes on, through kills: real processes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.fleet import Fleet, until
from tocsin.config import read_context
from tocsin.output_seams import Seams
from tocsin.session import Session

LINES: Final = 300_000
HEAD: Final = 32 << 10


def _job(flag: Path) -> str:
    command = f"seq {LINES}; for n in 1 2; do echo newest $n; "
    command += f"until [ -e {flag}-$n ]; do sleep 0.1; done; done; echo last"
    return f'jobs:\n  long:\n    shell: "{command}"\n    output: {{keep: 64KiB}}\n'


def test_the_newest_output_is_there_while_it_is_followed(fleet: Fleet, tmp_path: Path) -> None:
    """However much came before; and what is kept in the end is head and tail, as ever."""
    flag = tmp_path / "go-on"
    fleet.join("worker")
    fleet.start_agent("worker")
    fleet.apply(_job(flag))
    fleet.call("job", "run", "long")
    (run,) = until(lambda: fleet.runs("--state", "running"), "the run")
    context = read_context(fleet.home / "coordinator/data/coordinator/admin.toml")
    seen, gaps, seams = bytearray(), 0, Seams()
    with Session(context) as session:
        for piece in map(seams.join, session.output(run["id"], attempt=0, follow=True)):
            gaps += piece.gap_bytes
            seen += piece.data
            if b"newest 1\n" in seen and not Path(f"{flag}-1").exists():
                assert fleet.runs("--state", "running")
                fleet.kill("worker")
                fleet.kill("coordinator")
                fleet.start_coordinator()
                fleet.start_agent("worker")
                Path(f"{flag}-1").touch()
            elif b"newest 2\n" in seen and not Path(f"{flag}-2").exists():
                assert fleet.runs("--state", "running")
                Path(f"{flag}-2").touch()
    printed = b"".join(b"%d\n" % n for n in range(1, LINES + 1)) + b"newest 1\nnewest 2\nlast\n"
    assert len(seen) + gaps == len(printed)
    assert seen.endswith(b"\nnewest 1\nnewest 2\nlast\n")
    kept = fleet.call("run", "logs", run["id"]).stdout.encode()
    assert (kept[:HEAD], kept[HEAD:]) == (printed[:HEAD], printed[-HEAD:])
