"""How often a search over shards reduces, by the reference's count."""

from sealane.model.dsl import SearchBody


def reduce_phases(body: SearchBody, answers: int, batch: int) -> int:
    """`num_reduce_phases` for so many answers of shards, reduced `batch` (`batched_reduce_size`) at a time.

    As soon as `batch` answers wait they become one when the next arrives, which waits with it; the last reduction is
    counted too. A search that wants neither hits nor aggregations only adds up.
    """
    if answers <= batch or not (body.size or body.aggs):
        return 1
    return 1 + -(-(answers - batch) // (batch - 1))
