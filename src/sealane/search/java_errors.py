"""Errors as the reference writes them into one line: the classes and messages of a whole chain of causes."""

from sealane.errors import ApiError

_ELASTIC = "org.elasticsearch."
_CLASSES = {
    "illegal_argument_exception": "java.lang.IllegalArgumentException",
    "illegal_state_exception": "java.lang.IllegalStateException",
    "number_format_exception": "java.lang.NumberFormatException",
    "parsing_exception": f"{_ELASTIC}common.ParsingException",
    "parse_exception": f"{_ELASTIC}ElasticsearchParseException",
    "query_shard_exception": f"{_ELASTIC}index.query.QueryShardException",
    "named_object_not_found_exception": f"{_ELASTIC}xcontent.NamedObjectNotFoundException",
    "x_content_parse_exception": f"{_ELASTIC}xcontent.XContentParseException",
    "x_content_e_o_f_exception": f"{_ELASTIC}xcontent.XContentEOFException",
    "token_mgr_error": "org.apache.lucene.queryparser.classic.TokenMgrError",
}
_LUCENE_SYNTAX = "org.apache.lucene.queryparser.classic.ParseException"


def detailed(error: ApiError) -> str:
    """`[index/uuid] class: message; class: message`, without a cause that says the same again."""
    parts: list[str] = []
    each: ApiError | None = error
    while each is not None:
        reason = each.reason
        own = _class_of(each)
        # The reference names the index of an exception that has a cause.
        if each.caused_by is not None and "index_uuid" in each.metadata:
            own = f"[{each.metadata['index']}/{each.metadata['index_uuid']}] {own}"
        parts.append(f"{own}: {reason}")
        following = each.caused_by
        if following is not None and (
            _is_syntax(each) or each.es_type == "x_content_parse_exception"
        ):
            break  # what is not an exception of the reference's own tells no cause
        each = following
    return "; ".join(parts)


def _class_of(error: ApiError) -> str:
    if _is_syntax(error):
        return _LUCENE_SYNTAX
    known = _CLASSES.get(error.es_type)
    if known is not None:
        return known
    words = error.es_type.removesuffix("_exception").split("_")
    return f"{_ELASTIC}{''.join(word.capitalize() for word in words)}Exception"


def _is_syntax(error: ApiError) -> bool:
    return error.es_type == "parse_exception" and error.reason.startswith("Cannot parse '")
