"""The command line: find the verb, run it, turn errors into one line and a documented exit code."""

import os
import select
import sys
import traceback
from collections.abc import Sequence

from mmbot.cli.parser import build_parser
from mmbot.errors import ConfigError, MmbotError
from mmbot.logs.last_resort import guard_crash_output
from mmbot.secrets.redaction import redacted

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130
# What a shell shows of a program that SIGPIPE has ended.
EXIT_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (operations page, section 3.2)."""
    guard_crash_output()
    args = build_parser().parse_args(argv)
    try:
        code = int(args.verb(args))
        # Here, and not when the interpreter ends: nobody could say anything then.
        sys.stdout.flush()
        return code
    except ConfigError as error:
        for problem in error.problems:
            _complain(problem)
        return error.exit_code
    except (MmbotError, OSError) as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            return EXIT_PIPE
        if args.verbose:
            sys.stderr.write(redacted(traceback.format_exc()))
        _complain(" ".join((_words(error), *getattr(error, "__notes__", ()))))
        return error.exit_code if isinstance(error, MmbotError) else EXIT_ERROR
    except KeyboardInterrupt:
        _complain("interrupted")
        return EXIT_INTERRUPTED


def _words(error: MmbotError | OSError) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}"
    return str(error)


def _nobody_reads() -> bool:
    """Whether standard output is what broke, as behind `| head`; it goes nowhere then."""
    watch = select.poll()
    watch.register(sys.stdout.fileno(), 0)
    if not watch.poll(0):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _complain(text: str) -> None:
    sys.stderr.write(f"error: {redacted(text)}\n")
