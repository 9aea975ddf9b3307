"""The page on writing executors, followed to the letter, leads to a job that runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet import TOCSIN, Fleet, until

PAGE = Path(__file__).parents[2] / "docs" / "executors" / "writing.md"
DEADLINE_S = 100


class Reader(Fleet):
    """Somebody who reads the page; what is installed goes to a folder of this home."""

    def environ(self, who: str) -> dict[str, str]:
        """The environment, with what was installed."""
        return {**super().environ(who), "PYTHONPATH": str(self.home / "site")}


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Their fleet."""
    made = Reader(tmp_path)
    try:
        yield made
    finally:
        made.close()


def files_of(text: str) -> dict[str, str]:
    """What is to be put into files, by their paths."""
    found = re.findall(r"into `([^`]+)`:\n\n```\w+\n(.*?)```", text, flags=re.DOTALL)
    return dict(found)


def test_the_tutorial(reader: Reader, tmp_path: Path) -> None:
    """Begin, edit, check, install, list, and a run that waits for its file and prints it."""
    text = PAGE.read_text(encoding="utf-8").partition("## The port")[0]
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)).splitlines()
    new, check, install, *_ = (line for line in commands if line)

    def follow(line: str) -> str:
        done = subprocess.run(
            line.replace("tocsin ", f"{TOCSIN} ", 1),
            shell=True,
            cwd=tmp_path,
            env=reader.environ("coordinator"),
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    follow(new)
    for path, code in files_of(text).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        note = tmp_path / "note"
        (tmp_path / path).write_text(code.replace("/tmp/note", str(note)), encoding="utf-8")
    (last,) = re.findall(r"^\S+: \d+ passed.*$", text, flags=re.MULTILINE)
    assert follow(check).endswith(f"\n{last}\n")
    # No index is asked in a test, and nothing is put into the environment that runs it.
    options = f"--no-deps --no-build-isolation --no-index --target {tmp_path / 'site'}"
    follow(install.replace("pip install", f"{sys.executable} -m pip install {options}"))

    reader.start_coordinator()
    reader.join("one")
    reader.start_agent("one")
    until(lambda: "await-file" in follow("tocsin executor list"), "the executor on offer")
    assert "absolute path of the file" in follow("tocsin executor show await-file")
    for line in commands[commands.index("tocsin apply jobs.yaml") :]:
        follow(line.replace("/tmp/note", str(note)))
    (run,) = until(lambda: reader.runs("--state", "succeeded"), "the run to succeed")
    assert run["facts"] == {"bytes": len("a note\n")}
    assert reader.call("run", "logs", run["id"]).stdout == "a note\n"


def test_what_it_writes_is_clean(tmp_path: Path) -> None:
    """The code of the page passes the linters of the package that it is put into."""
    text = PAGE.read_text(encoding="utf-8").partition("## The port")[0]
    subprocess.run([TOCSIN, "executor", "new", "await-file"], cwd=tmp_path, check=True)
    for path, code in files_of(text).items():
        (tmp_path / path).write_text(code, encoding="utf-8")
    project = tmp_path / "tocsin-await-file"
    for command in (["ruff", "check", "."], ["mypy"]):
        done = subprocess.run(
            [str(Path(sys.executable).parent / command[0]), *command[1:]],
            cwd=project,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
