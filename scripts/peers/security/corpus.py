"""What both clusters hold before the duel begins: the same few indices, and on the remote one an index more."""

import json
from typing import Any

from scripts.peers.security.client import PASSWORD, SUPERUSER, Client
from scripts.rest import UnexpectedAnswerError
from sealane.testing.process import basic

_MAPPING: dict[str, Any] = {
    "msg": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
    "level": {"type": "keyword"},
    "n": {"type": "long"},
    "when": {"type": "date"},
    "user": {"properties": {"name": {"type": "keyword"}, "email": {"type": "keyword"}}},
    "secret": {"type": "keyword", "copy_to": "everything"},
    "secret_number": {"type": "long"},
    "everything": {"type": "text"},
    "parts": {
        "type": "nested",
        "properties": {"key": {"type": "keyword"}, "value": {"type": "keyword"}},
    },
    "shown": {"type": "alias", "path": "level"},
    "hidden": {"type": "alias", "path": "secret"},
    "flat": {"properties": {"one": {"type": "keyword"}, "two": {"type": "keyword"}}},
}
_INDICES = ("logs-1", "logs-2", "docs-1", "private-1")
_FAR = "far-1"


def load(node: Client, *, is_remote: bool) -> None:
    """Makes and fills the indices. One shard each, so that scores and ties are the same everywhere. Raises
    UnexpectedAnswerError.
    """
    for index in (*_INDICES, *([_FAR] if is_remote else [])):
        body = {
            "settings": {"number_of_shards": 1, "number_of_replicas": 0},
            "mappings": {"properties": _MAPPING},
        }
        node.must("PUT", f"/{index}", body)
        lines = "".join(_document(number) for number in range(1, 7))
        told = node.call(
            "POST",
            f"/{index}/_bulk?refresh=true",
            lines,
            authorization=basic(SUPERUSER, PASSWORD),
        )
        if told.status != 200 or told.body["errors"]:
            raise UnexpectedAnswerError(f"loading [{index}] answered {told.status}: {told.body}")
    aliases = {"logs-all": ["logs-1", "logs-2"], "docs-all": ["docs-1"]}
    actions = [{"add": {"indices": held, "alias": name}} for name, held in aliases.items()]
    node.must("POST", "/_aliases", {"actions": actions})


def _document(number: int) -> str:
    source = {
        "msg": f"quick brown fox{number} private{number}",
        "level": "public" if number % 2 else "hidden",
        "n": number,
        "when": f"2024-01-0{number}",
        "user": {"name": f"u{number}", "email": f"u{number}@example.org"},
        "secret": f"s{number}",
        "secret_number": number * 10,
        "parts": [{"key": f"k{number}", "value": f"v{number}"}],
        "flat": {"one": f"f{number}", "two": "z"},
        "dynamic": {"list": [{"a": number, "b": number}, {"a": number + 1}]},
    }
    return json.dumps({"index": {"_id": str(number)}}) + "\n" + json.dumps(source) + "\n"
