"""The documents hold: their commands run and print what they show, their links and YAML are good.

In a ```console block a line after `$ ` is a command. What follows it must be in its output, line by
line; `...` stands for anything. `$ echo $?` and a number say how the command before it ended.
`python -m tests.test_docs` writes the lines printed today into the blocks; prose and tables stay.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from mmbot.cli import main
from mmbot.config.loader import load
from mmbot.config.separate import load_params
from mmbot.exchange.faults.table import KNOBS
from mmbot.exchange.params import ExchangeParams

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md")])
EXAMPLES = sorted(ROOT.glob("examples/*.py"))
# Setting up is what the checkout under test has behind it.
SET_UP = {"git", "cd", "make", "source"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED_YAML = re.compile(r"# ([\w./-]+\.yaml)\n")


class Command(NamedTuple):
    """A command of a document, the lines shown under it, and how it is said to end."""

    words: list[str]
    shown: list[str]
    code: int


def blocks(document: Path, language: str) -> list[str]:
    """Fenced blocks of one language."""
    return [text for name, text in BLOCK.findall(document.read_text()) if name == language]


def commands(document: Path) -> list[Command]:
    """Commands of all console blocks, in order."""
    found: list[Command] = []
    for block in blocks(document, "console"):
        assert block.startswith("$ "), f"{document.name}: a console block begins with a command"
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, *shown = part.rstrip("\n").split("\n")
            if line == "echo $?":
                found[-1] = found[-1]._replace(code=int(shown[0]))
            else:
                found.append(Command(shlex.split(line), shown, 0))
    return found


def missing(shown: list[str], output: str) -> Iterator[str]:
    """Shown lines that the output does not have, in the order shown."""
    rest = [line.rstrip() for line in output.splitlines()]
    for line in shown:
        if line == "...":
            continue
        if line in rest:
            rest = rest[rest.index(line) + 1 :]
        else:
            yield line


def run(words: list[str], capture: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run a command of mmbot in this process, a script in one of its own."""
    if words[:1] == ["mmbot"] or words[:3] == ["python", "-m", "mmbot"]:
        capture.readouterr()
        try:
            code = main(words[words.index("mmbot") + 1 :])
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        texts = capture.readouterr()
        return code, texts.out + texts.err
    assert words[0] == "python", f"{words}: neither mmbot nor a script"
    return script(words[1:])


def script(words: list[str]) -> tuple[int, str]:
    """Run a script or a module with this interpreter and this checkout's mmbot."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def prepare(document: Path, folder: Path) -> None:
    """Put the examples and the named YAML files of a document where its commands expect them."""
    (folder / "examples").symlink_to(ROOT / "examples")
    for block in blocks(document, "yaml"):
        name = NAMED_YAML.match(block)
        if name:
            (folder / name[1]).write_text(block)


def renew(document: Path) -> None:
    """Replace shown lines that are printed no longer by the printed lines with the same label."""
    text = document.read_text()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepare(document, Path(folder))
        for words, shown, _ in commands(document):
            if words[0] in SET_UP:
                continue
            _, output = script(
                [*(["-m"] if words[0] == "mmbot" else []), *words[words[0] == "python" :]]
            )
            printed = [line.rstrip() for line in output.splitlines()]
            for old in missing(shown, output):
                for line in get_close_matches(old, printed, 1):
                    text = text.replace(f"\n{old}\n", f"\n{line}\n", 1)
    document.write_text(text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_do_what_the_document_shows(
    document: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(document, tmp_path)
    for words, shown, code in commands(document):
        if words[0] in SET_UP:
            continue
        ended, output = run(words, capsys)
        assert ended == code, f"{shlex.join(words)}: exit code {ended}, not {code}\n{output}"
        lost = list(missing(shown, output))
        assert not lost, f"{shlex.join(words)}: prints no longer {lost[0]!r}\n{output}"


def test_the_manual_of_the_exchange_names_every_fault_and_no_other() -> None:
    manual = (ROOT / "docs" / "exchange.md").read_text()
    groups = {name.partition(".")[0] for name in KNOBS}
    named = set(re.findall(rf"`((?:{'|'.join(groups)})\.[\w]+)`", manual))
    assert named == set(KNOBS)


def test_the_readme_names_what_make_run_runs() -> None:
    recipe = re.search(
        r"^run: .*\n\t\$\(BIN\)/python -m (.*)$", (ROOT / "Makefile").read_text(), re.M
    )
    assert recipe
    assert f"`{recipe[1]}`" in (ROOT / "README.md").read_text()


def test_a_line_that_is_not_printed_is_noticed() -> None:
    assert list(missing(["one", "...", "three"], "one  \ntwo\nthree\n")) == []
    assert list(missing(["one", "four"], "one\ntwo\n")) == ["four"]
    assert list(missing(["two", "one"], "one\ntwo\n")) == ["one"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_yaml_of_a_document_is_a_valid_configuration(document: Path, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for number, block in zip(count(), blocks(document, "yaml"), strict=False):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block)
        if block.startswith("# exchange.yaml"):
            assert load_params([path], ExchangeParams).markets
        else:
            assert load([path]).config.version == 1


@pytest.mark.parametrize(
    "name",
    ["config.minimal.yaml", "config.full.yaml", "multi-market.yaml", "live.yaml"],
)
def test_examples_are_good_settings(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-config", "-c", str(ROOT / "examples" / name)]) == 0
    assert "requote of every order" in capsys.readouterr().out or name == "config.full.yaml"


def anchors(document: Path) -> set[str]:
    """Anchors of a document's headings, as forges make them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = document.parent / name if name else document
        assert path.exists(), f"{document.name}: no {target}"
        assert not anchor or anchor in anchors(path), f"{document.name}: no heading {target}"


def test_every_document_is_linked_from_the_readme() -> None:
    linked = set(LINK.findall((ROOT / "README.md").read_text()))
    assert {f"docs/{path.name}" for path in ROOT.glob("docs/*.md")} <= linked


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run_from_any_folder(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = script([str(example)])
    assert code == 0, output
    assert "fills" in output


def test_the_key_reference_is_what_the_product_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "docs"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs/configuration.md").read_text()


if __name__ == "__main__":
    for each in DOCUMENTS:
        renew(each)
