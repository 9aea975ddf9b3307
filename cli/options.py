"""Options that several commands take, and what their values mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

import click

from tocsin.instants import to_us
from tocsin.units import parse_duration

_Command = TypeVar("_Command", bound=Callable[..., Any])

COUNT: Final = click.IntRange(min=1)
# Each is reckoned from the one before.
DUE_COUNT: Final = click.IntRange(min=1, max=10_000)
_NUMBER: Final = re.compile(r"\d+(\.\d+)?", re.ASCII)


def seconds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    """Callback of an option: the seconds of `90s`, `1h30m` or a number."""
    if value is None:
        return None
    try:
        return parse_duration(float(value) if _NUMBER.fullmatch(value) else value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def key_values(
    _ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Callback of an option that may be given again: the pairs of `key=value`s."""
    pairs = {}
    what = param.opts[0].removeprefix("--")
    for text in values:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{text!r} is no {what}: write key=value")
        pairs[key] = value
    return pairs


def instant(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """Callback of an option: an instant, RFC 3339 or without an offset on this host's clock."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        example = "2026-12-24 18:00 or 2026-12-24T18:00:00Z"
        raise click.BadParameter(f"{value!r} is no time: write {example}") from error
    return to_us(moment.astimezone() if moment.tzinfo is None else moment)


def length_options(command: _Command) -> _Command:
    """`--for DURATION` and `--until TIME`, as the arguments `for_s` and `until_us`."""
    span = click.option(
        "--for", "for_s", callback=seconds, metavar="DURATION", help="It ends after so long."
    )
    end = click.option(
        "--until",
        "until_us",
        callback=instant,
        metavar="TIME",
        help="It ends then: 2026-12-24 18:00 on this host's clock, or RFC 3339.",
    )
    return span(end(command))


def timeout_option(command: _Command) -> _Command:
    """`--timeout DURATION`, as the argument `timeout` in seconds."""
    option = click.option(
        "--timeout", callback=seconds, metavar="DURATION", help="Wait no longer than this."
    )
    return option(command)


def output_option(command: _Command) -> _Command:
    """`-o json|table`, as the argument `as_json`."""
    option = click.option(
        "-o",
        "--output",
        "as_json",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        callback=lambda _ctx, _param, value: value == "json",
        help="What to print.",
    )
    return option(command)
