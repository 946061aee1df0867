"""Write tapes: a finished file appears under its name at once; a recording grows in place."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from mmbot.cext.capture import ROW_BYTES, OrderCheck, split_rows
from mmbot.domain.market import Market
from mmbot.errors import DataError
from mmbot.tape.format import BLOCK_ROWS, encode_block, encode_header, header_for
from mmbot.tape.reader import TapeFile


class TapeWriter:
    """Append rows, in their final order, to a tape of these markets.

    Without `append` the tape grows under NAME.part and gets its name on `close`; leaving the
    `with` block by an error removes it. With `append` rows go to NAME itself, behind what is there;
    a torn last block is cut off first. An existing file is never overwritten.
    DataError: the file exists, or holds other markets.
    """

    def __init__(
        self,
        path: Path,
        markets: Sequence[Market],
        *,
        source: str,
        created_ns: int,
        append: bool = False,
    ) -> None:
        if not append and path.exists():
            raise DataError(f"{path}: the file exists already and is not overwritten")
        self.path = path
        self.rows = 0
        self._final = append
        self._pending = [bytearray() for _ in markets]
        self._orders = [OrderCheck() for _ in markets]
        self._growing = path if append else path.with_name(path.name + ".part")
        # An empty file is what a crash between its making and its header leaves.
        resumed = append and path.exists() and path.stat().st_size > 0
        try:
            if resumed:
                _resume(path, markets)
            self._file = self._growing.open("ab" if append else "wb")
        except OSError as error:
            raise DataError(f"{self._growing}: cannot be written ({error.strerror})") from error
        if not resumed:
            header = header_for(markets, source=source, created_ns=created_ns)
            self._file.write(encode_header(header))
            self._file.flush()

    def append(self, rows: bytes) -> None:
        """Take rows of any of the markets.

        ValueError: a row is of none of them, or the time of a stream goes back.
        """
        for number, part in enumerate(split_rows(rows, len(self._pending))):
            self.append_to(number, part)

    def append_to(self, number: int, rows: bytes) -> None:
        """Take rows of the tape's market `number`, whatever market they name.

        ValueError: the time of a stream goes back.
        """
        self._orders[number].push(rows)
        pending = self._pending[number]
        pending += rows
        while len(pending) >= BLOCK_ROWS * ROW_BYTES:
            self._file.write(encode_block(number, bytes(pending[: BLOCK_ROWS * ROW_BYTES])))
            del pending[: BLOCK_ROWS * ROW_BYTES]
        self.rows += len(rows) // ROW_BYTES

    def flush(self) -> None:
        """Write all rows taken so far and have the system put them on the disk."""
        for number, pending in enumerate(self._pending):
            if pending:
                self._file.write(encode_block(number, bytes(pending)))
                pending.clear()
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Flush, and give the tape its name."""
        self.flush()
        self._file.close()
        if not self._final:
            # Unlike a rename, a link fails when the name was taken meanwhile.
            try:
                os.link(self._growing, self.path)
            except FileExistsError as error:
                raise DataError(f"{self.path}: the file exists already") from error
            finally:
                self._growing.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or self._final:
            self.close()
            return
        self._file.close()
        self._growing.unlink()


def _resume(path: Path, markets: Sequence[Market]) -> None:
    tape = TapeFile(path)
    held = header_for(markets, source="", created_ns=0).markets
    if tape.header.markets != held:
        raise DataError(
            f"{path}: expected a tape of {', '.join(m.symbol for m in held)} on the same grids,"
            f" found {', '.join(m.symbol for m in tape.header.markets)}"
        )
    for _ in tape.heads():
        pass
    if tape.torn_bytes:
        os.truncate(path, tape.size - tape.torn_bytes)
