"""The checks for which nothing is run: what a class is, and what its schema takes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from tocsin.execution import (
    PORT_VERSION,
    Capability,
    capabilities_of,
    check_config,
    is_executor_name,
    wrong_about,
)

from .check import Check
from .sight import Sight
from .verdict import LeftOut, find

HEAVY: Final = (
    "asyncio", "concurrent.futures", "importlib.metadata", "multiprocessing", "socket", "ssl",
    "subprocess",
)  # fmt: skip
"""Modules that whoever only wants a schema must not pay for."""
_NONSENSE: Final = "nonsense_key"
_PORT: Final = "docs/executors/writing.md has the port"


def imports(sight: Sight) -> None:
    """Its module imports, and its class is found in it."""
    sight.load()


def imports_light(sight: Sight) -> None:
    """Importing its module loads no event loop, sockets or processes."""
    _ = sight.executor
    heavy = [name for name in HEAVY if name in sight.newly_loaded]
    if heavy:
        find(
            "none of " + ", ".join(HEAVY),
            f"it loads {', '.join(heavy)}",
            "import them in `start`: agents, and whoever checks job files, import the module too",
        )


def class_(sight: Sight) -> None:
    """Its class says what it is: name, summary, main key, schema, capabilities."""
    executor = sight.executor
    wrong = wrong_about(executor) or "; ".join(_wrong_with(executor))
    if wrong:
        find(f"a class as version {PORT_VERSION} of the port has it", wrong, _PORT)


def _wrong_with(executor: Any) -> Iterator[str]:  # noqa: ANN401 - a class from anywhere
    from tocsin.model import Job

    name = getattr(executor, "name", None)
    if not isinstance(name, str) or not is_executor_name(name):
        yield f"its `name` is {name!r}: at most 64 letters, digits, and _ . - after the first"
    elif name in {field.encode_name for field in msgspec.structs.fields(Job)}:
        yield f"its `name`, {name}, is a key of every job"
    if not executor.summary or "\n" in executor.summary:
        yield "its `summary` is not one line of text"
    fields = {field.encode_name for field in msgspec.structs.fields(executor.config)}
    if executor.main_key not in fields:
        yield f"its `main_key`, {executor.main_key!r}, is no key of its schema"
    if not executor.config.__struct_config__.forbid_unknown_fields:
        yield "its schema takes unknown keys: add forbid_unknown_fields=True"
    unknown = [str(it) for it in capabilities_of(executor) if it not in set(Capability)]
    if unknown:
        yield f"there is no capability {', '.join(unknown)}"


def methods(sight: Sight) -> None:
    """It is constructed without arguments, and has the methods of the port."""
    executor = sight.executor
    made = executor()
    wanted: dict[str, tuple[str, ...]] = {"start": ("order", "config", "sink")}
    if Capability.REATTACH in capabilities_of(executor):
        wanted["reattach"] = ("order", "config", "sink", "handle")
    for name, arguments in wanted.items():
        shown = f"async def {name}(self, {', '.join(arguments)})"
        method = getattr(made, name, None)
        if method is None:
            find(shown, f"it has no {name}", _PORT)
        if not inspect.iscoroutinefunction(method):
            find(shown, f"its {name} is not async", _PORT)
        try:
            inspect.signature(method).bind(*arguments)
        except TypeError as error:
            find(shown, f"its {name} takes {inspect.signature(method)}: {error}", _PORT)


def described(sight: Sight) -> None:
    """Every key of its block has a description, which lists, forms and help show."""
    from tocsin.config_keys import config_keys
    from tocsin.config_schema import schema_of

    keys = config_keys(schema_of(sight.executor.config))
    bare = [key.path for key in keys if not key.description]
    if bare:
        find(
            "a description for each key",
            f"{', '.join(bare)} {'has' if len(bare) == 1 else 'have'} none",
            f'{bare[0]}: Annotated[TYPE, Meta(description="…")]',
        )


def published(sight: Sight) -> None:
    """An agent can publish it, with its schema, and hears that it is available here."""
    _ = sight.executor
    from tocsin.executors.describe import probe
    from tocsin.hosting import Settings

    told = probe(Settings(use=sight.use, name="checked"))
    if told.health is None or not told.health.available or not told.description:
        message = told.health.message if told.health is not None else ""
        find("a description and `available`", message or "neither", _PORT)


def specimen(sight: Sight) -> None:
    """It comes with a specimen: blocks that make it do what the contract speaks of."""
    sight.load_specimen()


def blocks(sight: Sight) -> None:
    """The blocks of its specimen are taken at apply, and so is what that makes of them."""
    if sight.specimen is None:
        raise LeftOut("there is no specimen")
    for name, block in sight.specimen.blocks().items():
        try:
            full = check_config(sight.executor, block)
            again = check_config(sight.executor, full)
        except msgspec.ValidationError as error:
            find(f"its schema to take `{name}` of the specimen", str(error))
        if again != full:
            find(f"`{name}` as it was: {full}", f"taken a second time it is {again}")


def unknown_key(sight: Sight) -> None:
    """A key that its schema does not have is refused at apply, by its name."""
    given = sight.specimen.succeed if sight.specimen is not None else {}
    try:
        check_config(sight.executor, {**given, _NONSENSE: 1})
    except msgspec.ValidationError as error:
        if _NONSENSE not in str(error) and given:
            find(f"an error that names {_NONSENSE}", str(error))
        return
    find(f"an error that names {_NONSENSE}", "it is taken", "add forbid_unknown_fields=True")


_FUNCTIONS: Final = (
    imports, imports_light, class_, methods, described, published, specimen, blocks, unknown_key,
)  # fmt: skip
STATIC: Final = tuple(Check(function) for function in _FUNCTIONS)
