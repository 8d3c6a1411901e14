"""What an asynchronous search has found while it runs: the answer of the clusters that have ended, and who still works.

It listens to the search and merges only when somebody looks.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from sealane.errors import ApiError, TaskCancelled
from sealane.model.dsl import TRACK_NONE
from sealane.reduce.partial import Partial, ShardCounts, TotalHits
from sealane.search.client_search import ClientSearch
from sealane.search.expression import LOCAL, ClusterTarget
from sealane.search.outcome import (
    ClusterOutcome,
    Clusters,
    ClusterStatus,
    SearchOutcome,
    failed_outcome,
)

Merge = Callable[[Sequence[Partial]], Partial]
"""The final answer of partial ones."""


class SearchSoFar:
    """Implements Progress."""

    def __init__(self, request: ClientSearch, merge: Merge) -> None:
        self._request = request
        self._merge = merge
        self._targets: Sequence[ClusterTarget] | None = None
        self._outcomes: dict[str, ClusterOutcome] = {}
        self._answers: list[Partial] = []
        self._reduced: Callable[[], Partial] | None = None
        self._merged: tuple[int, Partial] | None = None
        self.known = asyncio.Event()
        """Set once the clusters are known."""

    # -- as the search tells it --------------------------------------------------------------------------------

    def begun(self, targets: Sequence[ClusterTarget]) -> None:
        self._targets = targets
        self.known.set()

    def cluster_ended(self, outcome: ClusterOutcome, answer: Partial | None) -> None:
        self._outcomes[outcome.alias] = outcome
        if answer is not None:
            self._answers.append(answer)

    def shards_counted(self, outcome: ClusterOutcome) -> None:
        self._outcomes[outcome.alias] = outcome

    def reduced(self, answer: Callable[[], Partial]) -> None:
        self._reduced = answer

    # -- as clients see it -------------------------------------------------------------------------------------

    def outcome(self, took_ms: int) -> SearchOutcome | None:
        """The answer so far; None before the clusters are known."""
        if self._targets is None:
            return None
        answer, phases = self._answer()
        return SearchOutcome(
            answer=answer, took_ms=took_ms, reduce_phases=phases, clusters=self._clusters()
        )

    def failed(self, error: ApiError, took_ms: int) -> SearchOutcome | None:
        """The answer of a search that failed: what had come by then. Clusters that were given up have failed too."""
        for target in self._targets or ():
            known = self._outcomes.get(target.alias)
            if known is None or known.status is ClusterStatus.RUNNING:
                gone = failed_outcome(target.alias, target.expressions, error)
                self._outcomes[target.alias] = gone
        return self.outcome(took_ms)

    def forget(self) -> None:
        """The search has ended, and is known by its outcome: what clusters have answered is not kept any longer."""
        self._answers, self._outcomes = [], {}
        self._reduced = self._merged = None

    def _clusters(self) -> Clusters | None:
        targets = self._targets or ()
        if len(targets) == 1 and targets[0].alias == LOCAL:
            return None
        return Clusters(
            tuple(self._outcomes.get(target.alias) or _running(target) for target in targets)
        )

    def _answer(self) -> tuple[Partial, int]:
        if self._reduced is not None:
            answer = self._or_no_hits(self._reduced)
            shown = msgspec.structs.replace(answer, hits=[], shards=self._shards())
            return _at_least(shown), answer.reduce_phases
        if not self._answers or not self._request.minimize_roundtrips:
            return self._no_hits(), 0
        count = len(self._answers)
        if self._merged is None or self._merged[0] != count:
            self._merged = count, self._or_no_hits(lambda: self._merge(self._answers))
        phases = 1 + sum(part.reduce_phases for part in self._answers)
        return _at_least(self._merged[1]), phases

    def _or_no_hits(self, merge: Callable[[], Partial]) -> Partial:
        """What cannot be merged is told when the search ends; until then its shards are counted."""
        try:
            return merge()
        except TaskCancelled:
            raise
        except ApiError:
            return self._no_hits()

    def _no_hits(self) -> Partial:
        total = None if self._request.body.track_total_hits == TRACK_NONE else TotalHits(0, False)
        return Partial(
            hits=[],
            total=total,
            max_score=None,
            shards=self._shards(),
            failures=[
                failure
                for each in self._outcomes.values()
                if each.shards is not None
                for failure in each.failures
            ],
        )

    def _shards(self) -> ShardCounts:
        """Those known, and of them those that have answered."""
        counts = [each.shards for each in self._outcomes.values() if each.shards is not None]
        return ShardCounts(
            sum(each.total for each in counts),
            sum(each.successful for each in counts),
            sum(each.skipped for each in counts),
            sum(each.failed for each in counts),
        )


def _running(target: ClusterTarget) -> ClusterOutcome:
    return ClusterOutcome(
        alias=target.alias, status=ClusterStatus.RUNNING, indices=",".join(target.expressions)
    )


def _at_least(answer: Partial) -> Partial:
    """The answer with a total that may still grow."""
    if answer.total is None:
        return answer
    return msgspec.structs.replace(answer, total=TotalHits(answer.total.value, False))
