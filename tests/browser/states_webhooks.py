"""Pictures of the notices to a house's own systems, on the control page."""

from playwright.async_api import Page

from tests.browser.screenshots import Stage, State
from tests.receiver import Receiver


async def notices(stage: Stage) -> Page:
    """One system that takes notices, one that does not answer, one that is turned off; and a form for another."""
    sale = await stage.sale()
    for each in (await sale.get("/manage/webhooks", sale.manage_key)).json["webhooks"]:
        # A house has ten at most, and every picture makes three.
        await sale.ask("DELETE", f"/manage/webhooks/{each['webhook']}?reason=over", token=sale.manage_key)
    receiver: Receiver = await stage.enter(Receiver(stage.town.certificate))
    for url, types, name in (
        (receiver.url(), ["order.recorded", "order.refunded"], "Website"),
        ("https://127.0.0.1:1024/", ["on_sale.opened", "on_sale.paused", "on_sale.resumed", "on_sale.sold_out"], "App"),
        (receiver.url("/a-rather-long-path/that-goes-on/for-quite-a-while"), ["order.refunded"], ""),
    ):
        body = {"url": url, "types": types, "description": name, "reason": "season"}
        made = (await sale.post("/manage/webhooks", body, token=sale.manage_key)).json["webhook"]
        told = {"reason": "a test"}
        await sale.post(f"/manage/webhooks/{made}/{'test' if name else 'disable'}", told, token=sale.manage_key)
    await receiver.until(1)
    manager = await stage.arrive()
    await manager.open(f"/h/{sale.slug}/control")
    await manager.page.get_by_label(stage.say("staff_key")).fill(sale.manage_key)
    await manager.press(stage.say("come_in"))
    part = manager.page.locator("details.action", has=manager.page.get_by_text(stage.say("webhooks"), exact=True))
    await part.locator("summary").first.click()
    await part.get_by_label(stage.say("webhook_url")).fill("https://10.0.0.1/")
    line = part.locator("li.webhook").first
    await line.locator("summary").click()
    await line.locator("ul li").first.wait_for()
    return manager.page


STATES: list[tuple[str, State]] = [("notices", notices)]
