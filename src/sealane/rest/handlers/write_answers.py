"""How the outcome of a write looks: alone, and as an item of a bulk."""

from sealane.cluster.documents import NOOP, BulkItem, Outcome, Refresh
from sealane.cluster.partial_updates import Update
from sealane.errors import ApiError
from sealane.model.document import Document, WriteResult
from sealane.model.dsl import SourceFilter
from sealane.query.any_json import dumps
from sealane.query.source import filter_source

_STATUS = {"created": 201, "updated": 200, "deleted": 200, "not_found": 404, NOOP: 200}


def status_of(result: WriteResult) -> int:
    return _STATUS[result.result]


def quoted(text: str) -> str:
    """`text` as a JSON string."""
    return dumps(text).decode()


def bulk_items(
    items: list[BulkItem], outcomes: list[Outcome], refresh: Refresh
) -> tuple[bool, str]:
    """Whether any item failed, and the items' JSON, joined by commas."""
    failed = False
    forced = '"forced_refresh":true,' if refresh is Refresh.NOW else ""
    heads: dict[tuple[str, str], str] = {}
    parts: list[str] = []
    for item, outcome in zip(items, outcomes, strict=True):
        key = (item.action, outcome.index)
        head = heads.get(key)
        if head is None:
            head = heads[key] = f'{{"{item.action}":{{"_index":{quoted(outcome.index)},"_id":'
        result = outcome.result
        if type(result) is WriteResult:
            get = "" if outcome.source is None else _get_member(item, outcome)
            parts.append(
                f'{head}{quoted(result.id)},"_version":{result.version},"result":"{result.result}",{forced}'
                f'"_shards":{{"total":{outcome.copies},"successful":1,"failed":0}},"_seq_no":{result.seq_no},'
                f'"_primary_term":{result.primary_term},{get}"status":{_STATUS[result.result]}}}}}'
            )
        else:
            failed = True
            assert isinstance(result, ApiError)
            cause = dumps(result.to_cause()).decode()
            shown = "null" if outcome.id is None else quoted(outcome.id)
            parts.append(f'{head}{shown},"status":{result.status},"error":{cause}}}}}')
    return failed, ",".join(parts)


def write_body(item: BulkItem, outcome: Outcome, refresh: Refresh) -> bytes:
    """The answer of a write that came alone. One that changed nothing concerned no shard."""
    result = outcome.result
    assert isinstance(result, WriteResult)
    noop = result.result == NOOP
    forced = '"forced_refresh":true,' if refresh is Refresh.NOW and not noop else ""
    total, successful = (0, 0) if noop else (outcome.copies, 1)
    get = "" if outcome.source is None else "," + _get_member(item, outcome)[:-1]
    return (
        f'{{"_index":{quoted(outcome.index)},"_id":{quoted(result.id)},"_version":{result.version},'
        f'"result":"{result.result}",{forced}"_shards":{{"total":{total},"successful":{successful},"failed":0}},'
        f'"_seq_no":{result.seq_no},"_primary_term":{result.primary_term}{get}}}'
    ).encode()


def _get_member(item: BulkItem, outcome: Outcome) -> str:
    result, wanted = outcome.result, item.op.returned if isinstance(item.op, Update) else None
    assert isinstance(result, WriteResult)
    assert outcome.source is not None
    assert wanted is not None
    source = filter_source(outcome.source, (wanted,)).decode()
    return (
        f'"get":{{"_seq_no":{result.seq_no},"_primary_term":{result.primary_term},"found":true,'
        f'"_source":{source}}},'
    )


def found_body(index: str, doc_id: str, found: Document | None, wanted: SourceFilter) -> bytes:
    """The answer of a get, also as an element of an mget's."""
    head = f'{{"_index":{quoted(index)},"_id":{quoted(doc_id)},'
    if found is None:
        return f'{head}"found":false}}'.encode()
    routing = "" if found.routing is None else f'"_routing":{quoted(found.routing)},'
    meta = (
        f'{head}"_version":{found.version},"_seq_no":{found.seq_no},"_primary_term":{found.primary_term},'
        f'{routing}"found":true'
    )
    if not wanted.enabled:
        return f"{meta}}}".encode()
    return f'{meta},"_source":'.encode() + filter_source(found.source, (wanted,)) + b"}"
