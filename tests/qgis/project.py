"""The project as an analyst opens it, in a folder that has been moved."""

import json
import shutil
import tempfile
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)

from common import check_words

# Layers that are there but not seen until they are asked for.
HIDDEN = {"worksites", "diagnostics", "sensitivity"}
GROUPS = {
    "es": ["Calidad de los datos", "Planes", "Corredores y caminos", "Territorio"],
    "en": ["Data quality", "Plans", "Corridors and roads", "Territory"],
}


def layer_name(layer):
    """Its name in the GeoPackage; in the project it has a title."""
    return layer.source().rsplit("layername=", 1)[1]


def rules_of(renderer):
    """What a rule-based renderer draws, rule by rule."""
    return [
        (rule.label(), rule.filterExpression(), rule.symbol().dump() if rule.symbol() else None)
        for rule in renderer.rootRule().children()
    ]


def check_project(project, result, faults):
    """Opens the project twice, the second time after its folder was moved; it stays open, with its layers."""
    # What QGIS may write while it draws is no part of the result: so, copies.
    first = Path(tempfile.mkdtemp())
    for name in ("corredor.qgz", "corredor.gpkg"):
        shutil.copy(result / name, first)
    check_opened(project, first, result, faults)
    project.clear()
    second = first.with_name(f"{first.name} otra carpeta, ñ")
    first.rename(second)
    check_opened(project, second, result, faults)
    same = (second / "corredor.gpkg").read_bytes() == (result / "corredor.gpkg").read_bytes()
    faults.require(same, "opening the project has changed the GeoPackage, so that `corredor verify` would complain")


def check_opened(project, folder, result, faults):
    manifest = json.loads((result / "run.json").read_text(encoding="utf-8"))
    faults.require(project.read(str(folder / "corredor.qgz")), f"corredor.qgz cannot be read: {project.error()}")
    crs = project.crs()
    faults.require(crs.isValid() and crs.authid() == "EPSG:6372", f"the CRS of the project is {crs.authid()!r}")
    faults.require(
        project.readNumEntry("SpatialRefSys", "ProjectionsEnabled") == (1, True), "ProjectionsEnabled is not 1"
    )

    root = project.layerTreeRoot()
    groups = [child.name() for child in root.children()]
    known = GROUPS[manifest["language"]]
    faults.require(groups == [g for g in known if g in groups], f"groups {groups}, expected of {known}")
    nodes = root.findLayers()
    named = {}
    for node in nodes:
        layer = node.layer()
        title = f"corredor.qgz, {node.name()}"
        if not faults.require(layer is not None and layer.isValid(), f"{title}: no valid layer"):
            continue
        named[layer_name(layer)] = layer
        faults.require(layer.source().startswith(str(folder)), f"{title}: comes from {layer.source()}")
        faults.require(node.isVisible() != (layer_name(layer) in HIDDEN), f"{title}: visible is {node.isVisible()}")
        marked = node.name().startswith(("RESTRINGIDO", "RESTRICTED"))
        faults.require(marked == (manifest["audience"] == "restricted"), f"{title}: is the mark of restriction right?")
        if layer.isSpatial():
            faults.require(layer.crs().authid() == "EPSG:4326", f"{title}: CRS {layer.crs().authid()!r}")
            check_same_style(layer, title, faults)
        fields = [f.name() for i, f in enumerate(layer.fields()) if f.name() != "fid" and not layer.attributeAlias(i)]
        faults.require(not fields, f"{title}: fields without an alias: {fields}")
        check_words(layer, title, faults)
        if layer.labelsEnabled():
            settings = layer.labeling().settings()
            faults.require(
                settings.scaleVisibility and settings.minimumScale > 0, f"{title}: labels do not depend on scale"
            )
    # Every layer has a table; one without geometry has nothing else outside the GeoPackage.
    written = {path.stem for path in (result / "tables").glob("*.csv")}
    faults.require(set(named) == written, f"corredor.qgz has the layers {sorted(named)}, tables/ has {sorted(written)}")
    # From the top: a point is seen above a line, a line above an area; diagnostics lie above all.
    order = [node.layer().geometryType() for node in nodes if node.layer() and node.isVisible()]
    faults.require(order == sorted(order), f"an area or a line lies over a point: {order}")

    view = project.viewSettings().defaultViewExtent()
    if faults.require(view.crs().isValid() and not view.isEmpty(), "the project has no extent") and "corridors" in named:
        faults.require(in_view(named["corridors"], view), "the corridors are not in the first view")
    metadata = project.metadata()
    faults.require(project.title() and metadata.title() == project.title(), "the project has no title")
    faults.require(metadata.identifier() == manifest["run_id"], f"the metadata name run {metadata.identifier()!r}")
    said = metadata.abstract()
    for notice in manifest["notices"]:
        own = notice.split(" / ")[0 if manifest["language"] == "es" else -1]
        faults.require(own in said, f"the metadata lack the notice {own!r}")


def in_view(layer, view):
    transform = QgsCoordinateTransform(layer.crs(), QgsCoordinateReferenceSystem(view.crs()), QgsProject.instance())
    frame = QgsGeometry.fromRect(QgsRectangle(view))
    geometries = [feature.geometry() for feature in layer.getFeatures()]
    return all(g.transform(transform) == 0 and frame.contains(g) for g in geometries)


def check_same_style(layer, title, faults):
    """The style of the project is the default one of the GeoPackage, and no second one."""
    alone = QgsVectorLayer(layer.source(), "alone", "ogr")
    _, styled = alone.loadDefaultStyle()
    if not faults.require(styled, f"{title}: no default style in the GeoPackage"):
        return
    faults.require(rules_of(layer.renderer()) == rules_of(alone.renderer()), f"{title}: not the style of the GeoPackage")
    faults.require(layer.labelsEnabled() == alone.labelsEnabled(), f"{title}: labels differ from the GeoPackage")
    for index in range(layer.fields().count()):
        faults.require(
            layer.editorWidgetSetup(index).config() == alone.editorWidgetSetup(index).config(),
            f"{title}: the words for codes differ from the GeoPackage",
        )
