"""What is seen of an executor without running anything: its class, and its specimen."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from .specimen import Specimen
from .verdict import LeftOut, find

NO_SPECIMEN: Final = (
    "put SPECIMEN = Specimen(succeed={…}, …) into its module, its package, or a module `specimen` "
    "in it: docs/executors/writing.md"
)
PRINTED_BYTES_MAX: Final = 200
_MARKS: Final = ("config", "start")
"""What tells an executor's class from any other."""


class Sight:
    """Grows as the checks go on: each needs what the ones before it have found."""

    def __init__(self, use: str, keep: ExitStack) -> None:
        self._module_name, _, self._class_name = use.partition(":")
        self._keep = keep
        self._executor: Any = None
        self._module: ModuleType | None = None
        self.specimen: Specimen | None = None
        self.newly_loaded: list[str] = []
        """The modules that came with its own."""

    @property
    def executor(self) -> Any:  # noqa: ANN401 - a class of which nothing is known yet
        """Its class.

        Raises:
            LeftOut: it was not found.
        """
        if self._executor is None:
            raise LeftOut("its class was not found")
        return self._executor

    @property
    def use(self) -> str:
        """Where the class is."""
        return f"{self._module_name}:{self._class_name}"

    def load(self) -> None:
        """Import the module, and find the class in it. Standard output is a file.

        Raises:
            Finding: there is none, or several. An import raises whatever it does.
        """
        before = set(sys.modules)
        try:
            module = self._module = import_module(self._module_name)
        except ModuleNotFoundError as error:
            if error.name != self._module_name.partition(".")[0]:
                raise
            find(
                f"a module {self._module_name}",
                "there is none where this Python looks",
                "install it, or name its folder: tocsin executor check ./PATH",
            )
        sys.stdout.flush()
        if printed := os.pread(1, PRINTED_BYTES_MAX, 0):
            find("silence at import", f"it prints {printed.decode(errors='replace')!r}")
        self.newly_loaded = sorted(set(sys.modules) - before)
        if not self._class_name:
            self._class_name = _only_executor(module)
        found: Any = module
        for name in self._class_name.split("."):
            if not hasattr(found, name):
                find(f"a class {self._class_name} in {module.__name__}", "there is none")
            found = getattr(found, name)
        self._executor = found

    def load_specimen(self) -> None:
        """Find the specimen, and set up what it needs.

        Raises:
            LeftOut: there is none.
            Finding: it is something else.
        """
        found = self._any_specimen()
        if isinstance(found, Mapping):
            found = found.get(getattr(self.executor, "name", ""))
        if found is None:
            raise LeftOut("there is no specimen, so nothing was run", NO_SPECIMEN)
        if callable(found):
            found = self._keep.enter_context(found())
        if not isinstance(found, Specimen):
            find(
                "SPECIMEN to be a Specimen, or a function that makes a context with one",
                f"it is {type(found).__name__}",
                NO_SPECIMEN,
            )
        self.specimen = found

    def _any_specimen(self) -> Any:  # noqa: ANN401 - whatever stands there
        _ = self.executor
        assert self._module is not None
        package = self._module.__package__ or self._module_name
        for name in (self._module_name, package):
            found = getattr(sys.modules.get(name), "SPECIMEN", None)
            if found is not None:
                return found
        beside = f"{package}.specimen"
        try:
            return getattr(import_module(beside), "SPECIMEN", None)
        except ModuleNotFoundError as error:
            if error.name in {beside, package}:
                return None
            raise


def _only_executor(module: ModuleType) -> str:
    top = module.__name__.partition(".")[0]
    names = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type)
        and all(hasattr(value, mark) for mark in _MARKS)
        and value.__module__.partition(".")[0] == top
    ]
    if len(names) != 1:
        have = f"it has {', '.join(sorted(names))}" if names else "it has none"
        find(
            f"one class in {module.__name__} with `config` and `start`",
            have,
            f"name it: {module.__name__}:CLASS" if names else "see docs/executors/writing.md",
        )
    return names[0]
