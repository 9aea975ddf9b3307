"""The agent as a process with nothing else in it: `python -m tocsin.agent.process [FILE]`.

Whoever was started with more, as the command line is, becomes this one before it is the agent. Its
settings stand in its environment: they may hold secrets, and anybody may read a command line. From
FILE it reads them again when SIGHUP arrives.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from tocsin.own_process import own_command

if TYPE_CHECKING:
    from .config import AgentConfig

SETTINGS_VARIABLE: Final = "TOCSIN_AGENT_SETTINGS"
"""Its `AgentConfig` as JSON."""
_EXIT_BAD_CONFIG: Final = 2
"""As everywhere on the command line; to be started again would not help."""


def command_line(settings_file: Path | None = None) -> list[str]:
    """The arguments, from the interpreter's path on, that start an agent."""
    file = [] if settings_file is None else [str(settings_file)]
    return [*own_command("tocsin.agent.process"), *file]


def settings_variable(config: AgentConfig) -> dict[str, str]:
    """What the environment of an agent with these settings needs besides."""
    import msgspec

    return {SETTINGS_VARIABLE: msgspec.json.encode(config, enc_hook=str).decode()}


def become_agent(config: AgentConfig, settings_file: Path) -> NoReturn:
    """Be the agent from now on, and nothing of what this process was."""
    arguments = command_line(settings_file.absolute())
    environ = {**os.environ, **settings_variable(config)}
    os.execve(arguments[0], arguments, environ)  # noqa: S606 - our own interpreter


def _path(kind: type[Path], text: str) -> Path:
    return kind(text)


def main(settings_file: str = "") -> int:
    """Run the agent with the settings in the environment; the exit code."""
    # msgspec looks for it, and uses typing itself where it is missing. It would bring inspect, ast
    # and tokenize: more than a megabyte, for as long as the agent lives.
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]

    import msgspec

    from tocsin.errors import ConfigError, TocsinError

    from .config import AgentConfig, read_again
    from .service import run_agent

    text = os.environ.pop(SETTINGS_VARIABLE, "")
    try:
        config = msgspec.json.decode(text, type=AgentConfig, dec_hook=_path)
        if not settings_file:
            return run_agent(config)
        return run_agent(config, lambda: read_again(Path(settings_file), config))
    except (TocsinError, msgspec.ValidationError) as error:
        hint = f"\n  {error.hint}" if isinstance(error, TocsinError) and error.hint else ""
        sys.stderr.write(f"tocsin: {error}{hint}\n")
        return _EXIT_BAD_CONFIG if isinstance(error, ConfigError) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
