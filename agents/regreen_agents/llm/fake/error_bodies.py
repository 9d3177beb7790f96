"""Errors in the API's form, by their status."""

from pydantic import JsonValue

Json = dict[str, JsonValue]

_USUAL = {
    400: ("invalid_request_error", "The request is not valid."),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your credit balance is too low to access the API."),
    403: ("permission_error", "Your API key does not have permission to use this resource."),
    404: ("not_found_error", "model: not found"),
    408: ("timeout_error", "The request timed out."),
    409: ("conflict_error", "The request conflicts with another one."),
    413: ("request_too_large", "Request exceeds the maximum allowed number of bytes."),
    429: ("rate_limit_error", "This request would exceed your rate limit."),
    500: ("api_error", "Internal server error"),
    503: ("api_error", "Service unavailable"),
    504: ("timeout_error", "The request timed out."),
    529: ("overloaded_error", "Overloaded"),
}
_UNUSUAL = ("api_error", "An error of the server.")


def error_body(status: int, *, message: str = "", error_code: str = "", request_id: str) -> Json:
    """Return the body of an error.

    Args:
        status: Decides its type, and its words where there are none.
        message: Other words.
        error_code: Told under ``details``.
        request_id: As in the header.
    """
    kind, usual = _USUAL.get(status, _UNUSUAL)
    error: Json = {"type": kind, "message": message or usual}
    if error_code:
        error["details"] = {"error_code": error_code}
    return {"type": "error", "error": error, "request_id": request_id}
