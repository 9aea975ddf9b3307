#!/bin/sh
# A job that bears witness to itself: FILE SECONDS FAILING LINES.
# FILE gets one line, in one write, for each thing that happens: WHAT RUN.ATTEMPT SECONDS NUMBER,
# in seconds since the machine began. FAILING lists the last letters of the runs that fail.
file=$1 seconds=$2 failing=$3 lines=$4
say() {
    read -r up _ </proc/uptime
    printf '%s %s.%s %s %s\n' "$1" "$TOCSIN_RUN_ID" "$TOCSIN_ATTEMPT" "$up" "$2" >>"$file"
}
exec 3>&2 2>/dev/null # what the shell itself complains of is nobody's output
trap 'say term 143; exit 143' TERM
say start $$
n=0
while [ "$n" -lt "$lines" ]; do
    n=$((n + 1))
    case $n in *[13579]) out=1 ;; *) out=3 ;; esac
    if echo "$TOCSIN_RUN_ID.$TOCSIN_ATTEMPT line $n of $lines" >&"$out"; then
        say line "$n"
    else
        say unwritten "$n" # the disk is full
    fi
done
sleep "$seconds" &
wait $!
case $TOCSIN_ATTEMPT in 1) last=${TOCSIN_RUN_ID#?????????????????????????} ;; *) last=- ;; esac
case $failing in *"$last"*) rc=3 ;; *) rc=0 ;; esac
say end "$rc"
exit "$rc"
