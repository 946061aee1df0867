"""Waiting for the disk can be given up at any moment, also at the one at which it answers."""

import asyncio
from concurrent.futures import Future

import pytest

from mmbot.ledger.asking import will_be_done


def test_a_cancellation_that_comes_with_the_answer_is_not_lost() -> None:
    async def whole() -> None:
        answer: Future[None] = Future()
        answer.set_running_or_notify_cancel()
        waiting = asyncio.create_task(will_be_done(answer))
        await asyncio.sleep(0.01)
        answer.set_result(None)
        # The loop has passed the answer on; whoever waits for it has not had its turn.
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(whole())


def test_an_answer_that_comes_is_waited_for() -> None:
    async def whole() -> bool:
        answer: Future[None] = Future()
        answer.set_running_or_notify_cancel()
        asyncio.get_running_loop().call_later(0.01, answer.set_result, None)
        return await will_be_done(answer)

    assert asyncio.run(whole())
