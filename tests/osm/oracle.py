#!/usr/bin/python3
"""An independent reading of an OpenStreetMap file, and routes on it by pgRouting.

usage: oracle.py FILE.osm.pbf OUT.json [--routes N]

Reads with libosmium, by docs/formats/osm.md and not by the code it is compared with; shares nothing with it.
Routes are found by PostgreSQL in a cluster of its own that listens on no port and is removed at the end; lengths
are those of PostGIS.
"""

import argparse
import collections
import json
import random
import re

import osmium
from cluster import Cluster

CLASSES = {
    "motorway": ("federal", 100, 60),
    "motorway_link": ("federal", 60, 40),
    "trunk": ("federal", 85, 50),
    "trunk_link": ("federal", 50, 35),
    "primary": ("federal", 70, 45),
    "primary_link": ("federal", 40, 30),
    "secondary": ("state", 60, 40),
    "secondary_link": ("state", 35, 25),
    "tertiary": ("state", 50, 35),
    "tertiary_link": ("state", 30, 20),
    "unclassified": ("local", 40, 25),
    "residential": ("local", 30, 20),
    "living_street": ("local", 15, 10),
    "service": ("local", 20, 15),
    "road": ("local", 40, 25),
    "track": ("local", 30, 15),
    "escape": ("local", 15, 10),
}
OPEN = set("yes permissive designated destination customers delivery official public".split())
CLOSED = set(
    "no private agricultural forestry agricultural|forestry military emergency permit residents employees psv bus "
    "taxi use_sidepath dismount foot bicycle".split()
)
BLOCKING = set(
    "bollard block jersey_barrier log debris boulder rock chain rope bar planter tank_trap spikes wall "
    "retaining_wall city_wall fence hedge ditch guard_rail cycle_barrier motorcycle_barrier bicycle_barrier "
    "kissing_gate wicket_gate stile turnstile full-height_turnstile horse_stile horse_jump barrier_board "
    "delineators".split()
)
PAVED = set(
    "paved asphalt concrete paving_stones sett cobblestone unhewn_cobblestone brick bricks metal metal_grid wood "
    "chipseal tiles rubber grass_paver cement tarmac asphalt_concrete".split()
)
UNPAVED = set(
    "unpaved compacted fine_gravel gravel pebblestone dirt earth ground soil grass mud sand rock rocks stone clay "
    "shells salt snow ice woodchips".split()
)


def admitted(tags):
    """True, False, or None where the tags do not say."""
    for mode in ("motorcar", "motor_vehicle", "vehicle", "access"):
        values = [v.strip() for v in tags.get(mode, "").split(";")]
        if OPEN & set(values):
            return True
        if CLOSED & set(values):
            return False
    return None


def limit(text):
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*(km/h|kmh|kph|mph|knots|)\s*", re.split(r"[;|,]", text or "")[0])
    if (text or "").startswith("walk"):
        return 5.0
    if not found:
        return None
    speed = float(found[1]) * {"mph": 1.609344, "knots": 1.852}.get(found[2], 1.0)
    return speed if 1 <= speed <= 200 else None


def surface_of(tags):
    kinds = {v.strip().split(":")[0] for v in tags.get("surface", "").split(";")}
    paved, unpaved = bool(kinds & PAVED), bool(kinds & UNPAVED)
    if paved or unpaved:
        return "partly_paved" if paved and unpaved else "paved" if paved else "unpaved"
    grade = re.fullmatch("grade([1-5])", tags.get("tracktype", ""))
    rough = int(grade[1]) > 1 if grade else tags.get("highway") == "track"
    return "unpaved" if rough else "paved"


def direction_of(tags):
    stated = tags.get("oneway:motorcar", tags.get("oneway:motor_vehicle", tags.get("oneway")))
    for word, values in (
        ("forward", ("yes", "true", "1")),
        ("backward", ("-1", "reverse")),
        ("both", ("no", "false", "0", "reversible", "alternating")),
    ):
        if stated in values:
            return word
    implied = tags.get("junction") in ("roundabout", "circular")
    return "forward" if implied or (tags.get("highway") == "motorway" and tags.get("route") != "ferry") else "both"


