"""Has an executor looked at by another process, which may hang, exit or crash over it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from typing import Final, Self

import msgspec

from tocsin import clock
from tocsin.own_process import own_command

from .check import Check
from .fault_text import frames, how_it_ended
from .sight import Sight
from .static_checks import STATIC
from .subject import NoSubject, Subject, Told, Turn
from .verdict import Finding, Result

CLOSE_S: Final = 5.0
"""How long a specimen may take to clear away what it needed."""


class Onlooker:
    """The process that looks, and then keeps up what the specimen needs until `close`."""

    def __init__(self, use: str, environment: Mapping[str, str], deadline_s: float) -> None:
        self.subject: Subject | None = None
        """What was found; None as long as, or when, nothing was."""
        self._deadline_s = deadline_s
        self._turn = STATIC[0].name
        self._unread = b""
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        printed = tempfile.TemporaryFile()  # noqa: SIM115 - as above
        self._words, told = os.pipe()
        module = "tocsin.executors.checking.looking"
        looking = own_command(module, "-X", "faulthandler", heed_environment=True)
        with printed:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [*looking, use, str(told)],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=printed,
                stderr=self._complaints,
                pass_fds=(told,),
                start_new_session=True,
            )
        os.close(told)

    def __enter__(self) -> Self:
        """Nothing is done that the constructor has not done."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def results(self) -> Iterator[Result]:
        """What each static check came to, all of them; `subject` is known afterwards."""
        made = []
        try:
            for told in self._told():
                match told:
                    case Turn(check):
                        self._turn = check
                    case Result():
                        made.append(told.check)
                        yield told
                    case Subject():
                        self.subject = told
        except Finding as found:
            yield self._check().failed(found)
            made.append(self._turn)
        for it in STATIC:
            if it.name not in made:
                yield it.left_out(f"`{self._turn}` was not survived")

    def _check(self) -> Check[Sight]:
        return next(it for it in STATIC if it.name == self._turn)

    def _told(self) -> Iterator[Told]:
        """All that the process says until it has said what it found.

        Raises:
            Finding: it died, or hangs.
        """
        while True:
            told = self._next()
            yield told
            if isinstance(told, Subject | NoSubject):
                return

    def _next(self) -> Told:
        until_s = clock.monotonic_s() + self._deadline_s
        while b"\n" not in self._unread:
            left_s = until_s - clock.monotonic_s()
            if left_s <= 0 or not select.select([self._words], [], [], left_s)[0]:
                self._find_hanging()
            data = os.read(self._words, 1 << 20)
            if not data:
                self._find_dead()
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            told: Told = msgspec.json.decode(line, type=Told)
        except msgspec.DecodeError as error:
            raise Finding("silence", f"it writes to descriptors of others: {line!r}") from error
        return told

    def _find_hanging(self) -> None:
        self._process.send_signal(signal.SIGABRT)  # its fault handler says where it is
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_S)
        raise Finding(
            f"it to be over within {self._deadline_s:g} s",
            "\n".join(["it hangs", *frames(self._complaint())]),
            "what takes long belongs in `start`, and there behind an await",
        )

    def _find_dead(self) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_S)
        code = self._process.poll()
        how = "nothing is heard of it any more" if code is None else how_it_ended(code)
        raise Finding(
            "its process to live on",
            "\n".join([f"it ended: {how}", *frames(self._complaint())]),
        )

    def _complaint(self) -> str:
        self._complaints.seek(0)
        return self._complaints.read().decode(errors="replace")

    def close(self) -> None:
        """Let it clear away, and end it and whatever it has started."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._words)
        self._complaints.close()
