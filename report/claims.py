"""What the words of report.tex rest on: each claim with the condition on the results that makes it true.

A new run of the experiments that turns a claim false stops the build, so that somebody rewrites the sentence.
"""

from .measured import Measured


class FalseClaim(Exception):
    """A sentence of the report that the results contradict."""


CLAIMS = {}


def claim(sentence):
    """Register the condition of `sentence`, a function of the results."""

    def register(condition):
        CLAIMS[sentence] = condition
        return condition

    return register


def check_claims(measured: Measured) -> None:
    """Raises FalseClaim with the first sentence that the results contradict."""
    for sentence, holds in CLAIMS.items():
        if not holds(measured):
            raise FalseClaim(f"report.tex says that {sentence}, which the results contradict: rewrite it (claims.py)")
