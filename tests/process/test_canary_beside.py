"""Invariant I22 beside the bot's own files: the demo and its report, the pages over HTTP, and what
record and guard say while the bot is killed.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path

import aiohttp

from tests.fakes.spellings import hits, key_spellings, text_spellings
from tests.process.served import ROOT
from tests.process.test_canary import CHAT, TOKEN, TRACE, artefacts, planted
from tests.process.trading import PATIENCE_S, Child, Place, place, run

API_TOKEN = "api-CANARY-tok-0123456789abcdefghij"
PAGES = (
    *("/", "/page.js", "/metrics", "/healthz", "/readyz", "/nothing"),
    *(f"/api/v1/{name}" for name in ("status", "orders", "positions", "fills", "pnl", "alerts")),
    "/api/v1/explain",
)
# The demo, with the keys it makes for itself written down where only the test looks.
DEMO = """
import sys
from mmbot.adapters.zo.wire.signing import Keypair

made = Keypair.generate

def generate():
    key = made()
    with open(sys.argv[1], "a") as planted:
        planted.write(key.reveal().hex() + "\\n")
    return key

Keypair.generate = generate
from mmbot.cli import main
sys.exit(main(sys.argv[2:]))
"""


def found_in(folder: Path, secrets: dict[str, list[str]]) -> tuple[dict[str, list[str]], set[str]]:
    """Return the files that show a secret, with its name, and all names of files."""
    found = list(artefacts(folder))
    shown = {name: list(hits(content, secrets)) for name, content in found}
    return {name: each for name, each in shown.items() if each}, {name for name, _ in found}


def test_no_key_of_the_demo_is_in_what_it_leaves(tmp_path: Path) -> None:
    async def work() -> None:
        program, keys = tmp_path / "demo.py.planted", tmp_path / "keys.planted"
        program.write_text(DEMO)
        out, err = tmp_path / "demo.out", tmp_path / "demo.err"
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(program), str(keys), "demo", "--for", "4s"),
                *("--report", str(tmp_path / "report")),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
                cwd=tmp_path,
                env={
                    "PYTHONPATH": ":".join([str(ROOT), *sys.path]),
                    "PATH": "/usr/bin:/bin",
                    **TRACE,
                },
            )
        ended = await Child(process, out, err).ended(90)
        assert ended.code == 0, ended.err
        made = [bytes.fromhex(line) for line in keys.read_text().split()]
        # The bot's wallet and session, and those of the other trader.
        assert len(made) >= 4
        secrets = {f"key {number}": key_spellings(key) for number, key in enumerate(made)}
        secrets["token"] = text_spellings(TOKEN)
        shown, names = found_in(tmp_path, secrets)
        assert shown == {}
        assert names >= {"demo.out", "demo.err", "report/index.html"}, names

    run(work())


async def pages(at: Place, child: Child) -> None:
    """Read every page of a bot into the folder, with the token where it is asked for."""
    await child.says("page     http://")
    (line,) = (each for each in child.err.splitlines() if "page     http://" in each)
    url = line.split()[-1].rstrip("/")
    async with aiohttp.ClientSession() as http:
        for number, path in enumerate(PAGES):
            async with http.get(url + path) as answer:
                (at.folder / f"page-{number}.out").write_bytes(await answer.read())
        headers = {"Authorization": f"Bearer {API_TOKEN}"}
        wrong = {"Authorization": f"Bearer {API_TOKEN[:-1]}"}
        wish = {"reason": f"is {API_TOKEN} yours?"}
        for number, given in enumerate((headers, wrong)):
            command = f"{url}/api/v1/commands/ack"
            async with http.post(command, headers=given, json=wish) as answer:
                assert answer.status == (200, 401)[number]
                (at.folder / f"command-{number}.out").write_bytes(await answer.read())


def test_no_secret_is_on_a_page_or_in_what_record_and_guard_say(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path, flow="normal") as at:
            at.config.write_text(f"{at.config.read_text()}{CHAT}api: {{port: 0}}\n")
            secrets = {**planted(at), "api token": text_spellings(API_TOKEN)}
            config, env = ("-c", str(at.config)), {**TRACE, "MMBOT_API_TOKEN": API_TOKEN}
            async with at.child("guard", *config, "--json", env=TRACE) as guard:
                async with at.bot(env=env) as bot:
                    await at.quoting(bot)
                    await pages(at, bot)
                    tapes = ("--out", str(at.folder / "tapes"), "--for", "2s", "--market", "BTCUSD")
                    recording = await at.mmbot("record", *config, *tapes, env=TRACE)
                    assert (await recording.ended()).code == 0, recording.err
                    bot.send(signal.SIGKILL)
                    await bot.process.wait()
                await at.gone(PATIENCE_S)
                guard.send(signal.SIGTERM)
                assert (await guard.ended()).code == 0, guard.err
                assert json.loads(guard.out.splitlines()[0])["event"]
        shown, names = found_in(tmp_path, secrets)
        assert shown == {}
        assert sum(name.startswith("page-") for name in names) == len(PAGES)
        assert (
            b"mmbot_equity_usd" in (tmp_path / f"page-{PAGES.index('/metrics')}.out").read_bytes()
        )

    run(work())
