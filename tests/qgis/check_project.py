#!/usr/bin/python3
"""Opens a result folder as an analyst would, in QGIS, and draws its map.

    QT_QPA_PLATFORM=offscreen tests/qgis/check_project.py RESULT_DIR OUT_PNG OUT_SHEET

Every layer, from its GeoJSON and from the GeoPackage, must load, be valid, bring its own style, aliases and words for
codes, and hold the same number of features. The map of municipalities, roads, corridors and crossings is drawn in
EPSG:6372 and must show the colours of the corridors and the names of the first ones, no label over another. The project
must open with all of that wherever its folder lies (project.py), and its print layout be exported, as OUT_SHEET.png and
OUT_SHEET.pdf, with nothing cut, nothing over another, and BORRADOR where nobody has signed (sheet.py). All faults are
printed; exit code 1 if there is one.

Needs PyQGIS 3.22 or newer, which is built for the system's Python: hence the first line.
"""

import json
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsRectangle,
    QgsRenderContext,
    QgsSymbol,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage

from common import Faults, MIN_COLOURS, MIN_PIXELS, check_labels, check_words, label_outlines, pixels, rgb
from project import check_project
from sheet import check_sheet

# Layers a result cannot do without, and those that may be empty.
REQUIRED = {"municipalities", "crossings", "corridors"}
MAY_BE_EMPTY = {"diagnostics"}
# One symbol for all features would hide what these layers are about.
CLASSIFIED = {"municipalities", "roads", "corridors"}
# The map, from the bottom to the top. Roads are not in a public result.
DRAWN = ["municipalities", "roads", "corridors", "crossings"]

SIZE = QSize(1600, 1200)
BACKGROUND = QColor(255, 255, 255)

EPSG_6372 = """
PROJCRS["Mexico ITRF2008 / LCC",
    BASEGEOGCRS["Mexico ITRF2008",
        DATUM["Mexico ITRF2008", ELLIPSOID["GRS 1980", 6378137, 298.257222101, LENGTHUNIT["metre", 1]]],
        PRIMEM["Greenwich", 0, ANGLEUNIT["degree", 0.0174532925199433]], ID["EPSG", 6365]],
    CONVERSION["Mexico LCC",
        METHOD["Lambert Conic Conformal (2SP)", ID["EPSG", 9802]],
        PARAMETER["Latitude of false origin", 12, ANGLEUNIT["degree", 0.0174532925199433], ID["EPSG", 8821]],
        PARAMETER["Longitude of false origin", -102, ANGLEUNIT["degree", 0.0174532925199433], ID["EPSG", 8822]],
        PARAMETER["Latitude of 1st standard parallel", 17.5, ANGLEUNIT["degree", 0.0174532925199433],
            ID["EPSG", 8823]],
        PARAMETER["Latitude of 2nd standard parallel", 29.5, ANGLEUNIT["degree", 0.0174532925199433],
            ID["EPSG", 8824]],
        PARAMETER["Easting at false origin", 2500000, LENGTHUNIT["metre", 1], ID["EPSG", 8826]],
        PARAMETER["Northing at false origin", 0, LENGTHUNIT["metre", 1], ID["EPSG", 8827]]],
    CS[Cartesian, 2],
        AXIS["northing (N)", north, ORDER[1], LENGTHUNIT["metre", 1]],
        AXIS["easting (E)", east, ORDER[2], LENGTHUNIT["metre", 1]],
    ID["EPSG", 6372]]
"""


def symbol_colours(layer):
    """Colours of the symbols that the features of a layer really get, as they look on the background."""
    context = QgsRenderContext()
    expressions = layer.createExpressionContext()
    context.setExpressionContext(expressions)
    renderer = layer.renderer().clone()
    renderer.startRender(context, layer.fields())
    colours = set()
    for feature in layer.getFeatures():
        expressions.setFeature(feature)
        context.setExpressionContext(expressions)
        for symbol in renderer.originalSymbolsForFeature(feature, context):
            # An expression may set the opacity, in per cent.
            percent, _ = symbol.dataDefinedProperties().valueAsDouble(
                QgsSymbol.PropertyOpacity, expressions, 100 * symbol.opacity()
            )
            for part in symbol.symbolLayers():
                colour = part.color()
                alpha = colour.alphaF() * percent / 100 * layer.opacity()
                colours.add(tuple(round(alpha * c + (1 - alpha) * b) for c, b in zip(rgb(colour), rgb(BACKGROUND))))
    renderer.stopRender(context)
    return colours - {rgb(BACKGROUND)}


