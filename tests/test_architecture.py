"""The architecture as assertions: imports, banned names and modules, sizes, and the tree."""

from collections.abc import Callable, Iterator

import pytest

from tests import architecture as rules
from tests import compiled
from tests.architecture import ROOT, Finding, Source, sources

Rule = Callable[[Source], Iterator[Finding]]

PRODUCT = ("mmbot/**/*.py", "mmbot/*.py")
STUBS = ("mmbot/cext/*.pyi",)
TESTS = ("tests/**/*.py",)
EXAMPLES = ("examples/**/*.py",)
KERNELS = ("cext/*.pyx", "cext/*.pxi")
HEADERS = ("mmbot/**/*.pxd",)
EVERYTHING = (*PRODUCT, *STUBS, *TESTS, *EXAMPLES, *KERNELS, *HEADERS, "setup.py")
PROSE = ("*.md", "docs/**/*.md", "examples/*.yaml", "systemd/*", "Makefile", "pyproject.toml")

RULES: list[tuple[Rule, tuple[str, ...]]] = [
    (rules.import_table, PRODUCT),
    (rules.banned_modules, PRODUCT),
    (rules.import_count, PRODUCT),
    (rules.repeatable, ("mmbot/adapters/**/*.py", "mmbot/runtime/**/*.py")),
    (rules.side_words, PRODUCT),
    (rules.swallowed_imports, PRODUCT),
    (rules.oracle_independence, ("tests/oracle/*.py",)),
    (rules.kernel_imports, KERNELS),
    (rules.kernel_function_sizes, KERNELS),
    (rules.banned_names, (*PRODUCT, *STUBS, *TESTS, *KERNELS)),
    (rules.function_sizes, (*PRODUCT, *STUBS, *TESTS, *EXAMPLES)),
    (rules.class_sizes, (*PRODUCT, *STUBS, *TESTS, *EXAMPLES)),
    (rules.file_sizes, EVERYTHING),
    (rules.left_for_later, (*EVERYTHING, *PROSE)),
]

# (rule, path, symbol). This list may only shrink; every entry says why it is here.
EXEMPT = {
    # The package face refuses to import without its kernels, in the words the user will read.
    ("import_table", "mmbot/cext/__init__.py", "errors"),
    # Any input file, whatever its format; the error tree names what to do, not what it is.
    ("banned_names", "mmbot/errors.py", "DataError"),
    # It is the type that too many parameters ask for; five of its eight are keyword-only.
    ("function_sizes", "mmbot/domain/market.py", "Market.__init__"),
    # The one place where quoting, execution, risk and hedging meet; it only sequences them.
    ("import_count", "mmbot/engine/deciding.py", "imports"),
    ("import_count", "mmbot/engine/desk.py", "imports"),
    ("import_count", "mmbot/engine/engine.py", "imports"),
    ("import_count", "mmbot/engine/guards.py", "imports"),
    ("import_count", "mmbot/engine/outbox.py", "imports"),
    # The one clock of a real run; the default of the reader of a venue, whose callers give theirs.
    ("repeatable", "mmbot/adapters/web/clock.py", "time.time_ns"),
    ("repeatable", "mmbot/adapters/web/clock.py", "time.monotonic_ns"),
    ("repeatable", "mmbot/adapters/zo/rest/http.py", "time.monotonic_ns"),
    # Commands of a person that are no part of a run: a check, a trial order, a new session.
    ("repeatable", "mmbot/adapters/zo/checks/book_check.py", "SystemRandom"),
    ("repeatable", "mmbot/adapters/zo/checks/trial_order.py", "secrets"),
    ("repeatable", "mmbot/adapters/zo/checks/trial_order.py", "time.monotonic_ns"),
    ("repeatable", "mmbot/adapters/zo/keys/session.py", "secrets"),
    ("repeatable", "mmbot/adapters/zo/keys/session.py", "time.monotonic_ns"),
    # The watchdog is a thread because it watches the loop.
    ("repeatable", "mmbot/runtime/watchdog.py", "threading"),
    ("repeatable", "mmbot/runtime/watchdog.py", "threading.Thread"),
    ("repeatable", "mmbot/runtime/watchdog.py", "time.monotonic_ns"),
    # Every rule and invariant of a state machine is a method of it.
    ("class_sizes", "tests/unit/engine/test_order_machine.py", "OrderMachine"),
    ("class_sizes", "tests/unit/engine/test_stateful.py", "EngineMachine"),
    ("class_sizes", "tests/cext/test_clob.py", "Twins"),
    # A kernel's state is one C struct: its reading, trading, undo and saving share one face.
    ("class_sizes", "mmbot/cext/clob.pyi", "Clob"),
}


