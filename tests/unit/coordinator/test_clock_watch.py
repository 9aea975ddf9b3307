"""What the watch over the clocks calls a step, a suspend and a stall; and what it does not."""

from __future__ import annotations

import pytest

from tocsin.coordinator.clock_watch import ClockWatch, Reading
from tocsin.instants import SECOND_US
from tocsin.model import Incident

START = Reading(1_767_225_600 * SECOND_US, 500 * SECOND_US, 9_000 * SECOND_US)


def later(reading: Reading, seconds: float, *, slept: float = 0.0, stepped: float = 0.0) -> Reading:
    """The clocks so much awake time later, and what else befell them."""
    awake_us = round(seconds * SECOND_US)
    asleep_us = round(slept * SECOND_US)
    return Reading(
        reading.wall_us + awake_us + asleep_us + round(stepped * SECOND_US),
        reading.steady_us + awake_us,
        reading.boot_us + awake_us + asleep_us,
    )


def look(reading: Reading, *, wanted: float = 0.0) -> list[Incident]:
    """What is noticed, when the look was wanted so long after the start."""
    watch = ClockWatch(START)
    watch.expect(START.steady_us + round(wanted * SECOND_US))
    return watch.look(reading)


def span_s(incident: Incident) -> tuple[float, float]:
    """Its edges in seconds after the start."""
    first, last = incident.from_us - START.wall_us, incident.until_us - START.wall_us
    return first / SECOND_US, last / SECOND_US


@pytest.mark.parametrize("seconds", [0.0, 0.001, 30.0, 30.9])
def test_time_that_passes_is_no_incident(seconds: float) -> None:
    """Even when the sleep was a little too long, or the clock was off by less than a second."""
    assert look(later(START, seconds, stepped=0.9), wanted=30) == []
    assert look(later(START, seconds, stepped=-0.9), wanted=30) == []


def test_a_clock_that_is_set_forward() -> None:
    """From what it would have shown to what it shows: due times in between are late."""
    (step,) = look(later(START, 20, stepped=5400), wanted=30)

    assert (step.kind, step.amount_us) == ("step", 5400 * SECOND_US)
    assert span_s(step) == (20, 20 + 5400)


@pytest.mark.parametrize("back_s", [5400, 86_400])
def test_a_clock_that_is_set_back(back_s: int) -> None:
    """The amount is negative, and the span is that which the clock shows again."""
    (step,) = look(later(START, 20, stepped=-back_s), wanted=30)

    assert (step.kind, step.amount_us) == ("step", -back_s * SECOND_US)
    assert span_s(step) == (20 - back_s, 20)


def test_a_machine_that_slept() -> None:
    """That is neither a step nor a stall, though the look comes an hour after it was wanted."""
    (suspend,) = look(later(START, 29, slept=3600), wanted=30)

    assert suspend.kind == "suspend"
    assert suspend.detail == "for 1h"
    assert span_s(suspend) == (0, 3629)


def test_a_coordinator_that_stood_still() -> None:
    """Sixty seconds under SIGSTOP: from when the look was wanted until it took place."""
    (stall,) = look(later(START, 90), wanted=30)

    assert stall.kind == "stall"
    assert span_s(stall) == (30, 90)


def test_a_turn_that_took_too_long_is_a_stall() -> None:
    """Between the look after a sleep and that before the next one no sleep is wanted."""
    watch = ClockWatch(START)
    busy = later(START, 11)

    (stall,) = watch.look(busy)

    assert stall.kind == "stall"
    assert span_s(stall) == (0, 11)
    assert watch.look(later(busy, 1)) == []


def test_several_things_at_once_are_told_apart() -> None:
    """Asleep for an hour, then frozen, and the clock was set back meanwhile: three incidents."""
    found = look(later(START, 90, slept=3600, stepped=-60), wanted=30)

    assert [incident.kind for incident in found] == ["suspend", "stall", "step"]
    assert span_s(found[1]) == (3630, 3690)
    assert found[2].amount_us == -60 * SECOND_US


def test_each_incident_is_told_once() -> None:
    """The next look counts from this one."""
    watch = ClockWatch(START)
    stepped = later(START, 1, stepped=100)

    assert len(watch.look(stepped)) == 1
    assert watch.look(later(stepped, 1)) == []


def test_a_look_is_never_wanted_before_the_last_one() -> None:
    """A deadline that has passed already makes no stall of the time before."""
    watch = ClockWatch(START)
    watch.expect(START.steady_us - 3600 * SECOND_US)

    assert watch.look(later(START, 5)) == []
