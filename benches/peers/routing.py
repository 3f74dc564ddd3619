"""Peers of the routing kernel in Python; `routing.rs` writes the problem and calls this, once for each peer.

usage: routing.py PEER FOLDER SECONDS LIMIT WORKERS

FOLDER holds the arrays that `routing/problem.rs` describes. A peer does as many weight vectors as fit into SECONDS, two at
least, and is given up after LIMIT seconds. Prints one JSON object.

What is timed is the peer's own work. Its network is simple: of parallel arcs the cheapest is there. Putting the weights of
a vector into the peer's structures is not timed, but preparing hierarchies for them is. Neither is adding up flows along
trees or paths, where the library does not do it. Peers that use one thread run in WORKERS processes that take turns with
the vectors; the time per vector is divided by their number.
"""

import contextlib
import importlib.metadata
import json
import multiprocessing
import os
import signal
import sys
import time
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np

# The answer goes where the output went; what a library prints goes to the errors.
ANSWER = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

# Vectors whose flows are compared; of all others the time and, where there is one, the matrix.
COMPARED = 2


class Problem:
    """The arrays, and the simple network: `tail` and `head` by arc, sorted."""

    def __init__(self, folder):
        def read(name, kind):
            return np.fromfile(folder / name, dtype=kind)

        shape = json.loads((folder / "shape.json").read_text())
        self.nodes, self.vectors = shape["nodes"], shape["vectors"]
        self.origins = read("origins", np.uint32)[: shape["origins"]].astype(np.int64)
        self.destinations = read("destinations", np.uint32)[: shape["destinations"]].astype(np.int64)
        self.demand = read("demand", np.int64).reshape(len(self.origins), len(self.destinations))
        self.at = read("at", np.float64).reshape(-1, 2)
        self._weights = np.memmap(folder / "weights", dtype=np.uint32, mode="r").reshape(self.vectors, -1)
        tail, head = (read(name, np.uint32).astype(np.int64) for name in ("tail", "head"))
        self._link = read("link", np.uint32)
        self.key, self._first = np.unique(tail * self.nodes + head, return_index=True)
        self.tail, self.head = self.key // self.nodes, self.key % self.nodes

    def weights(self, vector):
        """Costs of the arcs in ms, of parallel ones the least."""
        return np.maximum(np.minimum.reduceat(self._weights[vector][self._link], self._first), 1)

    def path_cost(self, nodes, weights):
        """The cost of a path of nodes."""
        nodes = np.asarray(nodes, dtype=np.int64)
        return int(weights[np.searchsorted(self.key, nodes[:-1] * self.nodes + nodes[1:])].sum(dtype=np.int64))


class Clock:
    """Adds up the time of what runs in it."""

    def __init__(self):
        self.seconds = 0.0

    def __enter__(self):
        self.start = time.perf_counter()

    def __exit__(self, *_):
        self.seconds += time.perf_counter() - self.start


class Scipy:
    """scipy.sparse.csgraph: trees of the whole network, all origins in one call."""

    package = "scipy"
    modes = ("assign",)

    def __init__(self, problem):
        from scipy.sparse import csr_array

        self.problem = problem
        first = np.searchsorted(problem.tail, np.arange(problem.nodes + 1))
        shape = (problem.nodes, problem.nodes)
        self.graph = csr_array((np.ones(len(problem.key)), problem.head, first), shape=shape)

    def put(self, weights):
        self.weights = weights
        self.graph.data[:] = weights

    def solve(self, mode, clock):
        from scipy.sparse.csgraph import dijkstra

        with clock:
            return dijkstra(self.graph, indices=self.problem.origins, return_predecessors=True)

    def matrix(self, found):
        return found[0][:, self.problem.destinations]

    def costs(self, found):
        def walk(before, origin, node):
            path = [node]
            while node != origin:
                node = before[node]
                path.append(node)
            return self.problem.path_cost(path[::-1], self.weights)

        trees = zip(found[1], self.problem.origins, strict=True)
        return [[walk(before, origin, node) for node in self.problem.destinations] for before, origin in trees]


