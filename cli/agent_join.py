"""`tocsin agent join`: makes this host one of a coordinator's agents."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from tocsin.config import Context, Places, find_places, write_context
from tocsin.errors import ConfigError, RequestError
from tocsin.joining import JoinString, endpoint, parse_join
from tocsin.messages.enrolment import Denied, Enrolled, Pending

from . import systemctl
from .agent_settings import check_free, write_agent_settings
from .agent_start import SETTINGS_FILE
from .failing import FAILED, OK
from .machine_mark import write_mark
from .options import COUNT, key_values, output_option
from .shapes import print_json

_POLL_S: Final = 5.0
_TOKENLESS: Final = ":none.none"


@click.command()
@click.argument("join_string", metavar="JOINSTRING")
@click.option("--name", help="What this host is called; by default its own name.")
@click.option("--tag", "tag_pairs", multiple=True, callback=key_values, metavar="KEY=VALUE")
@click.option("--slots", type=COUNT, help="How many runs it takes at once.")
@click.option(
    "--instance",
    default="",
    metavar="NAME",
    help="Make it one more agent of this host: tocsin-agent@NAME.service.",
)
@click.option("--no-start", is_flag=True, help="Leave the service as it is.")
@output_option
def join(  # noqa: PLR0913 - one for each option
    *,
    join_string: str,
    name: str | None,
    tag_pairs: dict[str, str],
    slots: int | None,
    instance: str,
    no_start: bool,
    as_json: bool,
) -> int:
    """Make this host one of a coordinator's agents.

    JOINSTRING is what `tocsin agent token` printed. Without its last part, j1:HOST:PORT:KEY, this
    host waits until an administrator accepts its fingerprint.

    For root, where tocsin-agent.service is installed, the settings are those of the service, which
    is enabled and started; for everybody else they are the user's own. With --instance the host has
    one more agent, which shares nothing with the others; it is called HOST-NAME unless --name says
    otherwise.
    """
    own = find_places(os.environ)
    unit = _unit_of(instance)
    places = own if unit is None else unit.places
    settings_file = places.config_dir / SETTINGS_FILE
    check_free(settings_file, {"tags": tag_pairs, "slots": slots})
    asked = _Asked(*_parse(join_string), name or _usual_name(instance), tag_pairs)
    link = systemctl.link_executors(instance) if instance else None
    key_file = places.data_dir / "agent" / "agent.key"
    answer, client = _ask_until_let_in(asked, key_file, own.config_dir / "client.key")
    where = endpoint(asked.join.host, answer.port)
    settings: dict[str, Any] = {"endpoint": where, "server_key": asked.join.server_key}
    settings |= {"tags": tag_pairs} if tag_pairs or not settings_file.exists() else {}
    settings |= {} if slots is None else {"slots": slots}
    if unit is not None:
        unit.make_config_dir()
    write_agent_settings(settings_file, settings)
    mark = write_mark(key_file.parent)
    made = [str(settings_file), *([] if link is None else [str(link)])]
    made += _keep_context(own, client, asked.join, where)
    files = [key_file, *([] if mark is None else [mark])]
    started = _hand_over(unit, settings_file, files, start=not no_start)
    _print_joined(_Joined(answer, where, made, unit, started), as_json=as_json)
    return FAILED if started is not None and started.code else OK


def _unit_of(instance: str) -> systemctl.Unit | None:
    """The unit that is to be the agent; None where it is this user's own.

    Raises:
        ConfigError: one more agent of this host is wanted where none can be.
    """
    unit = systemctl.own_unit(systemctl.agent_unit(instance), os.environ)
    if instance and unit is None:
        raise ConfigError(
            "one more agent of a host needs root, systemd and tocsin-agent@.service",
            "with root: sudo tocsin agent join; without: another TOCSIN_HOME for each agent",
        )
    return unit


def _usual_name(instance: str) -> str:
    host = os.uname().nodename
    return f"{host}-{instance}" if instance else host


def _keep_context(own: Places, client: Path | None, join: JoinString, where: str) -> list[str]:
    """Have this user's commands talk to that coordinator, unless they talk to one already."""
    if client is None or own.context_file.exists():
        return []
    context = Context(name=join.host, endpoint=where, server_key=join.server_key, key_file=client)
    write_context(own.context_file, context)
    return [str(own.context_file)]


