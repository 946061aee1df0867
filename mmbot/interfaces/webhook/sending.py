"""One request to an outside address: patience with it, and nothing of it in any message."""

import asyncio

import aiohttp

TIMEOUT_S = 5.0
# After each try; the last one is not waited for.
WAITS_S = (0.5, 2.0, 8.0, 30.0, 0.0)
LONGEST_WAIT_S = 60.0
# Refusals that may be over soon; other 4xx are answers.
_PASSING = frozenset({408, 425, 429})


def outside_session() -> aiohttp.ClientSession:
    """Return a session without cookies, proxies or anything else from the environment."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), cookie_jar=aiohttp.DummyCookieJar()
    )


async def send(session: aiohttp.ClientSession, url: str, body: bytes | None = None) -> str | None:
    """POST a JSON body, or GET without one, until it is taken; returns why it was not."""
    why = ""
    for wait_s in WAITS_S:
        why, asked_s = await _once(session, url, body)
        if not why:
            return None
        if asked_s is None:
            return why
        if wait_s:
            await asyncio.sleep(min(max(wait_s, asked_s), LONGEST_WAIT_S))
    return why


async def _once(
    session: aiohttp.ClientSession, url: str, body: bytes | None
) -> tuple[str, float | None]:
    """Return what was wrong, nothing when all was well; and how long to wait, None: for ever."""
    try:
        async with session.request(
            "GET" if body is None else "POST",
            url,
            data=body,
            headers=None if body is None else {"Content-Type": "application/json"},
            allow_redirects=False,
        ) as answer:
            if answer.status < 300:
                return "", None
            passing = answer.status >= 500 or answer.status in _PASSING
            wait = answer.headers.get("Retry-After", "")
            asked_s = float(wait) if wait.isdecimal() else 0.0
            return f"status {answer.status}", asked_s if passing else None
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        # Their texts may hold the address.
        return type(error).__name__, 0.0
