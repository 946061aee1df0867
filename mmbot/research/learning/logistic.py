"""Logistic regression on standardised signals, by scikit-learn; needs the extra `learning`."""

from collections.abc import Callable, Sequence

STRENGTH = 0.05
MOST_STEPS = 1000

Rows = Sequence[Sequence[float]]
Chances = Callable[[Rows], list[float]]


def fitted(rows: Rows, happened: Sequence[bool]) -> Chances:
    """Learn from rows and what happened; both outcomes must be among them."""
    # Alone: it costs 100 MB and seconds that nobody else has to pay.
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=MOST_STEPS))
    model.fit(rows, happened)

    def chances(unseen: Rows) -> list[float]:
        found: list[float] = model.predict_proba(unseen)[:, 1].tolist()
        return found

    return chances