def _hand_over(
    unit: systemctl.Unit | None, settings: Path, files: list[Path], *, start: bool
) -> systemctl.Said | None:
    """Give the service what is its own, and start it; None when it was not to be.

    Raises:
        ConfigError: its user is not known.
    """
    if unit is None:
        return None
    data_dir = unit.places.data_dir
    try:
        for path in (data_dir, data_dir / "agent", *files):
            unit.give(path)
        unit.show_to(settings)
    except (OSError, KeyError) as error:
        raise ConfigError(
            f"{unit.name} runs as {unit.user}, and its files cannot be given to that user: {error}",
            "make that user, then join again",
        ) from error
    return systemctl.start(unit.name) if start else None


class _Asked(NamedTuple):
    join: JoinString
    with_token: bool
    name: str
    tags: dict[str, str]


def _parse(text: str) -> tuple[JoinString, bool]:
    """What a join string says, and whether it has a token."""
    try:
        return parse_join(text), True
    except ConfigError:
        try:
            return parse_join(text.strip() + _TOKENLESS), False
        except ConfigError:
            pass
        raise


def _ask_until_let_in(
    asked: _Asked, key_file: Path, client_file: Path
) -> tuple[Enrolled, Path | None]:
    """Ask to be let in; with the key of a client that was let in too.

    Raises:
        RequestError: the coordinator declined.
        LinkError: nobody answers there.
    """
    from tocsin.agent.enrol import enrol, request, with_token
    from tocsin.keys import load_or_make_keypair
    from tocsin.link import new_keypair

    join = asked.join
    own = load_or_make_keypair(key_file, new_keypair)
    question = request(asked.name, asked.tags)
    if asked.with_token:
        client = load_or_make_keypair(client_file, new_keypair)
        question = request(asked.name, asked.tags, client.public)
        question = with_token(question, join.token_id, join.secret, own.public, join.server_key)
    told = False
    while True:
        match enrol(join.host, join.port, own, join.server_key, question):
            case Enrolled() as enrolled:
                return enrolled, client_file.absolute() if asked.with_token else None
            case Denied(reason):
                raise RequestError(
                    f"the coordinator declined: {reason}", "ask for another: tocsin agent token"
                )
            case Pending(fingerprint):
                if not told:
                    click.echo(
                        f"waiting to be let in; on the coordinator's side: "
                        f"tocsin agent accept {fingerprint}",
                        err=True,
                    )
                told = True
                time.sleep(_POLL_S)


class _Joined(NamedTuple):
    answer: Enrolled
    where: str
    made: list[str]
    unit: systemctl.Unit | None
    started: systemctl.Said | None


def _print_joined(done: _Joined, *, as_json: bool) -> None:
    unit, started = done.unit, done.started
    again = [f"systemctl disable --now {unit.name}"] if unit is not None and started else []
    again += [f"rm {path}" for path in done.made]
    if as_json:
        print_json(
            {
                "action": "joined",
                "names": [done.answer.name],
                "undo": again,
                "agent_id": done.answer.agent_id,
                "endpoint": done.where,
                "service": None if unit is None else unit.name,
                "started": started is not None and started.code == 0,
            }
        )
        return
    click.echo(f"joined {done.where} as {done.answer.name}; wrote {' and '.join(done.made)}")
    if unit is None:
        click.echo("now start the agent: tocsin agent")
    elif started is None:
        click.echo(f"now start the agent: systemctl enable --now {unit.name}")
    elif started.code == 0:
        click.echo(f"enabled and started {unit.name}; how it is: systemctl status {unit.name}")
    else:
        click.echo(
            f"tocsin: {unit.name} does not start: {started.text}\n"
            f"  see: tocsin doctor, and journalctl -u {unit.name}",
            err=True,
        )
    click.echo(f"undo: {' && '.join(again)}")
