"""The print layout: exported, and looked at as far as a program can."""

import json

from qgis.core import (
    QgsLayoutExporter,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemMarker,
    QgsLayoutItemRegistry,
    QgsLayoutItemScaleBar,
    QgsGeometry,
    QgsLegendRenderer,
    QgsRenderContext,
)
from qgis.PyQt import sip
from qgis.PyQt.QtGui import QImage

from common import MIN_COLOURS, MIN_PIXELS, check_labels, label_outlines, pixels
from project import layer_name

NAMES = {"es": "Corredores", "en": "Corridors"}
MARKS = {"es": "BORRADOR", "en": "DRAFT"}
DPI = 150
# Millimetres by which rounding may make two items meet.
TOUCH = 0.1


def check_sheet(project, result, out, faults):
    manifest = json.loads((result / "run.json").read_text(encoding="utf-8"))
    lang = manifest["language"]
    layout = project.layoutManager().layoutByName(NAMES[lang])
    if not faults.require(layout is not None, f"no print layout called {NAMES[lang]}"):
        return
    # Of items() QGIS 3.22 does not give every one its class.
    names = [item.id() for item in layout.pageCollection().itemsOnPage(0) if item.id() and item.id() != "page"]
    items = [itself(layout.itemById(name)) for name in names]
    faults.require(len(set(names)) == len(names), f"two items have the same name: {names}")
    of = {kind: [item for item in items if isinstance(item, kind)] for kind in (
        QgsLayoutItemMap, QgsLayoutItemLabel, QgsLayoutItemLegend, QgsLayoutItemScaleBar, QgsLayoutItemMarker,
    )}
    maps, legends = of[QgsLayoutItemMap], of[QgsLayoutItemLegend]
    for kind in (QgsLayoutItemMap, QgsLayoutItemLegend, QgsLayoutItemScaleBar, QgsLayoutItemMarker):
        if not faults.require(len(of[kind]) == 1, f"the layout has {len(of[kind])} {kind.__name__}"):
            return
    marker = of[QgsLayoutItemMarker][0]
    faults.require(marker.linkedMap() is maps[0], "the north arrow is not that of the map")
    faults.require(of[QgsLayoutItemScaleBar][0].linkedMap() is maps[0], "the scale bar is not that of the map")

    exporter = QgsLayoutExporter(layout)
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = DPI
    png, pdf = out.with_name(f"{out.name}.png"), out.with_name(f"{out.name}.pdf")
    faults.require(
        exporter.exportToImage(str(png), settings) == QgsLayoutExporter.Success, f"{png.name} cannot be exported"
    )
    results = exporter.labelingResults()
    labels = [label for result in results.values() for label in label_outlines(result)]
    done = exporter.exportToPdf(str(pdf), QgsLayoutExporter.PdfExportSettings())
    faults.require(done == QgsLayoutExporter.Success, f"{pdf.name} cannot be exported")
    faults.require(pdf.is_file() and pdf.read_bytes()[:5] == b"%PDF-" and pdf.stat().st_size > 20_000, "no PDF is there")
    faults.require(abs(marker.northArrowRotation()) > 0.5, "the north arrow does not point to true north")

    picture = QImage(str(png)).convertToFormat(QImage.Format_RGB32)
    colours = pixels(picture)
    shown = [c for c, n in colours.items() if n >= MIN_PIXELS and c != (255, 255, 255)]
    faults.require(len(shown) > MIN_COLOURS, f"the sheet has {len(shown)} colours")
    drawn = share_drawn(picture, maps[0])
    faults.require(drawn > 0.2, f"{drawn:.0%} of the map is not white")

    check_map_labels(project, labels, maps[0], faults)
    check_texts(of[QgsLayoutItemLabel], manifest, faults)
    check_places(layout, items, faults)
    check_legend(project, legends[0], faults)
    check_mark(layout, picture, of[QgsLayoutItemLabel], manifest, faults)
    print(f"{png.name}: {len(shown)} colours, {len(labels)} labels on the map, 1:{maps[0].scale():,.0f}")


def itself(item):
    """The item in its class; PyQGIS 3.22 knows none for markers."""
    marker = item.type() == QgsLayoutItemRegistry.LayoutMarker
    return sip.cast(item, QgsLayoutItemMarker) if marker else item


def share_drawn(picture, item):
    """Share of the pixels of an item that are not white."""
    place = item.sceneBoundingRect()
    per = DPI / 25.4
    part = picture.copy(*(round(x * per) for x in (place.left(), place.top(), place.width(), place.height())))
    colours = pixels(part)
    return 1 - colours[(255, 255, 255)] / max(1, sum(colours.values()))


