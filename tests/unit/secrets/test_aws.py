"""Secrets out of AWS Secrets Manager, asked of moto's server on this machine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from moto.server import ThreadedMotoServer

from mmbot.errors import SecretError, Unavailable
from mmbot.secrets.params import SecretName, SecretsParams
from mmbot.secrets.resolving import resolve

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
}
TOKEN = "the-token-that-aws-keeps"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        with served() as url:
            yield url


@contextmanager
def served() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client("secretsmanager", region_name="eu-central-1", endpoint_url=url)
    client.create_secret(Name="plain", SecretString=f"{TOKEN}\n")
    client.create_secret(Name="json", SecretString=json.dumps({"private_key": TOKEN, "n": 1}))
    client.create_secret(Name="bytes", SecretBinary=b"\x00\x01")
    yield url
    server.stop()


def asked(server: str, secret_id: str, field: str | None = None) -> str:
    aws = {"endpoint_url": server, "json_field": field, "timeout_ms": 2_000}
    token = {"from": "aws", "name": secret_id}
    params = SecretsParams.model_validate({"telegram_token": token, "aws": aws})
    secret = resolve(params, SecretName.TELEGRAM_TOKEN, {}, print)
    assert f"AWS secret {secret_id} in eu-central-1, version " in secret.place
    assert TOKEN not in secret.place
    return secret.reveal()


def test_the_whole_text_or_a_field_of_it(server: str) -> None:
    assert asked(server, "plain") == TOKEN
    assert asked(server, "json", "private_key") == TOKEN


@pytest.mark.parametrize(
    ("secret_id", "field", "words"),
    [
        ("missing", None, "ResourceNotFoundException"),
        ("bytes", None, "is no text"),
        ("json", "n", "no text field n"),
        ("json", "other", "no text field other"),
        ("plain", "private_key", "no text field private_key"),
    ],
)
def test_what_is_refused(server: str, secret_id: str, field: str | None, words: str) -> None:
    with pytest.raises(SecretError, match=words) as caught:
        asked(server, secret_id, field)
    assert TOKEN not in str(caught.value)


@pytest.mark.usefixtures("server")
def test_nobody_there() -> None:
    # Nothing listens at the port of the null service.
    with pytest.raises(Unavailable, match="EndpointConnectionError"):
        asked("http://127.0.0.1:9", "plain")


def test_a_machine_that_has_nothing_to_ask_with(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    boto3.DEFAULT_SESSION = None
    # Trying again does not help: it is not taken for a service that is away.
    with pytest.raises(SecretError, match="no credentials"):
        asked(server, "plain")
