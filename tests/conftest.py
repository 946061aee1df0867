"""Before any test: what is compiled must be what is written."""

import pytest

from tests import compiled


def pytest_configure() -> None:
    """Refuse to test a build older than its sources."""
    outdated = compiled.outdated()
    if outdated:
        raise pytest.UsageError(
            f"{outdated[0].relative_to(compiled.ROOT)} is newer than what was compiled of it: "
            "run make build"
        )
