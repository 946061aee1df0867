"""What `demo` tells when it is over, and where it writes it."""

from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from mmbot.assemble.demo.stage import RUN, Proof
from mmbot.cli.headers import Input, Words, described
from mmbot.cli.output import printed, show, show_json, write_report
from mmbot.config.schema import Config
from mmbot.domain.status import StatusView
from mmbot.research.record import RunRecord
from mmbot.research.results import Results, document
from mmbot.runtime.supervision import ExitReport

EXIT_UNPROVEN = 8


class Played(NamedTuple):
    """How it went: the bot's own end, its last status, the exchange's proof, the results."""

    report: ExitReport
    status: StatusView
    proof: Proof
    results: Results


def results_of(
    config: Config, folder: Path | None, status: StatusView, record: RunRecord
) -> Results:
    """Compute the results under a header that says what was run."""
    ack = "-" if status.ack_p50_ms is None else f"{status.ack_p50_ms:.1f} ms"
    words = Words("a local exchange's matching", f"answers after {ack}")
    source = "a local exchange, live"
    read = Input(source, _digest(folder), (), None)
    return described(config, "demo", read, words, record)


def deliver(played: Played, folder: Path | None, *, as_json: bool) -> None:
    """Print the results, and write them into the folder."""
    page = None if folder is None else write_report(folder, played.results)
    proof, report = played.proof, played.report
    if as_json:
        content = {
            "schema": "mmbot.demo/1",
            "exit_code": exit_code(played),
            "reason": report.reason,
            "orders_left": proof.orders,
            "violations": proof.violations,
            "equity_gap_usd": float(proof.gap_usd),
            "status": msgspec.to_builtins(played.status),
            "results": document(played.results),
            "report": None if page is None else str(page),
        }
        show_json(content)
        return
    show(["", *printed(played.results), ""])
    audit = "; ".join(proof.violations) or "its books are sound"
    show(
        [
            f"ended: {report.reason}",
            f"the exchange says: {len(proof.orders)} orders of the bot left, its equity is "
            f"{float(proof.gap_usd):+.6f} USD off ours; {audit}",
        ]
    )
    if page is not None:
        show([f"again without the exchange: mmbot compare {page.parent / RUN}"])
        show([f"report: {page}"])


def exit_code(played: Played) -> int:
    """Return 0 only when the exchange itself counts no order of ours."""
    return played.report.code or (EXIT_UNPROVEN if played.proof.orders else 0)


def _digest(folder: Path | None) -> str:
    """Hash of what was recorded, by which runs on the same input are known."""
    if folder is None:
        return "not recorded"
    hashed = sha256()
    for path in sorted((folder / RUN).glob("*.tape")):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()
