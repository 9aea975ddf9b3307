"""The completions of shells, as click writes them."""

from __future__ import annotations

from typing import Final

from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from tocsin.cli.root import COMPLETION_VARIABLE, root

PLACES: Final = {
    "usr/share/bash-completion/completions/tocsin": BashComplete,
    "usr/share/fish/vendor_completions.d/tocsin.fish": FishComplete,
    "usr/share/zsh/site-functions/_tocsin": ZshComplete,
}
"""Where each shell looks. Debian's zsh has a folder of its own, to which a link leads."""
DEBIAN_ZSH: Final = "usr/share/zsh/vendor-completions/_tocsin"


def completion(shell: type[ShellComplete]) -> str:
    """The script of a shell."""
    complete = shell(root, {}, "tocsin", COMPLETION_VARIABLE)
    # Not `source()`: that of bash would look at the version of this machine's.
    return complete.source_template % complete.source_vars()
