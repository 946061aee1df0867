"""The verb `secrets encrypt`: hands a secret to systemd, which opens it for one unit only."""

import argparse
import os
import shutil
import subprocess
import sys
from getpass import getpass
from pathlib import Path

from mmbot.cli.output import say, show
from mmbot.cli.secrets import FORMS
from mmbot.config.loader import load
from mmbot.errors import SecretError, Unavailable, UsageError
from mmbot.secrets.params import SecretName
from mmbot.secrets.resolving import usual_credential
from mmbot.secrets.secret import Secret

PROGRAM = "systemd-creds"
MOST_BYTES = 4_096
SEALING_S = 60.0


def encrypt(args: argparse.Namespace) -> int:
    """Read a secret, and have it encrypted for this machine; it never is an argument."""
    config = load(args.config, args.set, os.environ).config
    name = SecretName(args.name)
    out: Path = args.out
    if out.exists():
        raise UsageError(f"{out} is there already: nothing is overwritten")
    program = shutil.which(PROGRAM)
    if program is None:
        raise Unavailable(f"{PROGRAM} is not on this machine: it comes with systemd 250 or newer")
    text = _read(name)
    # The wrong text, encrypted, would be found out at the next start only.
    told = FORMS[name](Secret(text, "standard input"))
    credential = getattr(config.secrets, name).name or usual_credential(name)
    out.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            [program, "encrypt", f"--name={credential}", "-", str(out)],
            input=text.encode(),
            capture_output=True,
            timeout=SEALING_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{PROGRAM} has not answered within {SEALING_S:g} s") from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Unavailable(f"{PROGRAM}: {last[0] if last else 'failed'}")
    out.chmod(0o600)
    say(f"{name}: {told}; encrypted for this machine in {out}. For the unit (systemctl edit):")
    show(["[Service]", f"LoadCredentialEncrypted={credential}:{out.absolute()}"])
    return 0


def _read(name: SecretName) -> str:
    if sys.stdin.isatty():
        text = getpass(f"{name} (not shown): ")
    else:
        text = sys.stdin.read(MOST_BYTES + 1)
    text = text.strip()
    if not text:
        raise SecretError(f"{name}: nothing came on standard input")
    if len(text) > MOST_BYTES:
        raise SecretError(f"{name}: more than {MOST_BYTES:,} bytes came on standard input")
    return text
