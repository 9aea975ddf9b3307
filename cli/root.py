"""The tree of commands. A command's module is imported when the command is used."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Final, NamedTuple

import click

from tocsin import __version__
from tocsin.errors import ConfigError

from .failing import BAD_INPUT, INTERRUPTED, OK, say

COMPLETION_VARIABLE: Final = "_TOCSIN_COMPLETE"
"""Set by a shell that asks for completions, see click's documentation."""


class Command(NamedTuple):
    """Where a command is, and what it does in one line."""

    module: str
    name: str
    help: str


COMMANDS: Final = {
    "up": Command("up", "up", "Start everything on this machine, and apply job files."),
    "init": Command("init", "init", "Set up a coordinator as a service of this host."),
    "plan": Command("files", "plan", "Show what applying job files would change."),
    "apply": Command("files", "apply", "Make jobs, calendars and pools as job files say."),
    "export": Command("export", "export", "Print jobs, calendars and pools as a job file."),
    "import": Command(
        "import_", "import_", "Make a job file of crontabs, Dkron, systemd, Cronicle."
    ),
    "job": Command("job", "job", "List, show, run, pause, remove and revert jobs."),
    "calendar": Command("shared", "calendar", "List, show and remove calendars."),
    "pool": Command("shared", "pool", "List and remove pools."),
    "run": Command("run", "run", "List, show, watch, wait for, repeat and kill runs."),
    "maintenance": Command("maintenance", "maintenance", "Pause jobs and agents for a while."),
    "why": Command("why", "why", "Tell why a job did, or did not, run."),
    "executor": Command("executor", "executor", "List, show, begin and check executors."),
    "plugin": Command(
        "plugin", "plugin", "Add executors of others to a Tocsin that came as a package."
    ),
    "agent": Command("agent", "agent", "Run this host's agent, or let hosts in."),
    "next": Command("preview", "next_", "Show when a schedule is due."),
    "status": Command("status", "status", "Show how the coordinator is."),
    "doctor": Command(
        "doctor", "doctor", "Find what is wrong on this host, and say how to mend it."
    ),
    "backup": Command("backup", "backup", "Take a backup of the coordinator of this host."),
    "restore": Command("restore", "restore", "Let the coordinator begin where a backup ends."),
    "audit": Command("audit", "audit", "Show who did what, and check that record."),
    "coordinator": Command("start", "coordinator", "Run a coordinator."),
    "tui": Command("start", "tui", "Open the terminal interface."),
    "web": Command("web", "web", "Serve the terminal interface to a browser here."),
}


class LazyGroup(click.Group):
    """Knows its commands by name and imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of that name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(f"tocsin.cli.{entry.module}"), entry.name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, without importing every module for a suggestion."""
        if args[0] not in COMMANDS:
            from tocsin.nearest import did_you_mean

            hint = did_you_mean(args[0], COMMANDS)
            ctx.fail(f"there is no command {args[0]!r}" + (f"; {hint}" if hint else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The list of commands for --help, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command, on a terminal, the terminal interface opens.",
)
@click.version_option(__version__, message="tocsin %(version)s")
@click.option(
    "--context",
    metavar="NAME|FILE",
    help="Which coordinator to talk to; else TOCSIN_CONTEXT, else the one known here.",
)
@click.pass_context
def root(ctx: click.Context, context: str | None) -> None:
    """Cron for a fleet, run from a terminal."""
    ctx.obj = context


def run(arguments: list[str]) -> int:
    """Run one command line; the exit code."""
    if COMPLETION_VARIABLE in os.environ:
        root.main(prog_name="tocsin")  # prints what could come next, and exits
    try:
        # Not `root.main`: it would end the process itself when nobody reads the output.
        with root.make_context("tocsin", arguments or ["--help"]) as ctx:
            result = root.invoke(ctx)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return BAD_INPUT
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx is not None else "tocsin"
        say(ConfigError(error.format_message().rstrip("."), f"see: {path} --help"))
        return BAD_INPUT
    return result if isinstance(result, int) else OK
