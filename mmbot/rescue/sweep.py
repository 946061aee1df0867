"""Cancel orders until it is proven that they are gone: look, cancel, split what fails, look again.

Proven is: two looks in a row without such an order, the last one taken after everything that was
on its way when the sweep began can take effect no more, by the engine's own clock.
"""

from collections.abc import Callable
from time import monotonic, sleep
from typing import NamedTuple, TypeVar

from mmbot.errors import OutcomeUnknown, ProtocolViolation, UsageError
from mmbot.rescue import reading
from mmbot.rescue.crew import Crew, Done
from mmbot.rescue.reading import Resting, Snapshot
from mmbot.rescue.rounds import Round, Told
from mmbot.rescue.session import Pen, Session

LOOK_S = 2.5
CLEAN_LOOKS = 2
PAUSE_S = 0.4
LONGEST_LIFE_S = 60

T = TypeVar("T")


class Wanted(NamedTuple):
    """Which orders must go. `instance` None: everybody's; `newest_epoch` None: of all runs.

    `in_flight` are client order ids that may rest though nobody has seen them. `landing_s` is how
    long an action sent before now may still take effect, 0 when nothing is on its way; the sweep
    takes `timeout_s` on top of that.
    """

    instance: int | None
    market_id: int | None = None
    newest_epoch: int | None = None
    in_flight: tuple[int, ...] = ()
    landing_s: int = LONGEST_LIFE_S
    timeout_s: float = 30.0

    def covers(self, order: Resting) -> bool:
        """Must this order go?"""
        if self.market_id is not None and order.market_id != self.market_id:
            return False
        if self.instance is None:
            return True
        if order.instance != self.instance:
            return False
        return self.newest_epoch is None or order.epoch <= self.newest_epoch


class Swept(NamedTuple):
    """How a sweep ended; `left` are the orders of the last look, `reason` why it is not proven."""

    proven: bool
    reached: bool
    key_refused: bool
    cancelled: int
    left: tuple[Resting, ...]
    reason: str
    took_s: float

    @property
    def exit_code(self) -> int:
        """0 proven, 4 the key is refused, 5 never reached, 8 not proven (operations 3.2)."""
        if self.proven:
            return 0
        if not self.reached:
            return 5
        return 4 if self.key_refused else 8


class Observer(NamedTuple):
    """Who hears of a sweep (one line for each event), and who may stop it."""

    tell: Callable[[str], None] = lambda _: None
    keep_going: Callable[[], bool] = lambda: True


def cancel_all(
    session: Session,
    wanted: Wanted,
    account_id: int | None = None,
    observer: Observer | None = None,
) -> Swept:
    """Cancel what is wanted of an account (None: the wallet's first) and prove that it is gone.

    Needs nothing but the network and the key; never raises for what the venue does. Raises
    SecretError when the key is not sound.
    """
    crew = Crew(session.origin)
    try:
        return _Sweep(session, wanted, crew, observer or Observer()).run(account_id)
    finally:
        crew.dismiss()


def market_number(session: Session, symbol: str, timeout_s: float = 10.0) -> int:
    """Return the number of a market by its symbol, or by the number itself, without asking.

    UsageError when it is not listed, OutcomeUnknown when the venue does not tell.
    """
    if symbol.isdecimal():
        return int(symbol)
    crew = Crew(session.origin)
    try:
        until = monotonic() + timeout_s
        while (left_s := until - monotonic()) > 0:
            crew.send("/info")
            done = crew.take(left_s)
            if done is not None and done.answer is not None:
                number = reading.market_number(done.answer.body, symbol)
                if number is None:
                    raise UsageError(f"--market {symbol}: the venue has no such market")
                return number
    finally:
        crew.dismiss()
    raise OutcomeUnknown("/info: the venue does not tell its markets")


class _Look(NamedTuple):
    # What was read at once: the engine's second, and the account; None where it was not answered.
    engine_s: int | None
    snapshot: Snapshot | None


