#!/bin/sh
# bytecode make: compile for the Pythons of this host that the package has no bytecode for, since
# nothing may write beside the libraries later on. bytecode clean: delete that again.
# What is older than its source is never used: Python compares size and time.
set -e
site=/usr/lib/tocsin/site
without="@WITHOUT@"

[ -d "$site" ] || exit 0
for minor in $without; do
    if [ "$1" = clean ]; then
        find "$site" -name "*.cpython-3$minor.pyc" -delete
    elif [ -x "/usr/bin/python3.$minor" ]; then
        # A library that this Python cannot read is none that it will use.
        "/usr/bin/python3.$minor" -I -S -m compileall -q -j 0 --invalidation-mode timestamp \
            -x '@SELDOM@' "$site" >/dev/null || true
    fi
done
if [ "$1" = clean ]; then
    find "$site" -depth -type d -name __pycache__ -empty -delete
fi
