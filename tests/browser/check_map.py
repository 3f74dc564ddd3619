#!/usr/bin/env python3
"""Opens map.html of a result folder in Chromium, from its file, as a planner would.

    check_map.py RESULT_DIR OUT_PNG

Nothing may be requested and nothing may stand on the console; a click on the first corridor, on the map and in the
list, must show its name, its interval and its reasons; every word changes with the language; the page fits a screen 320
pixels wide; axe-core finds no fault that is serious or critical; everything can be done with the keyboard. Pictures go
beside OUT_PNG. All faults are printed; exit code 1 if there is one.
"""

import json
import os
import re
import shutil
import sys
from importlib import resources
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

# Words of the page that would tell that one language was left behind in the other.
ENGLISH = ["Legend", "Reasons", "Corridors", "Layers", "Flow share", "lift over population", "Search", "width:"]
SPANISH = ["Leyenda", "Razones", "Corredores", "Capas", "Parte del flujo", "razón frente a la población", "Buscar", "ancho:"]

# Words that stand in nearly every English sentence and in no Spanish one. The other way round they would tell nothing:
# texts of the study (names, notes, sources) are in the language in which they were written, which here is Spanish.
SENTENCES = {"the", "of", "and", "with", "is", "are", "not", "from", "this", "that", "each", "by", "for", "it", "only", "over",
             "unknown", "missing", "share", "road", "roads", "all", "between", "without"}

faults: list[str] = []


def check(holds: object, fault: str) -> None:
    if not holds:
        faults.append(fault)


def first_corridor(result: Path) -> dict | None:
    features = json.loads((result / "layers/corridors.geojson").read_text())["features"]
    return min(features, key=lambda f: f["properties"]["rank"], default=None)


def words(page: Page) -> str:
    return page.locator("body").inner_text()


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


def detail_shows(page: Page, corridor: dict, how: str) -> None:
    shown = page.locator("#detail").inner_text()
    properties = corridor["properties"]
    check(properties["name"] in shown, f"{how}: the name is missing: {shown[:80]!r}")
    for field in ("mean", "p05", "p95"):
        share = 100 * properties[field]
        text = f"{share:.{2 if share < 9.95 else 1}f} %"
        check(text in shown, f"{how}: {field} {text} is missing")
    rows = page.locator("#detail .bars li:has(svg)").count()
    check(rows == len(properties["reasons"]), f"{how}: {rows} reasons, {len(properties['reasons'])} in the layer")


def click_on_map(page: Page, name: str) -> bool:
    """Clicks where the map answers with a name; the place was brought into view before."""
    box = page.locator("#map").bounding_box()
    steps = [i / 48 for i in range(1, 48)]
    points = [(x, 0.5) for x in steps] + [(0.5, y) for y in steps] + [(x, x) for x in steps]
    for x, y in points:
        at = (box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.mouse.move(*at)
        # Leaflet looks where the mouse is some thirty times a second.
        page.wait_for_timeout(45)
        tip = page.locator(".leaflet-tooltip:not(.rank)")
        if tip.count() and name in tip.first.inner_text():
            page.mouse.click(*at)
            return True
    return False


def look(page: Page, result: Path, picture: Path) -> None:
    corridor = first_corridor(result)
    check(page.locator("#map canvas").count() == 1, "there is no canvas")
    pixels = page.evaluate("""() => {
        const canvas = document.querySelector("#map canvas");
        const bytes = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        const colours = new Set();
        for (let i = 0; i < bytes.length; i += 4 * 37) {
            if (bytes[i + 3] > 200) colours.add((bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2]);
        }
        return colours.size;
    }""")
    check(pixels >= 6, f"the map shows {pixels} colours")
    page.screenshot(path=picture)
    if corridor is None:
        check("ningún" in words(page).lower() or "no corridors" in words(page).lower(), "nothing says that there is no corridor")
    else:
        # In the list, by the keyboard alone.
        page.locator("#corridors button").first.focus()
        page.keyboard.press("Enter")
        detail_shows(page, corridor, "list")
        check(page.evaluate("() => document.activeElement.id") == "detail", "the detail does not get the focus")
        page.evaluate("() => document.getElementById('detail').replaceChildren()")
        if click_on_map(page, corridor["properties"]["name"]):
            detail_shows(page, corridor, "map")
        else:
            faults.append("no point of the first corridor answers to the mouse")
    axe(page, "with a detail")
    page.screenshot(path=picture.with_stem(picture.stem + "-detail"))

    # Words of both languages.
    for language, foreign in (("es", ENGLISH), ("en", SPANISH)):
        page.locator(f"#languages [data-lang={language}]").click()
        page.evaluate("() => document.querySelectorAll('#layers details').forEach((d) => { d.open = true; })")
        shown = words(page)
        check(page.evaluate("() => document.documentElement.lang") == language, f"{language}: the page does not say so")
        for word in foreign:
            check(word not in shown, f"{language}: {word!r} is left")
        for line in shown.splitlines():
            left = SENTENCES & set(re.findall(r"[^\W\d_]+", line))
            check(not left or language == "en", f"es: {sorted(left)} in {line[:120]!r}")
        check("undefined" not in shown and "NaN" not in shown, f"{language}: undefined or NaN is shown")
        missing = re.findall(r"\b(?:page|value|reason)\.\w+", shown)
        check(not missing, f"{language}: keys without words: {missing[:3]}")
        axe(page, language)
    page.locator("#languages [data-lang=es]").click()

    # Search, without accents.
    page.locator("#query").fill("tapachul")
    check(page.locator("#hits button").count() >= 1, "the search finds no Tapachula")
    page.locator("#query").fill("zzzz")
    check(page.locator("#hits button").count() == 0, "the search finds what is not there")
    page.locator("#query").fill("")

    # Layers go and come.
    for box in page.locator("#layers input[type=checkbox]").all():
        box.click()
        box.click()


def main() -> int:
    result, picture = Path(sys.argv[1]), Path(sys.argv[2])
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("Chromium is missing", file=sys.stderr)
        return 1
    address = (result / "map.html").resolve().as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, size in (("", (1280, 800)), ("-phone", (320, 640))):
            page = browser.new_page(viewport={"width": size[0], "height": size[1]}, locale="es-MX")
            page.on("console", lambda m: faults.append(f"console: {m.type}: {m.text}") if m.type in ("error", "warning") else None)
            page.on("pageerror", lambda e: faults.append(f"error: {e}"))
            page.on("request", lambda r: check(r.url == address or r.url.startswith("data:"), f"request: {r.url}"))
            page.goto(address)
            if name:
                wide = page.evaluate("() => document.documentElement.scrollWidth")
                check(wide <= size[0], f"{size[0]} pixels: the page is {wide} wide")
                corridors = page.locator("#corridors button")
                if corridors.count():
                    corridors.first.click()
                    check(page.locator("#detail").inner_text() != "", "phone: no detail")
                axe(page, "phone")
                page.screenshot(path=picture.with_stem(picture.stem + name), full_page=True)
            else:
                look(page, result, picture)
                page.pdf(path=picture.with_suffix(".pdf"), landscape=True, print_background=True)
            page.close()
        browser.close()
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{result}: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main())
