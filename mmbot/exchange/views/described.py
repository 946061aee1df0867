"""What the exchange says about itself: its wire schema and a list of its endpoints."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from inspect import getdoc

from msgspec import json

from mmbot import __version__


@cache
def schema_proto() -> bytes:
    """Text of the messages of `POST /action`."""
    return files("mmbot.adapters.zo.wire.proto").joinpath("nord.proto").read_bytes()


def openapi(views: Mapping[str, object]) -> bytes:
    """Describe every GET in OpenAPI's form, one sentence each."""
    paths = {path: {"get": _operation(path, view)} for path, view in sorted(views.items())}
    return json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "mmbot exchange", "version": __version__},
            "paths": paths,
        }
    )


def _operation(path: str, view: object) -> object:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    schema = {"type": "string"}
    return {
        "summary": (getdoc(view) or "").partition("\n")[0],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": schema} for name in names
        ],
        "responses": {"200": {"description": "JSON"}},
    }
