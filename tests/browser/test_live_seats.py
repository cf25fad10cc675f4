"""The live seat map: whoever loses messages, or gets them in another order, ends equal to the server."""

import random

import pytest

from tests.browser.person import PHONE, People
from tests.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LOSSY = """(lossy) => {
  const Real = globalThis.EventSource;
  globalThis.heard = { messages: 0, lost: 0, swapped: 0, wholes: 0 };
  let kept = null;
  globalThis.EventSource = class extends Real {
    set onmessage(deliver) {
      this.addEventListener('message', (event) => {
        const at = heard.messages++;
        if (!globalThis.isLossy) return void deliver(event);
        if (at % 5 === 1) return void (heard.lost += 1);
        if (at % 5 === 3) return void (kept = event);
        deliver(event);
        if (kept) {
          const late = kept;
          kept = null;
          heard.swapped += 1;
          deliver(late);
        }
      });
      this.addEventListener('reload', () => { heard.wholes += 1; });
    }
  };
  globalThis.isLossy = true;
}"""


async def test_a_page_that_loses_messages_ends_equal_to_the_server(town: Town, people: People) -> None:
    choose = random.Random(5)
    async with await town.open_sale("zeewind") as sale, people.arrive(PHONE) as visitor:
        await visitor.page.add_init_script(f"({LOSSY})()")
        await visitor.comes_in(sale)
        seats = list(sale.layouts[sale.performance])
        for _ in range(16):
            token = await sale.enter()
            held = await sale.hold(token, choose.choice(seats[30:]))
            if held.status == 201 and choose.random() < 0.5:
                await sale.order(token, held.json["hold"])
            await visitor.page.wait_for_timeout(600)
        heard = await visitor.page.evaluate("heard")
        assert min(heard["lost"], heard["swapped"], heard["wholes"]) > 0, heard
        # What is lost last is found out with the next message.
        await visitor.page.evaluate("globalThis.isLossy = false")
        assert (await sale.hold(await sale.enter(), seats[0])).status == 201
        words = {"o": "open", "h": "held", "s": "sold", "b": "blocked"}
        await visitor.shows("held", seats[0])
        for seat, letter in zip(seats, await sale.seats(), strict=True):
            await visitor.shows(words[letter], seat)
