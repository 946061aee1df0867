"""`secrets encrypt`: what reaches systemd-creds, and that nothing wrong is encrypted."""

import io
import os
import sys
from pathlib import Path

import pytest

from mmbot.cli import main

TOKEN = "1234567890:AAF-canary_0123456789abcdefghijklmno"
# Stands for systemd-creds, whose keys are this machine's: writes down what it was given.
PROGRAM = """#!/bin/sh
printf '%s\\n' "$@" > "$0.words"
cat > "$4"
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    found = folder / "systemd-creds"
    found.write_text(PROGRAM)
    found.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return found


def given(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_secret_is_handed_over_and_never_an_argument(
    program: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given(monkeypatch, f"{TOKEN}\n")
    out = tmp_path / "credentials" / "telegram_token.cred"
    assert main(["secrets", "encrypt", "telegram_token", "--out", str(out)]) == 0
    assert out.read_text() == TOKEN
    assert out.stat().st_mode & 0o077 == 0
    assert out.parent.stat().st_mode & 0o077 == 0
    words = Path(f"{program}.words").read_text().split()
    assert words == ["encrypt", "--name=telegram_token", "-", str(out)]
    shown = capsys.readouterr()
    assert f"LoadCredentialEncrypted=telegram_token:{out}" in shown.out
    assert TOKEN[11:20] not in shown.out + shown.err
    # A second one would take the place of the first.
    given(monkeypatch, TOKEN)
    assert main(["secrets", "encrypt", "telegram_token", "--out", str(out)]) == 2


@pytest.mark.parametrize("text", ["", "  \n", "no token", "x" * 5_000])
def test_what_is_no_secret_is_not_encrypted(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    given(monkeypatch, text)
    out = tmp_path / "x.cred"
    assert main(["secrets", "encrypt", "telegram_token", "--out", str(out)]) == 4
    assert not out.exists()
    assert not Path(f"{program}.words").exists()


def test_a_machine_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given(monkeypatch, TOKEN)
    monkeypatch.setenv("PATH", str(tmp_path))
    words = ["secrets", "encrypt", "telegram_token", "--out", str(tmp_path / "x.cred")]
    assert main(words) == 5
    assert "systemd-creds is not on this machine" in capsys.readouterr().err
