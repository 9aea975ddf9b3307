"""Where Tocsin's files are on this host, and how its settings are read.

`TOCSIN_HOME=DIR` puts all of them below one directory. Otherwise systemd's own variables count for
a daemon (systemd.exec(5), `ConfigurationDirectory=` and its like), then the user's XDG directories.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import msgspec

from tocsin import clock
from tocsin.errors import ConfigError
from tocsin.nearest import did_you_mean

HOME_VARIABLE: Final = "TOCSIN_HOME"
CONTEXT_VARIABLE: Final = "TOCSIN_CONTEXT"
CONTEXT_FILE: Final = "context.toml"
CONTEXTS_DIR: Final = "contexts"
_SETTINGS_BYTES_MAX: Final = 1 << 20

_Settings = TypeVar("_Settings", bound=msgspec.Struct)


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """The directories of one installation; none of them need exist."""

    config_dir: Path
    """Settings, the context, keys of the command line's user."""
    data_dir: Path
    """Databases, the agent's spool, keys of daemons."""
    log_dir: Path
    run_dir: Path
    """Sockets and pid files; need not outlive a reboot."""

    @property
    def context_file(self) -> Path:
        """The context that is used when none is named."""
        return self.config_dir / CONTEXT_FILE

    @property
    def contexts_dir(self) -> Path:
        """Contexts that can be named: `NAME.toml` each."""
        return self.config_dir / CONTEXTS_DIR


def find_places(environ: Mapping[str, str], *, daemon: bool = False) -> Places:
    """The directories that an environment asks for.

    Only a `daemon` heeds systemd's variables: a command may be run by a unit of somebody else's.
    """
    home = environ.get(HOME_VARIABLE)
    if home:
        root = Path(home).absolute()
        return Places(
            config_dir=root / "config",
            data_dir=root / "data",
            log_dir=root / "log",
            run_dir=root / "run",
        )
    given = [
        environ.get(f"{name}_DIRECTORY", "").partition(":")[0] if daemon else ""
        for name in ("CONFIGURATION", "STATE", "LOGS", "RUNTIME")
    ]
    given[2] = given[2] or (f"{given[1]}/log" if given[1] else "")  # under systemd it has a journal
    if not all(given):
        from platformdirs import PlatformDirs  # a daemon under systemd does without

        dirs = PlatformDirs("tocsin", appauthor=False)
        # Not platformdirs' own: without a session it warns, and goes to a place open to others.
        session = environ.get("XDG_RUNTIME_DIR")
        run_dir = f"{session}/tocsin" if session else f"{dirs.user_data_dir}/run"
        usual = dirs.user_config_dir, dirs.user_data_dir, dirs.user_log_dir, run_dir
        given = [path or default for path, default in zip(given, usual, strict=True)]
    paths = zip(Places.__struct_fields__, map(Path, given), strict=True)
    return Places(**dict(paths))


