"""Two real clusters for the whole session, started as a user starts them. Tests use indices of their own."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from sealane.testing.process import NodeProcess, two_clusters


@pytest.fixture(scope="session")
def clusters() -> Iterator[tuple[NodeProcess, NodeProcess]]:
    """(europe, americas); americas is a remote of europe, in sniff mode."""
    with two_clusters() as pair:
        yield pair


@pytest.fixture
def europe(clusters: tuple[NodeProcess, NodeProcess]) -> NodeProcess:
    return clusters[0]


@pytest.fixture
def americas(clusters: tuple[NodeProcess, NodeProcess]) -> NodeProcess:
    return clusters[1]


_numbers = count(1)


@pytest.fixture
def index() -> str:
    """The name of an index that no other test uses."""
    return f"test-{next(_numbers)}"


Fill = Callable[[NodeProcess, str, list[dict[str, object]]], None]


@pytest.fixture
def fill() -> Fill:
    """`fill(node, index, documents)`: ids 1, 2, ..., refreshed."""

    def fill(node: NodeProcess, name: str, documents: list[dict[str, object]]) -> None:
        for number, document in enumerate(documents, 1):
            node.call("PUT", f"/{name}/_doc/{number}", document)
        node.call("POST", f"/{name}/_refresh")

    return fill
