"""A secret out of AWS Secrets Manager: one call, once; the version is told, the value never."""

import json
from importlib.util import find_spec

from mmbot.errors import SecretError, Unavailable
from mmbot.secrets.params import AwsParams

_ATTEMPTS = 2


def read_secret(params: AwsParams, secret_id: str) -> tuple[str, str]:
    """Return a secret and its version; SecretError when AWS refuses or it is not what it should be.

    So it is when there is nothing to ask AWS with. Unavailable when AWS cannot be reached in time.
    """
    if find_spec("boto3") is None:
        raise SecretError('secrets from aws need: pip install "mmbot[aws]"')
    import boto3
    from botocore.config import Config
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        PartialCredentialsError,
    )

    timeout_s = params.timeout_ms / 1000
    limits = Config(
        connect_timeout=timeout_s,
        read_timeout=timeout_s,
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
    )
    try:
        client = boto3.client(
            "secretsmanager",
            region_name=params.region,
            endpoint_url=params.endpoint_url,
            config=limits,
        )
        answer = client.get_secret_value(SecretId=secret_id)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "no code")
        raise SecretError(f"AWS refused the secret {secret_id}: {code}") from None
    except (NoCredentialsError, PartialCredentialsError):
        raise SecretError(
            "AWS: this machine has no credentials: give it a role that may read the secret"
        ) from None
    except BotoCoreError as error:
        text = f"AWS Secrets Manager in {params.region} does not answer: {type(error).__name__}"
        raise Unavailable(text) from None
    text = answer.get("SecretString")
    if not isinstance(text, str):
        raise SecretError(f"the secret {secret_id} at AWS is no text")
    return _field(params, secret_id, text), str(answer.get("VersionId", ""))


def _field(params: AwsParams, secret_id: str, text: str) -> str:
    if params.json_field is None:
        return text
    # No error may carry the text along.
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    value = found.get(params.json_field) if isinstance(found, dict) else None
    if isinstance(value, str):
        return value
    raise SecretError(f"the secret {secret_id} at AWS has no text field {params.json_field}")
