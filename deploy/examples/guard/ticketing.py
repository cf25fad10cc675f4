"""The ticketing that a house has already, as small as it can be: `granian --interface asgi ticketing:guarded`.

It stands for any ASGI app: a page with a form, an order, and what its payment provider calls.
"""

from parvis_guard import Guard, GuardASGI, Settings
from parvis_guard.servers import Message, Receive, Scope, Send

PAGE = b"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tickets</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/assets/style.css"></head>
<body><main><h1>Tickets of our own</h1>
<form method="post" action="/tickets/order"><label>Seats <input name="seats" value="2"></label>
<button>Order</button></form>
</main></body></html>"""
ANSWERS: dict[tuple[str, str], tuple[bytes, bytes]] = {
    ("GET", "/tickets"): (b"text/html; charset=utf-8", PAGE),
    ("POST", "/tickets/order"): (b"text/html; charset=utf-8", b"<!doctype html><title>Ordered</title><h1>Ordered</h1>"),
    ("GET", "/assets/style.css"): (b"text/css", b"body { font: 18px sans-serif; margin: 2rem }"),
    ("POST", "/payments/webhook"): (b"text/plain", b"noted"),
    ("GET", "/payment/return"): (b"text/plain", b"thank you"),
    ("GET", "/healthz"): (b"text/plain", b"well"),
}


async def ticketing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a request; there is nothing else to it."""
    if scope["type"] != "http":
        return
    message: Message = {"more_body": True}
    while message.get("more_body", False):
        message = await receive()
    kind, body = ANSWERS.get((scope["method"], scope["path"]), (b"text/plain", b""))
    status = 200 if body else 404
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": body})


def guarded() -> GuardASGI:
    """The ticketing with the guard before it: for `granian --factory`."""
    return GuardASGI(ticketing, Guard(Settings.from_environment()))
