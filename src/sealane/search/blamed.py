"""Whose answer it is that cannot be merged: one cluster's nonsense is that cluster's failure, not the search's.

An answer that was read is of the right shape, but what is in it may still not fit what was asked: sums where buckets
are wanted, text among numbers. That shows when answers are merged, and then they are merged one by one.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Final

from sealane.errors import ApiError, IllegalArgument, UnfitState
from sealane.reduce.partial import Partial
from sealane.search.expression import LOCAL
from sealane.search.outcome import ClusterOutcome

UNMERGEABLE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    UnfitState,
    struct.error,
)
"""What merging raises for answers that are not to what was asked."""

Answered = tuple[ClusterOutcome, Partial | None]


def blamed(
    outcomes: Sequence[Answered], merge: Callable[[Sequence[Partial]], Partial]
) -> dict[str, ApiError]:
    """By alias, the clusters whose answers cannot be merged with those before them. The local cluster is believed."""
    found: dict[str, ApiError] = {}
    believed: list[Partial] = []
    for outcome, answer in sorted(outcomes, key=lambda each: each[0].alias != LOCAL):
        if answer is None:
            continue
        try:
            merge([*believed, answer])
        except UNMERGEABLE as error:
            if outcome.alias == LOCAL:
                raise
            found[outcome.alias] = IllegalArgument(
                f"the answer of remote cluster [{outcome.alias}] is not one to what it was asked"
            )
            found[outcome.alias].__cause__ = error
            continue
        except ApiError:
            pass  # of the request, or of how the clusters' fields differ
        believed.append(answer)
    return found
