"""The environment of a run that begins anew in the same process."""

from mmbot.secrets.params import SecretName, SecretsParams
from mmbot.secrets.resolving import is_set, resolve
from mmbot.secrets.start_env import StartEnv

TOKEN = "1234567890:CANARY-abcdefghijklmnopqrstuvwxyz012"


def test_a_secret_that_was_taken_out_is_there_for_the_next_run() -> None:
    process = {"TELEGRAM_TOKEN": TOKEN, "HOME": "/home/bot"}
    env = StartEnv(process)
    warnings: list[str] = []
    for _ in range(2):
        assert is_set(SecretsParams(), SecretName.TELEGRAM_TOKEN, env)
        token = resolve(SecretsParams(), SecretName.TELEGRAM_TOKEN, env, warnings.append)
        assert token.reveal() == TOKEN
        assert process == {"HOME": "/home/bot"}
    assert TOKEN not in repr(env) + "".join(warnings)
