"""Compile cext/*.pyx into mmbot.cext.*; nothing else. MMBOT_CEXT_DEBUG=1 keeps every check on."""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = bool(os.environ.get("MMBOT_CEXT_DEBUG"))
DIRECTIVES = {
    "language_level": 3,
    "auto_pickle": False,
    "boundscheck": DEBUG,
    "wraparound": DEBUG,
    "initializedcheck": DEBUG,
    "cdivision": not DEBUG,
}
SOURCES = sorted(Path("cext").glob("*.pyx"))
EXTENSIONS = [
    Extension(
        f"mmbot.cext.{source.stem}",
        [str(source)],
        define_macros=[] if DEBUG else [("CYTHON_WITHOUT_ASSERTIONS", "1")],
        # Shared includes leave functions that one kernel or another does not call.
        extra_compile_args=[*(["-O1", "-g"] if DEBUG else ["-O3"]), "-Wno-unused"],
        depends=sorted(str(path) for path in Path("cext").iterdir()),
    )
    for source in SOURCES
]

setup(
    ext_modules=cythonize(
        EXTENSIONS,
        compiler_directives=DIRECTIVES,
        include_path=["cext"],
        annotate=DEBUG,
        force=DEBUG,
        build_dir="build/cython-debug" if DEBUG else "build/cython",
    )
)