class Igraph:
    """igraph: links of the paths from an origin to all destinations; distances of all pairs."""

    package = "igraph"
    modes = ("assign", "matrix")

    def __init__(self, problem):
        import igraph

        self.problem = problem
        edges = np.column_stack([problem.tail, problem.head])
        self.graph = igraph.Graph(n=problem.nodes, edges=edges, directed=True)

    def put(self, weights):
        self.weights = weights
        self.graph.es["weight"] = weights.tolist()

    def solve(self, mode, clock):
        origins, destinations = self.problem.origins.tolist(), self.problem.destinations.tolist()
        with clock:
            if mode == "matrix":
                return self.graph.distances(origins, destinations, weights="weight", algorithm="dijkstra")
            paths = self.graph.get_shortest_paths
            return [paths(v, to=destinations, weights="weight", output="epath") for v in origins]

    def matrix(self, found):
        return found

    def costs(self, found):
        return [[int(self.weights[path].sum(dtype=np.int64)) if path else 0 for path in row] for row in found]


class Networkit:
    """networkit: a tree of the whole network from each origin; distances by its some-pairs search."""

    package = "networkit"
    modes = ("assign", "matrix")

    def __init__(self, problem):
        import networkit

        self.problem, self.networkit = problem, networkit
        # Each worker is a process.
        networkit.setNumberOfThreads(1)
        self.put(np.ones(len(problem.key)))

    def put(self, weights):
        self.weights = weights
        ends = (self.problem.tail.astype(np.uint64), self.problem.head.astype(np.uint64))
        self.graph = self.networkit.GraphFromCoo(
            (weights.astype(np.float64), ends), n=self.problem.nodes, weighted=True, directed=True
        )

    def solve(self, mode, clock):
        origins, destinations = self.problem.origins.tolist(), self.problem.destinations.tolist()
        distance = self.networkit.distance
        if mode == "matrix":
            with clock:
                search = distance.SPSP(self.graph, origins)
                search.setTargets(destinations)
                search.run()
                return search.getDistances(asarray=True)
        paths = []
        for origin in origins:
            with clock:
                search = distance.Dijkstra(self.graph, origin, True, False)
                search.run()
            paths.append([search.getPath(node) for node in destinations])
        return paths

    def matrix(self, found):
        return found

    def costs(self, found):
        return [[self.problem.path_cost(path, self.weights) for path in row] for row in found]


class Pyroutingkit:
    """RoutingKit by pyroutingkit: customization, then the matrix, or a query with its path for each pair."""

    package = "pyroutingkit"
    modes = ("assign", "matrix")

    def __init__(self, problem):
        import pyroutingkit

        self.problem = problem
        self.topology = pyroutingkit.CCHTopology()
        arcs = [side.astype(np.uint32) for side in (problem.tail, problem.head)]
        latitude, longitude = (problem.at[:, i].astype(np.float32) for i in (1, 0))
        self.topology.build(*arcs, latitude, longitude, problem.nodes)
        self.metric = pyroutingkit.CCHMetric(self.topology)

    def put(self, weights):
        self.weights = weights

    def solve(self, mode, clock):
        origins, destinations = (ends.astype(np.uint32) for ends in (self.problem.origins, self.problem.destinations))
        with clock:
            self.metric.customize(self.weights)
            if mode == "matrix":
                return self.metric.distances_many_to_many(origins, destinations)
        # Paths are kept as sums, or they would not fit.
        costs = np.zeros((len(origins), len(destinations)), dtype=np.int64)
        for i, origin in enumerate(origins.tolist()):
            with clock:
                row = [self.metric.query(origin, node) for node in destinations.tolist()]
            for j, (_, _, arcs) in enumerate(row):
                costs[i, j] = self.weights[np.asarray(arcs, dtype=np.int64)].sum(dtype=np.int64)
        return costs

    def matrix(self, found):
        return found

    def costs(self, found):
        return found


