#!/bin/sh
# Fails when a file system is fuller than it may be: disk-space.sh PATH PERCENT
# For the exec executor; see docs/executors/exec.md.
path=$1 most=$2

read -r request  # one line of JSON; what this program needs of it is in its environment too

tell() { printf '%s\n' "$1"; }

used=$(df -P "$path" | awk 'NR == 2 { sub("%", "", $5); print $5 }')
if [ -z "$used" ]; then
    tell '{"result": "failed", "message": "df knows nothing of the path"}'
    exit 1
fi

df -P "$path"                            # plain lines are output
tell "{\"facts\": {\"used_percent\": $used, \"request_bytes\": ${#request}}}"

if [ "$used" -gt "$most" ]; then
    tell "{\"result\": \"failed\", \"message\": \"$used% used; at most $most% may be\"}"
    exit 1
fi
tell "{\"result\": \"succeeded\", \"message\": \"$used% used\"}"
