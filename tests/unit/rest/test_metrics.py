"""`/metrics` as text, and where it stands among the routes."""

from sealane.model.histogram import BOUNDS_S, Latencies
from sealane.model.metrics import Family, Sample, histogram, single
from sealane.model.task import Context, Task, TaskId
from sealane.rest.handlers import metrics
from sealane.rest.request import Request, Response
from sealane.rest.router import Route, Router, path_indices


def request(path: str) -> Request:
    ctx = Context(task=Task(TaskId("n", 1), "a", None, 0, ""))
    return Request("GET", path, path, {}, {}, b"", ctx)


async def answer(*families: Family) -> Response:
    (route, _) = metrics.routes(lambda: families)
    return await route.handler(request("/_metrics"))


async def test_the_text_format() -> None:
    response = await answer(
        single("a_total", "counter", "Things.", 3),
        Family("b", "gauge", "Parts.", (Sample(0.5, {"remote": 'e"u\\', "x": "1\n2"}),)),
    )
    assert response.content_type == b"text/plain; version=0.0.4; charset=utf-8"
    assert response.body.decode() == (
        "# HELP a_total Things.\n# TYPE a_total counter\na_total 3\n"
        '# HELP b Parts.\n# TYPE b gauge\nb{remote="e\\"u\\\\",x="1\\n2"} 0.5\n'
    )


def test_a_histogram_counts_up_to_each_bound() -> None:
    latencies = Latencies()
    for duration_s in (0.0005, 0.001, 0.02, 100.0):
        latencies.add(duration_s)
    samples = histogram(latencies, {"remote": "eu"})
    buckets = {each.labels["le"]: each.value for each in samples if each.suffix == "_bucket"}
    assert len(buckets) == len(BOUNDS_S) + 1
    assert (buckets["0.001"], buckets["0.025"], buckets["60"], buckets["+Inf"]) == (2, 3, 3, 4)
    assert [(each.suffix, each.value) for each in samples[-2:]] == [
        ("_sum", 100.0215),
        ("_count", 4),
    ]


async def test_an_index_may_have_its_name() -> None:
    """Only looking at such an index by its bare name is not possible."""

    async def of_index(request: Request) -> Response:
        return Response()

    index = Route(
        methods=("GET", "PUT", "DELETE"),
        paths=("/{index}",),
        handler=of_index,
        action="a",
        indices=path_indices,
    )
    deeper = Route(
        methods=("POST",),
        paths=("/{index}/_search",),
        handler=of_index,
        action="a",
        indices=path_indices,
    )
    router = Router([index, deeper, *metrics.routes(list)])
    assert router.find("PUT", "/metrics", "/metrics") == (index, {"index": "metrics"})
    assert router.find("POST", "/metrics/_search", "") == (deeper, {"index": "metrics"})
    found, parameters = router.find("GET", "/metrics", "/metrics")
    assert (found.action, parameters) == ("cluster:monitor/metrics", {})
    assert router.serves("DELETE", "/metrics")
