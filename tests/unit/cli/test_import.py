"""`tocsin import`."""

from __future__ import annotations

import io
import json
import stat
import sys
from pathlib import Path

import pytest

from tocsin.cli.import_ import import_
from tocsin.cli.import_sources import read_source, this_zone
from tocsin.errors import ConfigError
from tocsin.importing import Weight
from tocsin.jobfile import InstalledExecutors, read_job_files

from .conftest import Tocsin

_CRONTAB = "MAILTO=x\n# nightly\n30 2 * * * /opt/backup.sh\n61 * * * * bad\n"


@pytest.fixture
def tab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A crontab in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tab"
    path.write_text(_CRONTAB)
    return path


@pytest.mark.usefixtures("tab")
def test_the_job_file_is_stdout_and_the_doubts_are_stderr(tocsin: Tocsin, tmp_path: Path) -> None:
    """What stdout holds can be applied as it is."""
    said = tocsin("import", "crontab", "tab", "--tz", "Europe/Berlin")
    assert said.code == 0
    (tmp_path / "jobs.yaml").write_text(said.out)
    (job,) = read_job_files([tmp_path / "jobs.yaml"], InstalledExecutors()).jobs
    assert (job.name, job.timezone) == ("backup", "Europe/Berlin")
    assert "tab:1: lost: MAILTO=x: no mail is sent" in said.err
    assert "tab:4: lost: 61 * * * * bad: not imported" in said.err
    assert said.err.splitlines()[-1].startswith("tocsin: 1 job; 0 as comments; doubts: 2 lost, ")


@pytest.mark.usefixtures("tab")
def test_a_file_is_written_whole_and_never_over_another(tocsin: Tocsin, tmp_path: Path) -> None:
    """It may hold what a crontab hid, so only its owner reads it."""
    said = tocsin("import", "crontab", "tab", "--to", "jobs.yaml", "--no-system")
    assert (said.code, said.out) == (0, "")
    assert "next: tocsin plan jobs.yaml" in said.err
    path = tmp_path / "jobs.yaml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("mine")
    again = tocsin("import", "crontab", "tab", "--to", "jobs.yaml")
    assert again.code == 2
    assert "jobs.yaml is there already\n  --force replaces it" in again.err
    assert path.read_text() == "mine"
    assert tocsin("import", "crontab", "tab", "--to", "jobs.yaml", "--force").code == 0
    assert "backup:" in path.read_text()
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file()) == ["jobs.yaml", "tab"]


@pytest.mark.usefixtures("tab")
def test_json_is_one_document(tocsin: Tocsin) -> None:
    """Jobs by name, those held back with their reason, and the doubts."""
    said = tocsin("import", "crontab", "tab", "-o", "json", "--host", "web1", "--tz", "UTC")
    assert (said.code, said.err) == (0, "")
    document = json.loads(said.out)
    assert list(document) == ["jobs", "held", "doubts"]
    assert document["jobs"] == {
        "web1/backup": {
            "description": "nightly",
            "schedule": "30 2 * * *",
            "target": {"tags": {"name": "web1"}},
            "shell": "/opt/backup.sh",
        }
    }
    assert document["held"] == {}
    doubt = document["doubts"][0]
    assert list(doubt) == ["weight", "source", "line", "job", "about", "done", "check"]


