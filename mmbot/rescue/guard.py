"""The guard: hears the bot, and cancels with a session of its own when the bot dies or wedges.

It never gives up: a sweep that could not prove that the orders are gone is made again. Orders of a
run that has begun since are left alone.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, time
from typing import NamedTuple

from mmbot.rescue.listening import Ear
from mmbot.rescue.session import Session
from mmbot.rescue.sweep import Observer, Swept, Wanted, cancel_all
from mmbot.rescue.watch import GOODBYE, Alarm, Beat, Watch

TICK_S = 0.1
AGAIN_S = 1.0
REFUSED_AGAIN_S = 10.0
# A session that ends sooner is spoken of, every hour.
SOON_H = 48.0
_S_PER_H = 3600.0

Tell = Callable[[str, str], None]


class Post(NamedTuple):
    """What a guard is told: where to listen, for whom, with which key, and what is its business."""

    path: Path
    session: Session
    wanted: Wanted
    account_id: int | None
    silent_s: float


class Guard:
    """One guard of one bot; `tell` gets an event's name and its line."""

    def __init__(self, post: Post, tell: Tell, over: threading.Event) -> None:
        self._post = post
        self._tell = tell
        self._over = over
        self._sweep: _Running | None = None
        self._answered = 0
        self._again = 0.0
        self._mode: str | None = None
        self._look_at_session = 0.0

    def run(self) -> None:
        """Stand guard until `over` is set; raises as Ear and Session.check do, at the start."""
        self._post.session.check()
        ear = Ear(self._post.path)
        self._tell("listening", f"listening at {self._post.path}")
        try:
            watch = Watch(self._post.silent_s, self._post.wanted.landing_s, monotonic())
            while not self._over.is_set():
                beats, lost = ear.hear(TICK_S)
                for beat in beats:
                    self._note(beat)
                    watch.hear(beat, monotonic())
                if lost:
                    watch.lose()
                self._act(watch)
                self._mind_session()
        finally:
            ear.close()
            if self._sweep is not None:
                self._sweep.stop()

    def _note(self, beat: Beat) -> None:
        mode = f"run {beat.epoch} is {beat.mode}"
        if mode != self._mode:
            self._mode = mode
            text = f"run {beat.epoch} says goodbye" if beat.mode == GOODBYE else mode
            self._tell("bot", f"{text}, {beat.orders} orders, process {beat.pid}")

    def _mind_session(self) -> None:
        if monotonic() < self._look_at_session:
            return
        left_h = (self._post.session.expiry_s - time()) / _S_PER_H
        if self._look_at_session == 0.0 or left_h < SOON_H:
            renew = "" if left_h >= SOON_H else ": `session refresh --role guard` makes a new one"
            self._tell("session", f"the session ends in {left_h:.1f} h{renew}")
        self._look_at_session = monotonic() + _S_PER_H

    def _act(self, watch: Watch) -> None:
        alarm = watch.alarm(monotonic())
        running = self._sweep
        if running is not None:
            if running.swept is not None:
                self._finish(running, running.swept, watch)
            elif alarm is None or alarm.number != running.alarm.number:
                last = watch.last
                epoch = running.alarm.epoch
                if epoch is None or last is None or last.epoch <= epoch:
                    running.stop()
            return
        if alarm is not None and alarm.number != self._answered and monotonic() >= self._again:
            self._mode = None
            self._tell("alarm", f"{alarm.reason}: cancelling")
            self._sweep = _Running(self._post, alarm, self._tell)

    def _finish(self, running: "_Running", swept: Swept, watch: Watch) -> None:
        self._sweep = None
        if swept.proven:
            self._answered = running.alarm.number
            watch.answered(monotonic())
            text = f"no orders are left, {swept.cancelled} cancelled, in {swept.took_s:.1f} s"
            self._tell("proven", text)
        elif running.stopped:
            self._tell("stopped", f"the bot is back, {swept.cancelled} orders cancelled")
        else:
            self._again = monotonic() + (REFUSED_AGAIN_S if swept.key_refused else AGAIN_S)
            self._tell("unproven", f"{swept.reason}: again")


class _Running:
    # A sweep in a thread of its own, so that the bot is heard meanwhile.

    def __init__(self, post: Post, alarm: Alarm, tell: Tell) -> None:
        self.alarm = alarm
        self.swept: Swept | None = None
        self._post = post
        self._tell = tell
        self._over = threading.Event()
        threading.Thread(target=self._run, daemon=True, name="sweep").start()

    @property
    def stopped(self) -> bool:
        return self._over.is_set()

    def stop(self) -> None:
        """End it soon."""
        self._over.set()

    def _run(self) -> None:
        wanted = self._post.wanted._replace(
            newest_epoch=self.alarm.epoch, landing_s=self.alarm.landing_s
        )
        observer = Observer(lambda text: self._tell("sweep", text), lambda: not self._over.is_set())
        self.swept = cancel_all(self._post.session, wanted, self._post.account_id, observer)