@pytest.mark.parametrize(("rule", "where"), RULES, ids=[rule.__name__ for rule, _ in RULES])
def test_rule_holds_everywhere(rule: Rule, where: tuple[str, ...]) -> None:
    seen = sources(*where)
    assert seen, f"{rule.__name__} saw no file"
    broken = [
        f"{source.path}:{found.line}: {found.text}"
        for source in seen
        for found in rule(source)
        if (rule.__name__, source.path, found.symbol) not in EXEMPT
    ]
    assert not broken, f"{rule.__doc__}\n" + "\n".join(broken)


def test_every_exemption_is_still_needed() -> None:
    used = {
        (rule.__name__, source.path, found.symbol)
        for rule, where in RULES
        for source in sources(*where)
        for found in rule(source)
    }
    assert used >= EXEMPT, f"remove from EXEMPT: {EXEMPT - used}"


def test_root_holds_the_agreed_folders_and_no_others() -> None:
    built = {"build", "dist", "reports", "htmlcov"}
    folders = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith((".", "__"))
    }
    folders = {name for name in folders - built if not name.endswith(".egg-info")}
    assert folders >= {"mmbot", "cext", "tests"}
    assert folders <= {"mmbot", "cext", "tests", "systemd", "examples", "docs"}


def test_kernels_have_no_headers() -> None:
    assert list(ROOT.glob("cext/*.pyx"))
    assert not list(ROOT.glob("cext/**/*.pxd"))


def test_only_compiled_modules_have_a_header() -> None:
    assert compiled.headers()
    assert set(compiled.headers()) <= compiled.names()
    assert all((compiled.PACKAGE / f"{name}.py").exists() for name in compiled.names())


@pytest.mark.parametrize("name", compiled.headers())
def test_a_header_names_exactly_the_slots_of_its_module(name: str) -> None:
    slots = compiled.slots(name)
    declared = compiled.declared(name)
    assert {cls: slots[cls] for cls in declared} == declared


def test_every_kernel_has_a_stub_an_oracle_and_a_test() -> None:
    kernels = [path.stem for path in ROOT.glob("cext/*.pyx")]
    assert kernels
    wanted = [
        path
        for stem in kernels
        for path in (
            f"mmbot/cext/{stem}.pyi",
            f"tests/oracle/{stem}.py",
            f"tests/cext/test_{stem}.py",
        )
    ]
    missing = [path for path in wanted if not (ROOT / path).exists()]
    assert not missing