def check_map_labels(project, labels, item, faults):
    """No label over another, none cut by the edge, and the first corridors have theirs."""
    corridors = [layer for layer in project.mapLayers().values() if layer_name(layer) == "corridors"]
    frame = QgsGeometry.fromRect(item.extent())
    for text, outline in labels:
        faults.require(frame.contains(outline), f"the label {text!r} is cut by the edge of the map")
    for layer in corridors:
        check_labels(labels, layer, faults)


def check_texts(items, manifest, faults):
    """What a sheet says when it lies on a table without its folder."""
    texts = "\n".join(item.currentText() for item in items)
    flat = " ".join(texts.split())
    for wanted in (manifest["run_id"], manifest["version"]):
        faults.require(wanted in texts, f"the sheet does not say {wanted}")
    first = manifest["notices"][0].split(" / ")[0 if manifest["language"] == "es" else -1]
    faults.require(" ".join(first.split()) in flat, f"the sheet does not say {first!r}")
    restricted = any(word in texts for word in ("RESTRINGIDO", "RESTRICTED"))
    faults.require(restricted == (manifest["audience"] == "restricted"), "is the audience right?")
    for word in ("Fuentes", "INEGI") if manifest["language"] == "es" else ("Sources", "INEGI"):
        faults.require(word in texts, f"the sheet does not name its sources: no {word}")


def check_places(layout, items, faults):
    """Every item is on the sheet, no text is cut, and none lies over another, save what belongs on the map."""
    on_map = {"draft", "scale", "north letter", "north arrow"}
    page = layout.pageCollection().page(0).sceneBoundingRect()
    places = {}
    for item in items:
        # The bounding rectangle has room to spare.
        place = item.mapRectToScene(item.rect())
        faults.require(page.adjusted(-TOUCH, -TOUCH, TOUCH, TOUCH).contains(place), f"{item.id()} is not on the sheet")
        places[item.id()] = place
        if isinstance(item, QgsLayoutItemLabel):
            size, own = item.sizeForText(), item.rect()
            fits = size.width() <= own.width() + TOUCH and size.height() <= own.height() + TOUCH
            faults.require(fits, f"the text of {item.id()} is cut: {size} in {own}")
    inside = places["map"].adjusted(-TOUCH, -TOUCH, TOUCH, TOUCH)
    for name, place in places.items():
        for other, its in places.items():
            pair = {name, other}
            if name >= other or "draft" in pair or ("map" in pair and pair & on_map):
                continue
            apart = place.adjusted(TOUCH, TOUCH, -TOUCH, -TOUCH)
            faults.require(not apart.intersects(its), f"{name} and {other} lie over each other")
        if name in on_map:
            faults.require(inside.contains(place), f"{name} is not on the map")


def check_legend(project, legend, faults):
    """Only what is seen, every line with words, all of it within its place."""
    seen = {layer_name(n.layer()) for n in project.layerTreeRoot().findLayers() if n.layer() and n.isVisible()}
    told = []
    for node in legend.model().rootGroup().findLayers():
        told.append(layer_name(node.layer()))
        lines = legend.model().layerLegendNodes(node)
        faults.require(lines, f"the legend of {told[-1]} is empty")
        for line in lines:
            faults.require(str(line.data(0)).strip(), f"a line without words in the legend of {told[-1]}")
    faults.require(set(told) <= seen and "corridors" in told, f"the legend tells of {told}, seen are {sorted(seen)}")
    shown = [layer_name(layer) for layer in legend.linkedMap().layers()]
    faults.require(set(told) <= set(shown), f"the map draws {shown}, the legend tells of {told}")
    size = QgsLegendRenderer(legend.model(), legend.legendSettings()).minimumSize(QgsRenderContext())
    own = legend.rect()
    fits = size.width() <= own.width() + TOUCH and size.height() <= own.height() + TOUCH
    faults.require(fits, f"the legend is cut: {size} in {own}")


def check_mark(layout, picture, items, manifest, faults):
    """What nobody has signed says so across the map, and in nothing else."""
    word = MARKS[manifest["language"]]
    signed = not any(word in notice for notice in manifest["notices"])
    marks = [item for item in items if item.currentText() == word]
    said = any(word in item.currentText() for item in items)
    faults.require(len(marks) == (0 if signed else 1), f"{len(marks)} marks {word}, signed is {signed}")
    faults.require(said != signed, f"{word} stands in a text, signed is {signed}")
    for mark in marks:
        mark.setVisibility(False)
        settings = QgsLayoutExporter.ImageExportSettings()
        settings.dpi = DPI
        without = QgsLayoutExporter(layout).renderPageToImage(0, dpi=DPI).convertToFormat(QImage.Format_RGB32)
        changed = sum((pixels(picture) - pixels(without)).values())
        share = changed / (picture.width() * picture.height())
        faults.require(share > 0.01, f"the mark changes {share:.2%} of the sheet")
        mark.setVisibility(True)
