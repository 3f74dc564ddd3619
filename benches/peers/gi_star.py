#!/usr/bin/env python3
"""Times esda's G_Local (Gi*, conditional permutation, numba) on the input that `gi_star.rs` has written.

usage: gi_star.py FOLDER DRAWS PERMUTATIONS

FOLDER holds `values` (64-bit floats, one draw of all areas after the other) and `links` (one line of neighbours for
each area, from 0). Prints one JSON object. Compilation by numba and the start of joblib's workers are left out: each
setting is run once, on the first draw, before it is timed. Simulated values are not kept, which is what is fastest.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import esda
import libpysal
import numba
import numpy as np
from esda.getisord import G_Local
from libpysal.weights import W

warnings.simplefilter("ignore")

folder, draws, permutations = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
lines = (folder / "links").read_text().splitlines()
weights = W({i: [int(j) for j in line.split()] for i, line in enumerate(lines)}, silence_warnings=True)
values = np.fromfile(folder / "values").reshape(-1, len(lines))[:draws]


def gi_star(draw, jobs):
    return G_Local(
        draw, weights, transform="B", star=True, permutations=permutations, n_jobs=jobs, keep_simulations=False, seed=1
    )


answer = {
    "versions": {"esda": esda.__version__, "libpysal": libpysal.__version__, "numba": numba.__version__},
    "seconds": {},
}
for jobs in (1, 2):
    first = gi_star(values[0], jobs)
    start = time.perf_counter()
    for draw in values:
        gi_star(draw, jobs)
    answer["seconds"][jobs] = (time.perf_counter() - start) / len(values)
    answer["z"], answer["p"] = first.Zs.tolist(), first.p_sim.tolist()
json.dump(answer, sys.stdout)
