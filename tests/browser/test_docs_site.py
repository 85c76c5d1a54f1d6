"""The documentation in a browser: nothing is fetched, nothing fails, and no page is wider than a
phone."""

from tests import pages


def test_pages_fit_a_phone_and_load_nothing_from_elsewhere(chromium, tmp_path):
    docs = pages.build(tmp_path)
    context = chromium.new_context(offline=True, viewport={"width": 390, "height": 844}, color_scheme="dark")
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(f"{page.url}: {message.text}"))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or wrong.append(request.url))
    for path in sorted(docs.rglob("*.html")):
        page.goto(path.as_uri())
        width = page.evaluate("document.documentElement.scrollWidth")
        wrong += [f"{path.name} is {width} px wide"] if width > 390 else []
    context.close()
    assert wrong == []
