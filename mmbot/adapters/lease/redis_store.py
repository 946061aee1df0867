"""The lease in Redis: every change is one script, so that nobody comes between look and change.

Two keys for an account: the lease, with a life of its own, and the last epoch, which stays. What
stands there and is neither is somebody else's: it is left alone, and there is no lease.
"""

import asyncio
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from mmbot.adapters.lease.params import CoordinationParams
from mmbot.adapters.lease.store import Seen
from mmbot.errors import InUse, Unavailable
from mmbot.secrets.secret import Secret

# Trading never waits for it, and what comes later says nothing any more.
ANSWER_S = 1.0
_MOST_EPOCHS = 1 << 13

# KEYS: the lease, the last epoch. ARGV: what is wanted, holder, epoch, life in ms, bound of epochs,
# and for take the epoch of the holder's own last run.
_SCRIPT = """
local want, me, mine, life = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local function number(text)
  if not text then return 0 end
  local found = string.match(text, '^%d%d?%d?%d?$')
  return found and tonumber(found)
end
local newest = number(redis.call('GET', KEYS[2]))
local held = redis.call('GET', KEYS[1])
local holder, epoch
if held then
  holder, epoch = string.match(held, '^mmbot1 ([%w.-]+) (%d+)$')
  epoch = number(epoch)
  if not holder or epoch == 0 then epoch = nil end
end
if not newest or (held and not epoch) then
  return redis.error_reply('GARBAGE what stands there is no lease')
end
local function put(by, number, ...)
  redis.call('SET', KEYS[1], 'mmbot1 ' .. by .. ' ' .. number, ...)
  holder, epoch = by, number
end
if want == 'take' then
  if not holder or (holder == 'halted' and epoch == tonumber(ARGV[6])) then
    if newest < mine then redis.call('SET', KEYS[2], mine) end
    if math.max(newest, mine) + 1 >= tonumber(ARGV[5]) then
      return redis.error_reply('GARBAGE all epochs are used up')
    end
    newest = redis.call('INCR', KEYS[2])
    put(me, newest, 'PX', life)
  end
elseif want == 'extend' then
  if newest <= mine and (not holder or (holder == me and epoch == mine)) then
    if newest < mine then
      redis.call('SET', KEYS[2], mine)
      newest = mine
    end
    put(me, mine, 'PX', life)
  end
elseif want ~= 'look' and holder == me and epoch == mine then
  if want == 'halt' then
    put('halted', mine)
  else
    redis.call('DEL', KEYS[1])
    holder, epoch = nil, 0
  end
end
return {holder or '', epoch or 0, newest, redis.call('PTTL', KEYS[1])}
"""


class RedisLeases:
    """See LeaseStore. `account` names the account in the keys, the same on both hosts."""

    def __init__(self, params: CoordinationParams, account: str, password: Secret | None) -> None:
        host, port = params.place
        more: dict[str, Any] = {}
        if params.encrypted:
            more = {"ssl": True, "ssl_cert_reqs": "required", "ssl_check_hostname": True}
        self._redis = Redis(
            host=host,
            port=port,
            db=params.database,
            username=params.user,
            password=None if password is None else password.reveal(),
            decode_responses=True,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0),
            **more,
        )
        self._place = f"redis at {host}:{port}"
        self._keys = tuple(f"{params.key_prefix}{what}:{account}" for what in ("lease", "epoch"))
        self._ttl_ms = params.lease_ttl_ms

    async def look(self) -> Seen:
        """See LeaseStore."""
        return await self._ask("look", "", 0)

    async def take(self, holder: str, known: int, own: int) -> Seen:
        """See LeaseStore."""
        return await self._ask("take", holder, known, own)

    async def extend(self, holder: str, epoch: int) -> Seen:
        """See LeaseStore."""
        return await self._ask("extend", holder, epoch)

    async def release(self, holder: str, epoch: int, *, halted: bool) -> Seen:
        """See LeaseStore."""
        return await self._ask("halt" if halted else "release", holder, epoch)

    async def close(self) -> None:
        """See LeaseStore."""
        await self._redis.aclose()

    async def _ask(self, want: str, holder: str, epoch: int, own: int = 0) -> Seen:
        numbers = (epoch, self._ttl_ms, _MOST_EPOCHS, own)
        arguments = (want, holder, *map(str, numbers))
        try:
            async with asyncio.timeout(ANSWER_S):
                found: Any = await self._redis.eval(_SCRIPT, 2, *self._keys, *arguments)
        except ResponseError as error:
            raise InUse(f"{self._place}, {self._keys[0]}: {error}") from None
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable(f"{self._place}: {error or 'no answer in time'}") from None
        name, held, newest, left_ms = found
        return Seen(name or None, int(held), int(newest), max(0, int(left_ms)))
