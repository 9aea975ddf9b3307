"""Whether there was such a job, and whether it was due: the steps before any decision."""

from __future__ import annotations

from tocsin.messages.client_answers import Step, StepKind
from tocsin.model import Job

from .clock_change import change_at_due, leapt_over, second_pass
from .scene import Scene, info, no, schedules_at, schedules_of, yes
from .timeline import in_force, life_fault, next_due, unhindered
from .words import listed


def job_steps(scene: Scene) -> list[Step]:
    """Which version of the job was in force, by whom it came, and what became of it."""
    evidence, version, clock = scene.evidence, scene.version, scene.clock
    if version is None:
        return [no(StepKind.JOB, absence(scene))]
    before = in_force(evidence.versions, version.changed_us)
    made = "created" if before is None or before.job is None else "made"
    by = f" by {version.changed_by}" if version.changed_by else ""
    text = f"version {version.version}, {made}{by} {clock.full(version.changed_us)}"
    facts = {"version": version.version, "by": version.changed_by or None}
    steps = [yes(StepKind.JOB, text, version.changed_us, **facts)]
    newest = evidence.versions[-1]
    if (newest.job_id, newest.version) != (version.job_id, version.version):
        did = "removed" if newest.job is None else f"changed, at version {newest.version} today,"
        since = f"since then {did} by {newest.changed_by} {clock.full(newest.changed_us)}"
        steps.append(info(StepKind.JOB, since, newest.changed_us))
    return steps


def absence(scene: Scene) -> str:
    """Why there was no such job at that time."""
    evidence, clock = scene.evidence, scene.clock
    at_us = evidence.moment.asked_us if evidence.moment.asked_us is not None else evidence.now_us
    earlier = [each for each in evidence.versions if each.changed_us < at_us]
    later = [each for each in evidence.versions if each.changed_us >= at_us]
    parts = []
    if earlier:
        gone = earlier[-1]
        parts.append(f"{gone.changed_by} removed it {clock.full(gone.changed_us)}")
    if later:
        made = later[0]
        again = " again" if earlier else ""
        parts.append(f"{made.changed_by} created it{again} {clock.full(made.changed_us)}")
    there = "was" if at_us <= evidence.now_us else "will be"
    return f"there {there} no job {evidence.job} at {clock.full(at_us)}: {' and '.join(parts)}"


def life_hindrance(job: Job, scene: Scene, at_us: int) -> str:
    """Why a job is not due at all at an instant: disabled, not begun, over; else nothing."""
    clock = scene.clock
    match life_fault(job, at_us):
        case "enabled":
            return "the job is disabled (enabled: false)"
        case "starts_at":
            return f"the job starts at {clock.full(job.starts_at_us or 0)} (starts_at)"
        case "expires_at":
            return f"the job ended at {clock.full(job.expires_at_us or 0)} (expires_at)"
        case _:
            return ""


def schedule_steps(scene: Scene, due_us: int) -> list[Step]:
    """Which schedule was due, in words, and what a change of the clock did to it."""
    job, clock = scene.job, scene.clock
    due = schedules_at(job, due_us)
    if not due:
        return [info(StepKind.SCHEDULE, f"due {clock.with_utc(due_us)}", due_us)]
    words = listed([f'"{one.text}", {one.describe()}' for one in due])
    of_several = f" (one of {len(job.schedule)} schedules)" if len(job.schedule) > 1 else ""
    text = f"due {clock.with_utc(due_us)}: {words}{of_several}"
    steps = [yes(StepKind.SCHEDULE, text, due_us, schedule=[one.text for one in due])]
    change = next((found for one in due if (found := change_at_due(one, due_us))), "")
    return [*steps, info(StepKind.CLOCK, change, due_us)] if change else steps


def near_step(scene: Scene) -> list[Step]:
    """That the instant which was asked for is no due time, and which ones are near."""
    moment, clock = scene.evidence.moment, scene.clock
    asked_us = moment.asked_us
    if asked_us is None or moment.due_us == asked_us:
        return []
    ahead = asked_us > scene.evidence.now_us
    text = f"{clock.full(asked_us)} {'is' if ahead else 'was'} no due time"
    near = nearest_words(scene)
    text += f"; {near}" if near else ""
    steps = [info(StepKind.SCHEDULE, text, asked_us)]
    changes = [
        leapt_over(each, asked_us) or second_pass(each, asked_us)
        for each in schedules_of(scene.job)
    ]
    steps += [info(StepKind.CLOCK, text, asked_us) for text in changes if text][:1]
    return steps + _other_version_steps(scene, asked_us)


def nearest_words(scene: Scene) -> str:
    """The due times before and after the instant that was asked for; '' when there are none."""
    moment, clock = scene.evidence.moment, scene.clock
    near = [clock.time(each) for each in (moment.before_us, moment.after_us) if each is not None]
    if not near or moment.asked_us is None:
        return ""
    ahead = moment.asked_us > scene.evidence.now_us
    one, more = ("is", "are") if ahead else ("was", "were")
    return f"the nearest {one if len(near) == 1 else more} {listed(near)}"


def not_due_steps(scene: Scene, at_us: int) -> list[Step]:
    """Why a job that there was is not due at an instant."""
    job = scene.job
    hindrance = life_hindrance(job, scene, at_us)
    if hindrance:
        return [no(StepKind.LIFE, hindrance)]
    if not job.schedule:
        waits = [f"{each.job} (on {each.on})" for each in job.after]
        how = f"comes after {listed(waits)}" if waits else "runs when asked to"
        return [no(StepKind.SCHEDULE, f"the job has no schedule: it {how}")]
    words = listed([f'"{one.text}", {one.describe()}' for one in schedules_of(job)])
    return [*near_step(scene), no(StepKind.SCHEDULE, f"the schedule is {words}")]


def _other_version_steps(scene: Scene, at_us: int) -> list[Step]:
    for version in reversed(scene.evidence.versions):
        if version.job is None or version is scene.version:
            continue
        if _is_due_at(version.job, at_us):
            since = scene.clock.full(version.changed_us)
            held = f"made {since}" if version.changed_us >= at_us else "in force before"
            text = f"version {version.version}, {held}, would have been due then"
            return [info(StepKind.SCHEDULE, text)]
    return []


def _is_due_at(job: Job, at_us: int) -> bool:
    return bool(schedules_at(unhindered(job), at_us))


def first_due_step(scene: Scene) -> list[Step]:
    """When a job that came later was due first."""
    moment = scene.evidence.moment
    at_us = moment.asked_us if moment.asked_us is not None else scene.evidence.now_us
    first_us = next_due(scene.evidence.versions, at_us)
    if first_us is None or first_us > scene.evidence.now_us:
        return []
    return [info(StepKind.NEXT, f"its first due time was {scene.clock.full(first_us)}", first_us)]