class Context(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Which coordinator the command line and the TUI talk to, and as whom."""

    name: str
    """For people: what this coordinator is called."""
    endpoint: str
    """`tcp://host:port`."""
    server_key: str
    """The coordinator's CURVE public key in hexadecimal."""
    key_file: Path
    """The client's own key pair."""
    read_only: bool = False
    """The TUI offers nothing that changes anything. Commands do as they are told; what they may do
    is a matter of the key's role."""
    careful: bool = False
    """The TUI asks before each change, and has the name of the context typed."""


def find_context(named: str | None, environ: Mapping[str, str], places: Places) -> Context:
    """The context that `--context` or TOCSIN_CONTEXT names, else the one at its usual place.

    It is named by itself (`prod`: `contexts/prod.toml` beside the usual one), or by its file.

    Raises:
        ConfigError: there is none, or it is wrong.
    """
    named = named or environ.get(CONTEXT_VARIABLE)
    if named:
        return read_context(_context_path(named, places))
    if not places.context_file.exists():
        raise ConfigError(
            "no coordinator is known here",
            "start one with `tocsin up`, or join one with `tocsin agent join`",
        )
    return read_context(places.context_file)


def list_contexts(places: Places) -> dict[str, Path]:
    """The files of the contexts that can be named, by their names, in order."""
    try:
        found = sorted(places.contexts_dir.glob("*.toml"))
    except OSError:
        return {}
    return {path.stem: path for path in found if not path.name.startswith(".")}


def _context_path(named: str, places: Places) -> Path:
    """The file that is meant; a name wins over a file of this name in the current directory."""
    known, path = list_contexts(places), Path(named)
    if named in known:
        return known[named]
    if path.exists() or len(path.parts) != 1 or path.suffix:
        return path
    near = did_you_mean(named, known)
    listed = f"there are {', '.join(known)}" if known else ""
    raise ConfigError(
        f"there is no context {named!r}, and no file of that name",
        near or listed or f"put it at {places.contexts_dir / named}.toml",
    )


def read_context(path: Path) -> Context:
    """The context in a file; a relative `key_file` is beside it.

    Raises:
        ConfigError: missing, unreadable or wrong.
    """
    context = read_settings(path, Context)
    return msgspec.structs.replace(context, key_file=path.parent.absolute() / context.key_file)


def write_context(path: Path, context: Context) -> None:
    """Put a context into a file, mode 0600, whole or not at all.

    Raises:
        ConfigError: the file or its directory cannot be written.
    """
    write_settings(path, msgspec.to_builtins(context, enc_hook=str))


SettingValues: TypeAlias = Mapping[str, str | int | Mapping[str, str]]


def settings_text(values: SettingValues) -> str:
    """Settings as lines of a TOML file."""
    return "".join(f"{key} = {_toml_value(value)}\n" for key, value in values.items())


def write_settings(path: Path, values: SettingValues) -> None:
    """Put settings into a TOML file, mode 0600, whole or not at all.

    Raises:
        ConfigError: the file or its directory cannot be written.
    """
    write_text(path, settings_text(values))


def write_text(path: Path, text: str) -> None:
    """Put a text into a file, mode 0600, whole or not at all.

    Raises:
        ConfigError: the file or its directory cannot be written.
    """
    draft = path.with_name(f".{path.name}.{clock.new_ulid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(fd, "w", encoding="utf-8") as file:  # noqa: PTH123 - Path cannot open a descriptor
                file.write(text)
                file.flush()
                os.fsync(fd)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{path}: cannot write it: {error.strerror}") from error


def read_settings(
    path: Path,
    kind: type[_Settings],
    given: Mapping[str, object] | None = None,
    otherwise: Mapping[str, object] | None = None,
) -> _Settings:
    """The settings of a TOML file as a Struct.

    `given` stands in place of what the file says, `otherwise` of what it does not say.

    Durations, sizes and paths are written as in `tocsin.blocks`.

    Raises:
        ConfigError: missing, unreadable, not TOML, or wrong; names the file, the key, and the
            nearest key that there is.
    """
    block = _read_toml(path)
    elsewhere = {**(otherwise or {}), **(given or {})}
    if _is_strict(kind):
        # Right settings, and a daemon that should stay small, need no more than this.
        with contextlib.suppress(msgspec.ValidationError):
            merged = {**elsewhere, **block, **(given or {})}
            return msgspec.convert(merged, kind, dec_hook=_to_path)
    from tocsin.blocks import Faults, Reader

    faults = Faults(str(path))
    read = Reader(faults).fields(kind, block, (), elsewhere=elsewhere)
    if len(faults):
        raise ConfigError("\n".join(faults), f"correct {path}")
    return kind(**{**elsewhere, **read, **(given or {})})


def _is_strict(kind: type[msgspec.Struct]) -> bool:
    """Whether msgspec itself refuses unknown keys, in nested tables too."""
    inner = (field.type for field in msgspec.structs.fields(kind))
    return kind.__struct_config__.forbid_unknown_fields and all(
        _is_strict(one)
        for one in inner
        if isinstance(one, type) and issubclass(one, msgspec.Struct)
    )


def _to_path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    raise ValueError(value)


def _read_toml(path: Path) -> dict[str, object]:
    import tomllib

    try:
        with path.open("rb") as file:
            return tomllib.loads(file.read(_SETTINGS_BYTES_MAX).decode())
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file", "check the path") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot read it: {error.strerror}") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise ConfigError(f"{path}: not TOML: {error}", f"correct {path}") from error


def _toml_value(value: str | int | Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _toml_text(value)
    pairs = (f"{_toml_text(key)} = {_toml_text(item)}" for key, item in value.items())
    return f"{{{', '.join(pairs)}}}"


def _toml_text(text: str) -> str:
    """A basic string, see toml.io/en/v1.0.0#string."""
    escaped = (
        f"\\u{ord(char):04x}" if char in '"\\' or ord(char) < ord(" ") or char == "\x7f" else char
        for char in text
    )
    return f'"{"".join(escaped)}"'
