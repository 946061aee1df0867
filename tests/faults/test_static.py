"""Static faults that have no other place: what is installed (H05)."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert found is not None
    return found[0].lower().replace("_", "-")


def test_every_dependency_has_one_version() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line for line in lines if line and not line.startswith("#")}
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.]+", line) for line in pinned)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert {_name(each) for each in wanted} <= {_name(line) for line in pinned}
