"""`/metrics`: the figures of this node in the text format that Prometheus reads."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from sealane.model.metrics import Family, Labels
from sealane.rest.request import Request, Response
from sealane.rest.router import Route, no_indices

_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def routes(collect: Callable[[], Iterable[Family]]) -> list[Route]:
    """`collect` gives the figures as they are now."""

    async def metrics(request: Request) -> Response:
        return Response("".join(_lines(collect())).encode(), content_type=_TYPE)

    return [
        Route(
            methods=("GET",),
            paths=("/_metrics",),
            handler=metrics,
            action="cluster:monitor/metrics",
            indices=no_indices,
        ),
        Route(
            methods=("GET",),
            paths=("/metrics",),
            handler=metrics,
            action="cluster:monitor/metrics",
            indices=no_indices,
            # An index may have that name: it can be made and written to, and be looked at as `/metrics/_settings`.
            shadows=True,
        ),
    ]


def _lines(families: Iterable[Family]) -> Iterator[str]:
    for family in families:
        yield f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n"
        for sample in family.samples:
            name = family.name + sample.suffix
            yield f"{name}{_labels(sample.labels)} {_number(sample.value)}\n"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = ",".join(f'{name}="{text.translate(_ESCAPES)}"' for name, text in labels.items())
    return "{" + pairs + "}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
