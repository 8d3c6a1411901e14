"""How far a search over several clusters is, for whoever shows it while it runs.

A search that nobody watches has no listener and pays nothing. What is shown is the listener's matter.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from sealane.reduce.partial import Partial
from sealane.search.expression import ClusterTarget
from sealane.search.outcome import ClusterOutcome


class Progress(Protocol):
    """Told of each step as it happens, in the search's own task: a listener must not block, and must not raise.

    A search of the local cluster alone tells its targets and no more: its end is the search's.
    """

    def begun(self, targets: Sequence[ClusterTarget]) -> None:
        """The clusters that are asked, once their names are known to be right here."""

    def cluster_ended(self, outcome: ClusterOutcome, answer: Partial | None) -> None:
        """One cluster answered, was skipped or failed; `answer` merges with those of the others. It is what the
        cluster was asked for: the whole answer where it was asked alone.
        """

    def shards_counted(self, outcome: ClusterOutcome) -> None:
        """A cluster's shards are known, or more of them have answered: `outcome` is still running."""

    def reduced(self, answer: Callable[[], Partial]) -> None:
        """`answer()` is what has come so far, where shards are asked rather than clusters; its hits are of no use. It
        may raise what a search raises whose answers do not merge.
        """
