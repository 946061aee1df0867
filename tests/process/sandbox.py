"""A program under the filters of a unit: `python -m tests.process.sandbox UNIT COMMAND ...`.

What systemd would set up before the program begins, as far as a process can do it to itself: system
calls, memory, address families, namespaces, limits, environment. Then the command takes its place.
"""

import ctypes
import errno
import mmap
import os
import resource
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from functools import cache
from pathlib import Path
from typing import Any

import pyseccomp as seccomp  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "mmbot" / "units"
PR_SET_NO_NEW_PRIVS = 38
SHM_EXEC = 0o100000
CLONE_NEW = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
WRITE_AND_RUN = mmap.PROT_WRITE | mmap.PROT_EXEC


def settings(unit: str) -> dict[str, list[str]]:
    """Return the settings of a unit, each with its lines."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / unit).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def systemd_analyze(*words: str) -> subprocess.CompletedProcess[str]:
    """Run systemd's own judge of units; it is installed where it is missing."""
    if shutil.which("systemd-analyze") is None:
        _install("systemd")
    command = ["systemd-analyze", "--no-pager", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _install(package: str) -> None:
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    with (Path(tempfile.gettempdir()) / "mmbot-tests-apt.lock").open("w") as lock:
        # One of several test processes.
        flock(lock, LOCK_EX)
        if shutil.which("systemd-analyze") is None:
            subprocess.run([*root, "apt-get", "update", "-qq"], check=True)
            quiet = ["-qq", "--no-install-recommends", "install", package]
            subprocess.run([*root, "apt-get", "-y", *quiet], check=True)


@cache
def _groups() -> dict[str, list[str]]:
    listed = systemd_analyze("syscall-filter")
    found: dict[str, list[str]] = {}
    for line in listed.stdout.splitlines():
        if line.startswith("@"):
            members = found.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#"):
            members.append(line.strip())
    return found


def _calls(name: str) -> Iterator[str]:
    if not name.startswith("@"):
        yield name
        return
    for member in _groups()[name]:
        yield from _calls(member)


def allowed(lines: list[str]) -> set[str]:
    """Return the system calls that SystemCallFilter= lines leave; the first one is a list."""
    found = set(_calls("@default"))
    for line in lines:
        names = {call for name in line.removeprefix("~").split() for call in _calls(name)}
        found = found - names if line.startswith("~") else found | names
    return found


def _load(default: Any, rules: list[tuple[Any, str, list[Any]]]) -> None:
    filter_ = seccomp.SyscallFilter(default)
    for action, call, conditions in rules:
        filter_.add_rule(action, call, *conditions)
    filter_.load()


def _restrict(unit: dict[str, list[str]]) -> None:
    no = seccomp.ERRNO(errno.EPERM)
    all_of = seccomp.MASKED_EQ
    assert unit["MemoryDenyWriteExecute"] == unit["RestrictNamespaces"] == ["yes"]
    assert unit["RestrictSUIDSGID"] == unit["LockPersonality"] == ["yes"]
    rules = [
        (no, "mmap", [seccomp.Arg(2, all_of, WRITE_AND_RUN, WRITE_AND_RUN)]),
        (no, "mprotect", [seccomp.Arg(2, all_of, mmap.PROT_EXEC, mmap.PROT_EXEC)]),
        (no, "pkey_mprotect", [seccomp.Arg(2, all_of, mmap.PROT_EXEC, mmap.PROT_EXEC)]),
        (no, "shmat", [seccomp.Arg(2, all_of, SHM_EXEC, SHM_EXEC)]),
        (no, "personality", [seccomp.Arg(0, seccomp.NE, 0)]),
        (no, "unshare", []),
        (no, "setns", []),
        (seccomp.ERRNO(errno.ENOSYS), "clone3", []),
        *((no, "clone", [seccomp.Arg(0, all_of, flag, flag)]) for flag in CLONE_NEW),
        *(
            (no, call, [seccomp.Arg(at, all_of, bit, bit)])
            for call, at in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1))
            for bit in (stat.S_ISUID, stat.S_ISGID)
        ),
    ]
    _load(seccomp.ALLOW, rules)
    (families,) = unit["RestrictAddressFamilies"]
    numbers = {int(getattr(socket, name)) for name in families.split()}
    other = seccomp.ERRNO(errno.EAFNOSUPPORT)
    _load(
        seccomp.ALLOW,
        [
            (other, "socket", [seccomp.Arg(0, seccomp.EQ, number)])
            for number in set(map(int, socket.AddressFamily)) - numbers
            if number >= 0
        ],
    )
    calls = allowed(unit["SystemCallFilter"])
    known = [call for call in sorted(calls) if _here(call)]
    _load(no, [(seccomp.ALLOW, call, []) for call in known])


def _here(call: str) -> bool:
    # Those of other processors are in the lists, too.
    return int(seccomp.resolve_syscall(seccomp.Arch.NATIVE, call)) >= 0


def _limit(unit: dict[str, list[str]]) -> None:
    for key, number in (
        ("LimitNOFILE", resource.RLIMIT_NOFILE),
        ("LimitCORE", resource.RLIMIT_CORE),
    ):
        for most in unit.get(key, []):
            resource.setrlimit(number, (int(most), int(most)))
    os.umask(int(unit["UMask"][0], 8))
    for line in unit["Environment"]:
        for pair in line.split():
            key, _, value = pair.partition("=")
            os.environ[key] = value


def enter(name: str) -> None:
    """Put this process, and what it becomes, under the filters of a unit."""
    unit = settings(name)
    _limit(unit)
    # Asked before it cannot be any more.
    allowed(unit["SystemCallFilter"])
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no new privileges")
    _restrict(unit)


if __name__ == "__main__":
    enter(sys.argv[1])
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])  # noqa: S606 - the command to judge
