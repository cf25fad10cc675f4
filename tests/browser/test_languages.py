"""Every page in the four languages: the words that people say, and none that is missing or ours alone."""

import re

import msgspec
import pytest
from playwright.async_api import expect
from yarl import URL

from engine.instants import now_ms
from tests.browser.person import PHONE, People, Person, Site
from tests.town import Sale, Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NAME_OF_WORDS = re.compile(
    r"\b(stage|next|do|phase|when|draw|step|seat|price|pay|order|problem|policy|count|act|acted|did|scope|counter)"
    r"\.[a-z_]+"
)
OURS_ALONE = re.compile(r"\b(epoch|drain|outbox|token|cell|loterij|wachtkamer|undefined|null|NaN)\b", re.IGNORECASE)

ALL_TEXT = """() => {
  const hosts = [...document.querySelectorAll('*')].filter((each) => each.shadowRoot);
  const inside = hosts.flatMap((each) => [...each.shadowRoot.children]);
  return [document.body, ...inside].map((each) => each.innerText).join('\\n');
}"""


class Said(msgspec.Struct, frozen=True):
    """What a language says where."""

    before: str
    join: str
    starts_in: str
    gathered: str
    turn: str
    enter: str
    best: str
    reserved: str
    pay: str
    email: str
    declined: str
    confirmed: str
    sign_in: str
    counter: str


SAID = {
    "nl": Said(
        before="De wachtrij is nog niet open",
        join="Ga in de wachtrij",
        starts_in="Start ticketverkoop over",
        gathered="loting",
        turn="U bent aan de beurt!",
        enter="Kies mijn plaatsen",
        best="Zoek de beste plaatsen",
        reserved="Voor u vastgehouden tot",
        pay="Naar betalen",
        email="E-mailadres",
        declined="De betaling is geweigerd",
        confirmed="Uw bestelling is bevestigd",
        sign_in="Aanmelden",
        counter="Balie",
    ),
    "fr": Said(
        before="La file n’est pas encore ouverte",
        join="Entrer dans la file",
        starts_in="Ouverture des ventes dans",
        gathered="tiré au sort",
        turn="C’est votre tour\u00a0!",
        enter="Choisir mes places",
        best="Trouver les meilleures places",
        reserved="Réservé pour vous jusqu’à",
        pay="Passer au paiement",
        email="E-mail",
        declined="Le paiement a été refusé",
        confirmed="Votre commande est confirmée",
        sign_in="Se connecter",
        counter="Guichet",
    ),
    "de": Said(
        before="Die Warteschlange ist noch nicht offen",
        join="Anstellen",
        starts_in="Verkaufsstart in",
        gathered="ausgelost",
        turn="Sie sind dran!",
        enter="Meine Plätze wählen",
        best="Beste Plätze suchen",
        reserved="Für Sie reserviert bis",
        pay="Zur Zahlung",
        email="E-Mail",
        declined="Die Zahlung wurde abgelehnt",
        confirmed="Ihre Bestellung ist bestätigt",
        sign_in="Anmelden",
        counter="Kasse",
    ),
    "en": Said(
        before="The queue is not open yet",
        join="Join the queue",
        starts_in="Start of sales in",
        gathered="drawn at random",
        turn="It’s your turn!",
        enter="Choose my seats",
        best="Find the best seats",
        reserved="Reserved for you until",
        pay="To payment",
        email="E-mail",
        declined="The payment was declined",
        confirmed="Your order is confirmed",
        sign_in="Sign in",
        counter="Counter",
    ),
}


async def reads_well(person: Person, language: str) -> None:
    """The page says which language it is in, shows no name where words belong, and fits the screen."""
    page = person.page
    assert await page.evaluate("document.documentElement.lang") == language
    for unfolded in await page.locator("details").all():
        await unfolded.evaluate("(details) => { details.open = true; }")
    text = await page.evaluate(ALL_TEXT)
    assert not NAME_OF_WORDS.search(text), NAME_OF_WORDS.search(text)
    assert not OURS_ALONE.search(text), OURS_ALONE.search(text)
    # A mark that French sets apart stays with its word.
    assert not re.search(r" [:;!?»](\s|$)", text)
    assert await person.overflow() == 0


