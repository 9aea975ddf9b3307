"""Jobs that come after others: what of it can never be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tocsin.model import Dependency

Upstream = Callable[[str], Iterable[str]]
"""The jobs that a job comes after, by name."""


def own_faults(
    name: str, after: Iterable[Dependency]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a job's `after` by itself: the keys that lead to it, and a sentence."""
    seen: set[str] = set()
    for number, dependency in enumerate(after):
        path = ("after", number, "job")
        if dependency.job == name:
            yield path, "a job cannot come after itself"
        elif dependency.job in seen:
            yield path, f"{dependency.job} stands twice; expected each job once, with on: any"
        seen.add(dependency.job)


def find_circle(names: Iterable[str], upstream: Upstream) -> list[str]:
    """A circle that one of these jobs is in or leads to, first job last; empty when none is."""
    done: set[str] = set()
    for name in names:
        circle = _circle_above(name, upstream, done)
        if circle:
            return circle
    return []


def _circle_above(name: str, upstream: Upstream, done: set[str]) -> list[str]:
    """Walk up from a job, depth first and without recursion: chains may be long."""
    if name in done:
        return []
    path = {name: iter(upstream(name))}
    while path:
        here = next(reversed(path))
        above = next(path[here], None)
        if above is None:
            done.add(here)
            del path[here]
        elif above in path:
            walked = list(path)
            return [above, *reversed(walked[walked.index(above) + 1 :]), above]
        elif above not in done:
            path[above] = iter(upstream(above))
    return []


def circle_text(circle: list[str]) -> str:
    """A circle as people write it, in the order in which its jobs would fire."""
    return " -> ".join(circle)
