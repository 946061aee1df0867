"""What a pretend exchange tells a recorder beside the events: fills, funding, refusals."""

from collections.abc import Sequence

from mmbot.domain.events import Execution, FundingPayment


class Reports:
    """Collected until taken; the counts of refusals only grow."""

    __slots__ = ("_executions", "_funding", "rejected", "would_cross")

    def __init__(self) -> None:
        self.rejected = 0
        self.would_cross = 0
        self._executions: list[Execution] = []
        self._funding: list[tuple[FundingPayment, int]] = []

    def add_execution(self, execution: Execution) -> None:
        """Report a fill."""
        self._executions.append(execution)

    def add_funding(self, payment: FundingPayment, mark_half_ticks: int) -> None:
        """Report funding and the mark it was paid at."""
        self._funding.append((payment, mark_half_ticks))

    def take_executions(self) -> Sequence[Execution]:
        """Fills since the last call."""
        if not self._executions:
            return ()
        executions, self._executions = self._executions, []
        return executions

    def take_funding(self) -> list[tuple[FundingPayment, int]]:
        """Funding since the last call, each with its mark in half ticks."""
        funding, self._funding = self._funding, []
        return funding
