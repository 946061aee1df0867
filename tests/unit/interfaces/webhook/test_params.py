"""Where alerts may go, and that the addresses are shown nowhere."""

import json
from pathlib import Path

import pytest

from mmbot.cli import main
from mmbot.config.loader import load
from mmbot.config.show import effective
from mmbot.errors import ConfigError

SECRET = "T0KEN"


def settings(folder: Path, url: str, hosts: str = "[hooks.example.com]") -> Path:
    path = folder / "c.yaml"
    path.write_text(
        f'version: 1\nalerts: {{webhook_url: "{url}", heartbeat_url: "{url}", '
        f"allowed_hosts: {hosts}}}\n"
    )
    return path


@pytest.mark.parametrize(
    "url",
    [
        f"https://hooks.example.com/services/{SECRET}?a={SECRET}",
        f"https://HOOKS.example.com:8443/{SECRET}",
        f"http://127.0.0.1:9/{SECRET}",
        f"http://[::1]:9/{SECRET}",
        f"http://localhost/{SECRET}",
    ],
)
def test_places_that_may_be_sent_to(tmp_path: Path, url: str) -> None:
    alerts = load([settings(tmp_path, url)]).config.alerts
    assert alerts.url(alerts.webhook_url) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"http://hooks.example.com/{SECRET}", "is not https://"),
        (f"https://other.example.com/{SECRET}", "names other.example.com, which is not in"),
        (f"https://hooks.example.com.evil.org/{SECRET}", "names hooks.example.com.evil.org"),
        (f"https://hooks.example.com@evil.org/{SECRET}", "has a user name"),
        (f"https:///{SECRET}", "has no host"),
        (f"file:///{SECRET}", "is not https://"),
        (f"http://127.0.0.1.evil.org/{SECRET}", "is not https://"),
        (SECRET, "is not https://"),
    ],
)
def test_places_that_may_not(tmp_path: Path, url: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load([settings(tmp_path, url)])
    told = "; ".join(caught.value.problems)
    assert why in told
    assert "c.yaml:2:" in told
    assert SECRET not in told.replace(str(tmp_path), "")


def test_an_address_is_shown_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = settings(tmp_path, f"https://hooks.example.com/{SECRET}")
    config = load([path]).config
    for words in (
        ["config", "show", "--origin", "--defaults"],
        ["config", "get", "alerts"],
        ["config", "get", "alerts.webhook_url"],
        ["check-config"],
        ["check-config", "--json"],
        ["doctor", "--json"],
    ):
        main([*words, "-c", str(path)])
    told = capsys.readouterr()
    assert "hooks.example.com" in told.out
    shown = (told.out, told.err, repr(config), effective(config), config.model_dump_json())
    assert not [each for each in shown if SECRET in each]
    json.loads(config.model_dump_json())


def test_what_is_shown_can_be_read_again(tmp_path: Path) -> None:
    config = load([settings(tmp_path, f"https://hooks.example.com/{SECRET}")]).config
    again = tmp_path / "again.yaml"
    again.write_text(effective(config))
    alerts = load([again]).config.alerts
    assert (alerts.url(alerts.webhook_url), alerts.url(alerts.heartbeat_url)) == (None, None)
