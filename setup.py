"""Compile cext/*.pyx into mmbot.cext.*, and the modules of the tick path as they stand.

As many at once as there are processors. MMBOT_CEXT_DEBUG=1 keeps every check of the kernels on, and
leaves the modules to the interpreter. MMBOT_CEXT=0 compiles nothing: for installing what mmbot
depends on.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = bool(os.environ.get("MMBOT_CEXT_DEBUG"))
WANTED = os.environ.get("MMBOT_CEXT") != "0"
JOBS = len(os.sched_getaffinity(0))
KERNEL_DIRECTIVES = {
    "language_level": 3,
    "auto_pickle": False,
    "boundscheck": DEBUG,
    "wraparound": DEBUG,
    "initializedcheck": DEBUG,
    "cdivision": not DEBUG,
}
# Python's own meaning of everything; a module.pxd beside one says which attributes are slots of C.
MODULE_DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,
    "auto_pickle": False,
    "nonecheck": True,
}
# What runs at every tick, live and in replays, a recorder of them included. Without the compiler
# they run the same, at half the speed.
TICK_PATH = (
    *("adapters/sim/account", "adapters/sim/exchange", "adapters/sim/reports"),
    *("adapters/zo/engine_time", "adapters/zo/rest/allowance", "adapters/zo/trading/dispatch"),
    *("adapters/zo/trading/flights", "adapters/zo/trading/health", "adapters/zo/trading/pace"),
    *("adapters/zo/trading/known_orders", "adapters/zo/trading/sender", "adapters/zo/wire/signing"),
    *("domain/bucket", "domain/market", "domain/position"),
    *("engine/answers", "engine/deciding", "engine/desk", "engine/engine", "engine/guards"),
    *("engine/outbox", "engine/stops"),
    *("execution/budget", "execution/diff", "execution/order_ids", "execution/plan"),
    "execution/tracker",
    *("quoting/fair", "quoting/gate", "quoting/ladder", "quoting/learning", "quoting/shares"),
    *("quoting/reference", "quoting/signals", "quoting/sizing", "quoting/skew", "quoting/spread"),
    *("quoting/stages", "quoting/state", "quoting/strategy"),
    *("risk/band", "risk/breaker", "risk/hindrances", "risk/limits", "risk/losses", "risk/shock"),
    *("research/record", "research/sums", "research/watch", "runtime/replay"),
)


def kernels() -> list[Extension]:
    """Every kernel, the largest first, so that no processor is left with it at the end."""
    sources = sorted(Path("cext").glob("*.pyx"), key=lambda path: (-path.stat().st_size, path))
    return [
        Extension(
            f"mmbot.cext.{source.stem}",
            [str(source)],
            define_macros=[] if DEBUG else [("CYTHON_WITHOUT_ASSERTIONS", "1")],
            # Shared includes leave functions that one kernel or another does not call.
            extra_compile_args=[*(["-O1", "-g"] if DEBUG else ["-O3", "-g0"]), "-Wno-unused"],
            depends=sorted(str(path) for path in Path("cext").iterdir()),
        )
        for source in sources
    ]


def modules() -> list[Extension]:
    """The modules of the tick path."""
    return [
        Extension(
            f"mmbot.{name.replace('/', '.')}",
            [f"mmbot/{name}.py"],
            extra_compile_args=["-O1", "-g0", "-Wno-unused"],
            depends=sorted(str(path) for path in Path("mmbot").rglob("*.pxd")),
        )
        for name in TICK_PATH
    ]


def extensions() -> list[Extension]:
    """All that is wanted, translated to C."""
    folder = "build/cython-debug" if DEBUG else "build/cython"
    built = cythonize(
        kernels(),
        nthreads=JOBS,
        compiler_directives=KERNEL_DIRECTIVES,
        include_path=["cext"],
        annotate=DEBUG,
        force=DEBUG,
        build_dir=folder,
    )
    if not DEBUG:
        built += cythonize(
            modules(), nthreads=JOBS, compiler_directives=MODULE_DIRECTIVES, build_dir=folder
        )
    return built


# Processes that translate begin by reading this file again.
if __name__ == "__main__":
    setup(ext_modules=extensions() if WANTED else [], options={"build_ext": {"parallel": JOBS}})