def speed_of(tags, direction, surface):
    highway = tags["highway"]
    _, paved, unpaved = CLASSES[highway]
    ahead, back = limit(tags.get("maxspeed:forward")), limit(tags.get("maxspeed:backward"))
    sides = {"forward": [ahead], "backward": [back], "both": [ahead, back]}[direction]
    sides = [s for s in sides if s is not None]
    signed = limit(tags.get("maxspeed")) or (min(sides) if sides else None)
    grade = re.fullmatch("grade([1-5])", tags.get("tracktype", ""))
    if highway == "track" and grade:
        unpaved = (30, 25, 20, 15, 10)[int(grade[1]) - 1]
    if surface == "paved":
        return signed or paved
    most = (paved + unpaved) / 2 if surface == "partly_paved" else unpaved
    return min(signed or (paved if surface == "partly_paved" else unpaved), most)


def minutes_of(text):
    hours = re.fullmatch(r"(\d+):(\d+)(?::(\d+))?", text)
    if hours:
        return int(hours[1]) * 60 + int(hours[2]) + int(hours[3] or 0) / 60
    iso = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", text)
    if iso and text != "PT":
        return int(iso[1] or 0) * 60 + int(iso[2] or 0) + int(iso[3] or 0) / 60
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


class Reader(osmium.SimpleHandler):
    def __init__(self):
        super().__init__()
        self.at, self.blocked, self.ways, self.restrictions = {}, set(), {}, []
        self.records = 0

    def node(self, node):
        self.at[node.id] = (node.location.x, node.location.y)
        tags = dict(node.tags)
        if "barrier" in tags:
            open_to_cars = admitted(tags)
            if open_to_cars is None:
                open_to_cars = tags["barrier"] not in BLOCKING or tags.get("bollard") == "rising"
            if not open_to_cars:
                self.blocked.add(node.id)

    def way(self, way):
        tags = {k: v.strip() for k, v in dict(way.tags).items()}
        ferry = tags.get("route") == "ferry"
        if "highway" not in tags and not ferry:
            return
        self.records += 1
        if not ferry and tags["highway"] not in CLASSES:
            return
        if tags.get("area") == "yes" or admitted(tags) is False or tags.get("service") == "emergency_access":
            return
        self.ways[way.id] = (tags, [n.ref for n in way.nodes])

    def relation(self, relation):
        tags = dict(relation.tags)
        if tags.get("type") == "restriction":
            self.restrictions.append((relation.id, tags, [(m.role, m.type, m.ref) for m in relation.members]))


def unreached(ways, chains, blocked):
    """Tracks and service ways in parts of the map that have no other road."""
    access = {w for w, (tags, _) in ways.items() if tags.get("highway") in ("track", "service") and tags.get("route") != "ferry"}
    if len(access) == len(ways):
        return set()
    beside = collections.defaultdict(list)
    for way, chain in chains.items():
        for node in chain:
            if node is not None and node not in blocked:
                beside[node].append(way)
    reached = set(chains) - access
    todo = list(reached)
    while todo:
        for node in chains[todo.pop()]:
            fresh = set(beside.get(node, ())) - reached
            reached |= fresh
            todo += fresh
    return set(chains) - reached


