"""Errors as RFC 9457 problems. A refusal's slug is stable: programs may decide by it."""

from typing import Any, Final

import msgspec

from engine.errors import (
    BadInput,
    CellUnavailable,
    ForgedToken,
    LedgerUnavailable,
    Refused,
)

MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final[dict[str, int]] = {
    "unknown-house": 404,
    "unknown-on-sale": 404,
    "unknown-line": 404,
    "code-required": 403,
    "code-used": 409,
    "invitation-ended": 410,
    "unknown-performance": 404,
    "unknown-hold": 404,
    "unknown-order": 404,
    "unknown-key": 404,
    "unknown-payment": 404,
    "unknown-action": 404,
    "unknown-webhook": 404,
    "unknown-event": 404,
    "unknown-batch": 404,
    "not-found": 404,
    "method-not-allowed": 405,
    "unknown-seat": 422,
    "unknown-category": 422,
    "unknown-area": 422,
    "unknown-hall": 422,
    "too-dear": 422,
    "whole-unit": 422,
    "unknown-unit": 422,
    "unknown-allotment": 422,
    "unknown-row": 422,
    "unknown-zone": 422,
    "unknown-price-type": 422,
    "unknown-provider": 422,
    "price-types": 422,
    "unknown-code": 422,
    "condition-not-met": 422,
    "number-refused": 422,
    "bad-secret-hash": 422,
    "bad-proof": 422,
    "bad-contact-code": 422,
    "too-many-seats": 422,
    "key-reused": 422,
    "payment-used": 422,
    "bad-input": 422,
    "bad-body": 400,
    "bad-plan": 422,
    "idempotency-key-missing": 400,
    "body-too-large": 413,
    "wrong-content-type": 415,
    "pass-required": 401,
    "key-required": 401,
    "secret-required": 401,
    "pass-ended": 401,
    "forged-token": 401,
    "forged-event": 401,
    "scope-missing": 403,
    "cookie-needed": 403,
    "forged-form": 403,
    "not-your-place": 403,
    "payment-declined": 402,
    "not-yet-served": 409,
    "moved-elsewhere": 409,
    "draw-not-made": 404,
    "draw-not-due": 409,
    "draw-has-contributors": 409,
    "root-changed": 409,
    "not-recorded-yet": 503,
    "queue-not-open": 409,
    "line-over": 409,
    "proof-required": 409,
    "contact-required": 409,
    "paused": 409,
    "full": 409,
    "seats-taken": 409,
    "sold-out": 409,
    "not-on-sale": 409,
    "too-many-allotments": 409,
    "unclear-seats": 422,
    "seat-left-alone": 409,
    "code-used-up": 409,
    "cool-down": 409,
    "sale-ended": 409,
    "wrong-phase": 409,
    "already-exists": 409,
    "already-on-sale": 409,
    "already-extended": 409,
    "payment-under-way": 409,
    "payment-not-under-way": 409,
    "already-refunded": 409,
    "difference-due": 409,
    "undo-over": 409,
    "no-draft": 409,
    "not-over": 409,
    "no-previous-theme": 409,
    "not-returnable": 409,
    "plan-changed": 409,
    "seats-missing": 409,
    "area-too-small": 409,
    "too-many-webhooks": 409,
    "webhook-disabled": 409,
    "turn-over": 410,
    "stay-over": 410,
    "proof-ended": 410,
    "contact-ended": 410,
    "too-many-codes": 429,
    "many-near-you": 429,
    "hold-ended": 410,
    "preview-ended": 410,
    "queue-full": 503,
    "number-unchecked": 503,
    "house-busy": 503,
    "cell-unavailable": 503,
    "ledger-unavailable": 503,
    "internal": 500,
}

TITLES: Final[dict[int, str]] = {
    400: "Bad request",
    401: "Not identified",
    402: "Payment declined",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Not now",
    410: "Gone",
    413: "Too large",
    415: "Wrong content type",
    422: "Cannot be right",
    429: "Too often",
    500: "Our mistake",
    503: "Not available now",
}


class ProblemReply(msgspec.Struct, frozen=True):
    """A problem on the wire; what else is known of it stands beside these, a fact a member."""

    type: str
    title: str
    status: int
    detail: str


class Problem(msgspec.Struct, frozen=True):
    """A problem ready to be sent. `retry_after_s` becomes the `Retry-After` header where it is set."""

    status: int
    body: bytes
    retry_after_s: int | None
    slug: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What goes with the body: it is never cached; when to ask again; how to say who one is (RFC 9110)."""
        headers = {"cache-control": "no-store"}
        if self.retry_after_s is not None:
            headers["retry-after"] = str(self.retry_after_s)
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return headers


def problem(slug: str, detail: str, **facts: object) -> Problem:
    """The problem for a slug of `STATUS`; `facts` are its extensions, `retry_after_s` among them."""
    status = STATUS[slug]
    retry_after_s = facts.pop("retry_after_s", None)
    document: dict[str, object] = {
        "type": f"/problems/{slug}",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
        **facts,
    }
    return Problem(
        status=status,
        body=msgspec.json.encode(document),
        retry_after_s=retry_after_s if isinstance(retry_after_s, int) else None,
        slug=slug,
    )


def problem_of(error: Exception) -> Problem | None:
    """The problem that tells an error of the engine; None for an error that nobody foresaw."""
    match error:
        case Refused():
            return problem(error.slug, str(error), **error.facts)
        case BadInput():
            facts: dict[str, Any] = {"problems": list(error.problems)} if error.problems else {}
            return problem("bad-input", str(error), **facts, **error.facts)
        case ForgedToken():
            return problem("forged-token", "this token is not one of ours")
        case CellUnavailable():
            return problem("cell-unavailable", "the house cannot answer just now", retry_after_s=error.retry_after_s)
        case LedgerUnavailable():
            return problem("ledger-unavailable", "the house's books cannot answer just now", retry_after_s=2)
        case msgspec.MsgspecError() | RecursionError():  # a body may be nested as deep as its sender likes
            return problem("bad-body", str(error))
    return None
