"""What is told by itself, on its way into every chat: two lanes each, paced, bounded, put together.

Critical news goes first and waits a second at most; all that waits in a lane leaves as one message.
Nothing here ever waits for Telegram but the tasks of the lanes themselves.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from msgspec import Struct

from mmbot.domain.notices import Severity
from mmbot.interfaces.telegram.outlet import Fault, LineError, Outlet, Sending
from mmbot.interfaces.telegram.params import ChatParams
from mmbot.interfaces.telegram.talk import InForce

PACE_S = 1.0
MOST_WAITING = 200
# Letters of one message; Telegram takes 4,096.
MOST_LETTERS = 3_500
MOST_REMEMBERED = 500
FIRST_AGAIN_S, LONGEST_AGAIN_S = 1.0, 30.0
_BETWEEN = "\n\n"


class Outcome(Protocol):
    """Is told what becomes of posts."""

    def delivered(self, severity: Severity, *, taken: bool) -> None:
        """A post was sent in a message, or could not be."""
        ...

    def gave_up(self, chat_id: int, fault: Fault) -> None:
        """A chat takes no messages."""
        ...


class Post(Struct, frozen=True):
    """Something to be told. `text` is HTML.

    key: what it is about; a correction takes the place of what was told under its key, if anything.
    not_to: the chat that knows already.
    """

    key: str
    severity: Severity
    text: str
    silent: bool = False
    correction: bool = False
    not_to: int | None = None
    file: tuple[str, bytes] | None = None


class Told(Struct):
    """A message that was sent: its number, and what it is made of, by key."""

    message_id: int
    parts: dict[str, str]


class Queue:
    """What waits for one chat. Pure."""

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: dict[str, Post] = {}
        self._corrected: dict[int, Told] = {}
        self._told: dict[str, Told] = {}
        self._corrected_last = False

    def __len__(self) -> int:
        return len(self._waiting) + len(self._corrected)

    def put(self, post: Post) -> None:
        """Take something in; when there is too much, the oldest of the least severe is dropped."""
        if not post.correction:
            self._waiting[post.key] = post
        elif post.key in self._waiting:
            held = self._waiting[post.key]
            self._waiting[post.key] = Post(
                held.key, held.severity, post.text, held.silent, not_to=held.not_to
            )
        elif post.key in self._told:
            told = self._told[post.key]
            told.parts[post.key] = post.text
            self._corrected[told.message_id] = told
        if len(self._waiting) > MOST_WAITING:
            least = min(self._waiting.values(), key=lambda each: each.severity)
            del self._waiting[least.key]
            self.dropped += 1

    def next(self) -> list[Post]:
        """Return what goes into one message now, nothing when only corrections wait."""
        urgent = [each for each in self._waiting.values() if each.severity >= Severity.CRITICAL]
        if not urgent and self._corrected and not self._corrected_last:
            return []
        posts: list[Post] = []
        for each in urgent or list(self._waiting.values()):
            letters = sum(len(post.text) + len(_BETWEEN) for post in posts) + len(each.text)
            if posts and (each.file or posts[0].file or letters > MOST_LETTERS):
                break
            posts.append(each)
        return posts

    def correction(self) -> Told | None:
        """Return a message whose text is to be changed, None when there is none."""
        return next(iter(self._corrected.values()), None)

    def sent(self, posts: list[Post], message_id: int) -> None:
        """Note that this was told; what was put in its place meanwhile waits on."""
        self._corrected_last = False
        told = Told(message_id, {post.key: post.text for post in posts})
        for post in posts:
            self._told.pop(post.key, None)
            self._told[post.key] = told
            held = self._waiting.get(post.key)
            if held is post:
                del self._waiting[post.key]
            elif held is not None:
                del self._waiting[post.key]
                self.put(Post(held.key, held.severity, held.text, correction=True))
        while len(self._told) > MOST_REMEMBERED:
            del self._told[next(iter(self._told))]

    def corrected(self, told: Told) -> None:
        """Note that a message is changed, or that it cannot be."""
        self._corrected_last = True
        self._corrected.pop(told.message_id, None)

    def give_up(self, posts: list[Post]) -> None:
        """Drop what a chat does not take."""
        for post in posts:
            if self._waiting.pop(post.key, None) is not None:
                self.dropped += 1


class Outbox:
    """All chats. `post` returns at once; `run` sends until cancelled, `drain` what is left then."""

    def __init__(
        self, outlet: Outlet, params: InForce, head: Callable[[], str], outcome: Outcome
    ) -> None:
        self.failed = 0
        self._outlet = outlet
        self._params = params
        self._head = head
        self._outcome = outcome
        self._queues: dict[int, Queue] = {}
        self._some: dict[int, asyncio.Event] = {}
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._new = asyncio.Event()

    @property
    def dropped(self) -> int:
        """How much was never told."""
        return sum(queue.dropped for queue in self._queues.values())

    def post(self, post: Post) -> None:
        """Have something told in every chat."""
        for chat in self._params.chat.chats:
            if chat.id == post.not_to:
                continue
            if chat.id not in self._queues:
                self._queues[chat.id], self._some[chat.id] = Queue(), asyncio.Event()
                self._new.set()
            self._queues[chat.id].put(post)
            self._some[chat.id].set()

    async def run(self) -> None:
        """Send, each chat at its own pace."""
        begun: set[int] = set()
        async with asyncio.TaskGroup() as group:
            while True:
                for chat_id in self._queues.keys() - begun:
                    begun.add(chat_id)
                    group.create_task(self._lane(chat_id), name=f"telegram chat {chat_id}")
                self._new.clear()
                await self._new.wait()

    async def drain(self) -> None:
        """Send what is left without a pause; what cannot be sent at once is not."""
        await asyncio.gather(*(self._emptied(chat_id) for chat_id in self._queues))

    async def _lane(self, chat_id: int) -> None:
        queue, again_s = self._queues[chat_id], FIRST_AGAIN_S
        while True:
            while not queue:
                self._some[chat_id].clear()
                await self._some[chat_id].wait()
            # A message outlives this: who has it already would be told twice.
            sending = asyncio.ensure_future(self._send(chat_id, queue))
            self._under_way[chat_id] = sending
            try:
                await asyncio.shield(sending)
            except LineError:
                await asyncio.sleep(again_s)
                again_s = min(2 * again_s, LONGEST_AGAIN_S)
            else:
                again_s = FIRST_AGAIN_S
                await asyncio.sleep(PACE_S)

    async def _emptied(self, chat_id: int) -> None:
        queue = self._queues[chat_id]
        with suppress(LineError):
            if chat_id in self._under_way:
                await self._under_way[chat_id]
            while queue:
                await self._send(chat_id, queue)

    async def _send(self, chat_id: int, queue: Queue) -> None:
        """Send one message, or change one; LineError when it may go better later."""
        chat = next((each for each in self._params.chat.chats if each.id == chat_id), None)
        posts, told = queue.next(), queue.correction()
        try:
            if chat is None:
                # Not ours any more.
                queue.give_up(posts)
            elif posts:
                number = await self._outlet.send(self._sending(chat, posts))
                queue.sent(posts, number)
                self._count(posts, taken=True)
            elif told is not None:
                # What is put into it while it is under way has to go on its way, too.
                queue.corrected(told)
                await self._outlet.edit(chat_id, told.message_id, self._text(told.parts.values()))
        except LineError as error:
            self.failed += 1
            self._count(posts, taken=False)
            if error.passing:
                raise
            queue.give_up(posts)
            if posts:
                self._outcome.gave_up(chat_id, error.fault)

    def _count(self, posts: list[Post], *, taken: bool) -> None:
        for post in posts:
            self._outcome.delivered(post.severity, taken=taken)

    def _sending(self, chat: ChatParams, posts: list[Post]) -> Sending:
        return Sending(
            chat.id,
            self._text(post.text for post in posts),
            thread_id=chat.topic_id,
            silent=all(post.silent for post in posts),
            file=posts[0].file,
        )

    def _text(self, parts: Iterable[str]) -> str:
        return f"{self._head()} {_BETWEEN.join(parts)}"
