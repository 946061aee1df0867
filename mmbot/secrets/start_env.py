"""StartEnv: what the process was started with, for as long as it runs."""

from collections.abc import Iterator, MutableMapping


class StartEnv(MutableMapping[str, str]):
    """The environment at the start.

    What is taken out leaves the process's own environment, where others could read it, and stays
    known here: a run that begins anew after a halt needs it again.
    """

    def __init__(self, process: MutableMapping[str, str]) -> None:
        self._process = process
        self._start = dict(process)

    def __getitem__(self, name: str) -> str:
        """Return what it was at the start."""
        return self._start[name]

    def __setitem__(self, name: str, value: str) -> None:
        """Set it in both."""
        self._start[name] = self._process[name] = value

    def __delitem__(self, name: str) -> None:
        """Take it out of the process's environment."""
        self._process.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        """Yield the names there were at the start."""
        return iter(self._start)

    def __len__(self) -> int:
        """Return how many there were."""
        return len(self._start)

    def __repr__(self) -> str:
        """Show none of the values."""
        return f"StartEnv({len(self)} variables)"
