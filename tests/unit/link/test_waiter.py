"""The sleep of the poll loop: descriptors, instants and signals."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from tocsin import clock
from tocsin.link import Waiter
from tocsin.link.alarm import Alarm

LONG_US = 20_000_000
"""The deadline of what is expected to end much sooner."""


def steady_us() -> int:
    """The steady clock as the Waiter reads it."""
    return int(clock.monotonic_s() * 1e6)


@pytest.fixture
def waiter() -> Iterator[Waiter]:
    """A Waiter that is closed after the test."""
    waiter = Waiter()
    yield waiter
    waiter.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe: outlet, inlet."""
    outlet, inlet = os.pipe()
    yield outlet, inlet
    os.close(outlet)
    os.close(inlet)


def test_readable_descriptor(waiter: Waiter, pipe: tuple[int, int]) -> None:
    """A descriptor is returned for as long as it has something to read, also from before."""
    outlet, inlet = pipe
    os.write(inlet, b"x")
    waiter.add(outlet)
    assert waiter.wait() == [outlet]
    assert waiter.wait() == [outlet]
    os.read(outlet, 1)
    assert waiter.wait(until_steady_us=0) == []


def test_end_of_file(waiter: Waiter) -> None:
    """A pipe whose writer left is returned too."""
    outlet, inlet = os.pipe()
    waiter.add(outlet)
    os.close(inlet)
    assert waiter.wait() == [outlet]
    waiter.remove(outlet)
    os.close(outlet)


def test_removed_descriptor(waiter: Waiter, pipe: tuple[int, int]) -> None:
    """What was removed is not returned, and may be added again."""
    outlet, inlet = pipe
    os.write(inlet, b"x")
    waiter.add(outlet)
    waiter.remove(outlet)
    assert waiter.wait(until_steady_us=0) == []
    waiter.add(outlet)
    assert waiter.wait() == [outlet]


def test_steady_deadline_is_never_early(waiter: Waiter) -> None:
    """A wait for a steady instant ends when that has come, not before."""
    for span_us in (0, 1, 300, 999, 1001, 12_345):
        until_us = steady_us() + span_us
        assert waiter.wait(until_steady_us=until_us) == []
        assert steady_us() >= until_us


def test_wall_deadline_is_never_early(waiter: Waiter) -> None:
    """A wait for a wall instant ends when that has come, not before."""
    for span_us in (-LONG_US, 0, 1, 300, 999, 1001, 12_345):
        until_us = clock.now_us() + span_us
        assert waiter.wait(until_wall_us=until_us) == []
        assert clock.now_us() >= until_us


def test_the_earlier_deadline_counts(waiter: Waiter) -> None:
    """Of two deadlines the earlier one ends the wait, whichever clock it is on."""
    far_steady_us = steady_us() + LONG_US
    until_us = clock.now_us() + 5_000
    waiter.wait(until_steady_us=far_steady_us, until_wall_us=until_us)
    assert clock.now_us() >= until_us
    until_us = steady_us() + 5_000
    waiter.wait(until_steady_us=until_us, until_wall_us=clock.now_us() + LONG_US)
    assert until_us <= steady_us() < far_steady_us


def test_a_far_deadline_can_be_replaced(waiter: Waiter) -> None:
    """A nearer wall deadline takes the place of a far one, and the far one's of the nearer."""
    far_us = clock.now_us() + 365 * 86_400_000_000
    give_up_us = steady_us() + LONG_US
    waiter.wait(until_wall_us=far_us, until_steady_us=0)
    near_us = clock.now_us() + 20_000
    waiter.wait(until_wall_us=near_us, until_steady_us=give_up_us)
    assert clock.now_us() >= near_us
    assert steady_us() < give_up_us
    soon_us = clock.now_us() + 5_000
    waiter.wait(until_wall_us=soon_us, until_steady_us=0)
    end_us = steady_us() + 30_000
    waiter.wait(until_wall_us=far_us, until_steady_us=end_us)
    assert steady_us() >= end_us


def test_a_dropped_deadline_does_not_wake(waiter: Waiter) -> None:
    """A wall deadline that the next wait no longer names is forgotten."""
    waiter.wait(until_wall_us=clock.now_us() + 5_000, until_steady_us=0)
    end_us = steady_us() + 30_000
    waiter.wait(until_steady_us=end_us)
    assert steady_us() >= end_us


def test_the_same_deadline_twice(waiter: Waiter) -> None:
    """A deadline that has passed ends every wait that names it."""
    until_us = clock.now_us() + 1_000
    for _ in range(3):
        waiter.wait(until_wall_us=until_us)
        assert clock.now_us() >= until_us


@pytest.mark.parametrize("until_us", [-(1 << 70), 0, 1 << 70])
def test_absurd_deadlines(waiter: Waiter, until_us: int) -> None:
    """Instants beyond what the kernel can hold are the first and the last one it can."""
    woken = waiter.wait(until_wall_us=until_us, until_steady_us=0 if until_us > 0 else None)
    assert woken == []


