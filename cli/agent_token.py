"""`tocsin agent token`: a word that lets hosts in."""

from __future__ import annotations

from typing import Any, Final

import click

from tocsin.instants import to_rfc3339
from tocsin.joining import JoinString, format_join
from tocsin.messages.client_answers import Token
from tocsin.messages.client_link import CreateToken
from tocsin.model import HUMAN_RANK, Role

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