def test_a_folder_of_crontabs_is_read_without_what_packages_left(
    tocsin: Tocsin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As cron does with /etc/cron.d; each file that is passed over is a doubt."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cron.d"
    folder.mkdir()
    for name in ("a", "b.dpkg-old", ".placeholder", "c~"):
        (folder / name).write_text(f"0 0 * * * root /opt/{name}\n")
    said = tocsin("import", "crontab", "cron.d", "-o", "json", "--prefix", "x-")
    document = json.loads(said.out)
    assert list(document["jobs"]) == ["x-a"]
    passed_over = {one["source"] for one in document["doubts"] if one["about"] == "the whole file"}
    assert passed_over == {"cron.d/b.dpkg-old", "cron.d/.placeholder", "cron.d/c~"}


def test_stdin_is_a_source(tocsin: Tocsin, monkeypatch: pytest.MonkeyPatch) -> None:
    """`crontab -l | tocsin import crontab -`."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(_CRONTAB.encode())))
    said = tocsin("import", "crontab", "-")
    assert said.code == 0
    assert "# from stdin:3\n  backup:" in said.out


def test_the_zone_of_this_machine_is_said(tocsin: Tocsin, tab: Path) -> None:
    """Without --tz, the doubt says where the zone comes from."""
    said = tocsin("import", "crontab", str(tab))
    assert "timezone: cron goes by its host's clock; taken for " in said.err
    assert "this machine" in said.err


_WRONG = [
    (["import", "crontab", "nowhere"], "nowhere: no such file or directory"),
    (["import", "dkron", "."], ".: is a directory"),
    (["import", "dkron", "bad.json"], "bad.json:2: not JSON"),
    (["import", "crontab", "latin1"], "latin1:2: not UTF-8\n  convert it: iconv -f latin1"),
    (["import", "systemd", "-"], "units are read from files"),
    (["import", "systemd", "tab"], "tab: neither a timer nor a service"),
    (["import", "cronicle", "tab"], "tab:1: this is no record KEY - JSON of Cronicle"),
    (["import", "nothing"], "No such command 'nothing'"),
    (["import", "crontab", "tab", "--to", "no/where.yaml"], "no/where.yaml: no such file"),
]


@pytest.mark.usefixtures("tab")
@pytest.mark.parametrize(("arguments", "words"), _WRONG)
def test_what_cannot_be_read_is_exit_code_2(
    tocsin: Tocsin, tmp_path: Path, arguments: list[str], words: str
) -> None:
    """With file and line; nothing is printed or written."""
    (tmp_path / "bad.json").write_text('{\n"name": }')
    (tmp_path / "latin1").write_bytes(b"# x\n# gr\xfc\xdfe\n")
    before = sorted(tmp_path.iterdir())
    said = tocsin(*arguments)
    assert (said.code, said.out) == (2, "")
    assert f"tocsin: {words}" in said.err
    assert sorted(tmp_path.iterdir()) == before


_UNITS = {
    "a.timer": "[Timer]\nOnCalendar=daily\n",
    "a.service": "[Service]\nExecStart=/opt/a\n",
    "a.service.d/x.conf": "[Service]\nEnvironment=A=1\n",
    "a.service.d/README": "no drop-in",
    "b@.service": "[Service]\nExecStart=/opt/b %i\n",
    "b@.timer": "[Timer]\nOnCalendar=hourly\n",
    "b@.timer.d/x.conf": "[Timer]\nRandomizedDelaySec=1min\n",
    "c.socket": "[Socket]\n",
}


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of units in the working directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "system"
    for name, text in _UNITS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    wants = folder / "timers.target.wants"
    wants.mkdir()
    for link, unit in (("a.timer", "a.timer"), ("b@one.timer", "b@.timer")):
        (wants / link).symlink_to(f"/nowhere/{unit}")
    return folder


_GIVEN = [
    (["system"], {"a": {"A": "1"}, "b-one": {}}),
    (["system/a.timer"], {"a": {"A": "1"}}),
    (["system/a.timer", "system", "system/a.service"], {"a": {"A": "1"}, "b-one": {}}),
]


@pytest.mark.usefixtures("units")
@pytest.mark.parametrize(("given", "envs"), _GIVEN)
def test_units_are_found_in_folders_and_beside_a_timer(
    tocsin: Tocsin, given: list[str], envs: dict[str, dict[str, str]]
) -> None:
    """With their drop-ins; a link that leads nowhere still says what is enabled."""
    said = tocsin("import", "systemd", *given, "-o", "json", "--tz", "UTC")
    document = json.loads(said.out)
    assert {name: job.get("env", {}) for name, job in document["jobs"].items()} == envs
    assert document["held"] == {}


def test_an_instance_finds_its_template(tocsin: Tocsin, units: Path) -> None:
    """Timer, service and drop-ins of the template are those of the instance."""
    (units / "b@two.timer").symlink_to("b@.timer")
    said = tocsin("import", "systemd", "system/b@two.timer", "-o", "json", "--tz", "UTC")
    document = json.loads(said.out)
    assert document["jobs"]["b-two"]["shell"]["argv"] == ["/opt/b", "two"]
    assert document["jobs"]["b-two"]["jitter"] == "1m"


@pytest.mark.parametrize(
    ("target", "zone"),
    [
        ("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        ("/x/zoneinfo/Mars", "UTC"),
        ("/x", "UTC"),
    ],
)
def test_the_zone_of_a_machine_is_where_its_link_leads(
    tmp_path: Path, target: str, zone: str
) -> None:
    """UTC, with words to say so, when that cannot be told."""
    link = tmp_path / "localtime"
    link.symlink_to(target)
    found, words = this_zone(link)
    assert found == zone
    assert ("cannot be told" in words) == (zone == "UTC")


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """Before it is taken for anything."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(ConfigError) as caught:
        read_source(str(path))
    assert caught.value.message == f"{path}: larger than 64 MiB"


_PAGE = (Path(__file__).parents[3] / "docs" / "import.md").read_text()


def test_the_page_has_every_format_option_and_weight() -> None:
    """docs/import.md says what there is."""
    for name, command in import_.commands.items():
        assert f"`tocsin import {name} " in _PAGE
        for option in command.params:
            for spelled in (*option.opts, *option.secondary_opts):
                assert spelled in {"files", "--output"} or f"`{spelled}" in _PAGE, spelled
    for weight in Weight:
        assert f"| `{weight}` |" in _PAGE
