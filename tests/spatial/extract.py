#!/usr/bin/env python3
"""Writes the tables of this folder from the example data of libpysal (see README.md)."""

import csv
from pathlib import Path

from libpysal import examples
from libpysal.io import open as read

HERE = Path(__file__).parent
SETS = {
    "columbus": ("columbus.dbf", "columbus.gal", ["POLYID", "HOVAL", "INC", "CRIME"]),
    "sids2": ("sids2.dbf", "sids2.gal", ["FIPS", "BIR74", "SID74", "BIR79", "SID79"]),
}

for name, (table, links, columns) in SETS.items():
    data = read(examples.get_path(table))
    with open(HERE / f"{name}.csv", "w", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(columns)
        rows.writerows(zip(*(data.by_col(column) for column in columns), strict=True))
    weights = read(examples.get_path(links)).read()
    number = {key: at + 1 for at, key in enumerate(weights.id_order)}
    with open(HERE / f"{name}_links.csv", "w", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["area", "neighbours"])
        for key in weights.id_order:
            rows.writerow([number[key], " ".join(str(n) for n in sorted(number[k] for k in weights[key]))])
