"""`_terms_enum` over several clusters: sorted terms of each, merged, without repeats, cut to size."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sealane.errors import ApiError
from sealane.model.about_indices import TermsEnumRequest
from sealane.model.task import Context
from sealane.reduce.merged_terms import merge_terms
from sealane.reduce.partial import ShardCounts, ShardFailure
from sealane.search.about_indices import AboutIndices, IndicesOfRemotes, ask_clusters
from sealane.search.named_clusters import clusters_named

_SLACK_S = 0.25
"""What a remote has beyond the request's own timeout to get its answer here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsEnumOutcome:
    """`complete` is false where a shard or a cluster had no time or failed."""

    terms: Sequence[str]
    complete: bool
    shards: ShardCounts
    failures: Sequence[ShardFailure]


class TermsEnumService:
    """Asks the local cluster and registered remotes."""

    def __init__(self, *, local: AboutIndices, remotes: IndicesOfRemotes) -> None:
        self._local = local
        self._remotes = remotes

    async def terms_enum(self, request: TermsEnumRequest, ctx: Context) -> TermsEnumOutcome:
        """`request.indices` are as the client typed them, aliases included.

        A remote that fails makes the answer incomplete. Raises what is wrong with the expressions or with the local
        cluster's part of them.
        """
        targets = clusters_named(request.indices, self._remotes.aliases, request.options)
        asked = await ask_clusters(
            self._local,
            self._remotes,
            targets,
            lambda cluster, target: cluster.terms_enum(
                replace(request, indices=target.expressions), ctx
            ),
            timeout_s=request.timeout_ms / 1000 + _SLACK_S,
        )
        parts = [each.answer for each in asked if each.answer is not None]
        lost = [
            ShardFailure(-1, f"{each.target.alias}:{','.join(each.target.expressions)}", wire)
            for each in asked
            if (wire := _wire(each.error)) is not None
        ]
        failures = [
            ShardFailure(-1, each.named(failed.index), failed.error)
            for each in asked
            if each.answer is not None
            for failed in each.answer.failures
        ]
        return TermsEnumOutcome(
            terms=merge_terms([part.terms for part in parts], request.size),
            complete=not lost and all(part.complete for part in parts),
            shards=ShardCounts(
                total=sum(part.total for part in parts) + len(lost),
                successful=sum(part.successful for part in parts),
                skipped=0,
                failed=sum(part.failed for part in parts) + len(lost),
            ),
            failures=(*failures, *lost),
        )


def _wire(error: ApiError | None) -> dict[str, object] | None:
    return None if error is None else error.to_wire()
