"""How an executor's host is started: by the agent, or by systemd for it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tocsin.agent.host_launch import (
    COMMAND_VARIABLE,
    TEMPLATE_VARIABLE,
    UNITS_VARIABLE,
    host_launch,
    usual_drain_s,
)


@pytest.mark.parametrize(
    ("template", "unit"),
    [
        ("", "tocsin-executor@orders-api.service"),
        ("tocsin-executor-web", "tocsin-executor-web@orders-api.service"),
    ],
)
def test_as_a_unit(
    template: str, unit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the agent's own template; the file that it reads is for nobody else."""
    monkeypatch.setenv(UNITS_VARIABLE, str(tmp_path / "executors"))
    monkeypatch.setenv(TEMPLATE_VARIABLE, template)
    launch = host_launch("orders-api", "/run/x", "/var/x", {"A": "b c"})
    path = tmp_path / "executors/orders-api.env"
    assert launch.argv == ["systemctl", "start", unit]
    assert "A" not in launch.environ
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    assert "b c" in text
    assert f"{COMMAND_VARIABLE}=" in text
    assert usual_drain_s() == 0


def test_as_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing says that there are units."""
    monkeypatch.delenv(UNITS_VARIABLE, raising=False)
    launch = host_launch("shell", "/run/x", "/var/x", {"A": "b"})
    assert launch.argv[-3:] == ["shell", "/run/x", "/var/x"]
    assert launch.environ["A"] == "b"
    assert usual_drain_s() > 0
