"""What the checks in QGIS share."""

from collections import Counter

from qgis.core import NULL, QgsGeometry, QgsPointXY

MIN_COLOURS = 8
# Blended pixels along edges do not make a colour.
MIN_PIXELS = 40
# Corridors, by their rank, whose names must find room on the map.
NAMED = 3
# Fields of codes (src/layers/telling.rs): QGIS shows words for them.
CODED = set(
    "datum known_by hot_class status mode kind purpose road_class surface competence visit_kind source".split()
)


class Faults(list):
    """What was found wrong; the run goes on, so that one run tells everything."""

    def require(self, holds, message):
        if not holds:
            self.append(message)
        return bool(holds)


def rgb(colour):
    return colour.red(), colour.green(), colour.blue()


def pixels(image):
    """Number of pixels of each colour."""
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    counts = Counter(memoryview(bytes(bits)).cast("I"))
    return Counter({(value >> 16 & 255, value >> 8 & 255, value & 255): n for value, n in counts.items()})


def label_outlines(results):
    """The labels that were drawn: each text with its outline."""
    return [
        (label.labelText.replace("\n", " "), QgsGeometry.fromPolygonXY([[QgsPointXY(p) for p in label.cornerPoints]]))
        for label in results.allLabels()
        if not label.isUnplaced
    ]


def check_labels(labels, corridors, faults):
    """No label lies over another, and the first corridors have theirs."""
    for i, (text, outline) in enumerate(labels):
        for other, its_outline in labels[:i]:
            faults.require(not outline.intersects(its_outline), f"the labels {text!r} and {other!r} overlap")
    texts = {text for text, _ in labels}
    for feature in corridors.getFeatures():
        if feature["rank"] <= NAMED:
            faults.require(feature["name"] in texts, f"no label for corridor {feature['rank']}, {feature['name']!r}")


def check_words(layer, title, faults):
    """Every code of a field of codes, and every yes and no, has its word."""
    for index, field in enumerate(layer.fields()):
        boolean = field.typeName().lower().startswith("bool") or field.type() == 1
        if not (boolean or field.name() in CODED):
            continue
        found = [v for v in layer.uniqueValues(index) if v is not None and v != NULL and v != ""]
        values = {str(v).lower() if boolean else v for v in found}
        if not values:
            continue
        setup = layer.editorWidgetSetup(index)
        if not faults.require(setup.type() == "ValueMap", f"{title}.{field.name()}: no words for {sorted(values)}"):
            continue
        known = {code for pair in setup.config()["map"] for code in pair.values()}
        faults.require(values <= known, f"{title}.{field.name()}: no word for {sorted(values - known)}")
