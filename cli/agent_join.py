"""`tocsin agent token` and `tocsin agent join`: how a host is let in."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from tocsin.config import Context, Places, find_places, write_context, write_settings
from tocsin.errors import ConfigError, RequestError
from tocsin.instants import to_rfc3339
from tocsin.joining import JoinString, endpoint, format_join, parse_join
from tocsin.messages.client_answers import Token
from tocsin.messages.client_link import CreateToken
from tocsin.messages.enrolment import Denied, Enrolled, Pending
from tocsin.model import HUMAN_RANK, Role

from .agent_start import SETTINGS_FILE
from .asking import open_session
from .options import COUNT, key_values, output_option, seconds
from .shapes import print_json
from .tables import local_time

_LOOPBACK: Final = ("127.", "localhost", "::1")
_POLL_S: Final = 2.0
_TOKENLESS: Final = ":none.none"


@click.command()
@click.option(
    "--ttl", default="1h", show_default=True, callback=seconds, help="How long it is good for."
)
@click.option("--uses", type=COUNT, default=1, show_default=True, help="For how many hosts.")
@click.option(
    "--name", "name_glob", default="*", show_default=True, help="Only for hosts named like this."
)
@click.option(
    "--tag",
    "tag_pairs",
    multiple=True,
    callback=key_values,
    metavar="KEY=VALUE",
    help="Tags they get.",
)
@click.option(
    "--role",
    type=click.Choice([role.value for role in HUMAN_RANK]),
    default=Role.VIEWER.value,
    show_default=True,
    help="What the user who joins a host may do from there.",
)
@click.option("--host", help="The coordinator's name or address, as those hosts know it.")
@output_option
def token(  # noqa: PLR0913 - one for each option
    *,
    ttl: float,
    uses: int,
    name_glob: str,
    tag_pairs: dict[str, str],
    role: str,
    host: str | None,
    as_json: bool,
) -> None:
    """Print a join string, which lets hosts in. It is as secret as a password."""
    ask = CreateToken(ttl, uses, name_glob, tag_pairs, Role(role))
    with open_session() as session:
        made = session.answer(Token, ask)
        context = session.context
    known_as = context.endpoint.removeprefix("tcp://").rpartition(":")[0].strip("[]")
    join = JoinString(host or known_as, made.port, context.server_key, made.id, made.secret)
    if as_json:
        print_json(_token_shape(ask, made, format_join(join)))
        return
    click.echo(format_join(join))
    hosts = "one host" if uses == 1 else f"{uses} hosts"
    click.echo(
        f"good for {hosts} until {local_time(made.expires_us)}; on the host: "
        "tocsin agent join JOINSTRING\nundo: it cannot be taken back, and ends by itself",
        err=True,
    )
    if join.host.startswith(_LOOPBACK):
        click.echo(
            f"tocsin: other hosts cannot reach {join.host}: name this one with --host", err=True
        )


@click.command()
@click.argument("join_string", metavar="JOINSTRING")
@click.option("--name", help="What this host is called; by default its own name.")
@click.option("--tag", "tag_pairs", multiple=True, callback=key_values, metavar="KEY=VALUE")
@click.option("--slots", type=COUNT, help="How many runs it takes at once.")
@output_option
def join(
    *,
    join_string: str,
    name: str | None,
    tag_pairs: dict[str, str],
    slots: int | None,
    as_json: bool,
) -> None:
    """Make this host one of a coordinator's agents.

    JOINSTRING is what `tocsin agent token` printed. Without its last part, j1:HOST:PORT:KEY, this
    host waits until an administrator accepts its fingerprint.
    """
    places = find_places(os.environ)
    settings_file = places.config_dir / SETTINGS_FILE
    if settings_file.exists():
        raise ConfigError(
            f"this host belongs to a coordinator already, see {settings_file}",
            "to join another, move that file away first",
        )
    asked = _Asked(*_parse(join_string), name or os.uname().nodename, tag_pairs)
    answer, context = _ask_until_let_in(asked, places)
    where = endpoint(asked.join.host, answer.port)
    settings: dict[str, Any] = {
        "endpoint": where,
        "server_key": asked.join.server_key,
        "tags": tag_pairs,
    }
    write_settings(settings_file, settings if slots is None else {**settings, "slots": slots})
    made = [str(settings_file)]
    if context is not None and not places.context_file.exists():
        write_context(
            places.context_file,
            Context(
                name=asked.join.host,
                endpoint=where,
                server_key=asked.join.server_key,
                key_file=context,
            ),
        )
        made.append(str(places.context_file))
    _print_joined(answer, where, made, as_json=as_json)


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


def _ask_until_let_in(asked: _Asked, places: Places) -> tuple[Enrolled, Path | None]:
    """Ask to be let in; with the key of a client that was let in too.

    Raises:
        RequestError: the coordinator declined.
        LinkError: nobody answers there.
    """
    from tocsin.agent.enrol import enrol, request, with_token
    from tocsin.keys import load_or_make_keypair
    from tocsin.link import new_keypair

    join = asked.join
    own = load_or_make_keypair(places.data_dir / "agent" / "agent.key", new_keypair)
    client_file = places.config_dir / "client.key"
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


def _print_joined(answer: Enrolled, where: str, made: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "action": "joined",
                "names": [answer.name],
                "undo": [f"rm {path}" for path in made],
                "agent_id": answer.agent_id,
                "endpoint": where,
            }
        )
        return
    click.echo(f"joined {where} as {answer.name}; wrote {' and '.join(made)}")
    click.echo("now start the agent: tocsin agent")
    click.echo(f"undo: rm {' '.join(made)}")


def _token_shape(ask: CreateToken, made: Token, join: str) -> dict[str, Any]:
    return {
        "join": join,
        "id": made.id,
        "expires_at": to_rfc3339(made.expires_us),
        "uses": ask.uses,
        "name_glob": ask.name_glob,
        "tags": ask.tags,
        "role": ask.role,
    }
