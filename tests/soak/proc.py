"""What the system says of a process."""

import os
from pathlib import Path

Pid = int | str


def resident_mb(pid: Pid = "self") -> float:
    """Return its memory that is in RAM."""
    return int(_status(pid)["VmRSS"].split()[0]) / 1024


def threads(pid: Pid = "self") -> int:
    """Return the number of its threads."""
    return int(_status(pid)["Threads"])


def descriptors(pid: Pid = "self") -> int:
    """Return the number of its open files and sockets."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def worked_s(pid: Pid = "self") -> float:
    """Return the seconds of CPU it has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status(pid: Pid) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (each.partition(":") for each in lines)}
