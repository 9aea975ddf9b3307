"""Starts a module of Tocsin's with the libraries of its package: boot.py MODULE [ARGUMENT…]."""

import sys

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
# The earlier wins: what is shipped, plug-ins from packages, then those of `tocsin plugin install`.
sys.path[:0] = [
    "/usr/lib/tocsin/site",
    "/usr/lib/tocsin/plugins",
    f"/usr/local/lib/tocsin/py{VERSION}/lib/python{VERSION}/site-packages",
]

if __name__ == "__main__":
    import runpy

    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
