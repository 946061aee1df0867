"""The REST client over real sockets: good answers, hostile ones, and what reaches the venue."""

import asyncio
import gzip
import shutil
import ssl
import subprocess
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

import pytest
from aiohttp import web

from mmbot.adapters.zo.params import VenueParams
from mmbot.adapters.zo.rest.http import TradeQuery, ZoHttp, open_http
from mmbot.adapters.zo.wire.actions import CancelById
from mmbot.adapters.zo.wire.codec import encode_receipt
from mmbot.adapters.zo.wire.outcomes import Accepted, Cancelled, Outcome, Rejected, Unknown
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from mmbot.adapters.zo.wire.refusals import Group
from mmbot.errors import ProtocolViolation, RateLimited, Unavailable
from tests.fakes.venue import Answer, Script, ScriptedVenue, raw_server, serving, text
from tests.unit.adapters.zo.rest.test_parsing import ACCOUNT, BTC, CATALOG, INFO, STATS, TRADE, body

T = TypeVar("T")
Asked = Callable[[ZoHttp], Awaitable[T]]

ACTION = b"\x05hello" + bytes(64)
CANCEL = CancelById(5)
RECEIPT = pb.Receipt(action_id=3)
RECEIPT.cancel_order_result.order_id = 5
RECEIPT.cancel_order_result.account_id = 7
GOOD_RECEIPT = encode_receipt(RECEIPT)
BOOK = '{"updateId":12,"asks":[[100.2,1]],"bids":[]}'


def ask(answers: dict[str, Answer], asked: Asked[T]) -> tuple[T, ScriptedVenue]:
    """Ask a scripted venue something."""
    venue = ScriptedVenue(answers)

    async def run() -> T:
        async with serving(venue.answer) as url, client(url) as http:
            return await asked(http)

    return asyncio.run(run()), venue


def ask_raw(script: Script, asked: Asked[T], timeout_ms: int = 500) -> T:
    """Ask a server that writes its bytes by hand."""

    async def run() -> T:
        async with raw_server(script) as url, client(url, timeout_ms) as http:
            return await asked(http)

    return asyncio.run(run())


def client(url: str, timeout_ms: int = 2_000) -> AbstractAsyncContextManager[ZoHttp]:
    return open_http(VenueParams(http_url=url, request_timeout_ms=timeout_ms))