def check_layer(layer, title, expected, faults):
    """One opened layer: validity, number of features, style and aliases. True if it can be drawn."""
    if not faults.require(layer.isValid(), f"{title}: QGIS cannot open it"):
        return False
    # featureCount() comes from the file's metadata; what counts is what can be read.
    found = sum(1 for _ in layer.getFeatures())
    faults.require(found == expected, f"{title}: {found} features in QGIS, {expected} in the GeoJSON")
    faults.require(expected > 0 or layer.name() in MAY_BE_EMPTY, f"{title}: no feature")
    if layer.isSpatial():
        faults.require(layer.crs().authid() in {"EPSG:4326", "OGC:CRS84"}, f"{title}: CRS {layer.crs().authid()!r}")

    if layer.geometryType() == QgsWkbTypes.NullGeometry and layer.name() in MAY_BE_EMPTY:
        return False  # a GeoJSON without geometries has no geometry type, so that no style of points fits it
    _, styled = layer.loadDefaultStyle()
    if faults.require(styled and layer.renderer() is not None, f"{title}: no default style is loaded"):
        kind = layer.renderer().type()
        faults.require(
            kind != "singleSymbol" or layer.name() not in CLASSIFIED,
            f"{title}: one symbol for all features: the style does not show the values",
        )
    plain = [
        field.name()
        for index, field in enumerate(layer.fields())
        if field.name() not in {"fid", "ogc_fid"} and not layer.attributeAlias(index)
    ]
    faults.require(not plain, f"{title}: fields without an alias: {', '.join(plain)}")
    check_words(layer, title, faults)
    return True


def check_style_in_database(layer, title, faults):
    """The GeoPackage itself must hold the default style: a .qml beside it is not passed on with the file."""
    count, ids, _, _, error = layer.listStylesInDatabase()
    faults.require(not error, f"{title}: {error}")
    # QGIS counts the styles of this layer first; the ids go on with those of other layers.
    if not faults.require(count >= 1, f"{title}: no row in layer_styles"):
        return
    qml, error = layer.getStyleFromDatabase(ids[0])
    faults.require(not error, f"{title}: {error}")
    faults.require(
        f'type="{layer.renderer().type()}"' in qml, f"{title}: what is drawn is not the style of layer_styles"
    )


def open_layers(result, folder, faults):
    """The layers of the GeoPackage by name, after every layer of both formats was checked."""
    # QGIS switches a GeoPackage that it opens to write-ahead logging, which changes the file: so, a copy.
    gpkg = Path(shutil.copy(result / "corredor.gpkg", folder))
    files = sorted((result / "layers").glob("*.geojson"))
    names = {path.stem for path in files}
    faults.require(names >= REQUIRED, f"layers/ lacks {', '.join(sorted(REQUIRED - names))}")

    overview = QgsVectorLayer(str(gpkg), "overview", "ogr")
    inside = {text.split("!!::!!")[1] for text in overview.dataProvider().subLayers()} if overview.isValid() else set()
    tables = {path.stem for path in (result / "tables").glob("*.csv")}
    faults.require(
        inside == tables and names <= tables,
        f"corredor.gpkg has the layers {sorted(inside)}, layers/ {sorted(names)}, tables/ {sorted(tables)}",
    )
    # What has no geometry is a table of attributes and on no map.
    for name in sorted(tables - names):
        layer = QgsVectorLayer(f"{gpkg}|layername={name}", name, "ogr")
        faults.require(
            layer.isValid() and not layer.isSpatial() and layer.featureCount() > 0,
            f"corredor.gpkg, {name}: not a table of attributes with rows",
        )

    layers = {}
    for path in files:
        name = path.stem
        expected = len(json.loads(path.read_text(encoding="utf-8"))["features"])
        check_layer(QgsVectorLayer(str(path), name, "ogr"), f"layers/{path.name}", expected, faults)
        title = f"corredor.gpkg, {name}"
        layer = QgsVectorLayer(f"{gpkg}|layername={name}", name, "ogr")
        if check_layer(layer, title, expected, faults) and layer.renderer() is not None:
            check_style_in_database(layer, title, faults)
            layers[name] = layer
    return layers


