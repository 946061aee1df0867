"""Before any test: what is compiled must be what is written, and no secret is known yet."""

import pytest

from mmbot.secrets.redaction import KNOWN
from tests import compiled


def pytest_configure() -> None:
    """Refuse to test a build older than its sources."""
    outdated = compiled.outdated()
    if outdated:
        raise pytest.UsageError(
            f"{outdated[0].relative_to(compiled.ROOT)} is newer than what was compiled of it: "
            "run make build"
        )


@pytest.fixture(autouse=True)
def no_secret_is_known() -> None:
    """The keys that one test made up are ordinary text to the next."""
    KNOWN._spellings = set()
    KNOWN._longest_first = ()
