"""A house's own program that is told of its sales: what comes is checked, taken once, and answered at once.

    pip install standardwebhooks
    WEBHOOK_SECRET=whsec_… python receiver.py 8080

Parvis sends to https alone: put the house's web server in front. Whatever is to be done about an event is done later,
by whoever reads the queue: an answer that takes longer than ten seconds counts as none, and the event comes again.
"""

import json
import os
import sqlite3
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

LARGEST_BYTES = 64 * 1024
SECRETS = os.environ["WEBHOOK_SECRET"].split()
"""One as a rule; two, with a space between, from before a secret is rotated until after."""
QUEUE = os.environ.get("WEBHOOK_QUEUE", "webhooks.sqlite")
TABLE = "CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT, data TEXT, is_done INTEGER DEFAULT 0)"
# The id is the same however often an event comes: the second time it is no news.
KEEP = "INSERT INTO events (id, type, data) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING"


def verified(body: bytes, headers: "dict[str, str]") -> "dict[str, object] | None":
    """The event, if it was signed with one of our secrets within the last minutes."""
    for secret in SECRETS:
        try:
            event: dict[str, object] = Webhook(secret).verify(body, headers)
        except (WebhookVerificationError, ValueError):
            continue
        return event
    return None


def keep(event_id: str, event: "dict[str, object]") -> None:
    """Puts an event into the queue, once, on disk before it is answered."""
    with closing(sqlite3.connect(QUEUE)) as queue, queue:
        queue.execute(TABLE)
        queue.execute(KEEP, (event_id, event["type"], json.dumps(event["data"])))


class Receiver(BaseHTTPRequestHandler):
    """204: we have it. 401: it is none of ours. Anything else, and it comes again."""

    timeout = 10

    def do_POST(self) -> None:
        """Takes one event."""
        length = int(self.headers.get("Content-Length", 0))
        if length > LARGEST_BYTES:
            self.send_error(413)
            return
        event = verified(self.rfile.read(length), dict(self.headers.items()))
        if event is None:
            self.send_error(401)
            return
        keep(self.headers["webhook-id"], event)
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
