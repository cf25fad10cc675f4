"""Where a proof of work is asked for, the page makes it by itself, says so, and stays quick; an old phone too."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from engine import proof
from tests.browser.person import PHONE, People, Site
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
OLD_PHONE = 6
"""So many times slower than this machine."""
STEPS = 20_000_000
FEW_SECONDS_STEPS = 400_000_000
"""What an old phone calculates in a few seconds (some 120 million in two), in steps that the same browser takes too."""
HARDEST = f"""async (address) => {{
  globalThis.Worker = undefined; // the throttle is the page's own: a worker goes at full speed
  const {{ joinWithProof }} = await import(address);
  const text = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const salt = `${{'0123456789abcdef'.repeat(9)}}&`;
  const challenge = text(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(salt + {proof.MOST})));
  const facts = {{ challenge: {{ algorithm: 'SHA-256', challenge, maxnumber: {proof.MOST}, salt, signature: '' }} }};
  // What plain arithmetic costs this browser at this moment, a step of it.
  const lone = performance.now();
  let mixed = 1;
  for (let step = 0; step < {STEPS}; step += 1) mixed = (Math.imul(mixed ^ step, 0x9e3779b1) + (mixed >>> 15)) | 0;
  const stepMs = (performance.now() - lone) / {STEPS};
  const shares = [];
  const started = performance.now();
  const shown = await joinWithProof({{ facts }}, async (made) => made, (share) => shares.push(share));
  const ms = performance.now() - started;
  return {{ stepMs, mixed, ms, number: JSON.parse(atob(shown)).number, shares: shares.length }};
}}"""


async def test_the_page_shows_its_proof_by_itself_from_a_worker(town: Town, people: People) -> None:
    async with (
        await town.open_sale("zeewind", proof_of_work="always") as sale,
        people.arrive(PHONE, refused=[409]) as visitor,
    ):
        workers: list[str] = []
        visitor.page.on("worker", lambda worker: workers.append(worker.url))
        await visitor.comes_in(sale)
        assert visitor.refused == {409}
        assert [url.rpartition("/")[2] for url in workers] == ["prove.js"]
        assert (await sale.status())["lines"]["public"]["joined"] == 1


async def test_inside_another_site_the_page_itself_calculates(town: Town, people: People, site: Site) -> None:
    async with (
        await town.open_sale("zeewind", proof_of_work="always") as sale,
        people.arrive(PHONE, refused=[409]) as visitor,
    ):
        with site.embeds(sale) as address:
            await visitor.open(address)
            await visitor.press("Join the queue")
            await expect(visitor.button("Choose my seats")).to_be_visible()
            assert (await sale.status())["lines"]["public"]["joined"] == 1


async def test_an_old_phone_solves_the_hardest_challenge_and_says_how_far_it_is(town: Town, people: People) -> None:
    """What it takes is printed, and bounded by what the same browser calculates besides."""
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE) as visitor:
        page = visitor.page
        await visitor.open(f"/h/{sale.slug}/{sale.on_sale}")
        module = await page.locator("script[type=module]").first.get_attribute("src")
        assert module is not None
        address = str(Path(module).with_name("prove.js"))
        devtools = await visitor.context.new_cdp_session(page)
        await devtools.send("Emulation.setCPUThrottlingRate", {"rate": OLD_PHONE})
        found = await page.evaluate(HARDEST, address)
        steps = found["ms"] / found["stepMs"]
        print(
            f"{proof.MOST} numbers at a {OLD_PHONE}th of the speed: "
            f"{found['ms']:.0f} ms, {steps / 1e6:.0f} million steps"
        )
        assert found["number"] == proof.MOST
        assert found["shares"] > 0
        assert steps < FEW_SECONDS_STEPS
