"""The executors of Dkron, each as the block of an executor of Tocsin."""

from __future__ import annotations

import base64
import shlex
from typing import Any, Final

from tocsin.importing.dkron.durations import go_seconds
from tocsin.importing.dkron.messages import add_nats
from tocsin.importing.dkron.requests import add_http
from tocsin.importing.doubt import Doubts, Place
from tocsin.importing.json_text import Keys, shortened
from tocsin.importing.users import add_memory_limit, add_user

_OPERATORS: Final = frozenset("();<>|&")
_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})


def add_executor(
    block: dict[str, Any], executor: str, config: dict[str, Any], name: str, place: Place,
    doubts: Doubts,
) -> str:  # fmt: skip
    """Put the executor's block into a job; why the job must be held back, or nothing.

    `name` is the job's name in Dkron.
    """
    if not executor:
        doubts.lost(place, "executor", "none is named: in Dkron the job fails whenever it is due")
        return "it names no executor"
    for key, value in config.items():
        if not isinstance(value, str):
            config = {**config, key: "" if value is None else str(value)}
    if executor == "shell":
        return _shell(block, Keys(config), name, place, doubts)
    if executor == "http":
        add_http(block, Keys(config), place, doubts)
        return ""
    if executor == "nats":
        add_nats(block, Keys(config), place, doubts)
        return ""
    block[executor] = {key: value for key, value in config.items() if value != ""}
    empty = [key for key, value in config.items() if value == ""]
    if empty:
        doubts.note(place, f"executor_config {', '.join(empty)}", "empty, so left out")
    return ""


def _shell(block: dict[str, Any], keys: Keys, name: str, place: Place, doubts: Doubts) -> str:
    command, held = keys.text("command"), ""
    shell: dict[str, Any] = {}
    if keys.text("shell") in _TRUE:
        shell["command"] = command
    else:
        shell["argv"] = _words(command, place, doubts)
    if cwd := keys.text("cwd"):
        shell["cwd"] = cwd
    env = _env(keys.text("env"), place, doubts)
    if "ENV_JOB_NAME" in command:
        env.setdefault("ENV_JOB_NAME", name)
        doubts.note(place, "ENV_JOB_NAME", "set to the name in Dkron, as Dkron sets it")
    if env:
        block["env"] = env
    _timeout(block, keys.text("timeout"), place, doubts)
    if payload := keys.text("payload"):
        held = _payload(shell, payload, place, doubts)
    if limit := keys.text("mem_limit"):
        # Its units are powers of 1024, whether they are called so or not.
        size = limit.upper().replace("IB", "B").removesuffix("B")
        add_memory_limit(block, f"mem_limit {limit}", size, place, doubts)
    if su := keys.text("su"):
        user, _, group = su.partition(":")
        if not add_user(block, user, doubts, group=group):
            block.setdefault("labels", {})["dkron_su"] = su
            doubts.check(
                place,
                f"su {su}",
                "this can be nobody's name, so it runs as the agent's user; the label dkron_su "
                "keeps it",
                "who is meant",
            )
    for key, value in keys.left():
        doubts.lost(place, f"executor_config {key}", f"{shortened(value)!r} is left out: unknown")
    block["shell"] = shell
    return held


def _words(command: str, place: Place, doubts: Doubts) -> list[str]:
    """The words of a command; without a shell Dkron stops at the first `&`, `|`, `;` or `>`."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        for word in lexer:
            if word and set(word) <= _OPERATORS:
                doubts.check(
                    place,
                    f"command {shortened(command)!r}",
                    f"without a shell Dkron drops what follows {word!r}, and so it is here",
                    "if the whole line was meant, write it as shell: LINE",
                )
                break
            words.append(word)
    except ValueError as error:
        doubts.check(place, f"command {shortened(command)!r}", f"{error}: split at blanks")
        return command.split()
    return words


def _env(text: str, place: Place, doubts: Doubts) -> dict[str, str]:
    env: dict[str, str] = {}
    for item in text.split(",") if text else []:
        key, equals, value = item.partition("=")
        if equals and key:
            env[key] = value
        else:
            doubts.lost(
                place,
                f"env {item!r}",
                "left out, as it has no = (Dkron splits at every comma)",
                "whether it was part of the value before it",
            )
    return env


def _timeout(block: dict[str, Any], text: str, place: Place, doubts: Doubts) -> None:
    if not text:
        return
    seconds = go_seconds(text)
    if seconds is None or seconds <= 0:
        doubts.lost(place, f"timeout {text}", "left out: this is no duration")
        return
    block["timeout"] = seconds
    doubts.note(
        place, f"timeout {text}", "Tocsin sends TERM first, and KILL after kill_after; Dkron kills"
    )


def _payload(shell: dict[str, Any], payload: str, place: Place, doubts: Doubts) -> str:
    try:
        shell["stdin"] = base64.b64decode(payload, validate=True).decode()
    except ValueError:
        doubts.lost(
            place, "payload", "it is no base64 of text, and stdin of a job is text", "what it needs"
        )
        shell["stdin"] = payload
        return "its payload is no text"
    return ""
