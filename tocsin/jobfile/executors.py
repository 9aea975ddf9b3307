"""The executors that a job file may name, each imported when one does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tocsin.execution import Executor, executor_entry_points, load_executor


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
