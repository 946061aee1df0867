"""Settings: where each secret comes from; never the secret itself."""

from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, model_validator

from mmbot.domain.params import Params

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SecretName(StrEnum):
    """What there is to keep secret, by its key in the settings."""

    WALLET_KEY = "wallet_key"
    TELEGRAM_TOKEN = "telegram_token"  # noqa: S105 - a name
    API_TOKEN = "api_token"  # noqa: S105 - a name
    REDIS_PASSWORD = "redis_password"  # noqa: S105 - a name


class SecretParams(Params):
    """Where one secret comes from."""

    model_config = ConfigDict(serialize_by_alias=True)

    source: Annotated[
        Literal["auto", "systemd", "file", "env", "aws", "ledger"],
        Field(
            alias="from",
            description="auto: a systemd credential, else the environment; ledger: a hardware "
            "wallet that signs sessions",
        ),
    ] = "auto"
    name: Annotated[
        str | None,
        Field(
            description="of the credential, the variable or the secret at AWS, or the file's path; "
            "null: the usual one",
        ),
    ] = None

    @model_validator(mode="after")
    def _is_named(self) -> "SecretParams":
        if self.source in ("file", "aws") and not self.name:
            raise ValueError(f"from {self.source} needs a name")
        return self


class AwsParams(Params):
    """AWS Secrets Manager, for secrets that come `from: aws`; needs the extra `aws`."""

    region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", description="of AWS")] = "eu-central-1"
    json_field: Annotated[
        str | None,
        Field(description="the secret is a JSON object, and this field of it; null: all of it"),
    ] = None
    timeout_ms: Annotated[int, Field(ge=100, le=60_000, description="for one answer")] = 3_000
    endpoint_url: Annotated[
        str | None, Field(description="instead of AWS: https://, or http:// to this machine")
    ] = None

    @model_validator(mode="after")
    def _is_encrypted(self) -> "AwsParams":
        if self.endpoint_url is not None:
            parts = urlsplit(self.endpoint_url)
            local = parts.scheme == "http" and parts.hostname in LOOPBACK
            if not parts.hostname or not (parts.scheme == "https" or local):
                raise ValueError("endpoint_url is not https://, nor http:// to this machine")
        return self


class LedgerParams(Params):
    """A hardware wallet, for `session create --ledger`; needs the extra `ledger`."""

    derivation_path: Annotated[
        str,
        Field(pattern=r"^\d+'(/\d+'){1,3}$", description="of the wallet's key on the device"),
    ] = "44'/501'/0'/0'"
    transport: Annotated[
        Literal["hid", "tcp"], Field(description="hid: USB; tcp: an emulator on this machine")
    ] = "hid"
    port: Annotated[int, Field(ge=1, le=65_535, description="of the emulator")] = 9_999


class SecretsParams(Params):
    """Where secrets come from; none ever stands in a configuration."""

    wallet_key: SecretParams = SecretParams()
    telegram_token: SecretParams = SecretParams()
    api_token: SecretParams = SecretParams()
    redis_password: SecretParams = SecretParams()
    aws: AwsParams = AwsParams()
    ledger: LedgerParams = LedgerParams()

    @model_validator(mode="after")
    def _devices_hold_keys(self) -> "SecretsParams":
        for name in (SecretName.TELEGRAM_TOKEN, SecretName.API_TOKEN):
            if getattr(self, name).source == "ledger":
                raise ValueError(f"{name}: a hardware wallet holds no tokens")
        if self.redis_password.source == "ledger":
            raise ValueError("redis_password: a hardware wallet holds no passwords")
        return self
