#!/usr/bin/env python3
"""Compares `corredor spatial` with libpysal, esda, scipy and shapely on the example data of libpysal.

usage: compare.py CORREDOR

CORREDOR is the program. Neighbours must be the same sets; statistics are computed by the peers from the neighbours that
CORREDOR has found, and must agree to 1e-9; p values by permutation within five standard errors. Exit code 1 if not.
"""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import esda
import geopandas
import numpy as np
import shapely
from esda.getisord import G_Local
from esda.smoothing import Empirical_Bayes, assuncao_rate
from libpysal import examples, weights
from libpysal.io import open as read
from scipy.stats import false_discovery_control

warnings.simplefilter("ignore")

PROGRAM = sys.argv[1]
EARTH = 6371008.7714
PERMUTATIONS = 9999

# File, field, population at risk, and whether coordinates are degrees of a place where corredor looks for places.
SETS = [
    ("columbus.shp", "CRIME", None, False),
    ("columbus.shp", "HOVAL", None, False),
    ("sids2.shp", "SID79", "BIR79", False),
    ("sids2.shp", "SIDR74", None, False),
    ("stl_hom.shp", "HC8893", "PO8893", False),
    ("mexicojoin.shp", "PCGDP2000", None, False),
    ("mexicojoin.shp", "PCGDP1940", None, True),
    ("us48.shp", "PERIMETER", None, False),
    ("10740.shp", "TRT2000", None, False),
    ("virginia.shp", "POLY_ID", None, False),
    ("vautm17n.shp", "POLY_ID", None, False),
    ("G_utm.shp", "PctRural", "TotPop90", False),
    ("Chicago77.shp", "SHAPE_LEN", None, False),
    ("tokyomet262.shp", "AreaID", None, False),
]

failures = 0
# p values of the peer that its comparison bit by bit has moved: statistic, area, as it gives them, with ties.
split = []


def check(what, fine, detail=""):
    global failures
    if not fine:
        failures += 1
        print(f"    DIFFERS: {what} {detail}")


def close(what, ours, theirs, share=1e-9):
    """Ours may be None where theirs is not finite."""
    a = np.array([np.nan if v is None else v for v in np.atleast_1d(np.array(ours, dtype=object))], dtype=float)
    b = np.asarray(theirs, dtype=float).flatten()
    b = np.where(np.isfinite(b), b, np.nan)
    size = np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
    same = (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= share * size)
    check(what, len(a) == len(b) and bool(same.all()), f"{(~same).sum()} of {len(a)}: {a[~same][:3]} {b[~same][:3]}")


