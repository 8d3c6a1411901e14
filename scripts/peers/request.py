"""One request of the duel, as data. The families of requests are in the `requests_*` modules."""

import json
from dataclasses import dataclass
from typing import Any, Literal

# Names of the indices and aliases that the duel makes, on either cluster. All begin alike, so
# that the duel can run against nodes that hold other things.
CITIES = "duel-cities"
SHARDED = "duel-sharded"
TRICKY = "duel-tricky"
DYNAMIC = "duel-dynamic"
EMPTY = "duel-empty"
SCRATCH = "duel-scratch"
# Equal hits of two clusters are ordered by index name, and by a random uuid where the names are
# equal: what ties a lot has another name on the remote cluster.
FAR_NAMES = {TRICKY: "duel-tricky-far", DYNAMIC: "duel-dynamic-far"}
REMOTE = "duel_remote"
GONE = "duel_gone"  # nobody listens there, skip_unavailable is true
GONE_HARD = "duel_gone_hard"  # nobody listens there, skip_unavailable is false


@dataclass(frozen=True, slots=True)
class Request:
    """`body` is sent as JSON when it is a dictionary, as written when it is text; `ndjson` says
    how it is labelled. `cluster` is the node that receives it. `setup` marks a step of its
    family's sequence: it means something only after all the steps before it.
    """

    name: str
    method: str
    path: str
    body: dict[str, Any] | str | None = None
    ndjson: bool = False
    cluster: Literal["local", "remote"] = "local"
    setup: bool = False

    def text(self) -> str | None:
        return json.dumps(self.body) if isinstance(self.body, dict) else self.body

    def content_type(self) -> str:
        return "application/x-ndjson" if self.ndjson else "application/json"


def search(name: str, target: str, body: dict[str, Any], parameters: str = "") -> Request:
    return Request(name, "POST", f"/{target}/_search{parameters}", body)


def there(index: str) -> str:
    """The expression that reaches the index on the remote cluster."""
    return f"{REMOTE}:{FAR_NAMES.get(index, index)}"


def everywhere(name: str, index: str, body: dict[str, Any]) -> list[Request]:
    """The same search on the local cluster, on the remote one, on both in one round trip and on
    both in the many-round-trip form."""
    both = f"{index},{there(index)}"
    return [
        search(f"{name}/local", index, body),
        search(f"{name}/remote", there(index), body),
        search(f"{name}/both", both, body),
        search(f"{name}/both-phases", both, body, "?ccs_minimize_roundtrips=false"),
    ]
