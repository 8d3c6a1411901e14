"""`_analyze`: the tokens of a text, as an analyzer or a field has them."""

import asyncio
from collections.abc import Mapping
from typing import Any

from sealane.engine.embedded.analyzers import (
    KEYWORD,
    STANDARD,
    STOP_WORDS,
    Analyzer,
    Token,
    analyzer_named,
    units,
)
from sealane.errors import ApiError, IllegalArgument
from sealane.query.analyze import AnalyzeRequest, parse_analyze
from sealane.query.any_json import dumps
from sealane.rest.expressions import STRICT
from sealane.rest.field_kinds import kinds_of
from sealane.rest.request import Request, Response
from sealane.rest.router import Route, no_indices, path_indices
from sealane.rest.services import Services

MAX_TOKENS = 10_000
_SHORT = 10_000
"""Characters that are cut into tokens in less time than the event loop may be held."""
_TOKENIZERS = {"standard": STANDARD}
_FILTERS = ("lowercase", "stop")


def routes(services: Services) -> list[Route]:
    """`_analyze`, with and without an index."""

    async def analyze(request: Request) -> Response:
        index = request.index or None
        mapping = None
        if index is not None:
            mapping = services.indices.find((index,), STRICT)[0].mapping
        wanted = parse_analyze(request.body, has_index=index is not None)
        analyzer = _chosen(wanted, mapping)
        if sum(map(len, wanted.texts)) <= _SHORT:
            tokens, shown = _tokens(analyzer, wanted)
        else:
            loop = asyncio.get_running_loop()
            tokens, shown = await loop.run_in_executor(None, _tokens, analyzer, wanted)
        if not wanted.explain:
            return Response(dumps({"tokens": shown}))
        for token, each in zip(tokens, shown, strict=True):
            encoded = token.text.encode("utf-8", "surrogatepass")
            each["bytes"] = "[" + " ".join(f"{byte:x}" for byte in encoded) + "]"
            each["positionLength"] = each["termFrequency"] = 1
        named = {"name": analyzer.name, "tokens": shown}
        return Response(dumps({"detail": {"custom_analyzer": False, "analyzer": named}}))

    return [
        Route(
            methods=("GET", "POST"),
            paths=("/_analyze",),
            handler=analyze,
            action="cluster:admin/analyze",
            indices=no_indices,
            params={},
            body=True,
        ),
        Route(
            methods=("GET", "POST"),
            paths=("/{index}/_analyze",),
            handler=analyze,
            action="indices:admin/analyze",
            indices=path_indices,
            params={},
            body=True,
        ),
    ]


def _chosen(wanted: AnalyzeRequest, mapping: Mapping[str, Any] | None) -> Analyzer:
    if wanted.analyzer is not None:
        found = analyzer_named(wanted.analyzer)
        if found is None:
            raise IllegalArgument(f"failed to find global analyzer [{wanted.analyzer}]")
        return found
    if wanted.tokenizer is not None:
        return _custom(wanted.tokenizer, wanted.filters)
    if wanted.field is not None:
        if mapping is None:
            raise IllegalArgument("analysis based on a specific field requires an index")
        kind = kinds_of(mapping)(wanted.field)
        if kind == "keyword":
            return KEYWORD
        if kind not in (None, "text"):
            raise IllegalArgument(
                f"Can't process field [{wanted.field}], Analysis requests are only supported on "
                "tokenized fields"
            )
    return STANDARD


def _custom(tokenizer: str, filters: tuple[str, ...]) -> Analyzer:
    """The one tokenizer there is, with its filters: words in their case, which `lowercase` folds."""
    if tokenizer not in _TOKENIZERS:
        raise IllegalArgument(f"failed to find global tokenizer under [{tokenizer}]")
    for each in filters:
        if each not in _FILTERS:
            raise IllegalArgument(f"failed to find global filter under [{each}]")

    def tokens(text: str) -> Any:
        for token in STANDARD.tokens(text):
            word = text[token.start : token.end]
            kept = True
            for each in filters:
                if each == "lowercase":
                    word = token.text if word.lower() == token.text else word.lower()
                elif word in STOP_WORDS:
                    kept = False
            if kept:
                yield token._replace(text=word)

    return Analyzer("__custom__", tokens)


def _tokens(analyzer: Analyzer, wanted: AnalyzeRequest) -> tuple[list[Token], list[dict[str, Any]]]:
    """All tokens of all texts; places go on from one text to the next."""
    tokens: list[Token] = []
    shown: list[dict[str, Any]] = []
    offset = position = 0
    for text in wanted.texts:
        last, counted, before = -1, 0, 0
        for token in analyzer.tokens(text):
            if len(tokens) >= MAX_TOKENS:
                raise _too_many()
            tokens.append(token)
            last = token.position
            # From one token to the next: counting each from the text's begin would take the square of its length.
            before += _units(text[counted : token.start])
            counted = token.start
            shown.append(
                {
                    "token": token.text,
                    "start_offset": offset + before,
                    "end_offset": offset + before + _units(text[token.start : token.end]),
                    "type": token.kind,
                    "position": position + token.position,
                }
            )
        position += last + 1
        offset += _units(text) + 1
    return tokens, shown


def _units(text: str) -> int:
    return units(text, len(text))


def _too_many() -> ApiError:
    return IllegalArgument(
        f"The number of tokens produced by calling _analyze has exceeded the allowed maximum of "
        f"[{MAX_TOKENS}]. This limit can be set by changing the [index.analyze.max_token_count] index "
        "level setting."
    )
