"""Invariant I22: no secret in any artefact. Known keys and a token are planted, the bot runs in
every mode with every message logged, and fails in every way; then every file is looked through.
"""

import asyncio
import io
import json
import re
import sqlite3
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmbot.adapters.zo.keys.session_files import Role, read_session
from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.signing import Keypair
from tests.fakes.spellings import hits, key_spellings, spellings, text_spellings
from tests.process.served import ROOT, Ended
from tests.process.trading import Child, Place, place, run

TOKEN = "8877665544:AAF-CANARY_tok-0123456789abcdefghij"
WALLET = Keypair.from_text(json.dumps(list(Keypair.generate().reveal())))
TRACE = {"LOG_LEVEL": "trace", "TELEGRAM_TOKEN": TOKEN}
# Nobody listens there: the token goes into every request that fails.
CHAT = (
    "telegram: {enabled: true, api_base_url: 'http://127.0.0.1:9', chats: [{id: 5, role: admin}]}\n"
)
SEVERAL = """
import json, os, sys
from mmbot.cli import main
env, codes = dict(os.environ), []
for line in json.loads(sys.argv[1]):
    os.environ.update(env)
    codes.append(main(line))
print(json.dumps(codes))
"""
# A bug of ours, with keys in variables, in the message, and in a task nobody waits for.
CRASH = """
import asyncio, json, logging, sys
from mmbot.adapters.zo.keys.session_files import read_session
from pathlib import Path
from mmbot.cli import main
from mmbot.cli.faces import Faces

LOST = []

def began(self, bot):
    key = read_session(Path(sys.argv[1])).keypair.reveal()
    spelled = (key.hex(), list(key), key)
    logging.getLogger("mmbot.bot").error("holding %s and %r", *spelled[:2])
    async def lost():
        raise ValueError(f"lost with {spelled}")
    LOST.append(asyncio.ensure_future(lost()))
    raise RuntimeError(f"cannot use {spelled} of {key.hex()} and {json.dumps(list(key))}")

Faces.began = began
sys.exit(main(sys.argv[2:]))
"""


def planted(at: Place) -> dict[str, list[str]]:
    """Every secret, by name, in every spelling."""
    found = {"wallet": key_spellings(WALLET.reveal()), "token": text_spellings(TOKEN)}
    for role in (Role.BOT, Role.GUARD):
        key = read_session(at.session_file(role)).keypair.reveal()
        found[f"{role} session"] = key_spellings(key)
    return found


def artefacts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Everything the product has written: files, what is in archives and databases."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.parent.name == "sessions" or path.suffix == ".planted":
            continue
        yield str(path.relative_to(folder)), path.read_bytes()
        if path.name.endswith(".tar.gz"):
            with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as archive:
                for name in archive.getnames():
                    part = archive.extractfile(name)
                    assert part is not None
                    yield f"{path.name}/{name}", part.read()
        if path.suffix == ".ledger":
            with sqlite3.connect(path) as ledger:
                yield f"{path.name} dumped", "\n".join(ledger.iterdump()).encode()


async def ended(at: Place, *words: str) -> Ended:
    child = await at.mmbot(*words, env=TRACE)
    return await child.ended(60)


async def verbs(at: Place, *lines: Sequence[str], env: dict[str, str] | None = None) -> list[int]:
    """Run verbs one after another in one process, which is cheaper; returns their exit codes."""
    number = len(list(at.folder.glob("verbs-*.out")))
    out, err = at.folder / f"verbs-{number}.out", at.folder / f"verbs-{number}.err"
    with out.open("wb") as to_out, err.open("wb") as to_err:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", SEVERAL, json.dumps(lines)),
            stdout=to_out,
            stderr=to_err,
            cwd=at.folder,
            env={
                "PYTHONPATH": str(ROOT),
                "STATE_DIRECTORY": str(at.folder),
                **TRACE,
                **(env or {}),
            },
        )
    done = await Child(process, out, err).ended(60)
    return [int(each) for each in json.loads(done.out.splitlines()[-1])]


async def crash(at: Place) -> Ended:
    """Run the bot with a bug of ours."""
    program = at.folder / "crash.py.planted"
    program.write_text(CRASH)
    out, err = at.folder / "crash.out", at.folder / "crash.err"
    with out.open("wb") as to_out, err.open("wb") as to_err:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(program),
            str(at.session_file()),
            *("run", "--mode", "paper", "-c", str(at.config), "--for", "5s"),
            stdout=to_out,
            stderr=to_err,
            cwd=at.folder,
            env={"PYTHONPATH": ":".join(sys.path), "STATE_DIRECTORY": str(at.folder), **TRACE},
        )
    return await Child(process, out, err).ended()