def run(path, field, population, degrees, *more):
    words = [PROGRAM, "spatial", path, "--value", field, "--json", "--seed", "5", *more]
    if population:
        words += ["--population", population]
    words += ["--crs", "EPSG:4326"] if degrees else ["--planar"]
    answer = subprocess.run(words, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise SystemExit(f"{' '.join(words)}\n{answer.stdout}{answer.stderr}")
    return json.loads(answer.stdout)


def sets(answer):
    return [set(area["neighbours"]) for area in answer["areas"]]


def of(w):
    """Neighbours of a W by position."""
    at = {key: i for i, key in enumerate(w.id_order)}
    return [{at[k] for k in w.neighbors[key]} for key in w.id_order]


def pairs(rows):
    return {(i, j) for i, row in enumerate(rows) for j in row}


def contiguity(frame, path, field, degrees):
    for rule, peer in (("queen", weights.Queen), ("rook", weights.Rook)):
        ours = pairs(sets(run(path, field, None, degrees, "--weights", rule, "--permutations", "0")))
        theirs = pairs(of(peer.from_dataframe(frame, use_index=False, silence_warnings=True)))
        check(f"{rule}: pairs that only libpysal has", not theirs - ours, sorted(theirs - ours)[:5])
        # libpysal asks for a common vertex or edge; what only we have must meet all the same, by GEOS.
        for i, j in ours - theirs:
            meet = shapely.intersection(frame.boundary.iloc[i], frame.boundary.iloc[j])
            check(f"{rule}: {i}, {j} do not meet", not meet.is_empty if rule == "queen" else meet.length > 0)
        print(f"    {rule}: {len(theirs)} links of libpysal, {len(ours - theirs)} more that meet without a common vertex")


def nearest(frame, path, field, degrees):
    points = np.array([(p.x, p.y) for p in frame.centroid])
    if degrees:
        lon, lat = np.radians(points).T
        h = np.sin((lat[:, None] - lat) / 2) ** 2 + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
        distance = 2 * EARTH * np.arcsin(np.minimum(1, np.sqrt(h)))
    else:
        distance = np.hypot(*(points[:, None] - points).transpose(2, 0, 1))
    ours = sets(run(path, field, None, degrees, "--weights", "knn:4", "--permutations", "0"))
    keys = {"radius": EARTH} if degrees else {}
    theirs = of(weights.KNN.from_dataframe(frame, k=4, use_index=False, silence_warnings=True, **keys))
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        # The peer breaks ties as they come.
        tied = np.allclose(sorted(distance[i][list(a)]), sorted(distance[i][list(b)]), rtol=1e-9)
        check(f"knn of {i}", a == b or tied, f"{a} {b}")
    np.fill_diagonal(distance, np.inf)
    reach = float(distance.min(axis=1).max()) * 1.1
    ours = sets(run(path, field, None, degrees, "--weights", f"band:{reach!r}", "--permutations", "0"))
    if degrees:
        theirs = [set(np.flatnonzero(row <= reach)) for row in distance]
    else:
        theirs = of(weights.DistanceBand.from_dataframe(frame, reach, use_index=False, silence_warnings=True))
    check("band", ours == theirs)
    print(f"    knn:4 and band:{reach:.4g}: {len(pairs(ours))} links in the band")


def statistics(answer, transform):
    areas = answer["areas"]
    w = weights.W({i: a["neighbours"] for i, a in enumerate(areas)}, silence_warnings=True)
    column = lambda *keys: [a[keys[0]] if len(keys) == 1 else a[keys[0]][keys[1]] for a in areas]
    values = np.array(column("value"), dtype=float)
    natural = values
    if answer["population"]:
        population = np.array(column("population"), dtype=float)
        natural = values / population
        standardised = assuncao_rate(values, population)
        close("EB-standardised rates", column("eb_standardised"), standardised)
        close("EB-smoothed rates", column("eb_smoothed"), Empirical_Bayes(values, population).r)
        rate = esda.Moran_Rate(values, population, w, transformation=transform, permutations=0)
        close("Moran's I of rates", answer["moran"]["value"], rate.I)
        values = standardised
    close("S0, S1, S2", [answer["weights"][k] for k in ("s0", "s1", "s2")], sums(w, transform))

    moran = esda.Moran(values, w, transformation=transform, permutations=0)
    geary = esda.Geary(values, w, transformation=transform, permutations=0)
    for name, ours, theirs in (
        ("Moran", answer["moran"], (moran.I, moran.EI, moran.VI_norm, moran.VI_rand, moran.z_norm, moran.z_rand, moran.p_norm, moran.p_rand)),
        # esda's p of Geary's C is one-sided.
        ("Geary", answer["geary"], (geary.C, geary.EC, geary.VC_norm, geary.VC_rand, geary.z_norm, geary.z_rand, 2 * geary.p_norm, 2 * geary.p_rand)),
    ):
        keys = ("value", "expected", "variance_normal", "variance_random", "z_normal", "z_random", "p_normal", "p_random")
        close(name, [ours[k] for k in keys], theirs)

    local = esda.Moran_Local(values, w, transformation=transform, permutations=PERMUTATIONS, seed=1, keep_simulations=True)
    close("local Moran", column("local_moran", "value"), local.Is)
    close("its expectation", column("local_moran", "expected"), local.EIc)
    close("its variance", column("local_moran", "variance"), local.VIc)
    quadrants = [None, "high_high", "low_high", "low_low", "high_low"]
    same = [a["local_moran"]["quadrant"] in (None, quadrants[q]) for a, q in zip(areas, local.q, strict=True)]
    check("quadrants", all(same))
    permuted("local Moran", column("local_moran", "p_directed"), local)
    for star, key in ((False, "gi"), (True, "gi_star")):
        found = G_Local(natural, w, transform="B", star=star, permutations=PERMUTATIONS, seed=2, n_jobs=1)
        close(f"{key}: z", column(key, "z"), found.Zs)
        close(f"{key}: value", column(key, "value"), found.Gs)
        permuted(key, column(key, "p_directed"), found)
        for q, method in (("q_bh", "bh"), ("q_by", "by")):
            p = [v for v in column(key, "p") if v is not None]
            close(f"{key}: {q}", [v for v in column(key, q) if v is not None], false_discovery_control(p, method=method))
        level = answer["rejected"]["level"]
        cut = esda.fdr(np.array(p), level)
        # esda asks for p below its criterion, and gives the greatest that is met.
        count = sum(v <= cut for v in p)
        check(f"{key}: rejected", count == answer["rejected"][key]["bh"], f"{count} {answer['rejected'][key]}")


def permuted(what, ours, peer):
    """Both are estimates from as many permutations. The peer's is counted anew from its simulated values: it compares
    them with the observed one bit by bit, so that equal sums added in another order are told apart."""
    global split
    observed, simulated = peer._statistic, np.asarray(peer.sim)
    slack = 1e-10 * np.maximum(np.abs(observed), np.abs(simulated).max(axis=0))
    larger = (simulated >= observed - slack).sum(axis=0)
    theirs = (np.minimum(larger, PERMUTATIONS - larger) + 1) / (PERMUTATIONS + 1)
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if a is None:
            continue
        p = (a + b) / 2
        error = np.sqrt(2 * p * (1 - p) / PERMUTATIONS)
        check(f"{what}: p of {i}", abs(a - b) <= 5 * error + 2 / PERMUTATIONS, f"{a} {b}")
        if abs(peer.p_sim[i] - b) > 5 * error + 2 / PERMUTATIONS:
            split.append((what, i, peer.p_sim[i], b))


def sums(w, transform):
    w.transform = transform
    return w.s0, w.s1, w.s2


done = set()
for name, field, population, degrees in SETS:
    path = examples.get_path(name)
    frame = geopandas.read_file(path)
    print(f"{name}, {field}{f' / {population}' if population else ''}, {'sphere' if degrees else 'plane'}: {len(frame)} areas")
    if (name, degrees) not in done:
        done.add((name, degrees))
        contiguity(frame, path, field, degrees)
        nearest(frame, path, field, degrees)
    for weight in ("queen", "knn:4"):
        for transform in ("row", "binary"):
            more = ("--weights", weight, "--transform", transform, "--permutations", str(PERMUTATIONS))
            statistics(run(path, field, population, degrees, *more), transform[0])

# Contiguity as a file: what libpysal reads is what we read.
for name, links, field, key in (
    ("columbus.shp", "columbus.gal", "CRIME", "POLYID"),
    ("columbus.shp", "columbus.gal", "CRIME", None),
    ("sids2.shp", "sids2.gal", "SIDR79", None),
    ("stl_hom.shp", "stl.gal", "HR8893", None),
    ("virginia.shp", "virginia.gal", "POLY_ID", None),
    ("10740.shp", "10740_queen.gal", "TRT2000", None),
):
    more = ["--weights", examples.get_path(links)] + (["--id", key] if key else [])
    answer = run(examples.get_path(name), field, None, False, *more, "--permutations", "0")
    theirs = read(examples.get_path(links)).read()
    check(links, sets(answer) == of(theirs))
    moran = esda.Moran([a["value"] for a in answer["areas"]], theirs, permutations=0)
    close(f"{links}: Moran", answer["moran"]["value"], moran.I)
    print(f"{links}: {answer['weights']['links']} links, Moran's I of {field} {answer['moran']['value']:.9f}")

print(f"{len(split)} p values of esda split ties, such as {split[:1]}")
print(f"{failures} differences" if failures else "no difference")
sys.exit(1 if failures else 0)
