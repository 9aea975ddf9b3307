"""The plugins of Cronicle, each as the block of an executor."""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any, Final

from tocsin.importing.cronicle.requests import add_request
from tocsin.importing.doubt import Doubts, Place, Weight
from tocsin.importing.json_text import Keys, shortened

_SHEBANG: Final = re.compile(r"#![ \t]*(\S+)(?:[ \t]+(.*?))?[ \t]*(?:\n|$)")
_DASH_C: Final = re.compile(r"(?:ba|da|z|k|mk)?sh|fish|python[\d.]*")
_DASH_E: Final = re.compile(r"perl[\d.]*|ruby[\d.]*|node|nodejs")
_ARGUMENT_CHARS_MAX: Final = 100_000
"""Linux takes 128 KiB in one argument."""
_JOB_VARIABLES: Final = re.compile(r"\bJOB_\w+")


def add_plugin(
    block: dict[str, Any],
    name: str,
    params: dict[str, Any],
    plugin: dict[str, Any] | None,
    place: Place,
    doubts: Doubts,
) -> str:
    """Put the executor's block into a job; why the job must be held back, or nothing.

    `plugin` is the plugin as the export has it, when it does.
    """
    keys = Keys(params)
    held = ""
    if name == "shellplug":
        block["shell"] = _script(keys, place, doubts)
    elif name == "urlplug":
        add_request(block, keys, place, doubts)
    elif name == "testplug":
        block["scripted"] = _test(keys)
    else:
        return _other(block, name, params, plugin, place, doubts)
    for key, value in keys.left():
        doubts.lost(place, f"params {key}", f"{shortened(value)} is left out: unknown")
    return held


def _script(keys: Keys, place: Place, doubts: Doubts) -> dict[str, Any]:
    script = keys.text("script")
    if "\r\n" in script:
        script = script.replace("\r\n", "\n")
        doubts.check(place, "script", "its carriage returns are taken away")
    if keys.truth("annotate"):
        doubts.note(place, "annotate", "left out: when output came is kept with it")
    if keys.truth("json"):
        doubts.lost(place, "json", "left out: what it prints as JSON is output like any other")
    if found := sorted(set(_JOB_VARIABLES.findall(script))):
        doubts.check(
            place,
            ", ".join(found),
            "Cronicle sets these variables, Tocsin does not",
            "TOCSIN_JOB, TOCSIN_RUN_ID and TOCSIN_DUE tell something like it",
        )
    doubts.once(
        Weight.NOTE,
        "shell scripts",
        "Cronicle also writes the event as JSON to their stdin, and takes N% as progress; here "
        "stdin is empty, and output is output",
    )
    return _interpreted(script, place, doubts)


def _interpreted(script: str, place: Place, doubts: Doubts) -> dict[str, Any]:
    found = _SHEBANG.match(script)
    if found is None:
        doubts.check(place, "script", "its first line names no interpreter: run by /bin/sh")
        return {"command": script}
    program, argument = found[1], found[2] or ""
    words = [program, *([argument] if argument else [])]
    name = posixpath.basename(argument.split()[-1] if program.endswith("/env") else program)
    if program.endswith("/env"):
        words = [program, *argument.split()]
    if len(script) > _ARGUMENT_CHARS_MAX:
        doubts.note(place, "script", "too long for an argument: it is read from stdin")
    elif words == ["/bin/sh"]:
        return {"command": script}
    elif _DASH_C.fullmatch(name):
        return {"argv": [*words, "-c", script]}
    elif _DASH_E.fullmatch(name):
        return {"argv": [*words, "-e", script]}
    else:
        doubts.check(
            place, f"#!{' '.join(words)}", "the interpreter is given the script as /dev/stdin"
        )
    return {"argv": [*words, "/dev/stdin"], "stdin": script}


def _test(keys: Keys) -> dict[str, Any]:
    block: dict[str, Any] = {"run_for": keys.number("duration")}
    action = keys.text("action")
    if action == "Failure":
        block["exit_code"] = 1
    if action == "Crash":
        block["crash"] = True
    keys.drop(("progress", "secret"))
    return block


def _other(
    block: dict[str, Any],
    name: str,
    params: dict[str, Any],
    plugin: dict[str, Any] | None,
    place: Place,
    doubts: Doubts,
) -> str:
    command = str((plugin or {}).get("command", "")) or f"the command of plugin {name}"
    shell: dict[str, Any] = {"command": command, "stdin": json.dumps({"params": params}) + "\n"}
    if plugin and plugin.get("cwd"):
        shell["cwd"] = plugin["cwd"]
    block["shell"] = shell
    for key in ("uid", "gid", "env"):
        if plugin and plugin.get(key):
            doubts.lost(place, f"plugin {key}", f"{shortened(plugin[key])} is left out")
    doubts.lost(
        place,
        f"plugin {name or '(none)'}",
        "a plugin reads JSON and answers in JSON, which nothing here does: written as a comment, "
        "with its command and what it would read",
        "a command that needs no Cronicle around it",
    )
    return f"its plugin {name or '(none)'} is Cronicle's own"