def answer_with(raw: bytes) -> Script:
    """Write these bytes and close."""

    async def script(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return script


def named(url: str) -> str:
    """The same place by its name."""
    return url.replace("127.0.0.1", "localhost")


async def second(http: ZoHttp) -> int:
    return (await http.timestamp()).engine_s


async def act(http: ZoHttp) -> Outcome:
    return await http.act(ACTION, CANCEL, 7)


def test_every_endpoint_is_asked_by_its_path_and_read() -> None:
    order = '{"orderId":5,"marketId":0,"side":"bid","placedSize":1,"isReduceOnly":true,'
    order += '"fillMode":"Limit","placedPrice":2}'
    answers = {
        "/info": text(INFO),
        "/timestamp": text("1780000000", Content_Type="text/plain; charset=utf-8"),
        f"/user/{'1' * 31}2": text('{"accountIds":[7]}'),
        "/account/7": text(ACCOUNT, Content_Type="application/json; charset=utf-8"),
        "/market/0/orderbook": text(BOOK),
        "/market/0/stats": text(body(STATS)),
        "/markets/live": text('{"markets":[]}'),
        "/trades": text(body({"items": [TRADE], "nextStartInclusive": "a/b&c=1"})),
        "/order/5": text(order),
        "/fee/brackets/info": text('[[0,{"maker_fee_ppm":1,"taker_fee_ppm":2}]]'),
        "/account/7/fee/tier": text("3"),
        "/account/7/pnl": text('{"items":[]}'),
        "/account/7/history/liquidation": text('{"items":[]}'),
    }

    async def everything(http: ZoHttp) -> None:
        catalog = await http.info()
        assert catalog.listings[0] == BTC
        assert await second(http) == 1_780_000_000
        user = await http.user(bytes(31) + b"\x01")
        assert user is not None
        assert user.account_ids == (7,)
        account = await http.account(7, catalog)
        assert account is not None
        assert account.update_id == 812_345
        assert (await http.orderbook(BTC)).update_id == 12
        assert (await http.stats(BTC)).frozen
        assert await http.markets_live(catalog) == ()
        page = await http.trades(TradeQuery(maker_id=7, since="2026-09-13T06:44:44Z"), catalog)
        assert len(page.items) == 1
        await http.trades(TradeQuery(taker_id=7, market_id=0), catalog, page.following)
        order = await http.order(5, catalog)
        assert order is not None
        assert (await http.fee_brackets())[0].taker_ppm == 2
        assert await http.fee_tier(7) == 3
        assert (await http.pnl(7)).items == ()
        assert (await http.liquidations(7)).items == ()

    _, venue = ask(answers, everything)
    asked = [path for _, path in venue.requests]
    assert "/trades?makerId=7&since=2026-09-13T06%3A44%3A44Z&pageSize=50" in asked
    assert "/trades?takerId=7&marketId=0&startInclusive=a%2Fb%26c%3D1&pageSize=50" in asked
    assert {method for method, _ in venue.requests} == {"GET"}
    assert {headers["Accept-Encoding"] for headers in venue.headers} == {"identity"}


def test_what_does_not_exist_is_none_or_an_error() -> None:
    async def lookups(http: ZoHttp) -> list[object]:
        return [
            await http.user(bytes(32)),
            await http.account(9, CATALOG),
            await http.order(9, CATALOG),
        ]

    assert ask({}, lookups)[0] == [None, None, None]
    with pytest.raises(ProtocolViolation, match=r"^/market/0/orderbook: HTTP 404$"):
        ask({"/market/0/orderbook": text('{"market_id":0}', 404)}, lambda http: http.orderbook(BTC))


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (text("5", 502, Content_Type="text/html"), Unavailable, "HTTP 502"),
        (text("5", 503), Unavailable, "HTTP 503"),
        (text("5", 501), Unavailable, "HTTP 501"),
        (text("5", 400), ProtocolViolation, "HTTP 400"),
        (text("5", 418), ProtocolViolation, "HTTP 418"),
        (text("5", 204), ProtocolViolation, "HTTP 204"),
        (text("<html>5", Content_Type="text/html"), ProtocolViolation, "not JSON by its content"),
        (text("5", Content_Type="application/octet-stream"), ProtocolViolation, "content type"),
        (text("<html>502 Bad Gateway</html>"), ProtocolViolation, "not sound JSON"),
        (text("5", 302, Location="https://evil.example/"), ProtocolViolation, "redirect"),
        (text("5", 307, Location="/other"), ProtocolViolation, "redirect"),
        (text("5", 304), ProtocolViolation, "redirect"),
    ],
)
def test_answers_that_are_not_what_was_asked_for(
    answer: Answer, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=f"^/timestamp: .*{words}") as caught:
        ask({"/timestamp": answer}, second)
    assert "evil" not in str(caught.value)


def test_a_redirect_is_not_followed() -> None:
    venue = ScriptedVenue({"/timestamp": text("", 302, Location="/info"), "/info": text(INFO)})

    async def run() -> None:
        async with serving(venue.answer) as url, client(url) as http:
            with pytest.raises(ProtocolViolation):
                await http.timestamp()

    asyncio.run(run())
    assert venue.requests == [("GET", "/timestamp")]


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("", None), ("soon", None), ("-1", None)]
)
def test_a_throttle_says_how_long(header: str, seconds: float | None) -> None:
    with pytest.raises(RateLimited) as caught:
        ask({"/timestamp": text("", 429, Retry_After=header)}, second)
    assert caught.value.retry_after_s == seconds


