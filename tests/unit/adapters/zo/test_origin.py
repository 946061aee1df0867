"""Which places may be talked to, and what a configuration may say about them."""

import pytest

from mmbot.adapters.zo.origin import Origin, allowed_origin, is_loopback, web_socket_origin
from mmbot.adapters.zo.params import SessionParams, VenueParams
from mmbot.config.loader import load
from mmbot.errors import ConfigError

HOSTS = ("zo-mainnet.n1.xyz", "other.example")
HTTP = ("https", "http")


@pytest.mark.parametrize(
    ("url", "origin", "text"),
    [
        ("https://zo-mainnet.n1.xyz", ("https", "zo-mainnet.n1.xyz", 443), ""),
        ("https://ZO-Mainnet.N1.xyz:443/", ("https", "zo-mainnet.n1.xyz", 443), ""),
        ("https://other.example:8443", ("https", "other.example", 8443), ":8443"),
        ("http://127.0.0.1:8080", ("http", "127.0.0.1", 8080), ":8080"),
        ("http://127.5.6.7", ("http", "127.5.6.7", 80), ""),
        ("http://[::1]:8080/", ("http", "::1", 8080), "[::1]:8080"),
        ("http://localhost:1", ("http", "localhost", 1), ":1"),
        ("https://127.0.0.1:1", ("https", "127.0.0.1", 1), ":1"),
    ],
)
def test_allowed_places(url: str, origin: tuple[str, str, int], text: str) -> None:
    found = allowed_origin(url, HOSTS, HTTP)
    assert found == Origin(*origin)
    assert str(found).endswith(text)
    assert allowed_origin(str(found), HOSTS, HTTP) == found
    stream = web_socket_origin(found)
    assert stream == Origin({"https": "wss", "http": "ws"}[origin[0]], *origin[1:])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://evil.example", "not in allowed_hosts"),
        ("https://zo-mainnet.n1.xyz.evil.example", "not in allowed_hosts"),
        ("https://evilzo-mainnet.n1.xyz", "not in allowed_hosts"),
        ("https://evil.example#zo-mainnet.n1.xyz", "more than scheme, host and port"),
        ("https://evil.example?zo-mainnet.n1.xyz", "more than scheme, host and port"),
        ("https://zo-mainnet.n1.xyz@evil.example", "user name"),
        ("https://evil.example\\@zo-mainnet.n1.xyz", "user name"),
        ("https://zo-mainnet.n1.xyz/path", "more than scheme, host and port"),
        ("https://10.0.0.1", "not in allowed_hosts"),
        ("http://zo-mainnet.n1.xyz", "not encrypted"),
        ("http://10.0.0.1", "not encrypted"),
        ("http://127.0.0.1.evil.example", "not encrypted"),
        ("http://localhost.evil.example", "not encrypted"),
        ("wss://zo-mainnet.n1.xyz", "does not begin with https:// or http://"),
        ("file:///etc/passwd", "does not begin"),
        ("zo-mainnet.n1.xyz", "does not begin"),
        ("", "does not begin"),
        ("https://", "has no host"),
        ("https://zo-mainnet.n1.xyz:0", "port"),
        ("https://zo-mainnet.n1.xyz:99999", "port"),
        ("https://zo-mainnet.n1.xyz:x", "port"),
    ],
)
def test_refused_places(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        allowed_origin(url, HOSTS, HTTP)


def test_loopback_is_a_name_not_a_lookup() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")  # noqa: S104 - no address to talk to
    assert not is_loopback("192.168.0.1")
    assert not is_loopback("localhost.localdomain")


def test_the_settings_lead_to_the_mainnet() -> None:
    params = VenueParams()
    assert str(params.http_origin) == "https://zo-mainnet.n1.xyz"
    assert str(params.ws_origin) == "wss://zo-mainnet.n1.xyz"
    local = VenueParams(http_url="http://127.0.0.1:9")
    assert str(local.ws_origin) == "ws://127.0.0.1:9"
    both = VenueParams(http_url="http://127.0.0.1:9", ws_url="ws://127.0.0.1:8")
    assert str(both.ws_origin) == "ws://127.0.0.1:8"


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (["venue.http_url=https://zo-devnet.n1.xyz"], "venue.http_url"),
        (["venue.ws_url=wss://zo-devnet.n1.xyz"], "venue.ws_url"),
        (["venue.ws_url=ws://127.0.0.1:1"], "venue.ws_url"),
        (["venue.ws_url=https://zo-mainnet.n1.xyz"], "venue.ws_url"),
        (["venue.allowed_hosts=[other.example]"], "venue"),
        (["venue.allowed_hosts=[]"], "venue.allowed_hosts"),
        (["venue.action_lifetime_s=61"], "venue.action_lifetime_s"),
        (["venue.request_timeout_ms=0"], "venue.request_timeout_ms"),
        (["session.ttl_h=6"], "session"),
        (["session.ttl_h=745"], "session.ttl_h"),
        (["secrets.wallet_key.from=vault"], "secrets.wallet_key.from"),
        (["secrets.wallet_key.from=aws"], "secrets.wallet_key"),
        (["secrets.telegram_token.from=ledger"], "secrets"),
        (["secrets.aws.endpoint_url=http://aws.example"], "secrets.aws"),
        (["secrets.ledger.derivation_path=44/501"], "secrets.ledger.derivation_path"),
        (["secrets.wallet_key.source=env"], "secrets.wallet_key.source"),
    ],
)
def test_a_wrong_setting_is_named(settings: list[str], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load([], settings)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(key)


def test_devnet_needs_both_its_address_and_its_host() -> None:
    hosts = "venue.allowed_hosts=[zo-devnet.n1.xyz]"
    config = load([], ["venue.http_url=https://zo-devnet.n1.xyz", hosts]).config
    assert config.venue.ws_origin.host == "zo-devnet.n1.xyz"
    assert SessionParams().refresh_before_h < SessionParams().ttl_h
