"""The calls of the duel, read from `calls/*.calls`. One line is one call:

    who[@remote] METHOD /path [body] [=> name]

`who` is a person of `people.py`, `nobody`, `key:NAME` for an API key that an earlier line kept, `a>b` for a who runs as
b, or `raw:TEXT` for an Authorization header of that text, percent-encoded. `=> name` keeps the answer: `${name.member}`
stands for its member in later lines. `<<a|b>>` makes a line of each, several groups every combination. A line that
begins with `!` is a step that is not judged; `+Header:value` before the method sends that header. In a body `⏎` is a
line break.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from scripts.peers.request import Request

FOLDER = Path(__file__).with_name("calls")
ORDER = (
    "authentication",
    "users",
    "roles",
    "has_privileges",
    "api_keys",
    "cross_cluster_keys",
    "actions",
    "indices",
    "writes",
    "contexts",
    "run_as",
    "documents_and_fields",
    "key_links",
    "certificate_links",
    "broken_links",
    "secure_settings",
    "aliases",
    "limited_features",
    "changes",
)
"""The files, in the order in which they are asked."""
_LINE = re.compile(
    r"(?P<silent>!)?(?P<who>\S+)(?P<headers>(?: \+\S+)*) (?P<method>[A-Z]+) (?P<path>/\S*)"
    r"(?: (?P<body>.*))?"
)
_KEPT = re.compile(r"(?P<line>.*) => (?P<name>[a-z][a-z0-9_]*)")
_GROUP = re.compile(r"<<(.*?)>>")
_REMEMBERED = re.compile(r"\$\{([a-z][a-z0-9_]*)\.([a-z_]+)\}")


class CallsError(Exception):
    """A file of calls is not as it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`who` and `runs_as` as the file has them; `headers` are further ones."""

    name: str
    who: str
    method: str
    path: str
    body: str | None = None
    runs_as: str | None = None
    is_remote: bool = False
    is_judged: bool = True
    keep: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def family(self) -> str:
        return self.name.split("/")[0]

    def request(self) -> Request:
        """What reports show of it."""
        who = self.who if self.runs_as is None else f"{self.who} as {self.runs_as}"
        where = "remote" if self.is_remote else "local"
        return Request(self.name, self.method, f"{self.path}  ({who}, {where})", self.body)

    def needs(self) -> set[str]:
        """The kept answers that it refers to."""
        texts = (self.who, self.path, self.body or "", *self.headers.values())
        found = {name for text in texts for name, _ in _REMEMBERED.findall(text)}
        return found | ({self.who.removeprefix("key:")} if self.who.startswith("key:") else set())


def every_call(folder: Path = FOLDER, order: Sequence[str] = ORDER) -> list[Call]:
    """All calls, each with a name of its own. Raises CallsError."""
    calls: list[Call] = []
    seen: dict[str, int] = {}
    for family in order:
        lines = (folder / f"{family}.calls").read_text().splitlines()
        for number, line in enumerate(lines, start=1):
            if line.strip() and not line.startswith("#"):
                calls += _calls_of(family, line, seen, f"{family}.calls:{number}")
    return calls


def filled(text: str, kept: Mapping[str, Any]) -> str:
    """`text` with what was kept in place of `${name.member}`; one that is unknown becomes the word `missing`."""

    def value(found: re.Match[str]) -> str:
        answer = kept.get(found[1])
        member = answer.get(found[2]) if isinstance(answer, dict) else None
        return (
            member
            if isinstance(member, str)
            else "missing"
            if member is None
            else json.dumps(member)
        )

    return _REMEMBERED.sub(value, text)


def sampled(calls: Sequence[Call], count: int) -> list[Call]:
    """An even choice of `count` judged calls, with every step that is not judged and every one that keeps an answer:
    the others build on them."""
    judged = [call for call in calls if call.is_judged and call.keep is None]
    chosen = {judged[at * len(judged) // count].name for at in range(min(count, len(judged)))}
    return [call for call in calls if call.name in chosen or not call.is_judged or call.keep]


def _calls_of(family: str, line: str, seen: dict[str, int], place: str) -> Iterator[Call]:
    for text in _expanded(line.strip()):
        kept = _KEPT.fullmatch(text)
        found = _LINE.fullmatch(text if kept is None else kept["line"])
        if found is None:
            raise CallsError(f"{place} is no call: {text}")
        who, _, node = found["who"].partition("@")
        who, _, runs_as = who.partition(">")
        body = found["body"] or None
        written = " ".join((found["who"], found["method"], found["path"], body or ""))[:160].strip()
        name = f"{family}/{written}"
        seen[name] = seen.get(name, 0) + 1
        yield Call(
            name=name if seen[name] == 1 else f"{name} ({seen[name]})",
            who=unquote(who),
            runs_as=runs_as or None,
            is_remote=node == "remote",
            method=found["method"],
            path=found["path"],
            body=None if body is None else body.replace("⏎", "\n"),
            is_judged=found["silent"] is None,
            keep=None if kept is None else kept["name"],
            headers=dict(_header(each) for each in found["headers"].split()),
        )


def _header(text: str) -> tuple[str, str]:
    name, _, value = text.removeprefix("+").partition(":")
    return name, unquote(value)


def _expanded(line: str) -> Iterator[str]:
    parts = _GROUP.split(line)
    choices = [[part] if at % 2 == 0 else part.split("|") for at, part in enumerate(parts)]
    return map("".join, itertools.product(*choices))
