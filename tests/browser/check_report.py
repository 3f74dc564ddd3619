#!/usr/bin/env python3
"""Opens report.html of a result folder in Chromium, from its file, prints it, and reads report.pdf if there is one.

    check_report.py RESULT_DIR OUT_PNG

Nothing may be requested and nothing may stand on the console; the ten first corridors are there by name with their interval;
axe-core finds no fault that is serious or critical; the page fits a screen 320 pixels wide; the part for planners prints on
two pages, on letter and on A4; report.pdf has it on two pages too, is tagged, has a title, a language and an outline.
Words that are not for the public are in no public report. Pictures go beside OUT_PNG. All faults are printed; exit code 1 if
there is one.
"""

import json
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

# Beginnings of words that are in no public file; see tests/public_words.rs.
HIDDEN = re.compile(r"\b(reclut\w*|recruit\w*|checkpoint\w*|worksite\w*|puestos?|visitas?|retén|posts?|visits?)\b", re.IGNORECASE)
# Words that would tell that the page is not in one language.
ENGLISH = ["Flow share", "What it is", "Glossary", "DRAFT", "Draws", " of the "]

faults: list[str] = []


def check(holds: object, fault: str) -> None:
    if not holds:
        faults.append(fault)


def corridors(result: Path) -> list[dict]:
    path = result / "layers/corridors.geojson"
    features = json.loads(path.read_text())["features"] if path.exists() else []
    return sorted((f["properties"] for f in features), key=lambda p: p["rank"])


def axe(page: Page, when: str) -> None:
    # Through the debugger: the policy of the page lets no script in.
    session = page.context.new_cdp_session(page)
    source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
    session.send("Runtime.evaluate", {"expression": source})
    answer = session.send("Runtime.evaluate", {
        "expression": "axe.run(document).then((r) => JSON.stringify(r.violations))",
        "awaitPromise": True, "returnByValue": True,
    })
    for violation in json.loads(answer["result"]["value"]):
        if violation["impact"] in ("serious", "critical"):
            nodes = "; ".join(node["html"][:120] for node in violation["nodes"][:3])
            faults.append(f"axe, {when}: {violation['id']} ({violation['impact']}): {violation['help']}: {nodes}")


def percent(share: float) -> str:
    share *= 100
    return f"{share:.{2 if 0 < share < 9.95 else 1}f} %"


def look(page: Page, result: Path, language: str) -> None:
    shown = page.locator("body").inner_text()
    first = corridors(result)[:10]
    rows = page.locator("#ranking tbody tr")
    check(rows.count() == len(first), f"{rows.count()} corridors are listed, {len(first)} in the layer")
    for row, corridor in zip(rows.all(), first):
        told = row.inner_text()
        for part in (corridor["name"][:15], percent(corridor["mean"]), percent(corridor["p05"]), percent(corridor["p95"])):
            check(part in told, f"{corridor['name']}: {part!r} is missing in {told!r}")
    if not first:
        check(page.locator("#ranking p").count() >= 1, "nothing says that there is no corridor")
    check(page.locator("#map svg[role=img][aria-label]").count() == 1, "the map has no words")
    check(page.locator("#plot svg circle").count() == len(first), "the plot does not have one dot for each corridor")
    for table in page.locator("table").all():
        check(table.locator("caption").inner_text().strip(), "a table has no caption")
        check(table.locator("th[scope=col]").count() >= 2, "a table has no heads")
    check("undefined" not in shown and "NaN" not in shown, "undefined or NaN is shown")
    if language == "es":
        for word in ENGLISH:
            check(word not in shown.split("Clayton")[0], f"{word!r} is left in Spanish")
    for anchor in page.locator("nav a").all():
        check(page.locator(anchor.get_attribute("href")).count() == 1, "an entry of the contents leads nowhere")


def text_of(pdf: Path, *options: str) -> str:
    return subprocess.run(["pdftotext", "-layout", *options, str(pdf), "-"], check=True, capture_output=True, text=True).stdout


def pages(pdf: Path) -> list[str]:
    return text_of(pdf).split("\f")


