"""What a process takes, as the kernel counts it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_KIB_A_MIB: Final = 1024


def memory_mib(pid: int) -> dict[str, float]:
    """RSS and PSS, see proc_pid_smaps(5)."""
    sizes = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, size, *_ = line.split()
        sizes[name.rstrip(":")] = int(size)
    return {"rss_mib": sizes["Rss"] / _KIB_A_MIB, "pss_mib": sizes["Pss"] / _KIB_A_MIB}


def cpu_s(pid: int) -> float:
    """Processor time of all threads, to the nanosecond, see proc_pid_schedstat(5)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