def rows_of(reader):
    """Stretches of ways: dicts with id, way, ends (node ids, or None at a barrier), positions and attributes."""
    same = {}

    def standing(node):
        while node in same:
            node = same[node]
        return node

    for _, refs in reader.ways.values():
        for a, b in zip(refs, refs[1:]):
            if a != b and a in reader.at and reader.at.get(a) == reader.at.get(b):
                a, b = standing(a), standing(b)
                if a != b:
                    same[max(a, b)] = min(a, b)
    chains, uses = {}, collections.Counter()
    for way, (_, refs) in reader.ways.items():
        # A node that follows itself, or one that stands for it, is there once; one that is missing is a gap.
        chain = []
        for ref in refs:
            ref = standing(ref) if ref in reader.at else None
            if not chain or chain[-1] != ref:
                chain.append(ref)
        chains[way] = chain
        uses.update(ref for ref in chain if ref is not None)
    blocked = {standing(node) for node in reader.blocked}
    for way in unreached(reader.ways, chains, blocked):
        del chains[way]
    rows = []
    for way in sorted(chains):
        tags, chain = reader.ways[way][0], chains[way]
        parts, run = [], []
        for ref in chain + [None]:
            if ref is None:
                if len(run) > 1:
                    parts.append(run)
                run = []
                continue
            run.append(ref)
            if len(run) > 1 and (uses[ref] > 1 or ref in blocked):
                parts.append(run)
                run = [ref]
        halves = []
        for part in parts:
            if part[0] == part[-1] and part[0] not in blocked:
                middle = len(part) // 2
                halves += [part[: middle + 1], part[middle:]]
            else:
                halves.append(part)
        direction = direction_of(tags)
        toll = tags.get("toll:motorcar", tags.get("toll:motor_vehicle", tags.get("toll", "no")))
        toll = toll not in ("no", "false", "0")
        for number, part in enumerate(halves, 1):
            row = {
                "id": f"w{way}-{number}",
                "way": way,
                "from": None if part[0] in blocked else part[0],
                "to": None if part[-1] in blocked else part[-1],
                "oneway": direction,
                "toll": toll,
                "ref": tags.get("ref", ""),
                "line": [reader.at[ref] for ref in part],
            }
            if tags.get("route") == "ferry":
                row |= {"class": "ferry", "surface": "paved", "minutes": minutes_of(tags.get("duration", ""))}
            else:
                surface, kind = surface_of(tags), CLASSES[tags["highway"]][0]
                row |= {
                    "class": "toll" if toll and kind == "federal" else kind,
                    "surface": surface,
                    "speed": speed_of(tags, direction, surface),
                }
            rows.append(row)
    return rows, standing


def bans_of(reader, rows, standing):
    """Pairs of rows that may not follow each other at a node; restrictions by way of others are left out."""
    by_way = collections.defaultdict(list)
    for row in rows:
        by_way[row["way"]].append(row)

    def at(way, node, away):
        found = []
        for row in by_way[way]:
            for end, other, wrong in (("from", "to", "backward"), ("to", "from", "forward")):
                # Away from the first end is along the line, towards it against.
                against = wrong if away else {"backward": "forward", "forward": "backward"}[wrong]
                if row[end] == node and row["oneway"] != against:
                    found.append(row)
        return found

    bans = set()
    for relation, tags, members in reader.restrictions:
        value = None
        for key in ("restriction", "restriction:vehicle", "restriction:motor_vehicle", "restriction:motorcar"):
            value = tags.get(key, value)
        exempt = {m.strip() for m in tags.get("except", "").split(";")} & {"motorcar", "motor_vehicle", "vehicle"}
        timed = any(k in tags for k in ("day_on", "day_off", "hour_on", "hour_off"))
        kinds = r"(no|only)_(left_turn|right_turn|straight_on|u_turn)|no_entry|no_exit"
        if value is None or exempt or timed or not re.fullmatch(kinds, value):
            continue
        role = lambda name: [(kind, ref) for r, kind, ref in members if r == name]
        sources, via, targets = role("from"), role("via"), role("to")
        if len(via) != 1 or via[0][0] != "n" or not sources or not targets:
            continue
        if len(sources) > 1 and value != "no_entry" or len(targets) > 1 and value != "no_exit":
            continue
        node = standing(via[0][1])
        firsts = [at(ref, node, away=False) for _, ref in sources]
        lasts = [at(ref, node, away=True) for _, ref in targets]
        if any(len(found) != 1 for found in firsts + lasts):
            continue
        for [first] in firsts:
            for [last] in lasts:
                if value.startswith("no_"):
                    bans.add((relation, first["id"], node, last["id"]))
                    continue
                for way in by_way:
                    for row in at(way, node, away=True):
                        if row["id"] != last["id"]:
                            bans.add((relation, first["id"], node, row["id"]))
    return sorted(bans)


