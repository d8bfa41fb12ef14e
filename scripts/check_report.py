#!/usr/bin/env python3
"""Opens pages of `emospan report` in Chromium and uses them: check_report.py EMOSPAN FOLDER [--screenshot FILE]

FOLDER holds records.jsonl and reference.jsonl. Says what each check found and exits 1 where one fails. What the page shows is
held against counts made here from the records, not against what the page says elsewhere.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from PIL import Image
from playwright.sync_api import sync_playwright

OPEN_LIMIT = 3.0  # seconds until the list of 100,000 records is ready

HOSTILE = [
    "<script>alert(1)</script>", "</script><script>alert(2)</script>", "<img src=x onerror=alert(3)>", "<!--<script>", "&lt;b&gt; &amp;",
    "\x1b[31mred\x1b[0m", "\u202egnirts desrever", "שלום העולם", '" onmouseover="alert(4)', "a\u2028b", "x" * 5000,
]

passed, failed = 0, 0


def check(what, ok, found=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(f"{'ok  ' if ok else 'FAIL'} {what}{f': {found}' if found != '' else ''}", flush=True)


class Watched:
    """A page that notes every request, console message and dialog."""

    def __init__(self, browser, url, **options):
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.page = self.context.new_page()
        self.url, self.requests, self.complaints = url, [], []
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on("console", lambda m: m.type in ("error", "warning") and self.complaints.append(m.text))
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("dialog", lambda d: (self.complaints.append("dialog: " + d.message), d.dismiss()))

    def open(self, suffix=""):
        start = time.perf_counter()
        self.page.goto(self.url + suffix, wait_until="commit")
        self.ready()
        return time.perf_counter() - start

    def ready(self):
        self.page.wait_for_selector("html[data-records=ready]", state="attached", timeout=60_000)

    def status(self):
        return self.page.locator("#status").inner_text()

    def shown(self):
        """How many records the page says it shows, once the filters have been applied."""
        return int(self.status().split(" of ")[0].replace(",", ""))

    def close(self, what):
        others = [r for r in self.requests if r.split("#")[0] != self.url]
        check(f"{what}: no request but the page itself", not others, others[:3] or "")
        check(f"{what}: nothing on the console, no dialog", not self.complaints, self.complaints[:3] or "")
        self.context.close()


def report(emospan, source, out, *flags):
    start = time.perf_counter()
    subprocess.run([emospan, "report", source, "-o", out, "--force", "-q", *flags], check=True)
    return time.perf_counter() - start


def read(path):
    with open(path, encoding="utf-8", newline="\n") as f:
        return [json.loads(line) for line in f]


def large(browser, url, records, reference, work):
    times, paints, busy = [], [], []
    for _ in range(5):
        w = Watched(browser, url)
        devtools = w.context.new_cdp_session(w.page)
        devtools.send("Performance.enable")
        times.append(w.open())
        paints.append(w.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000)
        busy.append(next(m["value"] for m in devtools.send("Performance.getMetrics")["metrics"] if m["name"] == "ThreadTime"))
        w.context.close()
    # The fastest: others on the machine can only make it slower.
    check(f"{len(records):,} records open in under {OPEN_LIMIT:g} s", min(times) < OPEN_LIMIT,
          f"{min(times):.2f} to {max(times):.2f} s until the list has them all, {min(busy):.2f} s of them the page's own work; charts after {min(paints):.2f} s")

    w = Watched(browser, url)
    w.open()
    page = w.page
    check("the list shows all", w.status() == f"{len(records):,} of {len(records):,} records", w.status())
    check("few rows are on the page", 3 < page.locator(".row").count() < 60, page.locator(".row").count())
    search(w, records)
    filters(w, records, reference)
    keyboard(w)
    pointer(w)
    address(w, records)
    appearance(w, work)
    w.close("100,000 records")


def search(w, records):
    page = w.page
    box = page.get_by_label("Text or id")
    box.press_sequentially("l2_99999")
    check("an id is found as it is typed", w.shown() == 1 and page.locator(".row .head bdi").first.inner_text() == "l2_99999", w.status())
    box.fill("")
    box.press_sequentially("LOVELY coffee")
    want = sum("lovely coffee" in r["text"].lower() for r in records)
    check("a text is found, whatever its case", w.shown() == want > 0, w.status())
    start = time.perf_counter()
    box.fill("שלום")
    w.page.evaluate("1")
    spent = time.perf_counter() - start
    want = sum("שלום" in r["text"] for r in records)
    check("a search through all takes under 0.5 s", w.shown() == want > 0 and spent < 0.5, f"{spent:.3f} s")
    box.fill("no such words at all")
    check("nothing is found where there is nothing", w.shown() == 0 and page.locator(".row").count() == 0, w.status())
    page.get_by_role("button", name="Clear").click()
    page.wait_for_timeout(50)
    check("Clear brings all back", w.shown() == len(records), w.status())


def filters(w, records, reference):
    page = w.page
    labels = {r["src_id"]: set(r["labels"]) for r in reference}

    def spans_like(r, **attrs):
        return any(all(s["attrs"][k] == v for k, v in attrs.items()) for s in r["data"]["spans"])

    def count(what, want, **choices):
        page.get_by_role("button", name="Clear").click()
        page.wait_for_timeout(50)
        for name, value in choices.items():
            control = page.locator(f"#filters [name={name}]")
            control.select_option(value) if control.evaluate("e => e.tagName") == "SELECT" else control.fill(value)
        check(f"filter by {what}", w.shown() == want > 0, f"{w.shown()}, want {want}")

    count("emotion", sum("anger" in r["predictions"] for r in records), emotion="anger")
    count("two attributes of one span", sum(spans_like(r, intensity="high", source="other") for r in records), intensity="high", source="other")
    count("confidence", sum(any(0.5 <= s["attrs"]["confidence"] <= 0.6 for s in r["data"]["spans"]) for r in records), min="0.5", max="0.6")
    count("no spans", sum(not r["data"]["spans"] for r in records), spans="none")
    count("the same emotions as the reference", sum(set(r["predictions"]) == labels[r["src_id"]] for r in records), reference="same")
    count("no emotion in common", sum(not set(r["predictions"]) & labels[r["src_id"]] for r in records), reference="none")
    page.get_by_role("button", name="Clear").click()
    page.wait_for_timeout(50)
    page.locator("#emotions").get_by_role("link", name="grief", exact=True).click()
    page.wait_for_timeout(50)
    check("a name in a chart leads to its records", w.shown() == sum("grief" in r["predictions"] for r in records), w.status())
    page.get_by_role("button", name="Clear").click()


def keyboard(w):
    page = w.page
    page.get_by_role("button", name="Clear").focus()
    page.keyboard.press("Tab")
    check("Tab leads from the filters to the list", page.evaluate("document.activeElement.id") == "list")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    check("the focus is seen", outline != "none", outline)

    def chosen():
        return page.locator("#record h3").inner_text(), page.locator("[aria-selected=true]").count()

    moves = []
    for key in ["Home", "ArrowDown", "ArrowDown", "ArrowUp", "End", "ArrowDown", "PageUp", "Home"]:
        page.keyboard.press(key)
        moves.append(chosen()[0])
    check("arrows, Home, End and Page move through the list", moves[:6] == ["l2_0", "l2_1", "l2_2", "l2_1", "l2_99999", "l2_99999"] and moves[7] == "l2_0", moves)
    check("the chosen row is in sight and named", chosen()[1] == 1 and page.evaluate(
        "document.getElementById(document.getElementById('list').getAttribute('aria-activedescendant')).getAttribute('aria-selected')") == "true")
    page.locator("#filters [name=spans]").select_option("several")
    page.locator("#list").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    check("Enter and Tab lead to a span of the record", page.evaluate("document.activeElement.className.startsWith('mark')"))
    tip = page.locator("#tip")
    check("its attributes appear on focus", tip.is_visible() and all(name in tip.inner_text() for name in ["confidence", "intensity", "certainty", "sentence_index"]))
    page.keyboard.press("Escape")
    check("and go with Escape", not tip.is_visible())


def pointer(w):
    page = w.page
    page.locator("#list").focus()
    marks = page.locator("#record .sides > div").first.locator(".mark")
    marks.first.hover()
    tip = page.locator("#tip")
    check("attributes appear under the pointer", tip.is_visible() and "valence" in tip.inner_text())
    first = tip.inner_text()
    marks.nth(1).hover()
    check("each span has its own", tip.inner_text() != first)
    page.locator("h2").first.hover()
    check("and go with it", not tip.is_visible())
    page.locator(".row").nth(3).click()
    check("a click chooses a row", page.locator(".row").nth(3).get_attribute("aria-selected") == "true")
    titles = page.locator("#record h4").all_inner_texts()
    check("the reference stands beside", titles == ["This file", "Reference"], titles)


def address(w, records):
    page = w.page
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Text or id").fill("printer")
    page.locator("#filters [name=valence]").select_option("pos")
    before = w.shown()
    page.locator("#list").focus()
    page.keyboard.press("ArrowDown")
    chosen = page.locator("#record h3").inner_text()
    page.wait_for_timeout(400)
    hash_ = page.evaluate("location.hash")
    check("the address keeps the filters", "q=printer" in hash_ and "valence=pos" in hash_ and "record=" + chosen in hash_, hash_)
    page.reload(wait_until="commit")
    w.ready()
    check("and brings them back", w.shown() == before < len(records) and page.locator("#record h3").inner_text() == chosen, w.status())


def appearance(w, work):
    page = w.page

    def brightness():
        return sum(map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))[:3]))

    sizes = []
    for scheme in ["light", "dark"]:
        page.emulate_media(color_scheme=scheme)
        picture = work / f"{scheme}.png"
        page.screenshot(path=picture)
        sizes.append((scheme, brightness(), picture.stat().st_size))
    check("light is light, dark is dark, both in a picture", sizes[0][1] > 700 and sizes[1][1] < 120 and all(s > 20_000 for _, _, s in sizes), sizes)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 320, "height": 640})
    page.wait_for_timeout(100)  # the page hears of its new size after it has it
    width = page.evaluate("document.documentElement.scrollWidth")
    out = page.evaluate("[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > 320 && !e.closest('#list, details, svg')).map(e => e.outerHTML.slice(0, 80))")
    check("on 320 pixels nothing sticks out", width <= 320, f"{width} {out[:3]}")
    page.set_viewport_size({"width": 1280, "height": 900})


def hostile(browser, emospan, work):
    source, out = work / "hostile.jsonl", work / "hostile.html"
    with open(source, "w", encoding="utf-8") as f:
        for i, evil in enumerate(HOSTILE):
            span = {"type": "EMO", "subtype": "Joy", "start": 1, "end": 1, "text": "yes", "attrs": {
                "valence": "pos", "intensity": "med", "certainty": "asserted", "temporality": "present", "source": "self", "emotion_group": "positive_affect",
                "sentence_index": 0, "clause_index": 0, "confidence": 0.5, "target_text": evil, "target_relation": "cause"}}
            f.write(json.dumps({"src_id": f"{i} {evil[:100]}", "model": evil, "provider": "emospan", "prompt": "level_2", "level": "level2", "predictions": ["joy"],
                                "text": f"{evil} yes", "data": {"tokens": [evil, "yes"], "labels": ["O", "B-EMO"], "spans": [span]}}, ensure_ascii=False) + "\n")
    report(emospan, source, out, "--title", HOSTILE[1])
    w = Watched(browser, out.as_uri())
    w.open()
    check("hostile records are all there", w.shown() == len(HOSTILE), w.status())
    w.page.locator("#list").focus()
    good = []
    for evil in HOSTILE:
        body = w.page.locator("#record .text").text_content()
        w.page.locator("#record .mark").first.hover()
        target = w.page.locator("#tip").text_content()
        plain = evil.replace("\x1b", "\u241b")
        good.append(body == plain + " yes" and plain in target)
        w.page.keyboard.press("ArrowDown")
    check("and are text, letter for letter", all(good), good)
    check("and have made no element", w.page.locator("img, iframe, #record script, #rows script").count() == 0)
    w.close("hostile records")


def without_script(browser, url):
    w = Watched(browser, url, java_script_enabled=False)
    w.page.goto(url)
    check("without JavaScript the charts are there and the page says what is not",
          w.page.locator("#reliability svg").is_visible() and w.page.locator("noscript .note").is_visible())
    w.close("without JavaScript")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("emospan")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--screenshot", type=pathlib.Path)
    args = parser.parse_args()
    emospan, work = os.path.abspath(args.emospan), args.folder.resolve()
    records, reference = read(work / "records.jsonl"), read(work / "reference.jsonl")
    out = work / "large.html"
    took = report(emospan, work / "records.jsonl", out, "--reference", work / "reference.jsonl", "--title", "Synthetic records")
    print(f"note {len(records):,} records of {(work / 'records.jsonl').stat().st_size / 1e6:.1f} MB: a page of {out.stat().st_size / 1e6:.1f} MB in {took:.1f} s")
    with sync_playwright() as p:
        # Chromium's own sandbox does not work for root, which CI often is.
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"] if os.geteuid() == 0 else [])
        print(f"note Chromium {browser.version}")
        large(browser, out.as_uri(), records, reference, work)
        without_script(browser, out.as_uri())
        hostile(browser, emospan, work)
        if args.screenshot:
            picture(browser, emospan, args.screenshot, work)
        browser.close()
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


def picture(browser, emospan, path, work):
    """Takes the picture of a page on the demo's output for the documents."""
    demo = pathlib.Path("examples/out.jsonl")
    if not demo.exists():
        sys.exit(f"report: there is no {demo}; make demo writes it")
    report(emospan, demo, work / "demo.html", "--title", "examples/sentences.txt")
    w = Watched(browser, (work / "demo.html").as_uri())
    w.open()
    w.page.set_viewport_size({"width": 1280, "height": w.page.evaluate("document.documentElement.scrollHeight")})
    w.page.wait_for_timeout(100)
    w.page.locator("#record .mark").first.focus()
    w.page.screenshot(path=work / "demo.png")
    Image.open(work / "demo.png").quantize(64).save(path, optimize=True)
    check("a picture of the demo's output below 300 KB", 20_000 < path.stat().st_size < 300 << 10, f"{path}, {path.stat().st_size} bytes")
    w.close("the demo's output")


if __name__ == "__main__":
    main()
