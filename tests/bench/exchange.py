"""The exchange in a process of its own: actions over one connection, fan-out, what idling costs."""

import base64
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import Request, urlopen

from nacl.signing import SigningKey

from mmbot.adapters.zo.wire import base58
from mmbot.adapters.zo.wire.proto import nord_pb2 as pb
from tests.bench.registry import bench

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = 3000
SUBSCRIBERS = 10
FANOUT_STEPS_MS = 300_000
IDLE_S = 5.0
WALLET, SESSION = SigningKey(bytes([3] * 32)), SigningKey(bytes([4] * 32))


class Venue:
    """A started exchange."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port

    def get(self, path: str) -> object:
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: bytes, kind: str) -> bytes:
        request = Request(f"http://127.0.0.1:{self.port}{path}", body, {"Content-Type": kind})
        with urlopen(request, timeout=120) as answer:  # noqa: S310
            reply: bytes = answer.read()
            return reply

    def act(self, body: bytes) -> pb.Receipt:
        reply = self.post("/action", body, "application/octet-stream")
        return pb.Receipt.FromString(reply[1 if reply[0] < 128 else 2 :])

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


@contextmanager
def venue(*flags: str) -> Iterator[Venue]:
    """Start an exchange and end it."""
    command = [sys.executable, "-m", "mmbot", "exchange", "--port", "0", *flags]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield Venue(process, int(ready["http"].rpartition(":")[2]))
        finally:
            process.terminate()
            process.wait(10)


def signed(action: pb.Action, now_s: int, nonce: int) -> bytes:
    """Return the body of an action, signed by its key."""
    action.current_timestamp, action.nonce = now_s, nonce
    payload = action.SerializeToString()
    size = len(payload)
    prefix = bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
    raw = prefix + payload
    wallet = action.HasField("create_session")
    return raw + (WALLET.sign(raw.hex().encode()) if wallet else SESSION.sign(raw)).signature


def _order(side: "pb.Side.ValueType", ticks: int) -> pb.AtomicSubactionKind:
    return pb.AtomicSubactionKind(
        trade_or_place=pb.TradeOrPlace(
            place_type=pb.PlaceType(side=side, fill_mode=pb.POST_ONLY),
            limit=pb.OrderLimit(price=ticks, size=100),
        )
    )


def _requotes(venue: Venue, count: int) -> list[bytes]:
    """Return bodies that each cancel both quotes and place two others."""
    now_s = int(str(venue.get("/timestamp")))
    wallet, key = bytes(WALLET.verify_key), bytes(SESSION.verify_key)
    venue.get(f"/user/{base58.encode(wallet)}")
    wanted = pb.CreateSession(user_pubkey=wallet, session_pubkey=key, expiry_timestamp=now_s + 9999)
    create = pb.Action(create_session=wanted)
    session = venue.act(signed(create, now_s, 1)).create_session_result.session_id
    quotes = [_order(pb.BID, 590_000), _order(pb.ASK, 610_000)]
    atomic = pb.Action(atomic=pb.Atomic(session_id=session, actions=quotes))
    results = venue.act(signed(atomic, now_s, 2)).atomic.results
    last = results[1].place_order_result.posted.order_id
    bodies = []
    for number in range(count):
        cancels = [
            pb.AtomicSubactionKind(cancel_order=pb.CancelOrder(order_id=order_id))
            for order_id in (last - 1, last)
        ]
        away = number % 50
        quotes = [_order(pb.BID, 590_000 - away), _order(pb.ASK, 610_000 + away)]
        batch = pb.Atomic(session_id=session, actions=[*cancels, *quotes])
        bodies.append(signed(pb.Action(atomic=batch), now_s, number + 3))
        last += 2
    return bodies


@bench("post_action_atomic4", unit="actions/s", must=1500, goal=3000, higher=True)
def post_action(runs: int) -> list[float]:
    """Cancel two, place two, signature checked: one after another on one connection."""
    with venue("--flow", "normal") as server:
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        samples = []
        for _ in range(runs):
            requests = [
                b"POST /action HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
                for body in _requotes(server, ACTIONS)
            ]
            start = time.perf_counter()
            replies = [_answered(connection, request) for request in requests]
            samples.append(ACTIONS / (time.perf_counter() - start))
            for reply in replies:
                body = reply.partition(b"\r\n\r\n")[2]
                receipt = pb.Receipt.FromString(body[1 if body[0] < 128 else 2 :])
                if len(receipt.atomic.results) != len(("cancel", "cancel", "bid", "ask")):
                    raise RuntimeError(f"refused: {receipt}")
        connection.close()
        return samples


def _answered(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    reply = connection.recv(65_536)
    head, _, body = reply.partition(b"\r\n\r\n")
    size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < size:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


COUNTER = """
import selectors, socket, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
path = sys.argv[3].encode()
key = sys.argv[4].encode()
watch = selectors.DefaultSelector()
for _ in range(count):
    one = socket.create_connection(("127.0.0.1", port))
    one.sendall(b"GET /ws/%s HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: websocket\\r\\n"
                b"Connection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\n"
                b"Sec-WebSocket-Key: %s\\r\\n\\r\\n" % (path, key))
    head = b""
    while not head.endswith(b"\\r\\n\\r\\n"):
        head += one.recv(1)
    one.setblocking(False)
    watch.register(one, selectors.EVENT_READ, [b""])