class Pandana:
    """pandana: a contraction hierarchy for each vector, then the lengths of all pairs."""

    package = "pandana"
    modes = ("matrix",)

    def __init__(self, problem):
        import pandana
        import pandas

        self.problem, self.pandana, self.pandas = problem, pandana, pandas
        ends = np.meshgrid(problem.origins, problem.destinations, indexing="ij")
        self.pairs = [side.ravel().tolist() for side in ends]
        x, y = problem.at.T
        self.fixed = [pandas.Series(values) for values in (x, y, problem.tail, problem.head)]

    def put(self, weights):
        # It cuts off what is less than a thousandth.
        self.weights = self.pandas.DataFrame({"s": (weights + 0.25) / 1000.0})

    def solve(self, mode, clock):
        with clock:
            network = self.pandana.Network(*self.fixed, self.weights, twoway=False)
            return network.shortest_path_lengths(*self.pairs)

    def matrix(self, found):
        return np.asarray(found).reshape(self.problem.demand.shape) * 1000.0


class Aequilibrae:
    """aequilibrae: all-or-nothing assignment by its compiled core, origins in parallel; the call around it is told apart."""

    package = "aequilibrae"
    modes = ("assign",)
    own_threads = True

    def __init__(self, problem):
        import pandas
        from aequilibrae.matrix import AequilibraeMatrix
        from aequilibrae.paths import Graph
        from aequilibrae.paths.results import AssignmentResults
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        self.problem, self.more = problem, {}
        # Without what no way leads through: its contraction takes two one-way links that end at the same node for a way.
        arcs = csr_array(
            (np.ones(len(problem.key)), (problem.tail, problem.head)), shape=(problem.nodes, problem.nodes)
        )
        _, part = connected_components(arcs, connection="strong")
        inside = part == part[problem.origins[0]]
        # Two arcs between the same ends are one link of both directions, as a chain of links can only then be contracted.
        back = np.searchsorted(problem.key, problem.head * problem.nodes + problem.tail)
        two_way = problem.key[back % len(problem.key)] == problem.head * problem.nodes + problem.tail
        kept = inside[problem.tail] & inside[problem.head] & (problem.tail != problem.head)
        kept = np.flatnonzero(kept & (~two_way | (problem.tail < problem.head)))
        both = two_way[kept]
        self.arcs = [kept, back[kept] % len(problem.key)]
        frame = {
            "link_id": np.arange(1, len(kept) + 1),
            "a_node": problem.tail[kept] + 1,
            "b_node": problem.head[kept] + 1,
            "direction": np.where(both, 0, 1),
            "cost_ab": np.ones(len(kept)),
            "cost_ba": np.ones(len(kept)),
        }
        self.graph = Graph()
        self.graph.network = pandas.DataFrame(frame)
        self.graph.prepare_graph(np.unique(np.concatenate([problem.origins, problem.destinations])) + 1)
        self.graph.set_graph("cost")
        self.graph.set_blocked_centroid_flows(False)
        table = self.graph.graph
        link = table.link_id.to_numpy() - 1
        arcs = np.where(table.direction.to_numpy() == 1, self.arcs[0][link], self.arcs[1][link])
        self.arc = np.empty(len(table), dtype=np.int64)
        self.arc[table["__supernet_id__"].to_numpy()] = arcs

        zones = self.graph.centroids.astype(np.int64)
        self.matrix_of = AequilibraeMatrix()
        self.matrix_of.create_empty(zones=len(zones), matrix_names=["trips"], memory_only=True)
        self.matrix_of.index[:] = zones
        trips = np.zeros((len(zones), len(zones)))
        rows, columns = (np.searchsorted(zones, ends + 1) for ends in (problem.origins, problem.destinations))
        trips[np.ix_(rows, columns)] = problem.demand
        # What stays where it is has no cost, and no way.
        np.fill_diagonal(trips, 0.0)
        self.matrix_of.matrix["trips"][:, :] = trips
        self.matrix_of.computational_view(["trips"])
        self.results = AssignmentResults()
        self.results.set_cores(WORKERS)
        self.results.prepare(self.graph, self.matrix_of)

    def put(self, weights):
        from aequilibrae.paths.AoN import aggregate_link_costs

        self.weights = weights[self.arc].astype(np.float64)
        aggregate_link_costs(self.weights, self.graph.compact_cost, self.results.crosswalk)

    def solve(self, mode, clock):
        from aequilibrae.paths.all_or_nothing import allOrNothing
        from aequilibrae.paths.AoN import assign_link_loads, one_to_all

        whole = Clock()
        self.results.reset()
        with whole:
            call = allOrNothing("trips", self.matrix_of, self.graph, self.results)
            call.execute()
        self.more.setdefault("with its Python, seconds", []).append(whole.seconds)

        spaces = call.aux_res
        spaces.temp_link_loads[:] = 0.0
        origins = (self.problem.origins + 1).tolist()

        def work(worker):
            for origin in origins[worker::WORKERS]:
                one_to_all(origin, self.matrix_of, self.graph, self.results, spaces, worker)

        with ThreadPool(WORKERS) as pool, clock:
            pool.map(work, range(WORKERS), chunksize=1)
        self.results.compact_link_loads = np.sum(spaces.temp_link_loads, axis=0)
        assign_link_loads(
            self.results.link_loads, self.results.compact_link_loads, self.results.crosswalk, self.results.cores
        )
        return float((self.results.link_loads[:, 0] * self.weights).sum())

    def total(self, found):
        return found


