"""Names of jobs from the commands they run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.importing.crontab.command import names_for
from tocsin.importing.naming import Names, slug
from tocsin.jobfile.job import NAME

_NAMES = [
    ("/usr/local/bin/backup.sh --full", "backup"),
    ("cd /srv/app && ./bin/rails runner Clean", "rails"),
    ("cd / && run-parts --report /etc/cron.daily", "run-parts-cron.daily"),
    ("test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.weekly; }",
     "run-parts-cron.weekly"),
    ("[ -x /usr/bin/foo ] && /usr/bin/foo sync", "foo-sync"),
    ("LANG=C nice -n 10 /opt/report.py -v", "report"),
    ("flock -n /tmp/l /opt/sync", "sync"),
    ("sudo -u joe timeout 60 /opt/poll", "poll"),
    ("/usr/bin/php -q /var/www/cron.php >/dev/null 2>&1", "cron"),
    ("python3 -m app.jobs --all", "app.jobs"),
    ("java -jar /opt/etl.jar load", "etl"),
    ("bash -c 'cd /x; /opt/y.sh'", "y"),
    ("curl -s https://example.org/ping?x=1", "curl-example.org"),
    ("systemctl restart nginx", "systemctl-restart-nginx"),
    ("find /tmp -mtime +7 -delete", "find-tmp-7"),
    ("su - joe -c '/opt/mine --now'", "mine"),
    ("bash -x", "bash"),
    ("echo 'unclosed", "echo-unclosed"),
    ("/usr/bin/certbot renew -q", "certbot-renew"),
    ("Ünïcode-ß", "Unicode-ss"),
    ("cd /only", "cd-only"),
    ("", ""),
    ("&& ||", ""),
]  # fmt: skip


@pytest.mark.parametrize(("command", "name"), _NAMES)
def test_a_name_tells_what_the_command_runs(command: str, name: str) -> None:
    """What only prepares, or runs something else, is passed over."""
    assert names_for(command)[0] == name


def test_equal_names_are_told_apart_by_their_arguments() -> None:
    """Whichever line stands first; a number is the last resort."""
    pairs = [names_for(f"/opt/backup.sh {mode}") for mode in ("--full", "--inc", "--inc")]
    assert Names().claim_all(pairs) == ["backup-full", "backup-inc", "backup-inc-2"]
    assert Names().claim_all(pairs[1::-1]) == ["backup-inc", "backup-full"]
    assert Names("web1/").claim_all(pairs[:1]) == ["web1/backup"]


@given(st.text(), st.text(max_size=200))
def test_any_command_gives_a_name_that_a_job_file_takes(command: str, prefix: str) -> None:
    """However it is written."""
    names = Names(slug(prefix))
    for name in names.claim_all([names_for(command)] * 3):
        assert NAME.fullmatch(name)
        assert len(name) <= 128
