"""The executors that a job file may name, each imported when one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from tocsin.errors import ExecutorError
from tocsin.execution import Executor, executor_entry_points, load_executor
from tocsin.model import Description, OfferedExecutor
from tocsin.published import published_executor


class InstalledExecutors(Mapping[str, type[Executor]]):
    """What is installed on this host; ExecutorError from a look-up when one does not import."""

    def __init__(self) -> None:
        self._names = sorted(executor_entry_points())
        self._loaded: dict[str, type[Executor]] = {}

    def __getitem__(self, name: str) -> type[Executor]:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = load_executor(name)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class KnownExecutors(Mapping[str, type[Executor]]):
    """What is installed on this host, and what the fleet's agents offer.

    The executor itself is taken where it is installed here, for it knows more than its schema;
    where an agent's settings fill in some of its keys, its schema is all that a file must fit.

    Args:
        ask: tells what agents offer; called once, when a name is not known here, or an executor
            has keys that must be given, which agents may fill in.
    """

    def __init__(self, ask: Callable[[], list[OfferedExecutor]]) -> None:
        self._installed = InstalledExecutors()
        self._ask = ask
        self._fleet: dict[str, list[Description]] | None = None
        self._made: dict[str, type[Executor]] = {}

    def __getitem__(self, name: str) -> type[Executor]:
        if name not in self:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _published(self) -> dict[str, list[Description]]:
        if self._fleet is None:
            self._fleet = {}
            for row in self._ask():
                self._fleet.setdefault(row.description.name, []).append(row.description)
        return self._fleet

    def _make(self, name: str) -> type[Executor]:
        if name in self._installed:
            installed = self._installed[name]
            if not any(field.required for field in msgspec.structs.fields(installed.config)):
                return installed
        published = self._published().get(name, [])
        plain = all(one.use == name and not one.defaults for one in published)
        if plain and name in self._installed:
            return self._installed[name]
        filled_in = {key: "" for one in published for key in one.defaults}
        try:
            return published_executor(msgspec.structs.replace(published[0], defaults=filled_in))
        except ValueError as error:
            raise ExecutorError(f"executor {name!r} is published with {error}") from error

    def __contains__(self, name: object) -> bool:
        return name in self._installed or name in self._published()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*(self._fleet or ()), *self._installed}))

    def __len__(self) -> int:
        return len({*(self._fleet or ()), *self._installed})
