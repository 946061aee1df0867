"""Before any test: what is compiled is what is written, no secret is known, chance is fixed."""

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

from mmbot.secrets.redaction import KNOWN
from tests import compiled

# Every run draws the same examples: from a fixed seed, and not from the texts of whatever modules
# happen to be imported by then, which differ with the number of processes.
settings.load_profile("ci")
providers._get_local_constants = lambda: providers._local_constants


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
