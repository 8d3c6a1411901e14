"""One body of the duel of remote clusters for `PUT /_cluster/settings`, as data, and short ways to write it.

All aliases begin with `duel_`, so that a node's own remotes are left alone.
"""

import json
from dataclasses import dataclass
from typing import Any

ALIAS = "duel_b"
OTHER = "duel_c"
NOBODY = "127.0.0.1:1"
"""An address at which nobody listens: a connect is refused at once."""
ELSEWHERE = "127.0.0.1:2"


@dataclass(frozen=True, slots=True)
class Change:
    """One body, sent after each of `before` has been; every change begins without a remote of the
    duel.
    """

    name: str
    body: str
    before: tuple[str, ...] = ()
    parameters: str = ""
    told_at_random: bool = False
    """The reference stops at the first of several problems, in an order that each start shuffles:
    only the error's type is compared.
    """


def persistent(*aliases: str, **keys: Any) -> dict[str, Any]:
    """A body that sets `keys` of each alias; a double underscore is a dot."""
    return {"persistent": flat(aliases or (ALIAS,), keys)}


def transient(*aliases: str, **keys: Any) -> dict[str, Any]:
    return {"transient": flat(aliases or (ALIAS,), keys)}


def flat(aliases: tuple[str, ...], keys: dict[str, Any]) -> dict[str, Any]:
    return {
        f"cluster.remote.{alias}.{key.replace('__', '.')}": value
        for alias in aliases
        for key, value in keys.items()
    }


def change(
    name: str, body: Any, *before: Any, parameters: str = "", told_at_random: bool = False
) -> Change:
    return Change(name, text(body), tuple(map(text, before)), parameters, told_at_random)


def text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)


SEEDS = persistent(seeds=[NOBODY])
PROXY = persistent(mode="proxy", proxy_address=NOBODY)
