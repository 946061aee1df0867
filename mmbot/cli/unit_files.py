"""The verb `install-service`: puts the systemd units where systemd looks for them.

It writes files and starts nothing; it says what to run next.
"""

import argparse
import re
import sys
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from mmbot.cli.output import say, show
from mmbot.errors import UsageError

# What the units are written for; another place is put in.
PROGRAM = "/opt/mmbot/venv/bin/mmbot"
# ProtectHome=yes hides these from the service.
HIDDEN = ("/home/", "/root/", "/run/user/")
# No blanks, quotes, % or $: they mean something in a unit.
_PLAIN = re.compile(r"(/[A-Za-z0-9._+@-]+)+")
_UNITS = "etc/systemd/system"
# What runs beside a bot, and is told of by a unit of its own when it fails.
BESIDE = ("guard", "record", "backup")
_PLACES = {
    "mmbot.sysusers": "etc/sysusers.d/mmbot.conf",
    "mmbot.tmpfiles": "etc/tmpfiles.d/mmbot.conf",
}
NEXT = """\
next, as root, for a bot named NAME:
  systemd-sysusers
  systemd-tmpfiles --create mmbot.conf
  install -m 640 -g mmbot config.yaml /etc/mmbot/NAME.yaml
  systemctl daemon-reload
sessions, as docs/systemd.md shows, then:
  systemctl enable --now mmbot-guard@NAME mmbot@NAME mmbot-backup@NAME.timer
  systemctl status mmbot@NAME
  journalctl -fu mmbot@NAME"""


class Unit(NamedTuple):
    """A file, where it belongs and what is in it."""

    path: Path
    text: str

    @property
    def state(self) -> str:
        """How the file that is there compares."""
        if not self.path.exists():
            return "new"
        return "unchanged" if self.path.read_text() == self.text else "changed"


def install_service(args: argparse.Namespace) -> int:
    """Write the units, or show them."""
    program = Path(sys.prefix) / "bin" / "mmbot" if args.program is None else args.program
    if not _PLAIN.fullmatch(str(program)):
        raise UsageError(f"--program {program}: systemd takes a whole path, of plain characters")
    units = list(units_for(args.root, program))
    if args.print:
        show([line for unit in units for line in (f"# {unit.path}", unit.text)])
        return 0
    # The Python of an environment is often a link to one that is elsewhere.
    for needed in (program, (program.parent / "python").resolve()):
        if str(needed).startswith(HIDDEN):
            raise UsageError(
                f"the service cannot see {needed} (ProtectHome): install mmbot into "
                "/opt/mmbot/venv, made with the system's Python"
            )
    for unit in units:
        state = unit.state
        if args.dry_run or state == "unchanged":
            show([f"{state:<9}  {unit.path}"])
            continue
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        unit.path.write_text(unit.text)
        show([f"written    {unit.path}"])
    if not program.exists():
        say(f"warning: {program} is not there yet")
    say(NEXT)
    return 0


def units_for(root: Path, program: Path) -> list[Unit]:
    """Return every file, for a program at this path."""
    found = []
    for source in resources.files("mmbot").joinpath("units").iterdir():
        place = _PLACES.get(source.name, f"{_UNITS}/{source.name}")
        text = source.read_text().replace(PROGRAM, str(program))
        found.append(Unit(root / place, text))
        if source.name == "mmbot-alert@.service":
            found += [
                Unit(
                    root / _UNITS / f"mmbot-{each}-alert@.service",
                    text.replace("mmbot@%i", f"mmbot-{each}@%i"),
                )
                for each in BESIDE
            ]
    return sorted(found)
