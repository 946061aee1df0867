"""The command line: find the verb, run it, turn errors into one line and a documented exit code."""

import sys
import traceback
from collections.abc import Sequence

from mmbot.cli.parser import build_parser
from mmbot.errors import ConfigError, MmbotError
from mmbot.secrets.redaction import redacted

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (operations page, section 3.2)."""
    args = build_parser().parse_args(argv)
    try:
        return int(args.verb(args))
    except ConfigError as error:
        for problem in error.problems:
            _complain(problem)
        return error.exit_code
    except (MmbotError, OSError) as error:
        if args.verbose:
            sys.stderr.write(redacted(traceback.format_exc()))
        _complain(" ".join((str(error), *getattr(error, "__notes__", ()))))
        return error.exit_code if isinstance(error, MmbotError) else EXIT_ERROR
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        _complain("interrupted")
        return EXIT_INTERRUPTED


def _complain(text: str) -> None:
    sys.stderr.write(f"error: {redacted(text)}\n")