def test_a_compressed_answer_is_refused_unread() -> None:
    bomb = gzip.compress(b" " * 50_000_000 + b"5")
    with pytest.raises(ProtocolViolation, match="compressed"):
        ask({"/timestamp": text(bomb, Content_Encoding="gzip")}, second)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", Unavailable),
        (b"\x00\xff\x16\x03\x01 garbage\r\n\r\n", Unavailable),
        (b"HTTP/1.1 200 OK\r\n", Unavailable),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Unavailable),
        (HEAD + b"Content-Length: 50\r\n\r\n1780000000", Unavailable),
        (HEAD + b"Content-Length: -5\r\n\r\n1780000000", Unavailable),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n1\r\n", Unavailable),
        (HEAD + b"Content-Length: 4194305\r\n\r\n", ProtocolViolation),
        (HEAD + b"".join(b"X-%d: 1\r\n" % n for n in range(70)) + b"\r\n1", ProtocolViolation),
        (HEAD + b"X: " + b"x" * 20_000 + b"\r\n\r\n1", Unavailable),
        (HEAD + b"X: 1\r\n" * 100_000, Unavailable),
    ],
    ids=str,
)
def test_broken_http_ends_in_an_error(raw: bytes, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^/timestamp: ") as caught:
        ask_raw(answer_with(raw), second)
    assert len(str(caught.value)) < 150


async def _endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"\r\n")
    for _ in range(800):
        writer.write(b" " * 65_536)
        await writer.drain()


async def _drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(100):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _drip_headers(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in HEAD * 10:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


def test_a_body_of_50_megabytes_is_cut_at_four_without_being_kept() -> None:
    tracemalloc.start()
    with pytest.raises(ProtocolViolation, match="more than 4194304 bytes"):
        ask_raw(_endless, second, timeout_ms=20_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


@pytest.mark.parametrize("script", [_drip, _drip_headers])
def test_a_slow_loris_is_given_up_in_time(script: Script) -> None:
    loop_s = asyncio.new_event_loop()
    began = loop_s.time()
    with pytest.raises(Unavailable, match=r"^/timestamp: no answer in time$"):
        ask_raw(script, second, timeout_ms=300)
    assert loop_s.time() - began < 2
    loop_s.close()


def test_nobody_there() -> None:
    async def run() -> None:
        async with raw_server(answer_with(b"")) as url:
            pass
        async with client(url) as http:
            with pytest.raises(Unavailable, match=r"^/timestamp: no connection"):
                await http.timestamp()
            with pytest.raises(Unavailable, match=r"^/action: no connection"):
                await act(http)

    asyncio.run(run())


def test_a_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert ask({"/timestamp": text("1780000000")}, second)[0] == 1_780_000_000


def test_cookies_are_not_kept() -> None:
    venue = ScriptedVenue({"/timestamp": text("5", Set_Cookie="a=b; Path=/")})

    async def twice() -> None:
        # By name: a jar that keeps cookies does not keep those of addresses.
        async with serving(venue.answer) as url, client(named(url)) as http:
            await http.timestamp()
            await http.timestamp()

    asyncio.run(twice())
    assert len(venue.headers) == 2
    assert all("Cookie" not in headers for headers in venue.headers)


def test_an_encrypted_place_with_a_strange_certificate_is_refused(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -batch"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *request.split(), *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def run() -> None:
        async with raw_server(answer_with(HEAD + b"\r\n5"), context) as url, client(url) as http:
            with pytest.raises(Unavailable, match="the certificate or the encryption was refused"):
                await http.timestamp()
            with pytest.raises(Unavailable, match="the certificate or the encryption was refused"):
                await act(http)

    asyncio.run(run())


OCTETS = "application/octet-stream"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (text(GOOD_RECEIPT, Content_Type=OCTETS), Accepted(3, (Cancelled(5),))),
        (text(GOOD_RECEIPT + b"more", Content_Type=OCTETS), Accepted(3, (Cancelled(5),))),
        (text(encode_receipt(pb.Receipt(err=pb.DUPLICATE))), (0, Group.G2)),
        (text(encode_receipt(pb.Receipt(err=pb.ORDER_NOT_FOUND))), (8, Group.G4)),
        (text(encode_receipt(pb.Receipt(err=pb.SESSION_NOT_FOUND))), (7, Group.G3)),
        (text(encode_receipt(pb.Receipt(err=pb.TIMESTAMP_OUT_OF_THRESHOLD))), (177, Group.G1)),
        (text('{"limit":1024}', 413), (413, Group.G10)),
        (text('{"expected":"application/octet-stream"}', 415), (415, Group.G10)),
        (text("null", 400), (400, Group.G10)),
    ],
)
def test_settled_outcomes(answer: Answer, expected: Accepted | tuple[int, Group]) -> None:
    outcome, venue = ask({"/action": answer}, act)
    if isinstance(outcome, Rejected):
        assert (outcome.refusal.number, outcome.refusal.group) == expected
    else:
        assert outcome == expected
    assert venue.requests == [("POST", "/action")]
    assert venue.headers[0]["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        (text(encode_receipt(pb.Receipt(err=pb.MAINTENANCE))), 137),
        (text(encode_receipt(pb.Receipt(err=pb.DROPPED))), 999),
        (text(b"\x05\x08\x01\x80\x02\x0a"), 10),
        (text(encode_receipt(pb.Receipt(err=pb.Error.ValueType(777)))), 777),
        (text(b""), None),
        (text(GOOD_RECEIPT[:-1]), None),
        (text(encode_receipt(pb.Receipt(action_id=3))), None),
        (text("<html>", 502), None),
        (text(GOOD_RECEIPT, Content_Type="text/html"), None),
        (text("<html>502 Bad Gateway</html>"), None),
        (text(GOOD_RECEIPT, 500), None),
        (text("nope", 413), None),
        (text("{}", 415), None),
        (text("", 400), None),
        (text("", 404), None),
        (text("", 302, Location="/action"), None),
        (text(GOOD_RECEIPT, Content_Encoding="gzip"), None),
        (text(bytes(102_401)), None),
    ],
)
def test_everything_else_is_unknown(answer: Answer, number: int | None) -> None:
    outcome, venue = ask({"/action": answer}, act)
    assert isinstance(outcome, Unknown)
    assert outcome.number == number
    assert 0 < len(outcome.reason) < 200
    # Nobody resends on its own.
    assert venue.requests == [("POST", "/action")]


