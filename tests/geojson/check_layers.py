#!/usr/bin/env python3
"""Reads GeoJSON layers as somebody else would, and says what RFC 7946 or a map would hold against them.

    check_layers.py FILE...     one line for each fault; exit code 1 if there is one
    check_layers.py --broken    spoils a sound layer in every way that is looked for, and fails where one goes unseen

It shares no code with the program that writes the layers: JSON by Python's own reader, shapes by GEOS (shapely), and
GDAL (pyogrio) for the number of features.
"""

import copy
import json
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import pyogrio
import shapely
from shapely.geometry import shape

DECIMALS = 7
# Half a step of the last decimal, in degrees.
STEP = Decimal(5) / Decimal(10) ** (DECIMALS + 1)
TYPES = {"Point", "MultiLineString", "MultiPolygon"}


class Twice(ValueError):
    """A member of an object stands twice."""


def no_twice(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise Twice(", ".join(sorted({n for n in names if names.count(n) > 1})))
    return dict(pairs)


def parse(text):
    """JSON with its numbers as they are written. NaN and infinities, which Python would take, are refused."""

    def refuse(word):
        raise ValueError(f"{word} is no JSON")

    return json.loads(text, object_pairs_hook=no_twice, parse_float=Decimal, parse_int=Decimal, parse_constant=refuse)


def positions(coordinates):
    if coordinates and isinstance(coordinates[0], Decimal):
        yield coordinates
    else:
        for part in coordinates:
            yield from positions(part)


def area(ring):
    """Twice the signed area: above zero where the ring runs counter-clockwise. Exact."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:]))


def of_rings(polygon):
    for number, ring in enumerate(polygon):
        if len(ring) < 4:
            yield f"ring {number} has {len(ring)} positions"
        elif ring[0] != ring[-1]:
            yield f"ring {number} is open"
        elif (area(ring) > 0) != (number == 0):
            yield f"ring {number} runs the wrong way"


def of_geometry(geometry):
    kind, coordinates = geometry["type"], geometry["coordinates"]
    if kind not in TYPES:
        yield f"type {kind}"
        return
    if set(geometry) != {"type", "coordinates"}:
        yield f"members {sorted(geometry)}"
    found = list(positions(coordinates))
    if not found:
        yield "no position"
        return
    for position in found:
        if len(position) not in (2, 3):
            yield f"position of {len(position)} numbers"
            return
        lon, lat = position[:2]
        if abs(lon) > 180 or abs(lat) > 90:
            yield f"position {lon}, {lat} is out of range"
        if any(-number.as_tuple().exponent > DECIMALS for number in position):
            yield f"position {lon}, {lat} has more than {DECIMALS} decimals"
    chains = {"Point": [], "MultiLineString": coordinates}.get(kind)
    if chains is None:
        chains = [ring for polygon in coordinates for ring in polygon]
        for polygon in coordinates:
            yield from of_rings(polygon)
    for chain in chains:
        if any(abs(a[0] - b[0]) > 180 for a, b in zip(chain, chain[1:])):
            yield "crosses the antimeridian without a cut"
    if kind == "MultiPolygon":
        drawn = shape({"type": kind, "coordinates": to_floats(coordinates)})
        if not drawn.is_valid:
            yield shapely.is_valid_reason(drawn)


def to_floats(value):
    return float(value) if isinstance(value, Decimal) else [to_floats(part) for part in value]


def gaps(spans):
    """Widths of the gaps between spans of longitude around the globe, with what lies on either side of each."""
    spans = sorted(spans)
    end = spans[0][1]
    for west, east in spans[1:]:
        if west > end:
            yield west - end, end, west
        end = max(end, east)
    yield spans[0][0] + 360 - end, end, spans[0][0]


def of_bbox(bbox, geometries):
    parts = [
        [p[:2] for p in positions(part)]
        for g in geometries
        for part in ([g["coordinates"]] if g["type"] == "Point" else g["coordinates"])
    ]
    if not parts:
        if bbox is not None:
            yield "bbox without a place"
        return
    if bbox is None:
        yield "no bbox"
        return
    if len(bbox) != 4:
        yield f"bbox of {len(bbox)} numbers"
        return
    west, south, east, north = bbox
    lats = [p[1] for part in parts for p in part]
    if abs(south - min(lats)) > STEP or abs(north - max(lats)) > STEP:
        yield f"bbox {bbox}: latitudes run from {min(lats)} to {max(lats)}"
    # The smallest box: all around but the widest gap. At a tie, the one that does not cross the antimeridian.
    spans = [(min(p[0] for p in part), max(p[0] for p in part)) for part in parts]
    around = list(gaps(spans))
    widest = max(width for width, *_ in around)
    _, expected_east, expected_west = [gap for gap in around if gap[0] == widest][-1]
    if abs(west - expected_west) > STEP or abs(east - expected_east) > STEP:
        yield f"bbox {bbox}: longitudes run from {expected_west} to {expected_east}"


def check(path):
    """The faults of one file, a line each."""
    try:
        layer = parse(Path(path).read_text(encoding="utf-8"))
    except Twice as fault:
        return [f"members twice: {fault}"]
    except ValueError as fault:
        return [f"no JSON: {fault}"]
    faults = []
    if layer.get("type") != "FeatureCollection":
        return ["no FeatureCollection"]
    if "crs" in layer:
        faults.append("crs member")
    if layer.get("name") != Path(path).stem:
        faults.append(f"name {layer.get('name')}")
    ids = set()
    kinds = set()
    for number, feature in enumerate(layer["features"]):
        faults += [f"feature {number}: {fault}" for fault in of_feature(feature, ids)]
        if feature.get("geometry"):
            kinds.add(feature["geometry"]["type"])
    if len(kinds) > 1:
        faults.append(f"several types of geometry: {sorted(kinds)}")
    if faults:
        return faults
    geometries = [f["geometry"] for f in layer["features"] if f["geometry"]]
    faults += of_bbox(layer.get("bbox"), geometries)
    count = pyogrio.read_info(path)["features"]
    if count != len(layer["features"]):
        faults.append(f"GDAL finds {count} of {len(layer['features'])} features")
    return faults


def of_feature(feature, ids):
    if feature.get("type") != "Feature":
        yield f"type {feature.get('type')}"
        return
    if not set(feature) <= {"type", "id", "geometry", "properties", "bbox"}:
        yield f"members {sorted(feature)}"
    if "geometry" not in feature or "properties" not in feature:
        yield "without geometry or properties"
        return
    name = feature.get("id")
    if not isinstance(name, str) or not name:
        yield "without an id"
    elif name in ids:
        yield f"id {name} twice"
    elif feature["properties"].get("id") != name:
        yield f"id {name} differs from the property"
    ids.add(name)
    if feature["geometry"]:
        yield from of_geometry(feature["geometry"])


def sound():
    """A layer across the antimeridian in which nothing is wrong: two halves of an island, with a lake."""

    def part(west, east):
        return [[[west, -17], [east, -17], [east, -16], [west, -16], [west, -17]]]

    lake = [[179.4, -16.6], [179.4, -16.4], [179.6, -16.4], [179.6, -16.6], [179.4, -16.6]]
    return {
        "type": "FeatureCollection",
        "name": "islands",
        "bbox": [179, -17, -179, -16],
        "features": [
            {
                "type": "Feature",
                "id": "a",
                "geometry": {"type": "MultiPolygon", "coordinates": [part(179, 180) + [lake], part(-180, -179)]},
                "properties": {"id": "a"},
            },
            {"type": "Feature", "id": "b", "geometry": None, "properties": {"id": "b"}},
        ],
    }


def broken():
    """Ways to spoil it, by the word that must be in what is said."""

    def rings(layer):
        return layer["features"][0]["geometry"]["coordinates"][0]

    def wind(layer, number):
        rings(layer)[number].reverse()

    def cross(layer):
        # An hourglass of which the lower half is the larger: closed, and its area still above zero.
        rings(layer)[0][:] = [[179, -17], [180, -17], [179.2, -16], [179.8, -16], [179, -17]]
        del rings(layer)[1:]

    def uncut(layer):
        layer["features"][0]["geometry"] = {
            "type": "MultiLineString",
            "coordinates": [[[179, -17], [-179, -16]]],
        }

    geometry = lambda layer: layer["features"][0]["geometry"]  # noqa: E731
    return {
        "is open": lambda l: rings(l)[0].__setitem__(4, [179, -16.9]),
        "ring 0 runs the wrong way": lambda l: wind(l, 0),
        "ring 1 runs the wrong way": lambda l: wind(l, 1),
        "Self-intersection": cross,
        "has 3 positions": lambda l: rings(l)[1].__delitem__(slice(1, 3)),
        "more than 7 decimals": lambda l: rings(l)[1][1].__setitem__(0, 179.40000001),
        "is out of range": lambda l: rings(l)[0][1].__setitem__(0, 181),
        "position of 4 numbers": lambda l: rings(l)[1][1].extend([1, 1]),
        "without a cut": uncut,
        "crs member": lambda l: l.update(crs={"type": "name"}),
        "id a twice": lambda l: l["features"][1].update(id="a", properties={"id": "a"}),
        "differs from the property": lambda l: l["features"][1]["properties"].update(id="c"),
        "without an id": lambda l: l["features"][1].pop("id"),
        "longitudes run": lambda l: l.update(bbox=[-180, -17, 180, -16]),
        "latitudes run": lambda l: l["bbox"].__setitem__(1, -18),
        "no bbox": lambda l: l.pop("bbox"),
        "bbox of 3 numbers": lambda l: l["bbox"].pop(),
        "type Polygon": lambda l: geometry(l).update(type="Polygon", coordinates=rings(l)),
        "members ['coordinates', 'crs', 'type']": lambda l: geometry(l).update(crs=None),
        "several types of geometry": lambda l: l["features"][1].update(
            geometry={"type": "Point", "coordinates": [179, -17]}
        ),
        "without geometry or properties": lambda l: l["features"][1].pop("geometry"),
        "name other": lambda l: l.update(name="other"),
    }


def prove(folder):
    """What goes unseen."""
    path = Path(folder) / "islands.geojson"

    def found(text):
        path.write_text(text, encoding="utf-8")
        return check(path)

    whole = sound()
    unseen = [f"sound: {fault}" for fault in found(json.dumps(whole))]
    for words, spoil in broken().items():
        layer = copy.deepcopy(whole)
        spoil(layer)
        said = found(json.dumps(layer))
        if not any(words in line for line in said):
            unseen.append(f"not seen: {words}; said: {said}")
    for words, text in {
        "members twice: type": json.dumps(whole).replace('"type": "Feature"', '"type": "Feature", "type": "Feature"'),
        "no JSON": json.dumps(whole).replace("179.4", "NaN"),
        "no FeatureCollection": "{}",
    }.items():
        said = found(text)
        if not any(words in line for line in said):
            unseen.append(f"not seen: {words}; said: {said}")
    return unseen


def main(words):
    if words == ["--broken"]:
        with tempfile.TemporaryDirectory() as folder:
            faults = prove(folder)
    else:
        faults = [f"{path}: {fault}" for path in words for fault in check(path)]
    print("\n".join(faults) if faults else f"{max(len(words), 1)} in order")
    return 1 if faults or not words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
