"""`tocsin init coordinator`: a coordinator as a service of this host, and the way to it."""

from __future__ import annotations

import os
import pwd
import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from tocsin.config import (
    CONTEXT_FILE,
    SettingValues,
    find_places,
    read_context,
    settings_text,
    write_context,
    write_text,
)
from tocsin.errors import ConfigError, TocsinError
from tocsin.joining import JoinString, format_join
from tocsin.messages.client_answers import Token
from tocsin.messages.client_link import CreateToken

from . import systemctl
from .failing import OK
from .options import COUNT, output_option
from .shapes import print_json
from .start import coordinator_config

_PORT: Final = click.IntRange(min=1, max=65_535)
_SETTINGS: Final = "coordinator.toml"
_USERS: Final = "tocsin.conf"
"""Of sysusers.d, from the package."""
_HEAD: Final = "# The settings of the coordinator; all of them: docs/coordinator.md.\n"


class _Step(NamedTuple):
    """One thing that is done, or would be."""

    did: str
    plan: str = ""
    """The same, before it is done; empty when there is nothing to do."""
    undo: str = ""


@click.command()
@click.option("--host", help="How other hosts reach this one; by default its own name.")
@click.option("--bind", metavar="ADDRESS", help="Listen on this address only.")
@click.option("--port", type=_PORT, help="Where agents and clients connect; else 7370.")
@click.option("--enrol-port", type=_PORT, help="Where hosts ask to be let in; else 7371.")
@click.option(
    "--uses", type=COUNT, default=1, show_default=True, help="For how many hosts the word is good."
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@output_option
def coordinator(  # noqa: PLR0913 - one for each option
    *,
    host: str | None,
    bind: str | None,
    port: int | None,
    enrol_port: int | None,
    uses: int,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Set up tocsin-coordinator.service on this host, and print how agents join.

    What is there already is left as it is, so it can be repeated; then it prints a new word for
    agents. It needs root, systemd and the package's units.
    """
    unit = _unit()
    given = {"bind": bind, "port": port, "enrol_port": enrol_port}
    wanted = {key: value for key, value in given.items() if value is not None}
    steps = [*_settings(unit, wanted, dry_run=dry_run), *_user(unit, dry_run=dry_run)]
    steps += _service(unit, dry_run=dry_run)
    if dry_run:
        made = "made a context for root, and a word that lets agents in"
        steps += [_Step(made, made.replace("made", "make", 1))]
        _print(steps, None, as_json=as_json, dry_run=True)
        return OK
    data_dir = coordinator_config(unit.places, None, {}).data_dir
    admin = data_dir / "admin.toml"
    steps += _context(admin)
    word = _word(admin, host or os.uname().nodename, uses)
    _print(steps, word, as_json=as_json, dry_run=False)
    return OK


def _unit() -> systemctl.Unit:
    """The coordinator's unit.

    Raises:
        ConfigError: there is none to set up here, and what to do instead.
    """
    if os.geteuid() != 0:
        raise ConfigError(
            "only root can set up a service of this host",
            "with root: sudo tocsin init coordinator; without: tocsin coordinator, or tocsin up",
        )
    if not systemctl.is_booted():
        raise ConfigError(
            "systemd does not run this host",
            "have `tocsin coordinator` started by what does, as a user of its own; its "
            "administrator's context is admin.toml beside its databases",
        )
    unit = systemctl.unit(systemctl.COORDINATOR)
    if not unit.is_installed:
        raise ConfigError(
            f"{unit.name} is not installed",
            "install the package, or copy systemd/ of the sources to /etc/systemd/system and "
            "sysusers.d/tocsin.conf to /etc/sysusers.d",
        )
    if unit.shown.get("UnitFileState") == "masked":
        raise ConfigError(f"{unit.name} is masked", f"systemctl unmask {unit.name}")
    return unit


def _settings(unit: systemctl.Unit, wanted: dict[str, Any], *, dry_run: bool) -> list[_Step]:
    path = unit.places.config_dir / _SETTINGS
    if path.exists():
        config = coordinator_config(unit.places, None, {})
        other = {key: value for key, value in wanted.items() if getattr(config, key) != value}
        if not other:
            return [_Step(f"kept {path}")]
        text = settings_above(path, other)
        if not dry_run:
            write_text(path, text)
            path.chmod(0o644)
        what = f"{' and '.join(other)} to {path}"
        return [_Step(f"added {what}", f"add {what}")]
    if not dry_run:
        unit.make_config_dir()
        write_text(path, _HEAD + settings_text(wanted))
        path.chmod(0o644)  # the service reads it as its own user; nothing in it is secret
    return [_Step(f"wrote {path}", f"write {path}", f"rm {path}")]


def settings_above(path: Path, wanted: SettingValues) -> str:
    """The text of a settings file with more settings, above what it says: a package brings one.

    Raises:
        ConfigError: it says one of them itself.
    """
    text = path.read_text(encoding="utf-8")
    said = [key for key in wanted if key in tomllib.loads(text)]
    if said:
        raise ConfigError(
            f"{path} is there, and says another {' and '.join(said)}",
            "change it there, then: systemctl restart tocsin-coordinator",
        )
    return f"{settings_text(wanted)}\n{text}"


def _user(unit: systemctl.Unit, *, dry_run: bool) -> list[_Step]:
    """The user of the service, where the package has not made it yet."""
    try:
        pwd.getpwnam(unit.user)
    except KeyError:
        pass
    else:
        return []
    if not dry_run:
        said = systemctl.run("systemd-sysusers", _USERS)
        if said.code:
            raise TocsinError(f"user {unit.user} cannot be made: {said.text}")
    return [
        _Step(f"made the user {unit.user}", f"make the user {unit.user}", f"userdel {unit.user}")
    ]


def _service(unit: systemctl.Unit, *, dry_run: bool) -> list[_Step]:
    if unit.is_active and unit.shown.get("UnitFileState") == "enabled":
        return [_Step(f"{unit.name} runs")]
    if not dry_run:
        said = systemctl.start(unit.name)
        if said.code:
            raise TocsinError(
                f"{unit.name} does not start: {said.text}",
                f"see: tocsin doctor, and journalctl -u {unit.name}",
            )
    started, start = f"enabled and started {unit.name}", f"enable and start {unit.name}"
    return [_Step(started, start, f"systemctl disable --now {unit.name}")]


def _context(admin: Path) -> list[_Step]:
    """Have root's own commands talk to it, unless they talk to another one."""
    path = find_places(os.environ).config_dir / CONTEXT_FILE
    context = read_context(admin)
    if not path.exists():
        write_context(path, context)
        did = f"wrote {path}: root's commands talk to it"
        return [_Step(did, "", f"rm {path}")]
    if read_context(path).server_key == context.server_key:
        return [_Step(f"kept {path}: root's commands talk to it")]
    return [_Step(f"kept {path}, which is of another one: name this one with --context {admin}")]


def _word(admin: Path, host: str, uses: int) -> JoinString:
    """A word that lets agents in."""
    from tocsin.session import Session

    context = read_context(admin)
    with Session(context) as session:
        made = session.answer(Token, CreateToken(uses=uses))
    return JoinString(host, made.port, context.server_key, made.id, made.secret)


def _print(steps: list[_Step], word: JoinString | None, *, as_json: bool, dry_run: bool) -> None:
    undo = [] if dry_run else [step.undo for step in reversed(steps) if step.undo]
    if as_json:
        print_json(
            {
                "action": "set up",
                "steps": [step.plan or step.did if dry_run else step.did for step in steps],
                "undo": undo,
                "join": None if word is None else format_join(word),
                "dry_run": dry_run,
            }
        )
        return
    for step in steps:
        click.echo(f"would {step.plan}" if dry_run and step.plan else step.did)
    if word is None:
        return
    click.echo(
        "\non each host that is to run jobs, within an hour (this is as secret as a password;\n"
        "another one: tocsin agent token --host NAME):\n\n"
        f"  sudo tocsin agent join {format_join(word)}\n\n"
        f"they reach {word.host} on TCP port {word.port}, and on the port that `tocsin status` "
        "shows\nwhat there is now: tocsin (the terminal interface), tocsin status, tocsin doctor"
    )
    if undo:
        click.echo(f"undo (its data stay): {' && '.join(undo)}")