def routes(rows, bans, count):
    """Lengths of all rows in metres; seconds of `count` routes without and with bans."""
    wkt = lambda row: "LINESTRING(" + ",".join(f"{x / 1e7:.7f} {y / 1e7:.7f}" for x, y in row["line"]) + ")"
    dead_ends = iter(range(-(10**15), 0))
    with Cluster() as cluster:
        cluster.sql("CREATE EXTENSION postgis; CREATE EXTENSION pgrouting;")
        load = "".join(
            f"{i}\t{row['from'] or next(dead_ends)}\t{row['to'] or next(dead_ends)}\t{wkt(row)}\n"
            for i, row in enumerate(rows, 1)
        )
        lengths = cluster.sql(
            "CREATE TABLE e (id bigint PRIMARY KEY, source bigint, target bigint, line text, cost float8, "
            "reverse_cost float8, meters float8);\nCOPY e (id, source, target, line) FROM STDIN;\n"
            + load
            + "\\.\nUPDATE e SET meters = ST_Length(ST_GeogFromText(line), true);\n"
            "SELECT meters FROM e ORDER BY id;"
        )
        ways = collections.Counter()
        for row, [length] in zip(rows, lengths, strict=True):
            row["length"] = float(length)
            ways[row["way"]] += row["length"]
        for row in rows:
            if row["class"] == "ferry":
                speed = ways[row["way"]] / 1000 / (row["minutes"] / 60) if row["minutes"] else 0
                row["speed"] = speed if 1 <= speed <= 100 else 15
        update = []
        for i, row in enumerate(rows, 1):
            seconds = row["length"] / (row["speed"] / 3.6)
            update.append((i, *(-1 if row["oneway"] == closed else seconds for closed in ("backward", "forward"))))
        cluster.table("c", update)
        cluster.sql("UPDATE e SET cost = c.target, reverse_cost = c.cost FROM c WHERE c.source = e.id; ANALYZE e;")
        dice = random.Random(1)
        keys = sorted({key for row in rows for key in (row["from"], row["to"]) if key is not None})
        # Half of them near a ban, so that bans matter.
        near = sorted({ban[2] for ban in bans}) or keys
        pairs = [(dice.choice(near if i % 2 else keys), dice.choice(keys)) for i in range(count)]
        free = cluster.costs("SELECT id, source, target, cost, reverse_cost FROM e", pairs)
        cluster.table("t", turns(rows, bans, {key for pair in pairs for key in pair}))
        banned = cluster.costs("SELECT id, source, target::bigint AS target, cost FROM t", [(-2 * a - 1, -2 * b - 2) for a, b in pairs])
    return [
        {"from": a, "to": b, "seconds": 0.0 if a == b else x, "seconds_with_bans": 0.0 if a == b else y}
        for (a, b), x, y in zip(pairs, free, banned, strict=True)
    ]


def turns(rows, bans, keys):
    """The network of turns, on which a ban is an arc that is not there.

    Its nodes are rows with a direction; beside them stand those of the junctions in `keys`: one to begin at and one
    to end at. pgr_trsp would do without, but cannot be told at which node two rows meet, nor of a turn back.
    """
    leaving, arriving = collections.defaultdict(list), collections.defaultdict(list)
    for i, row in enumerate(rows):
        seconds = row["length"] / (row["speed"] / 3.6)
        for side, (begin, end, closed) in enumerate((("from", "to", "backward"), ("to", "from", "forward"))):
            if row["oneway"] != closed:
                leaving[row[begin]].append((2 * i + side, row["id"], seconds))
                arriving[row[end]].append((2 * i + side, row["id"]))
    without = {(first, node, last) for _, first, node, last in bans}
    arcs = []
    for node, incoming in arriving.items():
        for state, first in incoming if node is not None else ():
            arcs += [
                (state, after, seconds)
                for after, last, seconds in leaving[node]
                if (first, node, last) not in without
            ]
    for key in keys:
        arcs += [(-2 * key - 1, state, seconds) for state, _, seconds in leaving[key]]
        arcs += [(state, -2 * key - 2, 0.0) for state, _ in arriving[key]]
    return arcs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("out")
    parser.add_argument("--routes", type=int, default=0)
    arguments = parser.parse_args()
    reader = Reader()
    reader.apply_file(arguments.file)
    rows, standing = rows_of(reader)
    bans = bans_of(reader, rows, standing)
    found = routes(rows, bans, arguments.routes) if arguments.routes else []
    for row in rows:
        row["vertices"] = len(row.pop("line"))
        row.pop("minutes", None)
    result = {
        "records": reader.records,
        "rows": rows,
        "bans": [{"id": f"r{r}", "roads": [first, last], "via": node} for r, first, node, last in bans],
        "routes": found,
    }
    with open(arguments.out, "w", encoding="utf-8") as out:
        json.dump(result, out)
    lost = sum(route["seconds"] is None for route in found)
    print(f"{len(rows)} rows, {len(bans)} bans, {len(found)} routes, {lost} of them without a way")


if __name__ == "__main__":
    main()
