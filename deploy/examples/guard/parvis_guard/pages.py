"""What the guard says to people, in four languages, under a policy that allows its own script alone."""

import json
import re
from html import escape
from typing import Final

LANGUAGES: Final = ("nl", "fr", "de", "en")
PROBLEMS: Final = {
    "no-turn": {
        "nl": "Het is (nog) niet uw beurt. Er is niets verzonden.",
        "fr": "Ce n’est pas (ou plus) votre tour. Rien n’a été envoyé.",
        "de": "Sie sind nicht (oder nicht mehr) an der Reihe. Es wurde nichts gesendet.",
        "en": "It is not your turn (any more). Nothing was sent.",
    },
    "no-cookies": {
        "nl": "Sta cookies toe voor deze website: zonder cookies kunnen wij uw beurt niet onthouden.",
        "fr": "Autorisez les cookies pour ce site : sans eux, nous ne pouvons pas retenir votre tour.",
        "de": "Erlauben Sie Cookies für diese Website: Ohne sie können wir uns nicht merken, dass Sie dran sind.",
        "en": "Please allow cookies for this website: without them we cannot remember your turn.",
    },
    "used-elsewhere": {
        "nl": "Deze beurt wordt al in een andere browser gebruikt. Ga daar verder.",
        "fr": "Ce tour est déjà utilisé dans un autre navigateur. Continuez là-bas.",
        "de": "Mit dieser Nummer wird schon in einem anderen Browser eingekauft. Machen Sie dort weiter.",
        "en": "This turn is already being used in another browser. Please go on there.",
    },
    "no-keys": {
        "nl": "Dat lukt nu even niet. Probeer het over een ogenblik opnieuw.",
        "fr": "Cela ne fonctionne pas pour le moment. Réessayez dans un instant.",
        "de": "Das geht gerade nicht. Bitte versuchen Sie es gleich noch einmal.",
        "en": "This does not work just now. Please try again in a moment.",
    },
    "returning": {
        "nl": "Een ogenblik…",
        "fr": "Un instant…",
        "de": "Einen Augenblick…",
        "en": "One moment…",
    },
}
PROBLEMS["away"] = PROBLEMS["no-keys"]
TO_QUEUE: Final = {
    "nl": "Naar de wachtrij (opent een nieuw venster; wat u hier invulde, blijft staan)",
    "fr": "Vers la file d’attente (nouvelle fenêtre ; ce que vous avez saisi ici reste)",
    "de": "Zur Warteschlange (neues Fenster; was Sie hier eingegeben haben, bleibt stehen)",
    "en": "To the queue (opens a new window; what you filled in here stays)",
}
NO_SCRIPT: Final = {
    "nl": "Zet JavaScript aan om verder te gaan.",
    "fr": "Activez JavaScript pour continuer.",
    "de": "Bitte schalten Sie JavaScript ein, um fortzufahren.",
    "en": "Please turn JavaScript on to go on.",
}
POLICY: Final = "default-src 'none'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS: Final = [
    ("content-security-policy", POLICY),
    ("cache-control", "no-store"),
    # Without any referrer a form would not say where it comes from, and its pass would not be taken.
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
]
FRAME: Final = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text}</title></head><body><main><p>{text}</p>{more}</main></body></html>"""
RETURN_SCRIPT: Final = """// Takes the pass from behind the #, where no server sees it, to this site's own server.
const form = document.forms[0];
const pass = new URLSearchParams(location.hash.slice(1)).get('pass');
history.replaceState(null, '', location.pathname + location.search);
if (pass) { form.elements.pass.value = pass; form.submit(); } else location.replace(form.dataset.queue);
"""


def language_of(accepted: str) -> str:
    """The first language of an `Accept-Language` that is spoken here, else English."""
    wished = re.findall(r"(?:^|,)\s*([a-z]{2})", accepted.lower())
    return next((language for language in wished if language in LANGUAGES), "en")


def problem_page(problem: str, language: str, queue: str) -> bytes:
    """A page that says what is wrong, with the way to the queue where there is one."""
    link = f'<p><a href="{escape(queue)}" target="_blank" rel="noopener">{TO_QUEUE[language]}</a></p>'
    return FRAME.format(
        language=language, text=escape(PROBLEMS[problem][language]), more=link if queue else ""
    ).encode()


def problem_json(problem: str, status: int, queue: str) -> bytes:
    """The same for a program (RFC 9457)."""
    detail = PROBLEMS[problem]["en"]
    found = {"type": f"/problems/{problem}", "title": detail, "status": status} | (
        {"waiting_room": queue} if queue else {}
    )
    return json.dumps(found).encode()


def return_page(language: str, path: str, target: str, queue: str) -> bytes:
    """Where visitors come back to: its script sends the pass on as a form."""
    form = (
        f'<form method="post" action="{escape(path)}" data-queue="{escape(queue)}"><input type="hidden" name="pass">'
        f'<input type="hidden" name="to" value="{escape(target)}"></form>'
        f'<noscript><p>{NO_SCRIPT[language]}</p></noscript><script src="{escape(path)}.js" defer></script>'
    )
    return FRAME.format(language=language, text=PROBLEMS["returning"][language], more=form).encode()