def test_a_set_clock_rings(waiter: Waiter) -> None:
    """When the clock was set while the alarm was, the wait ends so that due times are read anew."""
    waiter.wait(until_wall_us=clock.now_us() + LONG_US, until_steady_us=0)
    alarm = waiter._alarm
    assert alarm is not None
    really_set = alarm._set

    def set_in_a_new_time(at_ns: int) -> None:
        really_set(at_ns)
        raise OSError(errno.ECANCELED, "the clock was set")  # timerfd_create(2)

    alarm._set = set_in_a_new_time
    give_up_us = steady_us() + LONG_US
    assert waiter.wait(until_wall_us=clock.now_us() + LONG_US, until_steady_us=give_up_us) == []
    assert steady_us() < give_up_us


def test_a_closed_alarm() -> None:
    """What the kernel says when it cannot set an alarm reaches the caller."""
    alarm = Alarm()
    alarm.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        alarm.set(clock.now_us())
    with pytest.raises(OSError, match="Bad file descriptor"):
        alarm.acknowledge(0)


def test_an_alarm_that_did_not_ring() -> None:
    """To acknowledge an alarm that did not ring does not wait for it."""
    alarm = Alarm()
    alarm.set(clock.now_us() + LONG_US)
    assert alarm.acknowledge(clock.now_us())
    alarm.close()


def test_a_clock_behind_the_kernels_does_not_make_it_spin() -> None:
    """An alarm that rings before its time, by the clock we see, rings once and not again."""
    alarm = Alarm()
    at_us = clock.now_us() + 1_000
    alarm.set(at_us)
    select.select([alarm.fd], [], [])
    assert not alarm.acknowledge(at_us - LONG_US)
    assert not alarm.set(at_us)
    assert select.select([alarm.fd], [], [], 0)[0] == []
    alarm.close()


def test_a_clock_ahead_of_the_kernels_is_looked_at(
    waiter: Waiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait ends at its instant on the clock we see, though the kernel's is far behind."""
    begin_us = clock.now_us()
    ahead_us = LONG_US
    until_us = begin_us + ahead_us + 20_000
    shown = clock.now_us
    monkeypatch.setattr(clock, "now_us", lambda: shown() + ahead_us)
    give_up_us = steady_us() + LONG_US
    waiter.wait(until_wall_us=until_us, until_steady_us=give_up_us)
    assert clock.now_us() >= until_us
    assert steady_us() < give_up_us


def test_signal_ends_the_wait(waiter: Waiter) -> None:
    """A signal that arrives during a wait ends it, and is told."""
    waiter.wake_on_signals([signal.SIGUSR1, signal.SIGUSR2])
    sender = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
    sender.start()
    assert waiter.wait(until_steady_us=steady_us() + LONG_US) == []
    sender.join()
    assert waiter.take_signals() == [signal.SIGUSR1]
    assert waiter.take_signals() == []


def test_signal_before_the_wait(waiter: Waiter) -> None:
    """Signals that arrived before are not lost: the wait ends at once and tells all of them."""
    waiter.wake_on_signals([signal.SIGUSR1, signal.SIGUSR2])
    signal.raise_signal(signal.SIGUSR2)
    signal.raise_signal(signal.SIGUSR1)
    waiter.wait()
    assert waiter.take_signals() == [signal.SIGUSR2, signal.SIGUSR1]
    assert waiter.wait(until_steady_us=0) == []


def test_signals_are_given_back() -> None:
    """After close a signal does what it did before."""
    before = signal.getsignal(signal.SIGUSR1)
    waiter = Waiter()
    waiter.wake_on_signals([signal.SIGUSR1])
    assert signal.getsignal(signal.SIGUSR1) != before
    waiter.close()
    assert signal.getsignal(signal.SIGUSR1) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_an_idle_wait_does_not_work(waiter: Waiter, pipe: tuple[int, int]) -> None:
    """A wait that nothing ends costs next to no processor time."""
    waiter.add(pipe[0])
    before_s = time.thread_time()
    waiter.wait(until_steady_us=steady_us() + 300_000, until_wall_us=clock.now_us() + LONG_US)
    assert time.thread_time() - before_s < 0.1


def test_what_a_loop_without_alarm_imports() -> None:
    """A program that dials and waits loads none of the heavy parts of the standard library."""
    program = (
        "import sys; from tocsin.link import Hub, Waiter, Dialer, new_keypair; import tocsin.log\n"
        "hub, waiter, pair = Hub(), Waiter(), new_keypair()\n"
        "dialer = Dialer(hub, 'tcp://127.0.0.1:1', pair, pair.public, bytes_max=99)\n"
        "waiter.add(dialer); waiter.wait(until_steady_us=0)\n"
        "waiter.remove(dialer); dialer.close(); hub.close()\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"asyncio", "logging", "subprocess", "ctypes", "ssl", "dataclasses", "tomllib"}
    assert not heavy & set(done.stdout.split())
