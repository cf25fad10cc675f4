"""A guard before a house's own ticketing: whoever has no turn yet is sent to the waiting room, and comes back with one.

Needs PyJWT and cryptography, and nothing of Parvis. `GuardASGI(app, Guard(settings))` or `GuardWSGI` puts it before an
app; `parvis_guard.service:application` is the small service that nginx asks (`auth_request`).
"""

from parvis_guard.guard import Answer, Guard, Request, Settings
from parvis_guard.servers import GuardASGI, GuardWSGI

__all__ = ["Answer", "Guard", "GuardASGI", "GuardWSGI", "Request", "Settings"]
