"""What a run left behind: its tapes, `config.yaml` as it was in force, and `journal.jsonl`."""

from dataclasses import dataclass
from pathlib import Path

from mmbot.config.loader import load
from mmbot.config.schema import Config
from mmbot.errors import DataError
from mmbot.tape.journal import Journalled, read_journal

CONFIG = "config.yaml"
JOURNAL = "journal.jsonl"
TAPES = "*.tape"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """What a run left behind."""

    path: Path
    config: Config
    journal: Journalled

    @property
    def tapes(self) -> list[Path]:
        """Its recordings, sorted by name."""
        return sorted(self.path.glob(TAPES))


def open_run(path: Path) -> RunFolder:
    """Open the folder of a run; DataError or ConfigError say what is missing or wrong in it."""
    if not path.is_dir():
        raise DataError(f"{path}: expected the folder of a run")
    config = load([path / CONFIG]).config
    folder = RunFolder(path, config, read_journal(path / JOURNAL))
    if not folder.tapes:
        raise DataError(f"{path}: expected the recordings of a run ({TAPES}), found none")
    return folder