@pytest.mark.parametrize("language", SAID)
async def test_the_whole_way_is_said_in_the_visitors_language(town: Town, people: People, language: str) -> None:
    said, tomorrow = SAID[language], now_ms() + 86_400_000
    async with (
        await town.open_sale("zeewind", hold_seconds=300) as sale,
        await town.open_sale("zeewind", prequeue_at_ms=tomorrow, opens_at_ms=tomorrow + 1000) as later,
        await town.open_sale("zeewind", opens_at_ms=tomorrow) as gathering,
        people.arrive(PHONE, language=language, refused=[402, 404]) as visitor,
    ):
        page = visitor.page

        async def sees(*words: str) -> None:
            await visitor.sees(*words)
            await reads_well(visitor, language)

        for path in ("/", "/h/zeewind"):
            await visitor.open(path)
            await expect(page.locator(".on-sale").first).to_be_visible()
            await reads_well(visitor, language)
        await visitor.open(f"/h/zeewind/{later.on_sale}")
        await sees(said.before)
        await visitor.open(f"/h/zeewind/{gathering.on_sale}")
        await sees(said.starts_in)
        await visitor.press(said.join)
        await sees(said.gathered)
        await visitor.open(f"/h/zeewind/{sale.on_sale}")
        await visitor.press(said.join)
        await sees(said.turn)
        await visitor.press(said.enter)
        await visitor.press(said.best)
        await sees(said.reserved)
        await visitor.press(said.pay)
        await page.get_by_label(said.email).fill("ada@example.org")
        await page.locator("input[value=no]").check()
        await page.locator(".checkout .primary").click()
        await sees(said.declined)
        await page.locator("input[value=yes]").check()
        await page.locator(".checkout .primary").click()
        await sees(said.confirmed)
        await is_staff(visitor, sale, language)


async def is_staff(person: Person, sale: Sale, language: str) -> None:
    """The control page and the counter page read well too."""
    said, page = SAID[language], person.page
    for name, key, there in (("control", sale.manage_key, ".tiles"), ("counter", sale.counter_key, ".big-choice")):
        await person.open(f"/h/zeewind/{name}")
        await person.sees(said.sign_in)
        await page.locator(".key-form input").fill(key)
        await person.press(said.sign_in)
        await expect(page.locator(there).first).to_be_visible()
        await expect(page.locator(".log li, .steps li").first).to_be_visible()
        await reads_well(person, language)
    await expect(page.get_by_role("heading", level=1)).to_have_text(said.counter)


async def test_a_visitors_choice_of_language_stays(people: People) -> None:
    async with people.arrive(PHONE, language="en") as visitor:
        await visitor.open("/h/zeewind?language=de")
        await expect(visitor.page.locator("html")).to_have_attribute("lang", "de")
        await visitor.page.get_by_label("Sprache").select_option("fr")
        await expect(visitor.page.locator("html")).to_have_attribute("lang", "fr")
        await visitor.open("/h/zeewind")
        await expect(visitor.page.locator("html")).to_have_attribute("lang", "fr")


SIMPLER = {
    "nl": "Een eenvoudiger versie van deze pagina",
    "fr": "Une version plus simple de cette page",
    "de": "Eine einfachere Fassung dieser Seite",
    "en": "A simpler version of this page",
}


@pytest.mark.parametrize("language", SIMPLER)
async def test_the_page_without_javascript_is_found_at_the_foot_of_the_one_with_it(
    town: Town, people: People, site: Site, language: str
) -> None:
    """For as long as nothing is lost on the way: a number stays where it was drawn."""
    async with await town.open_sale("zeewind", rate_per_minute=1) as sale, people.arrive(PHONE, "en") as visitor:
        await sale.join()
        page, room = visitor.page, f"/h/zeewind/{sale.on_sale}"
        simpler = page.get_by_role("link", name=SIMPLER[language])
        back = f"return_to={site.local_origin}/redirect/back.html"
        for path in ("/", "/h/zeewind", room, f"{room}?{back}"):
            asked = f"{path}{'&' if '?' in path else '?'}language={language}"
            await visitor.open(asked)
            await simpler.press("Enter")  # a click may land beside it while the page above still grows
            await expect(page.locator("body.plain")).to_be_visible()
            came = URL(page.url)
            assert came.path == f"{path.partition('?')[0].rstrip('/')}/plain"
            assert came.query["language"] == language
            assert ("return_to" in came.query) == ("return_to" in path)
            await expect(page.locator("html")).to_have_attribute("lang", language)
        await visitor.open(f"{room}?language={language}")
        await visitor.press(SAID[language].join)
        await expect(page.locator("[data-situation=waiting]")).to_be_visible()
        await expect(simpler).to_be_hidden()
        # A house's own page has no foot of ours.
        with site.embeds(sale) as address:
            await visitor.open(address)
            await expect(page.locator("parvis-waiting-room .stage")).to_be_visible()
            await expect(simpler).to_have_count(0)
