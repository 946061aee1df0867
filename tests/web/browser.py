"""A headless Chromium on the status page: what it shows, asks for, and complains about."""

import base64
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

DRIVER = "/usr/bin/chromedriver"
PATIENCE_S = 30.0
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
# The browser's own new tab, and pictures that a page carries with it.
_OWN = ("chrome", "data")
DESKTOP, PHONE = (1440, 900), (375, 812)


class Browser:
    """A browser; whatever it was asked to load is kept by its own record."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self.requested: list[str] = []

    def shaped(self, size: tuple[int, int], *, dark: bool = False) -> None:
        """Be a screen of this size, and like it light or dark."""
        metrics = {
            "width": size[0],
            "height": size[1],
            "deviceScaleFactor": 2 if size[0] < 500 else 1,
            "mobile": size[0] < 500,
        }
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        calm = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, calm]})

    def open(self, url: str) -> None:
        """Open the page, and wait until it shows a bot."""
        self.driver.get(url)
        self.until("return document.querySelector('#link.good') !== null")
        self.until("return document.querySelector('#plot .main-svg') !== null")

    def run(self, script: str, *given: Any) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script, *given)

    def text(self, selector: str) -> str:
        """Return what is written in an element."""
        found: str = self.run("return document.querySelector(arguments[0]).innerText", selector)
        return found

    def until(self, script: str) -> Any:
        """Wait until a script returns something that is true."""
        return self._waited(lambda: self.run(script), script)

    def complaints(self) -> list[str]:
        """Return what the console had to say since the last call."""
        return [each["message"] for each in self._log("browser")]

    def origins(self) -> set[str]:
        """Return every place that was asked for anything since the start."""
        for each in self._log("performance"):
            message = json.loads(each["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                params = message["params"]
                self.requested.append(params.get("url") or params["request"]["url"])
        parts = [urlsplit(url) for url in self.requested]
        return {f"{each.scheme}://{each.netloc}" for each in parts if each.scheme not in _OWN}

    def picture(self, path: Path, width: int) -> None:
        """Write a picture of the whole page."""
        height = self.run("return document.body.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = {"captureBeyondViewport": True, "clip": clip}
        found = self.driver.execute_cdp_cmd("Page.captureScreenshot", shot)
        path.write_bytes(base64.b64decode(found["data"]))

    def _log(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        return found

    def _waited(self, look: Callable[[], Any], what: str) -> Any:
        until = time.monotonic() + PATIENCE_S
        while not (found := look()):
            assert time.monotonic() < until, (what, self.complaints())
            time.sleep(0.05)
        return found


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser that knows nothing, and end it."""
    assert shutil.which(DRIVER), "no chromedriver: apt-get install chromium chromium-driver"
    with TemporaryDirectory(prefix="mmbot-browser-", ignore_cleanup_errors=True) as profile:
        options = Options()
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        try:
            yield Browser(driver)
        finally:
            driver.quit()
