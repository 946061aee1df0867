"""`cancel-all --direct` in a process of its own against an exchange in another, with faults."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.process.served import INSTANCE, ROOT, Scene, far, mmbot, run, scene

QUICK = ("--landing-s", "0", "--json")


def test_only_what_is_asked_for_is_cancelled(tmp_path: Path) -> None:
    async def work() -> None:
        async with scene(tmp_path) as at:
            await at.place(10)
            await at.place(1, instance=INSTANCE + 1)
            await at.place_nameless()
            ended = await mmbot(
                "cancel-all", "--direct", *at.flags, *QUICK, "--market", "ETHUSD", cwd=tmp_path
            )
            assert (ended.code, ended.json["cancelled"]) == (0, 5), ended
            assert len(await at.resting()) == 7
            ended = await mmbot("cancel-all", "--direct", *at.flags, *QUICK, cwd=tmp_path)
            assert (ended.code, ended.json["cancelled"]) == (0, 5), ended
            foreign = await at.resting()
            assert len(foreign) == 2
            assert None in foreign
            ended = await mmbot("cancel-all", "--direct", *at.flags, *QUICK, "--all", cwd=tmp_path)
            assert ended.code == 0, ended
            assert await at.resting() == []

    run(work())


@pytest.mark.parametrize(
    "faults",
    [
        [{"knob": "act.drop_resp", "p": 0.5}],
        [{"knob": "act.drop_req", "p": 0.5}],
        [{"knob": "act.slow", "ms": 1500, "p": 0.7}],
        [{"knob": "eng.fill_before_cancel", "p": 0.3}],
        [{"knob": "eng.maintenance", "for_ms": 3000}],
        [{"knob": "rest.5xx", "p": 0.4}],
        [{"knob": "rest.429", "retry_after": 1, "p": 0.2}],
        [{"knob": "act.http_status", "status": 502, "p": 0.4}],
        [{"knob": "http.slowloris", "ms": 400, "next_n": 3}],
        [{"knob": "http.bomb", "next_n": 2}],
        [{"knob": "http.redirect", "next_n": 4}],
        [{"knob": "proto.shape", "ids_as_strings": True}],
        [{"knob": "net.blackhole", "for_ms": 2500}],
    ],
    ids=lambda faults: faults[0]["knob"],
)
def test_faults_do_not_save_an_order(tmp_path: Path, faults: list[dict[str, Any]]) -> None:
    async def work() -> None:
        async with scene(tmp_path) as at:
            await at.place(13)
            await at.venue.faults(*faults)
            ended = await mmbot("cancel-all", "--direct", *at.flags, *QUICK, cwd=tmp_path)
            assert ended.code == 0, ended
            await at.venue.faults()
            assert await at.resting() == []

    run(work())


def test_what_lands_late_is_caught(tmp_path: Path) -> None:
    async def work() -> None:
        async with scene(tmp_path) as at:
            await at.place(2)
            await at.venue.faults({"knob": "act.slow", "ms": 3000, "next_n": 1})
            late = asyncio.create_task(at.person.do(far(0, INSTANCE << 45 | 1 << 32 | 900)))
            await asyncio.sleep(0.3)
            ended = await mmbot(
                "cancel-all", "--direct", *at.flags, "--landing-s", "5", "--json", cwd=tmp_path
            )
            await late
            assert ended.code == 0, ended
            assert ended.json["cancelled"] == 3, ended
            assert ended.json["took_s"] > 5
            assert await at.resting() == []

    run(work())


def test_what_is_not_proven_is_not_claimed(tmp_path: Path) -> None:
    async def work() -> None:
        async with scene(tmp_path) as at:
            await at.place(3)
            await at.venue.faults({"knob": "eng.maintenance"})
            ended = await mmbot(
                "cancel-all", "--direct", *at.flags, *QUICK, "--timeout", "2", cwd=tmp_path
            )
            assert ended.code == 8, ended
            assert len(ended.json["left"]) == 3
            assert "MAINTENANCE" in ended.err
            await at.venue.faults()
            assert len(await at.resting()) == 3

    run(work())


def test_a_refused_key_and_a_venue_out_of_reach_have_their_codes(tmp_path: Path) -> None:
    async def work() -> None:
        async with scene(tmp_path) as at:
            await at.place(3)
            await at.person.send(await at.person.revocation(at.person.session_id))
            ended = await mmbot(
                "cancel-all", "--direct", *at.flags, *QUICK, "--timeout", "2", cwd=tmp_path
            )
            assert ended.code == 4, ended
            at.session.chmod(0o644)
            ended = await mmbot("cancel-all", "--direct", *at.flags, *QUICK, cwd=tmp_path)
            assert ended.code == 4, ended
            at.session.chmod(0o600)
        ended = await mmbot(
            "cancel-all", "--direct", *at.flags, *QUICK, "--timeout", "1", cwd=tmp_path
        )
        assert ended.code == 5, ended

    run(work())


def test_the_key_may_come_through_a_descriptor(tmp_path: Path) -> None:
    async def work() -> None:
        async with scene(tmp_path) as at:
            await at.place(3)
            ended = await _with_descriptor(at)
            assert ended["proven"]
            assert await at.resting() == []

    run(work())


async def _with_descriptor(at: Scene) -> Any:
    reading, writing = os.pipe()
    os.write(writing, at.session.read_bytes())
    os.close(writing)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mmbot", "cancel-all", "--direct", *QUICK),
        *("--session-file", f"fd:{reading}", "--instance", str(INSTANCE)),
        cwd=ROOT,
        pass_fds=(reading,),
        stdout=asyncio.subprocess.PIPE,
    )
    os.close(reading)
    out, _ = await process.communicate()
    return json.loads(out)


def test_many_orders_are_gone_as_fast_as_the_venue_allows(tmp_path: Path) -> None:
    async def work() -> None:
        async with scene(tmp_path) as at:
            await at.place(200)
            assert len(await at.resting()) == 200
            await at.venue.faults({"knob": "act.drop_resp", "p": 0.05})
            ended = await mmbot("cancel-all", "--direct", *at.flags, *QUICK, cwd=tmp_path)
            assert ended.code == 0, ended
            assert await at.resting() == []
            # 50 actions at 20 a second, after the first 20; what is lost is sent again singly.
            assert ended.json["took_s"] < 15, ended

    run(work())
