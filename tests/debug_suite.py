"""Build the kernels with every check on, in a copy of the tree, and run the suite there.

Run as `python -m tests.debug_suite [pytest arguments]`; the release build of the checkout stays
as it is. The exit code is that of the first step that fails.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = (
    *("setup.py", "pyproject.toml", "README.md", "LICENSE"),
    *("cext", "mmbot", "tests", "examples", "docs", "systemd"),
)
# What is left out asks nothing of the kernels that oracles, replays, streams and the exchange's
# engine do not: sources and documents, faults, programs and faces, settings and books.
LEFT_OUT = (
    *("test_source.py", "test_docs.py", "test_architecture.py", "test_runbook.py"),
    *("faults", "regressions", "process", "web", "chat"),
    *("contract", "exchange", "simulation", "soak"),
    *("unit/adapters/lease", "unit/adapters/web", "unit/adapters/zo/keys"),
    *("unit/adapters/zo/rest", "unit/adapters/zo/trading", "unit/assemble"),
    *("unit/cli", "unit/config", "unit/contestants", "unit/interfaces", "unit/ledger"),
    *("unit/logs", "unit/rescue", "unit/runtime", "unit/secrets"),
)
SUITE = ("tests", *(f"--ignore=tests/{each}" for each in LEFT_OUT))
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.so")
CLAIM = (
    "from mmbot.cext.orderbook import DEBUG_BUILD\n"
    "if not DEBUG_BUILD: raise SystemExit('the kernels were built without assertions')\n"
)


def main(arguments: list[str]) -> int:
    """Copy, build, check which build is loaded, test."""
    with tempfile.TemporaryDirectory(prefix="mmbot-debug-") as name:
        # One folder deeper, so that the shared data is found where the checkout finds it.
        tree = Path(name) / "tree"
        tree.mkdir()
        (Path(name) / "shared").symlink_to(ROOT.parent / "shared")
        for item in COPIED:
            source = ROOT / item
            if source.is_dir():
                shutil.copytree(source, tree / item, ignore=LEFT_BEHIND)
            else:
                shutil.copy(source, tree / item)
        for step in (
            ["setup.py", "-q", "build_ext", "--inplace", "--force"],
            ["-c", CLAIM],
            ["-m", "pytest", *SUITE, *arguments],
        ):
            done = _python(tree, *step)
            if done:
                return done
    return 0


def _python(tree: Path, *arguments: str) -> int:
    environment = {**os.environ, "MMBOT_CEXT_DEBUG": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=tree, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
