"""`tocsin executor check`: puts an executor, anyone's, to the contract of the port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from tocsin.agent.host_environment import host_environment

from .failing import FAILED, OK
from .options import output_option
from .shapes import print_json
from .tables import cell

if TYPE_CHECKING:
    from tocsin.executors.checking.verdict import Result

DEADLINE_S: Final = 30.0


@click.command()
@click.argument("module", metavar="MODULE[:CLASS]")
@click.option("--only", multiple=True, metavar="CHECK", help="Make this check; may be given again.")
@click.option(
    "--deadline",
    "deadline_s",
    type=click.FloatRange(min=0.1),
    default=DEADLINE_S,
    show_default=True,
    metavar="SECONDS",
    help="How long any one step of a check may take.",
)
@output_option
def check(*, module: str, only: tuple[str, ...], deadline_s: float, as_json: bool) -> int:
    """Check that an executor keeps the contract of the port.

    MODULE is an executor's name, a module, or the path of a package or project. It is run in real
    hosts, in a folder that is thrown away; nothing needs to be installed or running for it.
    """
    from tocsin.executors.checking.suite import check_executor

    results = check_executor(
        module, only=only, environment=host_environment(), deadline_s=deadline_s
    )
    made: list[Result] = []
    for result in results:
        made.append(result)
        if not as_json:
            click.echo("\n".join(cell(line) for line in str(result).splitlines()))
    failed = sum(result.verdict == "failed" for result in made)
    if as_json:
        print_json(
            {"executor": module, "passed": not failed, "checks": [_shape(it) for it in made]}
        )
    else:
        click.echo(f"\n{module}: {', '.join(_counts(made))}")
    return FAILED if failed else OK


def _shape(result: Result) -> dict[str, Any]:
    return {
        "check": result.check,
        "sentence": result.sentence,
        "verdict": result.verdict,
        "expected": result.expected or None,
        "happened": result.happened or None,
        "hint": result.hint or None,
    }


def _counts(results: list[Result]) -> Iterator[str]:
    for verdict in ("passed", "failed", "left out"):
        count = sum(result.verdict == verdict for result in results)
        if count or verdict == "passed":
            yield f"{count} {verdict}"
