"""Takes out of an answer what two correct nodes may say differently: how long it took, which
ids and addresses they have, when and under which random id something was made. Everything else
stays."""

import re
from dataclasses import dataclass
from typing import Any

from scripts.rest import Rest

# A key whose value is of this type says nothing that could be compared; one of another type stays.
_VOLATILE: dict[str, type] = {
    "took": int,
    "ingest_took": int,
    "creation_date": str,
    "task_max_waiting_in_queue_millis": int,
}
_RANDOM_UUID = r"[A-Za-z0-9_-]{22}"
_UUIDS = frozenset({"uuid", "index_uuid"})
_WHOLE_UUID = re.compile(_RANDOM_UUID)
_BRACKETED_UUID = re.compile(rf"(?<=[\[{{/]){_RANDOM_UUID}(?=[\]}}])")
_AUTOMATIC_ID = re.compile(r"[A-Za-z0-9_-]{20}")
# Lengths of the parts that a JSON parser prints of its own source object.
_OBJECT_IDENTITY = re.compile(r"@[0-9a-f]{5,8}\b")


@dataclass(frozen=True, slots=True)
class Names:
    """What the two nodes of a pair call themselves, each with the word to put in its place."""

    exact: tuple[tuple[str, str], ...]  # cluster names: only as a whole value, or in brackets
    anywhere: tuple[tuple[str, str], ...]  # node names, node ids and addresses

    def replaced(self, text: str) -> str:
        for own, word in self.exact:
            if text == own:
                return word
            for opening, closing in ("[]", "{}", "()"):
                text = text.replace(f"{opening}{own}{closing}", f"{opening}{word}{closing}")
        for own, word in self.anywhere:
            text = re.sub(rf"(?<![\w-]){re.escape(own)}(?![\w-])", word, text)
        text = _BRACKETED_UUID.sub("<uuid>", text)
        return _OBJECT_IDENTITY.sub("@<identity>", text)


def names_of(local: Rest, remote: Rest) -> Names:
    """Asks both nodes for their names."""
    exact: list[tuple[str, str]] = []
    anywhere: list[tuple[str, str]] = []
    for word, node in (("local", local), ("remote", remote)):
        answer = node.must("GET", "/_nodes/http,transport")
        exact.append((answer["cluster_name"], f"<{word} cluster>"))
        for node_id, facts in answer["nodes"].items():
            anywhere += [
                (node_id, f"<{word} node id>"),
                (facts["name"], f"<{word} node>"),
                (facts["transport_address"], f"<{word} transport>"),
                (facts["http"]["publish_address"], f"<{word} http>"),
            ]
    return Names(tuple(exact), tuple(anywhere))


def normalised(value: Any, names: Names) -> Any:
    """`value` (parsed JSON or text) without what is volatile. The source of a document stays as
    it is."""
    if isinstance(value, dict):
        return {names.replaced(key): _member(key, inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [normalised(inner, names) for inner in value]
    if isinstance(value, str):
        return names.replaced(value)
    return value


def _member(key: str, value: Any, names: Names) -> Any:
    if key == "_source":
        return value
    volatile = _VOLATILE.get(key)
    if volatile is not None and type(value) is volatile:
        return f"<{key}>"
    if key in _UUIDS and isinstance(value, str) and _WHOLE_UUID.fullmatch(value):
        return f"<{key}>"
    if key == "_id" and isinstance(value, str) and _AUTOMATIC_ID.fullmatch(value):
        return "<automatic id>"
    return normalised(value, names)
