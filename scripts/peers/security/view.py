"""What of an answer is compared: the status, of an error its type and reason, and of anything else all but what two
correct nodes may say differently.
"""

import re
from collections.abc import Mapping
from typing import Any

from scripts.peers.normalise import Names, normalised
from scripts.peers.security.client import Client, Told
from scripts.rest import Answer

_TIMES = frozenset({"creation", "expiration", "invalidation"})
_UNSTEADY = frozenset(
    {"took", "_seq_no", "_primary_term", "_version", "num_reduce_phases", "_shards", "profile"}
)
"""The last: how many shards were asked is another duel's business."""
_SECRETS = {"api_key": 22, "encoded": 60}
_LISTED = re.compile(r"(?<=on indices )\[([^\]]*)\]|(?<=on restricted indices )\[([^\]]*)\]")
"""The reference names indices in the order of a hash table."""
_CONTEXT_IDS = frozenset({"_scroll_id", "pit_id"})
_LONG = 100
_TOWARDS = re.compile(r"unable to authenticate user \[.*\] for action \[")
_AUTOMATIC = re.compile(r"[A-Za-z0-9_-]{20}")


def shown(told: Told, names: Names, words: Mapping[str, str]) -> Answer:
    """The comparable part of an answer. `words` are texts that differ by nature, each with what stands for it."""
    body = _view(told.body)
    if isinstance(body, dict) and told.status == 401:
        body["challenge"] = list(told.challenge)
    return Answer(told.status, _replaced(normalised(body, names), words))


def names_of(local: Client, remote: Client) -> Names:
    """What the nodes of a pair call themselves. Raises UnexpectedAnswerError."""
    exact: list[tuple[str, str]] = []
    anywhere: list[tuple[str, str]] = []
    for word, node in (("local", local), ("remote", remote)):
        answer = node.must("GET", "/_nodes/http,transport,remote_cluster_server")
        exact.append((answer["cluster_name"], f"<{word} cluster>"))
        for node_id, facts in answer["nodes"].items():
            anywhere += [
                (node_id, f"<{word} node id>"),
                (facts["transport_address"], f"<{word} transport>"),
                (facts["http"]["publish_address"], f"<{word} http>"),
            ]
            server = facts.get("remote_cluster_server")
            if server is not None:
                anywhere.append((server["publish_address"], f"<{word} server>"))
    return Names(tuple(exact), tuple(anywhere))


def _view(value: Any) -> Any:
    if isinstance(value, list):
        return [_view(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "type" in value and "reason" in value:
        return _problem(value)
    return {key: _member(key, inner) for key, inner in value.items() if key not in _UNSTEADY}


def _problem(value: dict[str, Any]) -> dict[str, Any]:
    """Its words, and those of what the reference says beside them to a client it does not know.

    To a cluster that it does not know the reference says the cause either beside the reason or as the reason, by what
    it has cached: both are shown as the cause.
    """
    kept: dict[str, Any] = {key: value[key] for key in ("type", "reason") if key in value}
    beside = value.get("additional_unsuccessful_credentials")
    if beside is None:
        return kept
    if _TOWARDS.match(str(value["reason"])):
        return kept | {"reason": beside.removeprefix("API key: ")}
    return kept | {"additional_unsuccessful_credentials": beside}


def _member(key: str, value: Any) -> Any:
    if key in _TIMES and type(value) is int:
        return f"<{key}>"
    length = _SECRETS.get(key)
    if length is not None and isinstance(value, str):
        return f"<{key} of {length}>" if len(value) == length else value
    if key in _CONTEXT_IDS or (key == "id" and isinstance(value, str) and len(value) > _LONG):
        return "<context>"
    if key in ("id", "_id") and isinstance(value, str) and _AUTOMATIC.fullmatch(value):
        return "<id>"
    return _view(value)


def _replaced(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {_word(key, words): _replaced(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(each, words) for each in value]
    return _word(value, words) if isinstance(value, str) else value


def _word(text: str, words: Mapping[str, str]) -> str:
    for own, word in words.items():
        text = text.replace(own, word)
    return _LISTED.sub(_in_order, text)


def _in_order(found: re.Match[str]) -> str:
    return f"[{','.join(sorted((found[1] or found[2] or '').split(',')))}]"
