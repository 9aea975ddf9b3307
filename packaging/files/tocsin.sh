#!/bin/sh
# The system's own Python if it will do, else one that is installed beside it (RHEL 9: python3.12).
# Without site and PYTHON* variables: nothing but the package's own libraries is found.
for minor in 11 12 13 14; do
    if [ /usr/bin/python3 -ef "/usr/bin/python3.$minor" ]; then
        exec "/usr/bin/python3.$minor" -I -S -B /usr/lib/tocsin/boot.py tocsin.cli "$@"
    fi
done
for minor in 13 12 14 11; do
    if [ -x "/usr/bin/python3.$minor" ]; then
        exec "/usr/bin/python3.$minor" -I -S -B /usr/lib/tocsin/boot.py tocsin.cli "$@"
    fi
done
echo "tocsin: there is no Python from 3.11 to 3.14 in /usr/bin" >&2
echo "  install one: Debian, Ubuntu: apt install python3; RHEL 9: dnf install python3.12" >&2
exit 78
