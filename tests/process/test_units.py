"""The units: systemd's own judgement of them, and the programs under their filters."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mmbot.cli.unit_files import units_for
from tests.process.sandbox import UNITS, settings, systemd_analyze
from tests.process.test_watched import Supervisor, filled
from tests.process.trading import PATIENCE_S, Child, Place, place, put_down, run
from tests.unit.interfaces.webhook.listening import listening

# By the issue; systemd calls up to 2.0 good.
MOST_EXPOSURE = 1.2
SERVICES = sorted(each.name for each in UNITS.glob("*.service"))
BOT, GUARD = "mmbot@.service", "mmbot-guard@.service"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every unit as it would be installed for the program under test."""
    folder = tmp_path_factory.mktemp("root")
    for unit in units_for(folder, Path(sys.prefix) / "bin" / "mmbot"):
        unit.path.parent.mkdir(parents=True, exist_ok=True)
        unit.path.write_text(unit.text)
    return folder / "etc" / "systemd" / "system"


def test_systemd_finds_nothing_wrong(installed: Path) -> None:
    units = [str(each) for each in sorted(installed.iterdir())]
    assert len(units) >= 6
    judged = systemd_analyze("verify", *units)
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")


def test_systemd_would_have_noticed(installed: Path, tmp_path: Path) -> None:
    wrong = tmp_path / BOT
    wrong.write_text((installed / BOT).read_text().replace("ProtectClock", "ProtectClocks"))
    assert "ProtectClocks" in systemd_analyze("verify", str(wrong)).stderr


@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_is_exposed_to_little(installed: Path, unit: str) -> None:
    judged = systemd_analyze("security", "--offline=true", str(installed / unit))
    found = re.search(r"exposure level for \S+: ([\d.]+)", judged.stdout)
    assert found, judged.stderr
    assert float(found[1]) <= MOST_EXPOSURE


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("mmap.mmap(-1, 4096, prot=7)", "Operation not permitted"),
        ("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "Address family not supported"),
        ("os.nice(1)", "Operation not permitted"),
        ("os.setuid(1)", "Operation not permitted"),
        ("os.chmod(sys.argv[1], 0o4700)", "Operation not permitted"),
        ("os.sched_setaffinity(0, {0})", "Operation not permitted"),
        ("ctypes.CDLL(None).clone, open('/proc/self/mem')", ""),
    ],
)
def test_the_filters_of_these_tests_bite(tmp_path: Path, code: str, answer: str) -> None:
    async def work() -> None:
        script = tmp_path / "try.py"
        script.write_text(f"import ctypes, mmap, os, socket, sys\n{code}\n")
        ended = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.process.sandbox", BOT, str(script), str(script)),
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await ended.communicate()
        assert answer in err.decode()
        assert bool(ended.returncode) == bool(answer)

    run(work())


@asynccontextmanager
async def confined(
    at: Place, unit: str, *words: str, env: dict[str, str] | None = None
) -> AsyncIterator[Child]:
    """Run a verb of the product under the filters of a unit."""
    child = await at.module("tests.process.sandbox", unit, "-m", "mmbot", *words, env=env)
    try:
        yield child
    finally:
        await put_down(child)


def most_used(child: Child) -> tuple[int, int]:
    """Return the most memory a process has used, in bytes, and its threads."""
    told = Path(f"/proc/{child.process.pid}/status").read_text()
    peak, threads = (re.search(rf"{key}:\s+(\d+)", told) for key in ("VmHWM", "Threads"))
    assert peak
    assert threads
    return int(peak[1]) * 1024, int(threads[1])


def test_a_bot_trades_and_ends_within_its_unit(tmp_path: Path) -> None:
    async def work() -> None:
        above = Supervisor(tmp_path / "notify.sock")
        env = {"NOTIFY_SOCKET": str(above.path), "WATCHDOG_USEC": "2000000"}
        async with place(tmp_path) as at:
            config = ("-c", str(at.config))
            live = ("run", "--mode", "live", *config)
            async with confined(at, BOT, *live, env=env) as bot:
                await at.quoting(bot)
                await above.hears("READY=1")
                await above.hears("WATCHDOG=1", 3)
                await filled(at, bot)
                at.config.write_text(at.config.read_text().replace("min_bps: 2", "min_bps: 3"))
                async with confined(at, BOT, "reload", *config) as reload:
                    reloaded = await reload.ended()
                assert (reloaded.code, "1 setting changed" in reloaded.out) == (0, True)
                memory, threads = most_used(bot)
                assert memory < _bytes(settings(BOT)["MemoryHigh"][0])
                assert threads < int(settings(BOT)["TasksMax"][0])
                bot.send(signal.SIGTERM)
                ended = await bot.ended()
            assert ended.code == 0, ended.err
            assert "not permitted" not in ended.err
            assert await at.epochs() == []
        above.close()

    run(work())


