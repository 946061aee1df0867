"""Where a lease may be kept: named, encrypted outside this machine, no password in sight."""

import pytest
from pydantic import ValidationError

from mmbot.adapters.lease.params import CoordinationParams


def test_an_address_in_its_parts() -> None:
    found = CoordinationParams(redis_url="rediss://bot@redis.example.test:6390/3")
    assert found.place == ("redis.example.test", 6390)
    assert (found.user, found.database, found.encrypted) == ("bot", 3, True)
    usual = CoordinationParams()
    assert usual.backend == "none"
    assert (usual.place, usual.user, usual.database) == (("127.0.0.1", 6379), None, 0)
    assert not usual.encrypted


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://redis.example.test", "not encrypted"),
        ("redis://10.0.0.7:6379/0", "not encrypted"),
        ("rediss://bot:hunter22@redis.example.test", "holds a password"),
        ("https://redis.example.test", "is not rediss://"),
        ("redis://", "is not rediss://"),
        ("redis://127.0.0.1/zero", "has more than"),
        ("redis://127.0.0.1/0?ssl_cert_reqs=none", "has more than"),
        ("redis://127.0.0.1:0/0", "port that is none"),
        ("redis://127.0.0.1:99999/0", "port that is none"),
    ],
)
def test_what_is_refused(url: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as told:
        CoordinationParams(redis_url=url)
    assert "hunter22" not in told.value.errors()[0]["msg"]
