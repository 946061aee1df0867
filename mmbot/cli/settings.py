"""The verbs `init`, `check-config` and `config ...`: print what mmbot.config says."""

import argparse
import os
from pathlib import Path

from mmbot.cli.output import EXIT_CHECK_FAILED, say, show, show_json
from mmbot.config import show as texts
from mmbot.config.checks import remarks
from mmbot.config.loader import Loaded, load


def init(args: argparse.Namespace) -> int:
    """Write a starter configuration and its schema."""
    from mmbot.config.edit import init as write_starter

    for path in write_starter(args.path, args.template, args.force):
        say(f"wrote {path}")
    return 0


def check(args: argparse.Namespace) -> int:
    """Validate; say what the settings amount to and what looks odd."""
    loaded = _load(args)
    doubts = remarks(loaded.config)
    if args.json:
        content = {
            "schema": "mmbot.check/1",
            "derived": texts.derived(loaded.config),
            "warnings": [f"{doubt.key}: {doubt.text}" for doubt in doubts],
        }
        show_json(content)
    else:
        show(texts.check(loaded))
    return EXIT_CHECK_FAILED if args.strict and doubts else 0


def show_settings(args: argparse.Namespace) -> int:
    """Print the configuration in force as YAML."""
    show(texts.show(_load(args), args.origin, args.defaults).splitlines())
    return 0


def get(args: argparse.Namespace) -> int:
    """Print one value or one section."""
    show(texts.get(_load(args), args.key).splitlines())
    return 0


def put(args: argparse.Namespace) -> int:
    """Change one value in a file and print the difference."""
    from mmbot.config.edit import set_value

    changes = set_value(args.config, args.key, args.value)
    show(changes.splitlines() if changes else [f"{args.key} is {args.value} already"])
    return 0


def schema(_args: argparse.Namespace) -> int:
    """Print the JSON Schema of the configuration."""
    from mmbot.config.reference import schema_text

    show(schema_text().splitlines())
    return 0


def docs(_args: argparse.Namespace) -> int:
    """Print the key reference as Markdown."""
    from mmbot.config.reference import docs as key_reference

    show(key_reference().splitlines())
    return 0


def _load(args: argparse.Namespace) -> Loaded:
    paths: list[Path] = args.config
    return load(paths, args.set, os.environ)
