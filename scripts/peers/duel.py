"""Asks a pair everything, and judges one pair's answers by another's."""

import http.client
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scripts.pairs import Pair
from scripts.peers import corpus, known, requests_all
from scripts.peers.compare import Difference, differences
from scripts.peers.normalise import names_of, normalised
from scripts.peers.request import Request
from scripts.rest import Answer, Rest

_NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one request. `unexplained` are the differences that no known one covers;
    `like_bystander` says whether the bystander's answer equals the contender's, None without
    one."""

    request: Request
    unexplained: list[Difference]
    explained: list[tuple[Difference, known.KnownDifference]] = field(default_factory=list)
    like_bystander: bool | None = None

    @property
    def outcome(self) -> str:
        if self.unexplained:
            return "different"
        return "known" if self.explained else "same"


def ask(
    pair: Pair, requests: Sequence[Request], progress: Callable[[str], None]
) -> dict[str, Answer]:
    """The normalised answers of a pair by request name. The pair is loaded first and cleaned
    afterwards.

    A request that gets no answer at all has the status 0. Raises `UnexpectedAnswerError` when
    the pair cannot even be prepared.
    """
    with Rest(pair.local.url) as local, Rest(pair.remote.url) as remote:
        progress(f"{pair.label}: loading")
        corpus.prepare(local, remote)
        try:
            names = names_of(local, remote)
            answers = {}
            for number, request in enumerate(requests, start=1):
                progress(f"{pair.label}: {number} of {len(requests)}  {request.name}")
                answer = _answer(local if request.cluster == "local" else remote, request)
                answers[request.name] = Answer(answer.status, normalised(answer.body, names))
            return answers
        finally:
            corpus.clean(local, remote)


def judge(
    requests: Sequence[Request],
    expected: dict[str, Answer],
    actual: dict[str, Answer],
    accepted: list[known.KnownDifference],
    bystander: dict[str, Answer] | None = None,
) -> list[Verdict]:
    """A verdict for each request, in their order. The bystander only informs."""
    verdicts = []
    for request in requests:
        name = request.name
        like_bystander = (
            None if bystander is None else not differences(bystander[name], actual[name])
        )
        verdict = Verdict(request, [], like_bystander=like_bystander)
        for difference in differences(expected[name], actual[name]):
            reason = known.explain(name, difference, accepted)
            if reason is None:
                verdict.unexplained.append(difference)
            else:
                verdict.explained.append((difference, reason))
        verdicts.append(verdict)
    return verdicts


def chosen(only: str | None = None, sample: int | None = None) -> list[Request]:
    """The requests whose name holds `only`, and of those an even `sample`; both None: all of them.

    A step of a sequence brings the whole sequence along.
    """
    every = requests_all.every_request()
    wanted = [request for request in every if only is None or only in request.name]
    if sample is not None and sample < len(wanted):
        wanted = [wanted[position * len(wanted) // sample] for position in range(sample)]
    names = {request.name for request in wanted}
    sequences = {request.name.split("/")[0] for request in wanted if request.setup}
    return [
        request
        for request in every
        if request.name in names or (request.setup and request.name.split("/")[0] in sequences)
    ]


def _answer(node: Rest, request: Request) -> Answer:
    try:
        return node.call(
            request.method, request.path, request.text(), content_type=request.content_type()
        )
    except (OSError, http.client.HTTPException) as problem:
        node.close()
        return Answer(_NO_ANSWER, f"no answer: {problem!r}")
