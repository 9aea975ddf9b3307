"""What each key of a job means, and what holds without it: for the documentation and for forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """One key of a job; both texts may hold code in backticks."""

    text: str
    otherwise: str
    """What holds without the key; empty where nothing does."""


KEYS: Final[Mapping[str, Meaning]] = {
    "description": Meaning("one line for people", ""),
    "schedule": Meaning(
        "a schedule, or a list of them; due when any of them is", "runs when asked to, as `@manual`"
    ),
    "timezone": Meaning("the zone of its schedules", "`UTC`"),
    "dst": Meaning(
        "`vixie`, `skip`, `literal`: a time of day when the clock is changed", "`vixie`"
    ),
    "starts_at": Meaning("not due before", ""),
    "expires_at": Meaning("not due from then on", ""),
    "enabled": Meaning("`false`: never due", "`true`"),
    "ephemeral": Meaning("`true`: removed when a fire of it has succeeded", "`false`"),
    "jitter": Meaning(
        "starts up to so much later than it is due, always the same for one job and agent; "
        "a run that waits for it is under way for `overlap`",
        "`0s`",
    ),
    "blackout": Meaning(
        'due times that get no run: a list of windows `{from: "Fri 18:00", to: "Mon 06:00"}` '
        "in the job's zone, or of `{calendar: NAME}`",
        "",
    ),
    "after": Meaning(
        "a list of `{job: NAME, on: success}`, or `on: failure`, `on: any`: "
        "all must have ended so since its last fire",
        "",
    ),
    "target.tags": Meaning(
        "tags that an agent must have: each a glob or a list of globs; `name` is always a tag",
        "any agent",
    ),
    "target.agents": Meaning("on how many agents each due time runs: a number, or `all`", "`1`"),
    "target.choose": Meaning(
        "`least_busy`, `random`, `sticky`: always the same agent while it is there", "`least_busy`"
    ),
    "target.max_parallel": Meaning("on several agents: at most so many at a time", "all at once"),
    "target.stagger": Meaning("on several agents: so long between one turn and the next", "`0s`"),
    "target.canary": Meaning(
        "on several agents: so many first, the others only when all of these succeeded", "`0`"
    ),
    "target.stop_after": Meaning(
        "on several agents: after so many failures none of the others is begun", ""
    ),
    "overlap": Meaning(
        "while an earlier run is not over: `allow`, `skip`, `queue`, `replace`", "`skip`"
    ),
    "queue_limit": Meaning("for `queue`: so many fires wait at most", "`100`"),
    "missed.policy": Meaning(
        "due times that nobody could act on: `skip`, `latest`, `all`", "`latest`"
    ),
    "missed.within": Meaning("older ones are skipped", "the interval, at most 1h"),
    "missed.limit": Meaning("for `all`: so many at once, the latest", "`10`"),
    "on_lost": Meaning("nobody can know whether it ran: `report`, `retry`", "`report`"),
    "timeout": Meaning("ends a run that takes longer", "`1d`"),
    "kill_after": Meaning("from TERM to KILL", "`10s`"),
    "retry.limit": Meaning("how often a failed or timed-out attempt is tried again", "`0`"),
    "retry.delay": Meaning("the first wait before another try", "`10s`"),
    "retry.backoff": Meaning("each further wait is the one before times this", "`2`"),
    "retry.max_delay": Meaning("no wait is longer", "`5m`"),
    "retry.jitter": Meaning("spreads the wait by this share of itself", "`0.1`"),
    "retry.elsewhere": Meaning("prefer agents on which it has not failed", "`true`"),
    "env": Meaning("environment variables", ""),
    "secrets": Meaning("variables whose values each agent reads from its own files", ""),
    "run_as": Meaning(
        "who runs it on the host: `user` or `user:group`, by name or number", "whoever the agent is"
    ),
    "limits.memory": Meaning("all its processes together may use so much memory; swap is none", ""),
    "limits.cpu": Meaning(
        "so much processor time: `50%` is half a processor, `200%` two of them", ""
    ),
    "limits.tasks": Meaning("so many processes and threads", ""),
    "expect.exit_codes": Meaning("exit codes that mean success", "the executor's own rule"),
    "expect.match": Meaning("a regular expression that some line of the output must match", ""),
    "expect.not_match": Meaning("a regular expression that no line of the output may match", ""),
    "expect.json": Meaning("standard output is JSON, with these values at these paths", ""),
    "output.keep": Meaning("how much of each stream is kept, its head and its tail", "`1MiB`"),
    "expect_failure": Meaning("`tocsin up --for` does not count its failures", "`false`"),
    "labels": Meaning("texts by name, for people and programs", ""),
    "priority": Meaning(
        "among runs that wait for a slot, the higher goes first; -1000 to 1000", "`0`"
    ),
    "pool": Meaning("each of its runs takes a slot of this pool", ""),
    "params": Meaning("what a request may give a run, with its default; `null`: must be given", ""),
}
"""By the key, dotted inside a block; docs/jobfile.md has the same words."""
