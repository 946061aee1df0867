"""The rules of the code base as functions: a source file in, the places that break a rule out."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Finding(NamedTuple):
    """A place that breaks a rule; `symbol` is what an exemption names."""

    line: int
    symbol: str
    text: str


@dataclass(frozen=True)
class Source:
    """One file: its path from the root, with slashes, and its text."""

    path: str
    text: str

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the syntax tree (Python and stubs)."""
        return list(ast.walk(ast.parse(self.text, self.path)))

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file."""
        return self.text.splitlines()

    @property
    def module(self) -> str:
        """Dotted name below mmbot: `mmbot/quoting/fair.py` is quoting.fair, `mmbot` is empty."""
        parts = Path(self.path).with_suffix("").parts[1:]
        return ".".join(part for part in parts if part != "__init__")


def _names(text: str) -> set[str]:
    return set(text.split())


@cache
def sources(*globs: str) -> list[Source]:
    """Read the files matching any of the globs, generated protobuf modules left out."""
    paths = {path for glob in globs for path in ROOT.glob(glob)}
    found = sorted(path.relative_to(ROOT).as_posix() for path in paths if path.is_file())
    return [Source(path, (ROOT / path).read_text()) for path in found if "/proto/" not in path]


# Who may import whom. A row holds for the module and everything below it, the longest row wins;
# "*" is anything but the command line. A module without a row is not allowed to exist.
ENGINE_PARTS = {"quoting", "execution", "risk", "hedging"}
OPINION = {"domain", "cext", "errors"}
SHELL = {"ports", "domain", "cext", "errors", "secrets", "logs.levels"}
WIRE = {"adapters.zo.wire"}
MAY_IMPORT: dict[str, set[str]] = {
    "": set(),
    "errors": set(),
    "cext": set(),
    "domain": {"errors"},
    "quoting": OPINION,
    "execution": OPINION,
    "risk": OPINION,
    "hedging": OPINION,
    "engine": {"domain", "cext", "errors"} | ENGINE_PARTS,
    "ports": {"domain", "errors"},
    "logs": {"domain.params", "errors", "secrets.redaction"},
    "adapters": SHELL | {"adapters.web", "adapters.zo.origin"},
    "adapters.sim": SHELL,
    "adapters.web": SHELL,
    "adapters.zo": SHELL | {"adapters.web"},
    "tape": SHELL,
    "ledger": SHELL,
    "exchange": SHELL | WIRE | {"adapters.sim"},
    "runtime": {"ports", "engine", "domain", "tape", "errors", "secrets.redaction"},
    "research": {"engine", "domain", "errors"},
    "interfaces": {"ports", "domain", "errors", "secrets.secret"},
    "secrets": {"domain.params", "errors"},
    "config": {"domain.params", "errors", "secrets.redaction"},
    # The rules for key files and places are the bot's; they stand on the standard library, too.
    "rescue": WIRE | {"adapters.zo.origin", "secrets.private_files", "errors"},
    "assemble": {"*"},
    "cli": {"*", "cli"},
    "__main__": {"cli"},
}
PURE = {"domain", "engine"} | ENGINE_PARTS
IMPURE_MODULES = _names(
    "asyncio logging time random os io pathlib shutil tempfile socket ssl select signal threading"
    " subprocess multiprocessing concurrent urllib http requests aiohttp websockets sqlite3 gzip"
    " zipfile yaml ruamel uvloop secrets"
)
FOREIGN_MODULES = {"numpy", "pandas", "scipy", "numba", "pytest", "hypothesis", "unittest", "tests"}
BANNED_MODULES: dict[str, set[str]] = {
    **dict.fromkeys(PURE, IMPURE_MODULES),
    "runtime": {"argparse"},
    "cext": {"asyncio", "logging", "decimal", "datetime"},
    "rescue": {"websockets", "aiohttp", "msgspec", "pydantic", "yaml", "ruamel", "rich"},
}
KERNEL_BANNED = BANNED_MODULES["cext"] | FOREIGN_MODULES | {"mmbot"}

BANNED_WORDS = _names(
    "util utils helper helpers common misc base core manager handler processor service wrapper"
    " data info impl new v2"
)
# Names the product's design notes give.
NAMED_BY_THE_NOTES = {"RiskManager", "InventoryManager"}
SIDE_WORDS = {"buy", "sell", "bid", "ask"}
# Reports of runs are made in research.
SIDE_WORDS_ALLOWED = ("adapters", "exchange", "tape", "interfaces", "cli", "research")


def room(module: str) -> str | None:
    """Return the longest row of the import table that holds for a module, None without one."""
    names = module.split(".")
    below = (".".join(names[:size]) for size in range(len(names), 0, -1))
    return next((name for name in below if name in MAY_IMPORT), None)


def _imports(source: Source) -> Iterator[tuple[int, str, str]]:
    # (line, module, name) with relative imports made absolute; name is empty for plain imports.
    package = ["mmbot", *source.module.split(".")]
    if not source.path.endswith("__init__.py"):
        package = package[:-1]
    for node in source.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, module, alias.name


def import_table(source: Source) -> Iterator[Finding]:
    """A module imports only what its row of the table allows, and Params where it is config."""
    own = room(source.module)
    if own is None:
        yield Finding(1, source.module, f"{source.module} has no row in the import table")
        return
    for line, module, name in _imports(source):
        if module.split(".")[0] != "mmbot":
            continue
        target = module.removeprefix("mmbot").removeprefix(".")
        if not target and room(name) is not None:
            target = name
        if not (target or name.startswith("__")) or not _allowed(own, target, name):
            yield Finding(line, target, f"{own or 'mmbot'} may not import {target}.{name}")


def _allowed(own: str, target: str, name: str) -> bool:
    if own and room(target) == own:
        return True
    if own == "config" and name.endswith("Params"):
        return True
    full = f"{target}.{name}"
    return not target or any(
        f"{full}.".startswith(f"{row}.") or (row == "*" and room(target) != "cli")
        for row in MAY_IMPORT[own]
    )


def banned_modules(source: Source) -> Iterator[Finding]:
    """Rooms without I/O import none, call no open(); nobody imports tests or array packages."""
    own = room(source.module) or ""
    banned = FOREIGN_MODULES | BANNED_MODULES.get(own.split(".")[0], set())
    for line, module, _ in _imports(source):
        if module.split(".")[0] in banned:
            yield Finding(line, module, f"{source.module} may not import {module}")
    if own in PURE:
        for node in source.nodes:
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"open", "input", "print"}:
                yield Finding(node.lineno, "open", f"{own} does no input or output")


def oracle_independence(source: Source) -> Iterator[Finding]:
    """An oracle knows nothing of the code it judges."""
    for line, module, _ in _imports(source):
        if module.split(".")[0] == "mmbot":
            yield Finding(line, module, f"an oracle may not import {module}")


# What a simulation could not repeat: real clocks, chance of the system, other threads (reliability
# 2.2). A name of a module, or one of its members; `random.Random` and `SystemRandom` as types only.
UNREPEATABLE = _names(
    "time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter time.perf_counter_ns"
    " time.sleep datetime.now datetime.utcnow datetime.today date.today random.random"
    " random.randint random.choice random.uniform random.shuffle random.seed"
    " os.urandom uuid.uuid1 uuid.uuid4"
    " asyncio.to_thread threading.Thread"
)
UNREPEATABLE_MODULES = _names("secrets uuid threading multiprocessing concurrent subprocess")
UNREPEATABLE_NAMES = _names("SystemRandom run_in_executor")


def repeatable(source: Source) -> Iterator[Finding]:
    """Adapters and runtime take clock, chance and threads from outside, so that runs repeat."""
    for node in source.nodes:
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
            found = {module.partition(".")[0] for module in modules} & UNREPEATABLE_MODULES
            found |= UNREPEATABLE_NAMES.intersection(names)
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {f"{node.module}.{name}" for name in names} & UNREPEATABLE
        elif isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            found = {f"{owner}.{node.attr}"} & UNREPEATABLE | {node.attr} & UNREPEATABLE_NAMES
        else:
            continue
        for name in sorted(found):
            yield Finding(line, name, f"{name} cannot be repeated by a simulation")


def kernel_imports(source: Source) -> Iterator[Finding]:
    """A kernel imports no mmbot, no other kernel, no Decimal, clock, logging or array package."""
    kernels = {path.stem for path in ROOT.glob("cext/*.pyx")}
    pattern = re.compile(r"^\s*(?:from|c?import)\s+([\w.]+)")
    for number, line in enumerate(source.lines, 1):
        found = pattern.match(line)
        if found and found[1].split(".")[0] in KERNEL_BANNED | kernels:
            yield Finding(number, found[1], f"a kernel may not import {found[1]}")


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*", name)}


def banned_names(source: Source) -> Iterator[Finding]:
    """File and class names say what a thing is, without the banned words."""
    for part in Path(source.path).with_suffix("").parts:
        for word in _words(part) & BANNED_WORDS:
            yield Finding(1, part, f"{part} in the path has the banned word {word}")
    for number, line in enumerate(source.lines, 1):
        found = re.match(r"\s*(?:cdef )?class (\w+)", line)
        if found and found[1] not in NAMED_BY_THE_NOTES:
            for word in _words(found[1]) & BANNED_WORDS:
                yield Finding(number, found[1], f"{found[1]} has the banned word {word}")


def side_words(source: Source) -> Iterator[Finding]:
    """Inside, a side is a Side: its name as a string belongs to adapters, messages, reports."""
    if source.module.startswith(SIDE_WORDS_ALLOWED) or "report" in source.module:
        return
    for node in source.nodes:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if node.value.lower() in SIDE_WORDS:
            yield Finding(node.lineno, node.value, f"{node.value!r}: use Side")


def swallowed_imports(source: Source) -> Iterator[Finding]:
    """There is no quiet fallback for a module that is missing."""
    for node in source.nodes:
        caught = node.type if isinstance(node, ast.ExceptHandler) else None
        if caught and re.search(r"ImportError|ModuleNotFoundError", ast.unparse(caught)):
            yield Finding(caught.lineno, "ImportError", "a missing module must not be hidden")


def left_for_later(source: Source) -> Iterator[Finding]:
    """Nothing is left for later: no marks, no stubs."""
    for number, line in enumerate(source.lines, 1):
        found = re.search(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|NotImple" r"mented\w*)\b", line)
        if found:
            yield Finding(number, found[1], f"{found[1]}: finish it or leave it out")


def file_sizes(source: Source) -> Iterator[Finding]:
    """Modules stop at 500 lines, kernels at 400, tests at 600; lines stop at 100 columns."""
    native = source.path.startswith("cext/")
    stop = 400 if native else 600 if source.path.startswith("tests/") else 500
    if len(source.lines) > stop:
        yield Finding(stop + 1, "lines", f"{len(source.lines)} lines, {stop} allowed")
    for number, line in enumerate(source.lines if native else [], 1):
        if len(line) > 100:
            yield Finding(number, "columns", f"{len(line)} columns, 100 allowed")


def import_count(source: Source) -> Iterator[Finding]:
    """A module that needs more than ten imports of mmbot does too much (assemble may)."""
    if room(source.module) == "assemble":
        return
    lines = {line for line, module, _ in _imports(source) if module.split(".")[0] == "mmbot"}
    if len(lines) > 10:
        yield Finding(max(lines), "imports", f"{len(lines)} imports of mmbot, 10 allowed")


def _body_lines(node: Function) -> int:
    first = node.body[0]
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is None:
        return total
    return total - ((first.end_lineno or first.lineno) - first.lineno + 1)


def function_sizes(source: Source) -> Iterator[Finding]:
    """Functions stop at 60 lines without the docstring, and at six parameters."""
    methods = {
        id(child): f"{node.name}.{child.name}"
        for node in source.nodes
        if isinstance(node, ast.ClassDef)
        for child in node.body
        if isinstance(child, Function)
    }
    for node in source.nodes:
        if not isinstance(node, Function):
            continue
        name = methods.get(id(node), node.name)
        if _body_lines(node) > 60:
            yield Finding(node.lineno, name, f"{name}: {_body_lines(node)} lines, 60 allowed")
        asked = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        given = sum(arg.arg not in {"self", "cls"} for arg in asked)
        if given > 6:
            yield Finding(node.lineno, name, f"{name}: {given} parameters, 6 allowed")


def class_sizes(source: Source) -> Iterator[Finding]:
    """Classes stop at 15 methods and at 12 attributes set in the constructor."""
    for node in source.nodes:
        if not isinstance(node, ast.ClassDef):
            continue
        methods = {child.name for child in node.body if isinstance(child, Function)}
        if len(methods) > 15:
            yield Finding(
                node.lineno, node.name, f"{node.name}: {len(methods)} methods, 15 allowed"
            )
        held = {
            target.attr
            for child in node.body
            if isinstance(child, Function) and child.name == "__init__"
            for target in ast.walk(child)
            if isinstance(target, ast.Attribute)
            and isinstance(target.ctx, ast.Store)
            and ast.unparse(target.value) == "self"
        }
        if len(held) > 12:
            yield Finding(
                node.lineno, node.name, f"{node.name}: {len(held)} attributes, 12 allowed"
            )


def kernel_function_sizes(source: Source) -> Iterator[Finding]:
    """Functions of kernels obey the same stops; Cython is read by its indentation."""
    start = re.compile(r"(\s*)(?:def|cpdef|cdef)\b[^=(]*?(\w+)\((.*)")
    for number, line in enumerate(source.lines, 1):
        found = start.match(line)
        if not found:
            continue
        rest = source.lines[number:]
        outside = re.compile(rf"\s{{0,{len(found[1])}}}[^\s)]")
        length = next((i for i, text in enumerate(rest) if outside.match(text)), len(rest))
        body = re.sub(r'\A([^"#]*?)""".*?"""', r"\1", "\n".join([line, *rest[:length]]), flags=re.S)
        lines = len(body.rstrip().splitlines())
        if lines > 60:
            yield Finding(number, found[2], f"{found[2]}: {lines} lines, 60 allowed")
        asked = body[body.index("(") + 1 :].split(")")[0].split(",")
        given = sum(bool(arg.strip()) and arg.strip() != "self" for arg in asked)
        if given > 6:
            yield Finding(number, found[2], f"{found[2]}: {given} parameters, 6 allowed")
