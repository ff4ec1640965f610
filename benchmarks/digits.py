"""The digits notebook of the README, as cells."""

from __future__ import annotations

from tests.driver import Kernel

LOAD = "%load_ext cellship"
MODEL = """\
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
X, y = load_digits(return_X_y=True)
model = RandomForestClassifier(n_estimators=50, random_state=0).fit(X[:1500], y[:1500])
"""
DEPLOY = """\
%%deploy digits
def predict(row: list[float]) -> int:
    "Which digit is on this 8x8 image?"
    return int(model.predict([row])[0])

assert predict(X[1600].tolist()) == 2
"""


def fitted(kernel: Kernel) -> None:
    """The notebook up to the cell that is shipped."""
    kernel.run(LOAD)
    kernel.run(MODEL)


def row() -> list[float]:
    """The image of the notebook's assert."""
    from sklearn.datasets import load_digits

    values: list[float] = load_digits(return_X_y=True)[0][1600].tolist()
    return values