class Pgrouting:
    """pgRouting: costs of all pairs by one call in a cluster of its own, reading the arcs from a table included."""

    package = None
    modes = ("matrix",)

    def __init__(self, problem):
        sys.path.insert(0, str(Path(__file__).parents[2] / "tests/osm"))
        from cluster import Cluster

        self.problem = problem
        self.cluster = Cluster().__enter__()
        self.cluster.sql("CREATE EXTENSION postgis; CREATE EXTENSION pgrouting;")
        self.version = "pgRouting " + self.cluster.sql("SELECT pgr_version();")[0][0]

    def close(self):
        self.cluster.__exit__()

    def put(self, weights):
        self.table = f"arcs_{os.getpid()}"
        rows = zip(self.problem.tail.tolist(), self.problem.head.tolist(), weights.tolist(), strict=True)
        self.cluster.sql(
            f"DROP TABLE IF EXISTS {self.table};\n"
            f"CREATE TABLE {self.table} (id bigserial, source bigint, target bigint, cost float8);\n"
            f"COPY {self.table} (source, target, cost) FROM STDIN;\n"
            + "".join(f"{tail}\t{head}\t{cost}\n" for tail, head, cost in rows)
            + f"\\.\nANALYZE {self.table};\n"
        )

    def solve(self, mode, clock):
        ends = (self.problem.origins, self.problem.destinations)
        origins, destinations = (",".join(map(str, nodes.tolist())) for nodes in ends)
        arcs = f"SELECT id, source, target, cost FROM {self.table}"
        with clock:
            return self.cluster.sql(
                "SELECT start_vid, end_vid, agg_cost FROM "
                f"pgr_dijkstraCost('{arcs}', ARRAY[{origins}]::bigint[], ARRAY[{destinations}]::bigint[], true);"
            )

    def matrix(self, found):
        costs = {(int(origin), int(node)): float(cost) for origin, node, cost in found}
        pairs = ([(origin, node) for node in self.problem.destinations] for origin in self.problem.origins)
        return [[0.0 if a == b else costs[int(a), int(b)] for a, b in row] for row in pairs]