def test_a_throttled_action_is_unknown_and_says_how_long() -> None:
    outcome, _ = ask({"/action": text("", 429, Retry_After="3")}, act)
    assert outcome == Unknown("HTTP 429", retry_after_s=3.0)


def test_a_connection_that_breaks_after_the_request_leaves_it_unknown() -> None:
    for script in (answer_with(b""), answer_with(HEAD + b"Content-Length: 9\r\n\r\n1")):
        assert isinstance(ask_raw(script, act), Unknown)


def test_an_action_on_a_kept_connection_that_breaks_is_sent_once() -> None:
    requests: list[bytes] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The head of the first request has been read already; keep the connection after it.
        requests.append(await reader.readexactly(len(ACTION)))
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(GOOD_RECEIPT)
        writer.write(answer + GOOD_RECEIPT)
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")
        requests.append(await reader.readexactly(len(ACTION)))

    async def twice(http: ZoHttp) -> list[Outcome]:
        return [await act(http), await act(http)]

    first, second_outcome = ask_raw(once, twice)
    assert isinstance(first, Accepted)
    assert isinstance(second_outcome, Unknown)
    assert requests == [ACTION, ACTION]


def test_an_action_has_two_seconds_whatever_reads_may_take() -> None:
    async def run() -> tuple[Outcome, float]:
        loop = asyncio.get_running_loop()
        async with raw_server(_drip) as url, client(url, 60_000) as http:
            began = loop.time()
            outcome = await act(http)
            return outcome, loop.time() - began

    outcome, took_s = asyncio.run(run())
    assert outcome == Unknown("/action: no answer in time")
    assert 1.5 < took_s < 3.0


def test_the_same_bytes_arrive_each_time() -> None:
    bodies: list[bytes] = []

    async def answer(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response(body=GOOD_RECEIPT)

    async def twice(http: ZoHttp) -> None:
        await act(http)
        await act(http)

    ask({"/action": answer}, twice)
    assert bodies == [ACTION, ACTION]


def test_actions_do_not_wait_behind_reads() -> None:
    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(1.0)
        return web.json_response(5)

    async def run(http: ZoHttp) -> float:
        loop = asyncio.get_running_loop()
        reads = [asyncio.create_task(second(http)) for _ in range(20)]
        await asyncio.sleep(0.05)
        began = loop.time()
        assert isinstance(await act(http), Accepted)
        took_s = loop.time() - began
        for task in reads:
            task.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
        return took_s

    took_s, _ = ask({"/timestamp": slow, "/action": text(GOOD_RECEIPT)}, run)
    assert took_s < 0.5
