"""Job files on disk: which ones are meant, and what all of them together say."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin.blocks import Faults, KeyPath, Reader, shown
from tocsin.errors import JobFileError
from tocsin.execution import Executor
from tocsin.jobfile.job import read_job
from tocsin.jobfile.order import order_faults
from tocsin.jobfile.plain import plain
from tocsin.jobfile.shared import read_calendar, read_pool
from tocsin.jobfile.yaml_text import Document, UnreadableError, read_yaml
from tocsin.model import Calendar, Job, Pool

FILE_BYTES_MAX: Final = 16 << 20
STDIN: Final = "-"


class JobSet(msgspec.Struct, frozen=True):
    """All that job files say together, in the order of the files; each name stands once."""

    jobs: list[Job] = []
    calendars: list[Calendar] = []
    pools: list[Pool] = []


def read_job_files(paths: Iterable[str | Path], executors: Mapping[str, type[Executor]]) -> JobSet:
    """What is in files, in directories (all job files below them) and in `-`, stdin as YAML.

    Raises:
        JobFileError: with every fault of every file.
    """
    collected = _Collected(executors)
    for source in _sources(paths, collected.faults):
        collected.read(source)
    collected.faults += order_faults(collected.jobs, collected.places)
    if collected.faults:
        raise JobFileError(
            collected.faults, "nothing was changed; docs/jobfile.md says what a job file holds"
        )
    return JobSet(
        list(collected.jobs.values()),
        list(collected.calendars.values()),
        list(collected.pools.values()),
    )


def _sources(paths: Iterable[str | Path], faults: list[str]) -> Iterator[str]:
    seen: set[str] = set()
    for given in paths:
        path = str(given)
        found = [path]
        if path != STDIN and Path(path).is_dir():
            found = list(_below(path))
            if not found:
                faults.append(f"{path}: no job file in it; expected {_suffixes()}")
        for name in found:
            real = name if name == STDIN else os.path.realpath(name)
            if real not in seen:
                seen.add(real)
                yield name


def _below(folder: str) -> Iterator[str]:
    """The job files below a folder, sorted; hidden ones are somebody's scratch."""
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            str(Path(root, name))
            for name in names
            if Path(name).suffix in _READERS and not name.startswith(".")
        ]
    return iter(sorted(found))


