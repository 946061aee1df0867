"""The files of the status page; plotly's script is the one of the installed package."""

import asyncio
import gzip
from hashlib import sha256
from importlib import resources
from importlib.metadata import version
from importlib.resources.abc import Traversable

from aiohttp import web

_KINDS = {
    "index.html": "text/html",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "shapes.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
PLOTLY = "/plotly.min.js"


class PageFiles:
    """Reads each file once, when it is first asked for."""

    def __init__(self) -> None:
        self._folder = resources.files("mmbot.interfaces.page")
        self._files: dict[str, asyncio.Task[tuple[bytes, str]]] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return every path with what answers it."""
        names = [web.get(f"/{name}", self.file) for name in _KINDS]
        return [web.get("/", self.file), web.get(PLOTLY, self.plotly), *names]

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Return a file of the page."""
        name = request.path.strip("/") or "index.html"
        return await self._answer(request, name, self._folder / name, _KINDS[name])

    async def plotly(self, request: web.Request) -> web.StreamResponse:
        """Return the script that draws the chart."""
        path = resources.files("plotly") / "package_data" / "plotly.min.js"
        return await self._answer(request, f"plotly {version('plotly')}", path, "text/javascript")

    async def _answer(
        self, request: web.Request, name: str, path: Traversable, kind: str
    ) -> web.StreamResponse:
        if name not in self._files:
            # Whoever asks meanwhile waits for the same; packing lets the loop go on.
            self._files[name] = asyncio.ensure_future(asyncio.to_thread(_packed, path))
        packed, tag = await asyncio.shield(self._files[name])
        headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if any(each.value == tag for each in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        body = packed
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
        else:
            body = await asyncio.to_thread(gzip.decompress, packed)
        return web.Response(body=body, headers=headers, content_type=kind, charset="utf-8")


def _packed(path: Traversable) -> tuple[bytes, str]:
    content = path.read_bytes()
    return gzip.compress(content, 6, mtime=0), sha256(content).hexdigest()[:32]