LONG = "def f():\n" + "    x = 1\n" * 60
WIDE = "def f(a, b, c, d, e, f, g):\n    return a\n"
METHODS = "class A:\n" + "".join(f"    def m{i}(self): ...\n" for i in range(16))
HOLDER = "class A:\n    def __init__(self):\n" + "".join(
    f"        self.a{i} = {i}\n" for i in range(13)
)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (rules.import_table, "mmbot/domain/a.py", "from mmbot.quoting.fair import x"),
        (rules.import_table, "mmbot/quoting/a.py", "from mmbot.risk import limits"),
        (rules.import_table, "mmbot/quoting/a.py", "import mmbot.engine"),
        (rules.import_table, "mmbot/quoting/a.py", "from ..risk import limits"),
        (rules.import_table, "mmbot/quoting/a.py", "from mmbot import risk"),
        (rules.import_table, "mmbot/runtime/a.py", "from mmbot.adapters.sim.venue import x"),
        (rules.import_table, "mmbot/runtime/a.py", "def f():\n    from mmbot.config import x"),
        (
            rules.import_table,
            "mmbot/adapters/sim/a.py",
            "from mmbot.adapters.zo.wire.codec import x",
        ),
        (rules.import_table, "mmbot/exchange/a.py", "from mmbot.adapters.zo.keys.session import x"),
        (rules.import_table, "mmbot/config/schema.py", "from mmbot.quoting.fair import fair"),
        (rules.import_table, "mmbot/assemble.py", "from mmbot.cli import main"),
        (rules.import_table, "mmbot/interfaces/a.py", "from mmbot.assemble import build"),
        (rules.import_table, "mmbot/rescue.py", "from mmbot.domain.order import Side"),
        (rules.import_table, "mmbot/errors.py", "import mmbot.domain.order"),
        (rules.import_table, "mmbot/stray.py", ""),
        (rules.banned_modules, "mmbot/engine.py", "import asyncio"),
        (rules.banned_modules, "mmbot/risk/a.py", "from time import time_ns"),
        (rules.banned_modules, "mmbot/risk/a.py", "x = open('f')"),
        (rules.banned_modules, "mmbot/runtime/a.py", "import argparse"),
        (rules.banned_modules, "mmbot/research/a.py", "import numpy as np"),
        (rules.banned_modules, "mmbot/cli.py", "from tests.oracle.ladder import stack"),
        (rules.import_count, "mmbot/cli.py", "import mmbot.errors\n" * 11),
        (rules.side_words, "mmbot/quoting/a.py", "side = 'bid'"),
        (rules.swallowed_imports, "mmbot/cli.py", "try:\n    x\nexcept ImportError:\n    y"),
        (rules.oracle_independence, "tests/oracle/a.py", "from mmbot.domain.order import Side"),
        (rules.kernel_imports, "cext/a.pyx", "from mmbot.cext.orderbook cimport OrderBook"),
        (rules.kernel_imports, "cext/a.pyx", "cimport orderbook"),
        (rules.kernel_imports, "cext/a.pyx", "    from decimal import Decimal"),
        (rules.banned_names, "mmbot/quoting/utils.py", ""),
        (rules.banned_names, "mmbot/common/fair.py", ""),
        (rules.banned_names, "mmbot/risk/a.py", "class OrderManager:\n    x = 1"),
        (rules.banned_names, "cext/a.pyx", "cdef class HTTPHandler:\n    pass"),
        (rules.function_sizes, "mmbot/a.py", LONG),
        (rules.function_sizes, "mmbot/a.py", WIDE),
        (rules.kernel_function_sizes, "cext/a.pyx", LONG.replace("def f", "cdef int f")),
        (rules.kernel_function_sizes, "cext/a.pyx", WIDE),
        (rules.class_sizes, "mmbot/a.py", METHODS),
        (rules.class_sizes, "mmbot/a.py", HOLDER),
        (rules.file_sizes, "mmbot/a.py", "x = 1\n" * 501),
        (rules.file_sizes, "cext/a.pyx", "x = 1\n" * 401),
        (rules.file_sizes, "cext/a.pyx", "#" * 101),
        (rules.file_sizes, "tests/a.py", "x = 1\n" * 601),
        (rules.left_for_later, "docs/a.md", "TO" + "DO: write this"),
    ],
)
def test_rule_notices_a_breach(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text)))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (rules.import_table, "mmbot/quoting/a.py", "from mmbot.quoting.state import QuotingState"),
        (rules.import_table, "mmbot/quoting/a.py", "from mmbot.cext.ladder import stack"),
        (rules.import_table, "mmbot/config/schema.py", "from mmbot.risk.limits import RiskParams"),
        (rules.import_table, "mmbot/exchange/a.py", "from mmbot.adapters.zo.wire import codec"),
        (rules.import_table, "mmbot/cli/run.py", "from mmbot.cli.options import x"),
        (rules.import_table, "mmbot/cli.py", "from mmbot import __version__, assemble"),
        (rules.banned_modules, "mmbot/runtime/a.py", "import asyncio"),
        (rules.banned_names, "mmbot/risk/a.py", "class RiskManager:\n    x = 1"),
        (rules.side_words, "mmbot/tape/a.py", "side = 'bid'"),
        (rules.function_sizes, "mmbot/a.py", "def f():\n    '''" + "\n" * 70 + "'''\n    return 1"),
        (rules.kernel_function_sizes, "cext/a.pyx", LONG.replace("    x = 1\n", "", 1) + "y = 1\n"),
    ],
)
def test_rule_lets_good_code_pass(rule: Rule, path: str, text: str) -> None:
    assert not list(rule(Source(path, text)))
