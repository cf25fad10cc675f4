"""A guard before a house's own ticketing: whoever has no turn yet is sent to the waiting room, and comes back with one.

Needs PyJWT and cryptography, and nothing of Parvis. `GuardASGI(app, Guard(settings))` or `GuardWSGI` puts it before an
app; `parvis_guard.service:application` is the small service that nginx asks (`auth_request`).
"""

from parvis_guard.guard import Guard
from parvis_guard.messages import Answer, Request
from parvis_guard.servers import GuardASGI, GuardWSGI
from parvis_guard.settings import Settings

__all__ = ["Answer", "Guard", "GuardASGI", "GuardWSGI", "Request", "Settings"]