class _Collected:
    """What the files read so far have said."""

    def __init__(self, executors: Mapping[str, type[Executor]]) -> None:
        self._executors = executors
        self.places: dict[KeyPath, str] = {}
        self.jobs: dict[str, Job] = {}
        self.calendars: dict[str, Calendar] = {}
        self.pools: dict[str, Pool] = {}
        self.faults: list[str] = []

    def read(self, source: str) -> None:
        shown_name = "stdin" if source == STDIN else source
        try:
            text = _text(source)
            document = _READERS[".yaml" if source == STDIN else Path(source).suffix](text)
        except UnreadableError as error:
            self._refuse(shown_name, error.message, error.line)
        except OSError as error:
            self._refuse(shown_name, (error.strerror or str(error)).lower())
        else:
            faults = Faults(shown_name, document.lines)
            for path, line, wrong in document.faults:
                faults.add(path, wrong, line=line)
            self._take(document.value, faults, source)
            self.faults += faults

    def _refuse(self, source: str, wrong: str, line: int | None = None) -> None:
        self.faults.append(f"{source}: {wrong}" if line is None else f"{source}:{line}: {wrong}")

    def _take(self, document: object, faults: Faults, source: str) -> None:
        if not isinstance(document, dict):
            wrong = "the file is empty" if document is None else shown(document)
            faults.add((), wrong, expected="jobs: and below it the jobs by name")
            return
        takers = {
            "jobs": self._take_job,
            "calendars": self._take_calendar,
            "pools": self._take_pool,
        }
        for key in document:
            if key not in takers:
                Reader(faults).unknown(key, list(takers), ())
        if not len(faults) and not document:
            faults.add((), "nothing stands here", expected="jobs: and below it the jobs by name")
        for kind, take in takers.items():
            blocks = document.get(kind)
            if isinstance(blocks, dict):
                for name, block in blocks.items():
                    take(name, block, (kind, name), faults, source)
            elif kind in document:
                faults.add((kind,), shown(blocks), expected=f"the {kind} by name")

    def _place(self, kind: str, path: KeyPath, faults: Faults) -> None:
        """Note where something is defined: it may be in one place alone."""
        if path in self.places:
            faults.add(path, f"this {kind} also stands in {self.places[path]}")
        self.places.setdefault(path, faults.place(path))

    def _take_job(
        self, name: str, block: object, path: KeyPath, faults: Faults, _source: str
    ) -> None:
        self._place("job", path, faults)
        before = len(faults)
        value = plain(block, path, faults)
        if len(faults) == before:
            job = read_job(name, value, self._executors, path, faults)
            if job is not None:
                self.jobs.setdefault(name, job)

    def _take_calendar(
        self, name: str, block: object, path: KeyPath, faults: Faults, source: str
    ) -> None:
        self._place("calendar", path, faults)
        value = plain(block, path, faults)
        calendar = read_calendar(name, value, path, faults, partial(_text_beside, source))
        if calendar is not None:
            self.calendars.setdefault(name, calendar)

    def _take_pool(
        self, name: str, block: object, path: KeyPath, faults: Faults, _source: str
    ) -> None:
        self._place("pool", path, faults)
        pool = read_pool(name, block, path, faults)
        if pool is not None:
            self.pools.setdefault(name, pool)


def _text(source: str) -> str:
    if source == STDIN:
        return _decoded(sys.stdin.buffer.read(FILE_BYTES_MAX + 1))
    if Path(source).suffix not in _READERS:
        Path(source).stat()
        raise UnreadableError(f"the name does not say what it holds; expected {_suffixes()}")
    return _text_of(Path(source))


def _text_of(path: Path) -> str:
    with path.open("rb") as file:
        return _decoded(file.read(FILE_BYTES_MAX + 1))


def _decoded(data: bytes) -> str:
    if len(data) > FILE_BYTES_MAX:
        raise UnreadableError(f"larger than {FILE_BYTES_MAX >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableError("not UTF-8", line) from error


def _text_beside(source: str, name: str) -> str:
    """The text of a file that a job file names; those on stdin name it from here."""
    folder = Path() if source == STDIN else Path(source).parent
    try:
        return _text_of(folder / name)
    except UnreadableError as error:
        raise ValueError(error.message) from error
    except OSError as error:
        raise ValueError((error.strerror or str(error)).lower()) from error


def _read_toml(text: str) -> Document:
    try:
        return Document(tomllib.loads(text), {}, [])
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise UnreadableError(f"not TOML: {error}") from error
    except RecursionError as error:
        raise UnreadableError("nested too deeply") from error


def _read_json(text: str) -> Document:
    try:
        return Document(json.loads(text, object_pairs_hook=_without_doubles), {}, [])
    except json.JSONDecodeError as error:
        raise UnreadableError(f"not JSON: {error.msg}", error.lineno) from error
    except ValueError as error:
        raise UnreadableError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise UnreadableError("nested too deeply") from error


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    block = dict(pairs)
    if len(block) < len(pairs):
        keys = [key for key, _ in pairs]
        double = next(key for key in keys if keys.count(key) > 1)
        raise UnreadableError(f'the key "{double}" stands twice in one block')
    return block


_READERS: Final[dict[str, Callable[[str], Document]]] = {
    ".yaml": read_yaml,
    ".yml": read_yaml,
    ".toml": _read_toml,
    ".json": _read_json,
}


def _suffixes() -> str:
    *most, last = (f"*{suffix}" for suffix in _READERS)
    return f"{', '.join(most)} or {last}"
