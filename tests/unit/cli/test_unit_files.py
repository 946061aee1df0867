"""`install-service`: which files it writes where, and when it does not."""

from pathlib import Path

import pytest

from mmbot.cli import main

PROGRAM = "/opt/other/venv/bin/mmbot"


def files(root: Path) -> dict[str, str]:
    return {
        each.relative_to(root).as_posix(): each.read_text()
        for each in root.rglob("*")
        if each.is_file()
    }


def test_the_units_are_put_in_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["install-service", "--root", str(tmp_path), "--program", PROGRAM]
    assert main([*words, "--dry-run"]) == 0
    assert files(tmp_path) == {}
    assert "new        " in capsys.readouterr().out
    assert main(words) == 0
    found = files(tmp_path)
    assert {
        "etc/systemd/system/mmbot@.service",
        "etc/systemd/system/mmbot-guard@.service",
        "etc/systemd/system/mmbot-record@.service",
        "etc/systemd/system/mmbot-backup@.service",
        "etc/systemd/system/mmbot-backup@.timer",
        "etc/sysusers.d/mmbot.conf",
        "etc/tmpfiles.d/mmbot.conf",
    } <= set(found)
    bot = found["etc/systemd/system/mmbot@.service"]
    assert f"ExecStart={PROGRAM} run --mode ${{MMBOT_MODE}} --stay-halted -c " in bot
    assert "/opt/mmbot/venv" not in "".join(found.values())
    for name in ("", "-guard", "-record", "-backup"):
        # systemd says how a unit ended only to one that no other unit calls.
        callers = [text for text in found.values() if f"OnFailure=mmbot{name}-alert@%i.s" in text]
        alert = found[f"etc/systemd/system/mmbot{name}-alert@.service"]
        assert callers == [found[f"etc/systemd/system/mmbot{name}@.service"]]
        assert f"report-failure --unit mmbot{name}@%i.service -c" in alert
    told = capsys.readouterr()
    assert "systemctl enable --now mmbot-guard@NAME" in told.err

    (tmp_path / "etc/systemd/system/mmbot@.service").write_text("mine")
    assert main([*words, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert f"changed    {tmp_path}/etc/systemd/system/mmbot@.service" in out
    assert f"unchanged  {tmp_path}/etc/tmpfiles.d/mmbot.conf" in out
    assert (tmp_path / "etc/systemd/system/mmbot@.service").read_text() == "mine"


def test_the_files_can_be_read_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install-service", "--print", "--root", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"# {tmp_path}/etc/systemd/system/mmbot@.service\n" in out
    assert "WatchdogSec=20" in out
    assert files(tmp_path) == {}


def test_a_program_that_the_service_cannot_see_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = "/home/trader/.venv/bin/mmbot"
    assert main(["install-service", "--root", str(tmp_path), "--program", hidden]) == 2
    assert "/opt/mmbot/venv" in capsys.readouterr().err
    assert files(tmp_path) == {}


def test_so_is_one_whose_python_the_service_cannot_see(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to("/root/.pyenv/versions/3.11.7/bin/python3.11")
    words = ["install-service", "--root", str(tmp_path / "root"), "--program", f"{folder}/mmbot"]
    assert main(words) == 2
    assert "/root/.pyenv/versions/3.11.7/bin/python3.11" in capsys.readouterr().err
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("program", ["venv/bin/mmbot", "/opt/my bots/mmbot", "/opt/50%/mmbot"])
def test_a_program_that_would_break_the_units_is_refused(program: str, tmp_path: Path) -> None:
    words = ["install-service", "--root", str(tmp_path), "--program", program]
    assert main([*words, "--print"]) == main(words) == 2
    assert files(tmp_path) == {}


def test_a_place_that_cannot_be_written_to_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "etc").write_text("a file")
    assert main(["install-service", "--root", str(tmp_path), "--program", PROGRAM]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {tmp_path}/etc")
    assert line.endswith(": not a directory")
