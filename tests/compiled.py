"""The modules that setup.py compiles as they stand: which they are, and what their headers say."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "mmbot"


def names() -> set[str]:
    """The modules, as paths below mmbot without a suffix."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TICK_PATH":
            return {
                each.value
                for each in ast.walk(node.value)
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            }
    raise LookupError("setup.py has no TICK_PATH")


def headers() -> dict[str, Path]:
    """Every header, by its module."""
    return {
        path.relative_to(PACKAGE).with_suffix("").as_posix(): path
        for path in sorted(PACKAGE.glob("**/*.pxd"))
    }


def outdated() -> list[Path]:
    """Sources that have changed since they were compiled; what is not compiled is interpreted."""
    found = []
    for name in sorted(names()):
        source = PACKAGE / f"{name}.py"
        inputs = [source, *(path for path in [source.with_suffix(".pxd")] if path.exists())]
        for built in source.parent.glob(f"{source.stem}.*.so"):
            found += [path for path in inputs if path.stat().st_mtime > built.stat().st_mtime]
    return found


def slots(module: str) -> dict[str, set[str]]:
    """What each class of a module has in `__slots__`."""
    found = {}
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text())):
        if isinstance(node, ast.ClassDef):
            for child in node.body:
                if isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) == "__slots__":
                    value = ast.literal_eval(child.value)
                    found[node.name] = {value} if isinstance(value, str) else set(value)
    return found


def declared(module: str) -> dict[str, set[str]]:
    """The attributes of each class in a module's header."""
    found: dict[str, set[str]] = {}
    attributes: set[str] = set()
    for line in headers()[module].read_text().splitlines():
        start = re.match(r"cdef class (\w+):", line)
        if start:
            attributes = found.setdefault(start[1], set())
        named = re.match(r"    cdef (?:public )?\w+ ([\w, ]+)$", line)
        if named:
            attributes |= set(named[1].split(", "))
    return found
