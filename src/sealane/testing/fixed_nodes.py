"""The nodes of a cluster that never changes, as the table of inbound actions wants them."""

from collections.abc import Callable, Sequence

from sealane.model.node import NodeInfo


class FixedNodes:
    """`found` gives them when it is called. None of them answers callers with a key."""

    def __init__(self, found: Callable[[], Sequence[NodeInfo]]) -> None:
        self._found = found

    def nodes(self) -> Sequence[NodeInfo]:
        return self._found()

    def remote_servers(self) -> Sequence[NodeInfo]:
        return ()