PEERS = {
    "scipy": Scipy,
    "igraph": Igraph,
    "networkit": Networkit,
    "pyroutingkit": Pyroutingkit,
    "pandana": Pandana,
    "aequilibrae": Aequilibrae,
    "pgrouting": Pgrouting,
}


def peak():
    """Kilobytes that this process had at most; what `getrusage` says begins with those of the caller."""
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmHWM:")).split()[1])


def measure(peer, problem, budget, vectors):
    """Times and sums of one worker; at least `COMPARED` vectors for all workers together, or one of its own."""
    answer = {"assign": [], "matrix": [], "costs": {}, "sums": {}}
    for mode in peer.modes:
        spent = 0.0
        for count, vector in enumerate(vectors):
            if count and spent > budget / len(peer.modes):
                break
            peer.put(problem.weights(vector))
            clock = Clock()
            found = peer.solve(mode, clock)
            spent += clock.seconds
            answer[mode].append(clock.seconds)
            if mode == "matrix":
                answer["sums"][vector] = float(np.asarray(peer.matrix(found), dtype=np.float64).sum())
            elif hasattr(peer, "total"):
                answer["costs"][vector] = peer.total(found)
            elif count < COMPARED:
                answer["costs"][vector] = float((np.asarray(peer.costs(found)) * problem.demand).sum())
    answer["peak"] = peak()
    return answer


def worker(pipe, peer, problem, budget, vectors):
    # Ends a worker even while it is in compiled code.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LIMIT)
    pipe.send(measure(peer, problem, budget, vectors))


def in_processes(peer, problem, budget):
    """The answers of all workers."""
    fork = multiprocessing.get_context("fork")
    running = []
    for first in range(WORKERS):
        ours, theirs = fork.Pipe(duplex=False)
        arguments = (theirs, peer, problem, budget, range(first, problem.vectors, WORKERS))
        process = fork.Process(target=worker, args=arguments, daemon=True)
        process.start()
        theirs.close()
        running.append((process, ours))
    try:
        return [pipe.recv() for _, pipe in running]
    except EOFError:
        raise SystemExit(f"a worker ended before its answer (limit {LIMIT} s)") from None
    finally:
        for process, _ in running:
            process.kill()


def main():
    problem = Problem(FOLDER)
    # Workers are processes, each of one thread; a library with threads of its own is told how many when it is called.
    os.environ["OMP_NUM_THREADS"] = "1"
    start = time.perf_counter()
    peer = PEERS[NAME](problem)
    preparation = time.perf_counter() - start
    with contextlib.closing(peer) if hasattr(peer, "close") else contextlib.nullcontext():
        if hasattr(peer, "own_threads"):
            answers, share = [measure(peer, problem, BUDGET, range(problem.vectors))], 1
        else:
            answers, share = in_processes(peer, problem, BUDGET), WORKERS
    joined = {
        "version": f"{peer.package} {importlib.metadata.version(peer.package)}" if peer.package else peer.version,
        "preparation": preparation,
        "peak_mb": max(peak(), *(a["peak"] for a in answers)) / 1024,
        "more": {name: float(np.median(values)) for name, values in getattr(peer, "more", {}).items()},
    }
    for mode in ("assign", "matrix"):
        joined[mode] = [seconds / share for answer in answers for seconds in answer[mode]]
    for sums in ("costs", "sums"):
        joined[sums] = {vector: total for answer in answers for vector, total in answer[sums].items()}
    json.dump(joined, ANSWER)
    ANSWER.write("\n")


def give_up(*_):
    raise TimeoutError(f"given up after {LIMIT} s")


if __name__ == "__main__":
    NAME, FOLDER = sys.argv[1], Path(sys.argv[2])
    BUDGET, LIMIT, WORKERS = map(int, sys.argv[3:6])
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LIMIT)
    main()