def of_two_pages(pdf: Path, annex: str, how: str) -> None:
    """The annex begins on the third page, and nowhere before."""
    found = [i for i, text in enumerate(pages(pdf), 1) if re.search(rf"^\s*{annex}\s*$", text, re.MULTILINE)]
    check(found and found[0] == 3, f"{how}: the annex begins on page {found[:1]}, not on the third")


def picture_of(pdf: Path, picture: Path, last: int) -> None:
    subprocess.run(["pdftoppm", "-r", "110", "-l", str(last), "-png", str(pdf), str(picture.with_suffix(""))], check=True)


def read_pdf(pdf: Path, title: str, annex: str, manifest: dict, picture: Path) -> None:
    info = subprocess.run(["pdfinfo", str(pdf)], check=True, capture_output=True, text=True).stdout
    check(re.search(r"^Tagged:\s+yes", info, re.MULTILINE), "report.pdf is not tagged")
    check(title[:40] in info, f"report.pdf has another title: {info[:120]}")
    check("CreationDate" not in info and "ModDate" not in info, "report.pdf has a date")
    raw = pdf.read_bytes()
    check(b"/Outlines" in raw or b"/ObjStm" in raw, "report.pdf has no outline")
    of_two_pages(pdf, annex, "report.pdf")
    text = "\n".join(pages(pdf))
    mark = "RESTRINGIDO" if manifest["audience"] == "restricted" else "PÚBLICO"
    if manifest["language"] == "es":
        check(all(mark in page for page in pages(pdf) if page.strip()), f"a page does not say {mark}")
        draft = any("BORRADOR" in line for line in manifest["notices"])
        check(not draft or all("BORRADOR" in page for page in pages(pdf) if page.strip()), "a page does not say BORRADOR")
    if manifest["audience"] == "public":
        check(not HIDDEN.search(text), f"report.pdf holds {HIDDEN.search(text)}")
    picture_of(pdf, picture.with_stem(picture.stem + "-pdf"), 4)


def main() -> int:
    result, picture = Path(sys.argv[1]), Path(sys.argv[2])
    picture.parent.mkdir(parents=True, exist_ok=True)
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    chromium = next((path for path in map(shutil.which, names) if path), None)
    address = (result / "report.html").resolve().as_uri()
    manifest = json.loads((result / "run.json").read_text())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, size in (("", (1100, 900)), ("-phone", (320, 640))):
            page = browser.new_page(viewport={"width": size[0], "height": size[1]}, locale="es-MX")
            page.on("console", lambda m: faults.append(f"console: {m.type}: {m.text}") if m.type in ("error", "warning") else None)
            page.on("pageerror", lambda e: faults.append(f"error: {e}"))
            page.on("request", lambda r: check(r.url == address, f"request: {r.url}"))
            page.goto(address)
            wide = page.evaluate("() => document.documentElement.scrollWidth")
            check(wide <= size[0], f"{size[0]} pixels: the page is {wide} wide")
            axe(page, f"{size[0]} pixels")
            page.screenshot(path=picture.with_stem(picture.stem + name), full_page=True)
            if not name:
                title = page.title()
                annex = page.locator("#annex").inner_text()
                look(page, result, manifest["language"])
                if manifest["audience"] == "public":
                    shown = page.content()
                    check(not HIDDEN.search(shown), f"report.html holds {HIDDEN.search(shown)}")
                for paper in ("Letter", "A4"):
                    printed = picture.with_stem(f"{picture.stem}-{paper.lower()}").with_suffix(".pdf")
                    page.pdf(path=printed, format=paper, print_background=True, prefer_css_page_size=False)
                    of_two_pages(printed, annex, f"printed on {paper}")
                picture_of(picture.with_stem(f"{picture.stem}-letter").with_suffix(".pdf"), picture.with_stem(f"{picture.stem}-letter"), 2)
            page.close()
        browser.close()
    pdf = result / "report.pdf"
    if pdf.exists():
        read_pdf(pdf, title, annex, manifest, picture)
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{result}: report.html{' and report.pdf' if pdf.exists() else ''}, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main())