def draw(layers, extent, crs):
    """Image of the layers, given from the bottom to the top, and its labels: each text with its outline."""
    settings = QgsMapSettings()
    settings.setLayers(list(reversed(layers)))
    settings.setOutputSize(SIZE)
    settings.setOutputDpi(120)
    settings.setDestinationCrs(crs)
    settings.setTransformContext(QgsProject.instance().transformContext())
    settings.setExtent(extent)
    settings.setBackgroundColor(BACKGROUND)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    labels = label_outlines(job.takeLabelingResults())
    return job.renderedImage().convertToFormat(QImage.Format_RGB32), labels


def check_map(layers, out, faults):
    crs = QgsCoordinateReferenceSystem.fromWkt(EPSG_6372)
    if not faults.require(crs.isValid(), "EPSG:6372 is not valid here"):
        return
    stack = [layers[name] for name in DRAWN if name in layers]
    if not faults.require(
        {"municipalities", "corridors"} <= {layer.name() for layer in stack}, "no map: municipalities or corridors missing"
    ):
        return
    area = layers["municipalities"]
    transform = QgsCoordinateTransform(area.crs(), crs, QgsProject.instance())
    extent = QgsRectangle(transform.transformBoundingBox(area.extent()))
    extent.scale(1.04)

    image, labels = draw(stack, extent, crs)
    out.parent.mkdir(parents=True, exist_ok=True)
    faults.require(image.save(str(out), "PNG"), f"{out} cannot be written")
    colours = pixels(image)
    background = rgb(BACKGROUND)
    shown = [colour for colour, n in colours.items() if n >= MIN_PIXELS and colour != background]
    faults.require(len(shown) > MIN_COLOURS, f"the map has {len(shown)} colours beyond the background")

    corridors = layers["corridors"]
    check_labels(labels, corridors, faults)

    # The corridors: their own colours when drawn alone, and a trace of them in the whole map.
    alone = pixels(draw([corridors], extent, crs)[0])
    expected = symbol_colours(corridors)
    seen = {e for e in expected if any(alone[c] >= MIN_PIXELS for c in neighbours(e))}
    faults.require(expected, "no corridor gets a symbol that can be seen")
    faults.require(seen or not expected, f"none of the corridors' colours {sorted(expected)} is drawn")
    without = pixels(draw([layer for layer in stack if layer is not corridors], extent, crs)[0])
    changed = sum((colours - without).values())
    faults.require(changed >= MIN_PIXELS, f"the corridors change {changed} pixels of the map")
    print(f"{out.name}: {len(shown)} colours, {len(seen)} of {len(expected)} corridor colours, {changed} pixels of corridors")


def neighbours(colour):
    """The colour and what rounding may make of it."""
    steps = (-1, 0, 1)
    return [tuple(c + d for c, d in zip(colour, (r, g, b))) for r in steps for g in steps for b in steps]


def check_result(result, out, sheet, faults):
    """Everything that holds a layer stands in here: QGIS crashes if one outlives the application."""
    with tempfile.TemporaryDirectory() as folder:
        layers = open_layers(result, folder, faults)
        for name, layer in layers.items():
            print(f"{name}: {layer.featureCount()} features, {layer.renderer().type()}")
        check_map(layers, out, faults)
    project = QgsProject.instance()
    check_project(project, result, faults)
    check_sheet(project, result, sheet, faults)
    project.clear()


def main():
    if len(sys.argv) != 4:
        print("usage: check_project.py RESULT_DIR OUT_PNG OUT_SHEET", file=sys.stderr)
        return 2
    result, out, sheet = (Path(argument) for argument in sys.argv[1:])
    if not (result / "corredor.gpkg").is_file() or not (result / "layers").is_dir():
        print(f"{result}: no result folder (corredor.gpkg and layers/ expected)", file=sys.stderr)
        return 1

    application = QgsApplication([], False)
    application.initQgis()
    faults = Faults()
    check_result(result, out, sheet, faults)
    application.exitQgis()

    for fault in faults:
        print(f"FAULT {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
