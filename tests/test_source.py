"""Lint, format, types and stubs as tests, so that one command is the truth."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# The compiler's own name; nothing else of a kernel may be missing from its stub.
ALLOWED = r"mmbot\.cext\.\w+\.__test__" + "\n"


@pytest.mark.parametrize(
    "command",
    [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy", "mmbot", "tests")],
    ids=" ".join,
)
def test_sources_pass(command: tuple[str, ...]) -> None:
    _run(*command)


def test_stubs_match_the_built_kernels(tmp_path: Path) -> None:
    kernels = [f"mmbot.cext.{path.stem}" for path in ROOT.glob("cext/*.pyx")]
    assert kernels
    allowed = tmp_path / "allowed"
    allowed.write_text(ALLOWED)
    _run("mypy.stubtest", "--ignore-unused-allowlist", "--allowlist", str(allowed), *kernels)


def _run(module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
