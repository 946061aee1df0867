"""The status page in a real browser: right, live, within its origin, for phone and keyboard."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.web.browser import DESKTOP, PHONE, Browser, browser
from tests.web.served import Served, served

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


def number(text: str) -> float:
    return float(text.replace(",", "").replace("\u2212", "-"))


def shows_the_bot(page: Browser, at: Served) -> None:
    """Figures are those of the exchange; own orders are in the book."""
    assert page.text("#mode").lower() == "quoting"
    shown = number(page.text("#tiles dd"))
    view = at.bot.status()
    assert view.equity_uusd is not None
    assert abs(shown - view.equity_uusd / 1e6) < 50
    assert page.run(
        "return [...document.querySelectorAll('#tabs button')].map(e => e.innerText)"
    ) == [
        "BTCUSD",
        "ETHUSD",
    ]
    page.until("return document.querySelectorAll('#levels tr.mine').length > 0")
    prices = page.run(
        "return [...document.querySelectorAll('#levels .price')].map(e => e.innerText)"
    )
    assert [number(each) for each in prices] == sorted((number(p) for p in prices), reverse=True)
    assert page.run("return document.querySelectorAll('#levels tr.bid').length") >= 8
    assert page.run("return document.querySelectorAll('#fills tr').length") >= 1
    assert (
        page.run("return document.querySelectorAll('#plot .scatterlayer path.js-line').length") == 1
    )
    rows = page.run(
        "return [...document.querySelectorAll('#lines tr')].map(e => e.lastChild.innerText)"
    )
    *parts, total = (number(each) for each in rows)
    assert abs(sum(parts) - total) < 0.05


def lives(page: Browser) -> None:
    """New figures come by themselves."""
    before = page.text("#version")
    page.until(f"return document.querySelector('#version').innerText !== {before!r}")


def stays_at_home(page: Browser, at: Served) -> None:
    assert page.origins() == {at.url}
    assert page.complaints() == []


def fits(page: Browser) -> None:
    width, scrolled = page.run("return [innerWidth, document.documentElement.scrollWidth]")
    assert scrolled <= width
    small = page.run(
        "return [...document.querySelectorAll('button, a')].filter(e => e.checkVisibility()"
        " && e.getBoundingClientRect().height < 24 && !e.closest('.skip')).length"
    )
    assert small <= 1


def can_be_read(page: Browser) -> None:
    looked, weak = page.run(CONTRAST)
    assert looked > 60
    assert weak == []


def has_names(page: Browser) -> None:
    """Headings in order, tables with heads, one main; what is pressed has a name."""
    levels = page.run(
        "return [...document.querySelectorAll('h1,h2,h3')].map(e => Number(e.tagName[1]))"
    )
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    assert page.run("return document.documentElement.lang") == "en"
    assert page.run("return document.querySelectorAll('main').length") == 1
    assert page.run("return document.querySelectorAll('table:not(:has(th[scope]))').length") == 0
    ids = page.run("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    named = page.run(
        "return [...document.querySelectorAll('[aria-labelledby]')].flatMap("
        "e => e.getAttribute('aria-labelledby').split(' ')).every(i => document.getElementById(i))"
    )
    assert named


def is_used_by_keys(page: Browser) -> None:
    """Tab goes through all in order of reading; arrows choose a market; focus is seen."""
    where = "return document.activeElement.innerText || document.activeElement.id"
    page.run("document.activeElement.blur()")
    stops: list[str] = []
    for _ in range(8):
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        stops.append(page.run(where).split("\n")[0])
        outline = page.run("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", stops
    assert stops[0] == "Skip to the figures"
    assert stops[-3:] == ["Metrics", "Status as JSON", "Explain"]
    page.run("document.querySelector('#tabs [aria-selected=true]').focus()")
    ActionChains(page.driver).send_keys(Keys.ARROW_RIGHT).perform()
    assert page.text("#tabs [aria-selected=true]") == "ETHUSD"
    assert page.run(where) == "ETHUSD"
    # Another look does not take the focus away.
    lives(page)
    assert page.run(where) == "ETHUSD"
    assert abs(number(page.text("#levels tr.mid b")) - 3_000) < 600


def tells_of_a_pause(page: Browser) -> None:
    page.until("return document.querySelector('#mode').innerText.toLowerCase() === 'paused'")
    assert "lunch" in page.text("#banner")
    page.until("return document.querySelectorAll('#levels tr.mine').length === 0")


def tells_that_it_is_lost(page: Browser) -> None:
    page.until("return document.querySelector('#link.bad') !== null")
    assert "no word since" in page.text("#link")


def looks(page: Browser, at: Served, pictures: Path) -> None:
    page.shaped(DESKTOP)
    page.open(f"{at.url}/")
    shows_the_bot(page, at)
    lives(page)
    has_names(page)
    can_be_read(page)
    is_used_by_keys(page)
    page.picture(pictures / "desktop.png", DESKTOP[0])
    page.shaped(DESKTOP, dark=True)
    lives(page)
    can_be_read(page)
    page.shaped(PHONE)
    page.open(f"{at.url}/")
    fits(page)
    can_be_read(page)
    page.picture(pictures / "phone.png", PHONE[0])
    stays_at_home(page, at)


def test_the_page_in_a_browser(tmp_path: Path) -> None:
    async def run() -> None:
        with browser() as page:
            async with served(tmp_path, seed=65) as at:
                await beside(looks, page, at, tmp_path)
                await at.command("pause", reason="lunch")
                await beside(tells_of_a_pause, page)
                await beside(can_be_read, page)
            await beside(tells_that_it_is_lost, page)

    asyncio.run(run())


async def beside(work: Callable[..., None], *given: Any) -> None:
    """Have the browser do something while the bot trades."""
    await asyncio.to_thread(work, *given)