class _Sweep:
    def __init__(self, session: Session, wanted: Wanted, crew: Crew, observer: Observer) -> None:
        self._session = session
        self._wanted = wanted
        self._crew = crew
        self._observer = observer
        self._told = Told()
        self._began = monotonic()
        self._engine_s: int | None = None
        self._dead_after_s: int | None = None
        self._newest = -1
        self._left: tuple[Resting, ...] | None = None
        self._reason = "the venue does not answer"
        self._trouble = ""

    def run(self, account_id: int | None) -> Swept:
        """Sweep until it is proven, until the time is over, or until told to stop."""
        until = self._began + self._wanted.timeout_s + self._wanted.landing_s
        if account_id is None:
            asked = self._crew.send(self._user)
            self._session.check()
            account_id = self._account(asked, until)
            if account_id is None:
                return self._swept(False)
            look = self._hear(*self._ask(account_id))
        else:
            numbers = self._ask(account_id)
            self._session.check()
            look = self._hear(*numbers)
        return self._swept(self._clean(self._session.pen(account_id), until, look))

    def _clean(self, pen: Pen, until: float, look: _Look) -> bool:
        clean = 0
        sought = self._wanted.in_flight
        before_s: int | None = None
        while True:
            left = self._take(look)
            if look.snapshot is not None:
                seen = {each.client_order_id for each in look.snapshot.orders}
                sought = tuple(each for each in sought if each not in seen)
            if self._engine_s is not None and (left or sought):
                self._cancel(pen, left or (), sought)
                # Once is enough where looks can be had: what rests, they show.
                sought = sought if left is None else ()
            if left is not None:
                clean = 0 if left else clean + 1
            if clean >= CLEAN_LOOKS and self._cannot_land(before_s):
                return True
            if not self._observer.keep_going():
                self._reason = "stopped"
                return False
            if not _rest(0.05 if left else PAUSE_S, until):
                return False
            # What the next look shows is later than this second.
            before_s = self._engine_s
            look = self._hear(*self._ask(pen.account_id))

    @property
    def _user(self) -> str:
        return f"/user/{self._session.user}"

    def _account(self, asked: int, until: float) -> int | None:
        while True:
            (done,) = self._answers(asked)
            account_id = self._read(done, reading.first_account)
            if account_id is not None:
                return account_id
            if not self._observer.keep_going() or not _rest(PAUSE_S, until):
                return None
            asked = self._crew.send(self._user)

    def _ask(self, account_id: int) -> tuple[int, int]:
        return self._crew.send("/timestamp"), self._crew.send(f"/account/{account_id}")

    def _hear(self, time: int, account: int) -> _Look:
        told_s, told = self._answers(time, account)
        return _Look(self._read(told_s, reading.engine_second), self._read(told, reading.snapshot))

    def _read(self, done: Done | None, read: Callable[[bytes], T]) -> T | None:
        if done is None or done.answer is None:
            self._reason = "no answer in time" if done is None else str(done.error)
            return None
        try:
            return read(done.answer.body)
        except ProtocolViolation as error:
            self._reason = str(error)
            return None

    def _answers(self, *numbers: int) -> list[Done | None]:
        found: dict[int, Done] = {}
        until = monotonic() + LOOK_S
        while len(found) < len(numbers):
            done = self._crew.take(until - monotonic())
            if done is None:
                break
            if done.number in numbers:
                found[done.number] = done
            else:
                self._told.hear(done)
        return [found.get(number) for number in numbers]

    def _take(self, look: _Look) -> tuple[Resting, ...] | None:
        """Return the wanted orders of a look, None when it does not say."""
        if look.engine_s is not None:
            self._engine_s = max(look.engine_s, self._engine_s or 0)
            if self._dead_after_s is None:
                self._dead_after_s = self._engine_s + self._wanted.landing_s
        if look.snapshot is None:
            return None
        if look.snapshot.update_id < self._newest:
            self._reason = "the venue shows an older state than before"
            return None
        self._newest = look.snapshot.update_id
        left = tuple(each for each in look.snapshot.orders if self._wanted.covers(each))
        if left and left != self._left:
            self._observer.tell(f"{len(left)} orders rest")
        self._left = left
        if left:
            self._reason = self._trouble or "they rest still"
        return left

    def _cancel(self, pen: Pen, left: tuple[Resting, ...], sought: tuple[int, ...]) -> None:
        if self._engine_s is None:
            return
        now = Round(self._crew, pen, self._engine_s, self._told)
        # An order that a receipt says is gone shows in an old look only.
        now.run([each for each in left if each.order_id not in self._told.gone], sought)
        if now.trouble and now.trouble != self._trouble:
            self._trouble = now.trouble
            self._observer.tell(now.trouble)

    def _cannot_land(self, before_s: int | None) -> bool:
        if self._wanted.landing_s == 0:
            return True
        if before_s is not None and self._dead_after_s is not None:
            left_s = self._dead_after_s + 1 - before_s
            if left_s < 0:
                return True
            self._reason = f"an action sent before may still take effect for {left_s} s"
        return False

    def _why(self) -> str:
        left = f"{len(self._left)} orders are left: " if self._left else ""
        return f"{left}{self._reason}"

    def _swept(self, proven: bool) -> Swept:
        left = self._left or ()
        return Swept(
            proven,
            self._left is not None,
            self._told.key_refused and bool(left),
            len(self._told.gone),
            left,
            "" if proven else self._why(),
            monotonic() - self._began,
        )


def _rest(seconds: float, until: float) -> bool:
    """Wait; False when the time is over."""
    left_s = until - monotonic()
    if left_s > 0:
        sleep(min(seconds, left_s))
    return left_s > seconds
