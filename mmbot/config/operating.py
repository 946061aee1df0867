"""The sections of what runs around trading: keys, books, watchers, and whom it talks to."""

from mmbot.adapters.lease.params import CoordinationParams
from mmbot.domain.params import Params
from mmbot.interfaces.api.params import ApiParams
from mmbot.interfaces.telegram.params import AlertParams, TelegramParams
from mmbot.ledger.params import StorageParams
from mmbot.runtime.guard_params import GuardParams
from mmbot.runtime.params import ControlParams
from mmbot.secrets.params import SecretsParams


class Operating(Params):
    """What has nothing to do with how a quote is made."""

    secrets: SecretsParams = SecretsParams()
    storage: StorageParams = StorageParams()
    guard: GuardParams = GuardParams()
    control: ControlParams = ControlParams()
    api: ApiParams = ApiParams()
    coordination: CoordinationParams = CoordinationParams()
    telegram: TelegramParams = TelegramParams()
    alerts: AlertParams = AlertParams()
