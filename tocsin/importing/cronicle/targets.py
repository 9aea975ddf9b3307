"""Targets of Cronicle, a host or a group of hosts, as the agents that may run a job."""

from __future__ import annotations

import re
from typing import Any, Final

from tocsin.importing.cronicle.export import Holding
from tocsin.importing.doubt import Doubts, Place, Weight
from tocsin.importing.draft import Options
from tocsin.importing.json_text import Keys

_ANY: Final = frozenset({".+", ".*", "^.+$", "^.*$", ""})
_NAME: Final = r"[\w-]+(?:\\?\.[\w-]+)*"
_ONE_OF: Final = re.compile(rf"\^\(?({_NAME}(?:\|{_NAME})*)\)?\$")
_PREFIX: Final = re.compile(rf"\^({_NAME}[.-]?)(?:\.[*+])?")
_SUFFIX: Final = re.compile(rf"(?:\.[*+])?((?:\\\.)?{_NAME})\$")
_INSIDE: Final = re.compile(rf"(?:\.\*)?({_NAME})(?:\.\*)?")
_CHOICES: Final = {"random": "random", "prefer_first": "sticky", "prefer_last": "sticky"}
_SHIPPED_GROUPS: Final = frozenset({"allgrp", "maingrp"})


def add_target(
    block: dict[str, Any], keys: Keys, holding: Holding, place: Place, options: Options,
    doubts: Doubts,
) -> None:  # fmt: skip
    """Put into a job which agents run it."""
    name, algo = keys.text("target"), keys.text("algo")
    is_multiplexed, stagger_s = keys.truth("multiplex"), keys.number("stagger")
    target: dict[str, Any] = {}
    tags = _tags(name, holding, place, doubts)
    if options.host:
        tags = {"name": options.host}
    if tags:
        target["tags"] = tags
    if is_multiplexed or algo == "multiplex":
        target["agents"] = "all"
        if stagger_s > 0:
            target["stagger"] = stagger_s
    elif algo in _CHOICES:
        target["choose"] = _CHOICES[algo]
    if algo.startswith("prefer_"):
        doubts.check(
            place, f"algo {algo}", "carried over as choose: sticky, which stays with one agent"
        )
    elif algo not in {"", "random", "multiplex"}:
        doubts.note(place, f"algo {algo}", "left out: the agent with the fewest runs is chosen")
    if target:
        block["target"] = target


def _tags(name: str, holding: Holding, place: Place, doubts: Doubts) -> dict[str, Any]:
    if not name:
        doubts.check(place, "target", "there is none: any agent may run it")
        return {}
    group = holding.groups.get(name)
    if group is not None:
        return _of_group(name, group, place, doubts)
    if name == "allgrp":
        return {}
    is_host = name in holding.hosts or "." in name
    if not is_host and (name in _SHIPPED_GROUPS or name.startswith("g") or holding.groups):
        doubts.check(
            place,
            f"target {name}",
            "this file does not say which hosts it means: the tag cronicle_group is asked for",
            f"give agents the tag cronicle_group={name}, or write other tags",
        )
        return {"cronicle_group": name}
    doubts.once(
        Weight.CHECK,
        "hosts",
        "hosts of Cronicle are taken for names of agents",
        "that agents carry the same names (tocsin agent list)",
    )
    return {"name": name}


def _of_group(name: str, group: dict[str, Any], place: Place, doubts: Doubts) -> dict[str, Any]:
    regexp = str(group.get("regexp", ""))
    about = f"target {name} (hosts like {regexp})"
    if regexp in _ANY:
        doubts.note(place, about, "all hosts: any agent may run it")
        return {}
    globs = _globs(regexp)
    if globs:
        doubts.check(place, about, f"carried over as agents called {', '.join(globs)}")
        return {"name": globs[0] if len(globs) == 1 else globs}
    doubts.check(
        place,
        about,
        "no pattern of names says the same: the tag cronicle_group is asked for",
        f"give agents the tag cronicle_group={name}, or write other tags",
    )
    return {"cronicle_group": name}


def _globs(regexp: str) -> list[str]:
    """Globs that match the same names as a regular expression; empty when it is not that simple."""
    if found := _ONE_OF.fullmatch(regexp):
        return [one.replace("\\.", ".") for one in found[1].split("|")]
    for pattern, glob in ((_PREFIX, "{}*"), (_SUFFIX, "*{}"), (_INSIDE, "*{}*")):
        if found := pattern.fullmatch(regexp):
            return [glob.format(found[1].replace("\\.", "."))]
    return []
