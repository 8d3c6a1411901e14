"""From method and path to a route: a trie by path segments.

A literal segment wins over a parameter; where the literal's branch leads nowhere, the parameter's is tried. The first
node that has any route decides, whatever its methods are: that is how the reference answers 405 rather than 400.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sealane.errors import IllegalArgument
from sealane.rest.errors import MethodNotAllowed, NoHandler
from sealane.rest.params import Parser
from sealane.rest.percent import decode_component
from sealane.rest.request import Request, Response

METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "CONNECT")
"""In the order in which the reference lists them."""


Handler = Callable[[Request], Awaitable[Response]]
IndicesOf = Callable[[Request], Sequence[str]]


def no_indices(request: Request) -> Sequence[str]:
    """For actions on the cluster, and for those whose indices are named in the body."""
    return ()


def path_indices(request: Request) -> Sequence[str]:
    """The expressions in the path; none means all."""
    return request.indices or ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation. `action` and `indices` are what `authorize` is asked. `indices` may raise what is wrong with the
    request whoever asks.

    `params` are the query parameters it knows, with how each is read. `body` says whether it takes one.
    `unsuggested` are those of `params` that the reference only looks for when they are given, and so
    never suggests in place of an unknown one.
    """

    methods: tuple[str, ...]
    paths: tuple[str, ...]
    handler: Handler
    action: str
    indices: IndicesOf
    params: Mapping[str, Parser] = field(default_factory=dict)
    body: bool = False
    unsuggested: frozenset[str] = frozenset()
    also: tuple[str, ...] = ()
    """Further actions that its answer is made of: what the reference asks several APIs for. All must be allowed."""
    check: Callable[[Request], object] | None = None
    """Raises what is wrong with a request whoever makes it. Asked of those that are denied alone: like the reference
    says so before it denies, and the handler of others finds it anyway.
    """
    shadows: bool = False
    """Whether only its own methods are taken from what a parameter would match in the place of its last segment."""


class _Node:
    __slots__ = ("literals", "methods", "names", "parameter", "shadows")

    def __init__(self) -> None:
        self.shadows = False
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.methods: dict[str, Route | None] = {}
        """None: a path that only older clients know. It counts for `Allow`, and has no handler."""
        self.names: dict[str, tuple[str, ...]] = {}


RETIRED_PATHS = (
    (("POST",), "/{index}/{type}"),
    (("GET", "POST", "PUT", "DELETE", "HEAD"), "/{index}/{type}/{id}"),
)
"""Document paths of the reference's version 7 with mapping types; it still refuses them by name."""


class Router:
    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            for path in route.paths:
                for method in route.methods:
                    self._add(method, path, route)
        for methods, path in RETIRED_PATHS:
            for method in methods:
                self._add(method, path, None)

    def _add(self, method: str, path: str, route: Route | None) -> None:
        node = self._root
        names = []
        for segment in segments_of(path):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                if node.parameter is None:
                    node.parameter = _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        assert method not in node.methods or route is None, f"{method} {path} is routed twice"
        node.methods.setdefault(method, route)
        node.shadows |= route is not None and route.shadows
        node.names.setdefault(method, tuple(names))

    def find(self, method: str, path: str, uri: str) -> tuple[Route, dict[str, str]]:
        """The route and its decoded path parameters.

        Raises MethodNotAllowed or NoHandler, with the reference's texts, IllegalArgument for a bad percent escape.
        """
        raw = segments_of(path)
        segments = raw if "%" not in path else [decode_component(each, path) for each in raw]
        values: list[str] = []
        node = _match(self._root, segments, 0, values, method)
        if node is None:
            raise NoHandler(uri, method)
        route = node.methods.get(method)
        if route is not None:
            return route, dict(zip(node.names[method], values, strict=True))
        if method in node.methods:
            raise NoHandler(uri, method)
        raise MethodNotAllowed(uri, method, _in_order(node.methods))

    def serves(self, method: str, path: str) -> bool:
        """Whether there is a route for it."""
        try:
            segments = [decode_component(each, path) for each in segments_of(path)]
        except IllegalArgument:
            return False
        node = _match(self._root, segments, 0, [], method)
        return node is not None and node.methods.get(method) is not None

    def allowed(self, path: str) -> list[str]:
        """The methods served at `path`, for OPTIONS."""
        values: list[str] = []
        node = _match(self._root, segments_of(path), 0, values, "OPTIONS")
        return _in_order(node.methods) if node is not None else []


def _in_order(methods: Mapping[str, Any]) -> list[str]:
    return [method for method in METHODS if method in methods]


def _match(
    node: _Node, segments: list[str], at: int, values: list[str], method: str
) -> _Node | None:
    if at == len(segments):
        return node if node.methods and (not node.shadows or method in node.methods) else None
    literal = node.literals.get(segments[at])
    if literal is not None:
        found = _match(literal, segments, at + 1, values, method)
        if found is not None:
            return found
    if node.parameter is None:
        return None
    values.append(segments[at])
    found = _match(node.parameter, segments, at + 1, values, method)
    if found is None:
        values.pop()
    return found


def segments_of(path: str) -> list[str]:
    """The path's segments; a slash at the end adds none."""
    segments = path[1:].split("/")
    if segments[-1] == "":
        segments.pop()
    return segments