def test_the_rescue_works_within_the_units(tmp_path: Path) -> None:
    async def work() -> None:
        async with place(tmp_path) as at:
            config = ("-c", str(at.config))
            live = ("run", "--mode", "live", *config)
            async with (
                confined(at, GUARD, "guard", *config, "--json") as guard,
                confined(at, BOT, *live) as bot,
            ):
                await at.quoting(bot)
                bot.send(signal.SIGKILL)
                await bot.process.wait()
                await at.gone(PATIENCE_S)
                guard.send(signal.SIGTERM)
                assert (await guard.ended()).code == 0
            killed = {"SERVICE_RESULT": "signal", "EXIT_CODE": "killed", "EXIT_STATUS": "KILL"}
            words = ("--direct", "--if-unclean", "--yes", "--json", "--landing-s", "0")
            async with confined(at, BOT, "cancel-all", *config, *words, env=killed) as sweep:
                swept = await sweep.ended()
            assert (swept.code, json.loads(swept.out)["proven"]) == (0, True), swept.err
            backup = ("db", "backup", *config, "--into", ".", "--keep", "7")
            async with confined(at, "mmbot-backup@.service", *backup) as copying:
                copied = await copying.ended()
            assert copied.code == 0, copied.err

    run(work())
    assert list(tmp_path.glob("proc-*.ledger"))


def test_a_unit_that_was_given_up_is_reported_within_its_unit(tmp_path: Path) -> None:
    async def work() -> None:
        async with listening() as outside:
            config = tmp_path / "c.yaml"
            # The settings are broken: that is why it has failed, and it is told all the same.
            config.write_text(
                f"version: 1\nalerts: {{webhook_url: '{outside.url}'}}\nrisk: {{loss: 3}}\n"
            )
            # As systemd says it to a unit of OnFailure=.
            env = {
                "MONITOR_UNIT": "mmbot@btc.service",
                "MONITOR_SERVICE_RESULT": "exit-code",
                "MONITOR_EXIT_STATUS": "6",
            }
            outside.answers = [503]
            words = ("tests.process.sandbox", "mmbot-alert@.service", "-m", "mmbot")
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *words, "report-failure", "-c", str(config)),
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, **env},
            )
            _, err = await process.communicate()
            assert process.returncode == 0, err.decode()
            (told,) = outside.bodies
        assert (told["severity"], told["code"]) == ("critical", "unit_failed")
        assert told["detail"] == "mmbot@btc.service has failed: exit-code (6)"

    run(work())


def test_what_a_unit_names_is_there(installed: Path) -> None:
    # systemd runs whatever stands there; the product has to have such a verb with such flags.
    from mmbot.cli.parser import build_parser

    named = {each.name for each in installed.iterdir()}
    for unit in SERVICES:
        lines = settings(unit)
        for key in ("ExecStartPre", "ExecStart", "ExecReload", "ExecStopPost"):
            for line in lines.get(key, []):
                words = line.removeprefix("-").replace("${MMBOT_MODE}", "live").split()[1:]
                build_parser().parse_args(words)
        for line in lines.get("Wants", []) + lines.get("OnFailure", []):
            for other in line.replace("%i", "").split():
                assert other.endswith(".target") or other in named, other


def test_what_a_restart_cannot_mend_is_not_restarted() -> None:
    from mmbot.errors import ConfigError, SecretError, UsageError

    for unit in (BOT, GUARD):
        lines = settings(unit)
        prevented = {int(code) for code in lines["RestartPreventExitStatus"][0].split()}
        assert {UsageError.exit_code, ConfigError.exit_code, SecretError.exit_code} <= prevented
        # systemd asks for the code of the main process alone: a look before it would be repeated.
        assert "ExecStartPre" not in lines


def _bytes(text: str) -> int:
    return int(text.removesuffix("M")) * 1024 * 1024