print("listening", flush=True)
seen, open_count = 0, count
while open_count:
    for key, _ in watch.select():
        data = key.data[0] + key.fileobj.recv(1 << 20)
        at, size = 0, len(data)
        if not size:
            watch.unregister(key.fileobj)
            open_count -= 1
        while at + 2 <= size:
            length, start = data[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(data[at + 2:at + 4], "big"), at + 4
            elif length == 127:
                length, start = int.from_bytes(data[at + 2:at + 10], "big"), at + 10
            if start > size or start + length > size:
                break
            if data[at] == 0x88:
                watch.unregister(key.fileobj)
                open_count -= 1
                break
            seen += data[at] == 0x81
            at = start + length
        key.data[0] = data[at:]
print(seen, flush=True)
"""


@contextmanager
def _counter(server: Venue, streams: str) -> Iterator["subprocess.Popen[str]"]:
    key = base64.b64encode(bytes(16)).decode()
    command = [sys.executable, "-c", COUNTER, str(server.port), str(SUBSCRIBERS), streams, key]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


@bench("delta_fanout", unit="deliveries/s", must=50_000, goal=150_000, higher=True)
def delta_fanout(runs: int) -> list[float]:
    """Deltas of three synthetic markets, made as fast as it goes, counted at ten subscribers.

    Includes the market itself: order flow, matching, encoding. Messages published are a tenth.
    """
    samples = []
    streams = "deltas@BTCUSD&deltas@ETHUSD&deltas@SOLUSD"
    for _ in range(runs):
        with (
            venue("--flow", "normal", "--virtual-time", "--control") as server,
            _counter(server, streams) as counter,
        ):
            start = time.perf_counter()
            body = json.dumps({"ms": FANOUT_STEPS_MS}).encode()
            server.post("/_ctl/step", body, "application/json")
            took_s = time.perf_counter() - start
            server.process.terminate()
            assert counter.stdout is not None
            samples.append(int(counter.stdout.readline()) / took_s)
    return samples


@bench("exchange_idle", unit="% of a core", must=5.0)
def exchange_idle(runs: int) -> list[float]:
    """Three markets with normal flow in real time, nobody connected."""
    with venue("--flow", "normal") as server:
        samples = []
        for _ in range(min(runs, 3)):
            before_s, start = server.cpu_s(), time.perf_counter()
            time.sleep(IDLE_S)
            samples.append(100 * (server.cpu_s() - before_s) / (time.perf_counter() - start))
        return samples
