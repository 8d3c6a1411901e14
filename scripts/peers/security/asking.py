"""Asks a secured pair every call, each by the one whose it is."""

import http.client
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scripts.peers.normalise import Names
from scripts.peers.security import corpus, links, people
from scripts.peers.security.calls import Call, filled
from scripts.peers.security.client import Client, Told
from scripts.peers.security.pair import SecuredPair
from scripts.peers.security.view import names_of, shown
from scripts.rest import Answer
from sealane.testing.process import basic

_NO_ANSWER = 0
_NOBODY = "nobody"
_RUNS_AS = "es-security-runas-user"


def ask(
    pair: SecuredPair, calls: Sequence[Call], progress: Callable[[str], None]
) -> dict[str, Answer]:
    """The comparable answers of a pair by the names of calls. A call that gets no answer at all has the status 0.

    Raises UnexpectedAnswerError when the pair cannot even be prepared.
    """
    with Client(pair.local.url) as local, Client(pair.remote.url) as remote:
        progress(f"{pair.label}: preparing")
        for node in (local, remote):
            corpus.load(node, is_remote=node is remote)
            people.make(node, is_remote=node is remote)
        made = links.make(pair, local, remote)
        asker = _Asker(local, remote, names_of(local, remote), made)
        answers = {}
        for number, call in enumerate(calls, start=1):
            progress(f"{pair.label}: {number} of {len(calls)}  {call.name}")
            answers[call.name] = asker.answer(call)
        return answers


class _Asker:
    """Keeps what later calls refer to, and the words for what differs by nature."""

    def __init__(self, local: Client, remote: Client, names: Names, made: links.Linked) -> None:
        self._local = local
        self._remote = remote
        self._names = names
        self._kept: dict[str, Any] = {}
        self._words = {f"127.0.0.1:{made.closed_port}": "<closed>"}
        for name, key in made.keys.items():
            self._keep(name, key)

    def answer(self, call: Call) -> Answer:
        node = self._remote if call.is_remote else self._local
        try:
            told = self._told(node, call)
        except (OSError, http.client.HTTPException) as problem:
            node.close()
            return Answer(_NO_ANSWER, f"no answer: {type(problem).__name__}")
        if call.keep is not None:
            self._keep(call.keep, told.body)
        return shown(told, self._names, self._words)

    def _told(self, node: Client, call: Call) -> Told:
        headers = {name: filled(value, self._kept) for name, value in call.headers.items()}
        if call.runs_as is not None:
            headers[_RUNS_AS] = call.runs_as
        return node.call(
            call.method,
            filled(call.path, self._kept),
            None if call.body is None else filled(call.body, self._kept),
            authorization=self._authorization(call.who),
            headers=headers,
        )

    def _authorization(self, who: str) -> str | None:
        if who == _NOBODY:
            return None
        if who.startswith("raw:"):
            return filled(who.removeprefix("raw:"), self._kept)
        if who.startswith("key:"):
            return filled(f"ApiKey ${{{who.removeprefix('key:')}.encoded}}", self._kept)
        user, _, password = who.partition(":")
        return basic(user, password or people.password(user))

    def _keep(self, name: str, answer: Any) -> None:
        self._kept[name] = answer
        for word, text in _telling(name, answer):
            self._words[text] = word


def _telling(name: str, answer: Any) -> Iterator[tuple[str, str]]:
    """What of a kept answer differs from pair to pair, and the word for it."""
    if not isinstance(answer, dict):
        return
    for member in ("id", "encoded", "api_key", "_scroll_id", "pit_id"):
        text = answer.get(member)
        if isinstance(text, str) and re.fullmatch(r"\S{16,}", text):
            yield f"<{name} {member}>", text
