"""Errors of limits, of security, and of the node itself."""

from sealane.errors.base import ApiError


class Rejected(ApiError):
    es_type, status = "es_rejected_execution_exception", 429


class CircuitBreaking(ApiError):
    es_type, status = "circuit_breaking_exception", 429


class SecurityError(ApiError):
    es_type, status = "security_exception", 403


class RefusedUnderLimits(SecurityError):
    """What cannot be done for somebody from whom documents or fields of the index are hidden."""

    status = 400


class KeystoreError(ApiError):
    """A keystore that cannot be opened, read or written. The reason holds no secret."""

    es_type, status = "security_exception", 400


class Internal(ApiError):
    """A fault of ours. The reason names it; the details are in the log."""

    es_type, status = "exception", 500


class IOFailure(ApiError):
    es_type, status = "i_o_exception", 500


class UnsupportedOperation(ApiError):
    """What the reference has no way to do with a field of this type, or with a nested object."""

    es_type, status = "unsupported_operation_exception", 500
