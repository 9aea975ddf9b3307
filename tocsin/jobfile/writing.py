"""From jobs, calendars and pools back to the form of a job file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import yaml

from tocsin.instants import to_rfc3339
from tocsin.jobfile.yaml_text import CoreDumper
from tocsin.model import Calendar, Job, Pool
from tocsin.units import (
    format_duration,
    format_percent,
    format_size,
    parse_duration,
    parse_percent,
    parse_size,
)


def job_to_file(job: Job) -> dict[str, Any]:
    """The block of a job, as it would stand below its name: defaults left out, spans as text.

    Reading the block back gives an equal job.
    """
    blank = Job(name=job.name, executor=job.executor, config=job.config)
    return {**_block(job, blank), job.executor: job.config}


def calendar_to_file(calendar: Calendar) -> dict[str, Any]:
    """The block of a calendar: its dates, whether they came from the file or from another one."""
    block: dict[str, Any] = {}
    if calendar.description:
        block["description"] = calendar.description
    if calendar.dates or not block:
        block["dates"] = calendar.dates
    return block


def set_to_file(
    jobs: Iterable[Job],
    calendars: Iterable[Calendar] = (),
    pools: Iterable[Pool] = (),
) -> dict[str, Any]:
    """A whole job file. Reading it back gives an equal set."""
    document: dict[str, Any] = {
        "calendars": {each.name: calendar_to_file(each) for each in calendars},
        "pools": {each.name: each.slots for each in pools},
    }
    document = {key: block for key, block in document.items() if block}
    return {**document, "jobs": {job.name: job_to_file(job) for job in jobs}}


def dump_yaml(value: object) -> str:
    """YAML that `read_yaml` reads back to an equal value."""
    text: str = yaml.dump(
        value, Dumper=CoreDumper, sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    return text


def _block(struct: msgspec.Struct, blank: msgspec.Struct) -> dict[str, Any]:
    block: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        default = getattr(blank, field.name)
        if value == default:
            continue
        if isinstance(value, msgspec.Struct):
            block[field.encode_name] = _block(value, type(value)() if default is None else default)
        else:
            block[field.encode_name] = _written(field.name, value)
    return block


def _written(field_name: str, value: Any) -> object:  # noqa: ANN401 - a field of any type
    if value is None or isinstance(value, bool):
        return value
    if field_name.endswith("_us"):
        return to_rfc3339(value)
    if field_name.endswith("_s"):
        text = format_duration(value)
        return text if parse_duration(text) == value else value
    if field_name.endswith("_percent"):
        text = format_percent(value)
        return text if parse_percent(text) == value else f"{value:f}%"
    if field_name.endswith("_bytes"):
        text = format_size(value).replace(" ", "")
        return text if parse_size(text) == value else value
    return msgspec.to_builtins(value)
