"""Compile cext/*.pyx into mmbot.cext.*, as many at once as there are processors; nothing else.

MMBOT_CEXT_DEBUG=1 keeps every check on. MMBOT_CEXT=0 leaves the kernels out: for installing what
mmbot depends on without compiling anything.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = bool(os.environ.get("MMBOT_CEXT_DEBUG"))
WANTED = os.environ.get("MMBOT_CEXT") != "0"
JOBS = len(os.sched_getaffinity(0))
DIRECTIVES = {
    "language_level": 3,
    "auto_pickle": False,
    "boundscheck": DEBUG,
    "wraparound": DEBUG,
    "initializedcheck": DEBUG,
    "cdivision": not DEBUG,
}


def extensions() -> list[Extension]:
    """Every kernel, the largest first, so that no processor is left with it at the end."""
    sources = sorted(Path("cext").glob("*.pyx"), key=lambda path: (-path.stat().st_size, path))
    return [
        Extension(
            f"mmbot.cext.{source.stem}",
            [str(source)],
            define_macros=[] if DEBUG else [("CYTHON_WITHOUT_ASSERTIONS", "1")],
            # Shared includes leave functions that one kernel or another does not call.
            extra_compile_args=[*(["-O1", "-g"] if DEBUG else ["-O3"]), "-Wno-unused"],
            depends=sorted(str(path) for path in Path("cext").iterdir()),
        )
        for source in sources
    ]


# Processes that translate begin by reading this file again.
if __name__ == "__main__":
    setup(
        ext_modules=cythonize(
            extensions(),
            nthreads=JOBS,
            compiler_directives=DIRECTIVES,
            include_path=["cext"],
            annotate=DEBUG,
            force=DEBUG,
            build_dir="build/cython-debug" if DEBUG else "build/cython",
        )
        if WANTED
        else [],
        options={"build_ext": {"parallel": JOBS}},
    )