def check_no_core(bot: Child) -> None:
    """A core file would hold the key."""
    limits = Path(f"/proc/{bot.process.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)


async def well(at: Place) -> None:
    """What a bot does when all is well, and somebody pastes secrets where they do not belong."""
    config = ("-c", str(at.config))
    async with at.bot("--record", str(at.folder / "kept"), env=TRACE) as bot:
        await at.quoting(bot)
        check_no_core(bot)
        key = base58.encode(read_session(at.session_file()).keypair.reveal())
        lines = (
            ("pause", *config, "--market", "ETHUSD", "--reason", f"is {key} yours? or {TOKEN}"),
            ("set", "spread.min_bps", key, *config),
            ("set", "instance.name", TOKEN, *config),
            ("log-level", TOKEN, *config),
            ("status", "--json", *config),
            ("bundle", *config, "--out", str(at.folder / "bundle.tar.gz")),
            ("stop", *config, "--yes"),
        )
        assert await verbs(at, *lines) == [0, 3, 3, 2, 0, 0, 0]
        await bot.ended()


async def badly(at: Place) -> None:
    """What a bot and its verbs do when something is wrong."""
    config = ("-c", str(at.config))
    text = base58.encode(WALLET.reveal())
    create = ("session", "create", *config, "-v")
    made = ("--dir", str(at.folder / "made" / "sessions"))
    loose = at.folder / "wallet.planted"
    loose.write_text(json.dumps(list(WALLET.reveal())))
    loose.chmod(0o644)
    in_file = at.folder / "wrong.yaml.planted"
    in_file.write_text(f"{at.config.read_text()}secrets: {{wallet_key: {{name: {text}}}}}\n")
    good = await verbs(
        at,
        (*create, *made),
        ("secrets", "check", *config, "--json"),
        (*create, "--wallet", str(loose)),
        ("check-config", "-c", str(in_file)),
        ("config", "show", "--origin", "--defaults", *config),
        env={"PRIVATE_KEY_BASE58": text},
    )
    assert good == [0, 0, 4, 3, 0]
    assert await verbs(at, create, env={"PRIVATE_KEY_BASE58": text[:-4]}) == [4]
    assert (await crash(at)).code == 1
    # The venue refuses the session.
    path = at.session_file()
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "session_id": "999999"}))
    refused = await ended(at, "run", "--mode", "live", *config, "--for", "5s", "-v")
    assert refused.code == 4, refused.err


def test_no_secret_is_in_any_artefact(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path, flow="normal") as at:
            at.config.write_text(at.config.read_text() + CHAT)
            secrets = planted(at)
            await well(at)
            for mode in ("observe", "paper"):
                words = ("run", "--mode", mode, "-c", str(at.config), "--for", "2s", "--json")
                assert (await ended(at, *words)).code == 0
            await badly(at)
            (path,) = (tmp_path / "made" / "sessions").iterdir()
            secrets["made session"] = key_spellings(read_session(path).keypair.reveal())
        found = list(artefacts(tmp_path))
        names = {name for name, _ in found}
        for expected in ("logs/proc.jsonl", "proc.ledger", "bundle.tar.gz/log.jsonl", "crash.err"):
            assert expected in names, names
        shown = {name: list(hits(content, secrets)) for name, content in found}
        assert {name: each for name, each in shown.items() if each} == {}
        whole = dict(found)
        # They did come by, and every message was there.
        assert b"is [removed] yours? or [removed]" in whole["proc.ledger dumped"]
        assert b"is [removed] yours? or [removed]" in whole["logs/proc.jsonl"]
        assert b"lost with" in whole["crash.err"]
        assert b"RuntimeError: cannot use" in whole["crash.err"]
        assert whole["logs/proc.jsonl"].count(b'"level":"trace"') > 20
        assert b"telegram" in whole["logs/proc.jsonl"]

    run(work())


def test_the_search_finds_what_is_there() -> None:
    secret = Keypair.generate().reveal()
    names = {"key": key_spellings(secret)}
    for text in (*spellings(secret), *spellings(secret[:32]), base58.encode(secret)):
        assert list(hits(f"x{text}x".encode(), names)) == ["key"]
    assert list(hits(b"nothing", names)) == []
