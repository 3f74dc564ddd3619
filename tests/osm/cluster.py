"""PostgreSQL with pgRouting for tests and benches."""

import glob
import os
import shutil
import subprocess
import sys
import tempfile


class Cluster:
    """PostgreSQL with pgRouting in a folder of its own."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="osm-oracle-")
        os.chmod(self.folder, 0o755)
        binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))
        self.bin = binaries[-1]
        # PostgreSQL refuses to run as root.
        self.user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, "postgres")
        self.run("initdb", "-D", f"{self.folder}/data", "-A", "trust", "-U", "oracle", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-o", options, "-l", f"{self.folder}/log", "start")
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def run(self, program, *arguments):
        done = subprocess.run(
            [*self.user, f"{self.bin}/{program}", *arguments], check=False, capture_output=True, cwd="/"
        )
        if done.returncode:
            sys.exit(f"{program}: {done.stderr.decode()}")

    def sql(self, text):
        command = [*self.user, f"{self.bin}/psql", "-h", self.folder, "-U", "oracle", "-d", "postgres", "-qAt"]
        done = subprocess.run(
            [*command, "-v", "ON_ERROR_STOP=1", "-F", "\t"],
            check=False,
            input=text.encode(),
            capture_output=True,
            cwd="/",
        )
        if done.returncode:
            sys.exit(f"psql: {done.stderr.decode()}")
        return [line.split("\t") for line in done.stdout.decode().splitlines()]

    def table(self, name, lines):
        """A table of numbers: id, source, target, cost."""
        text = "".join("\t".join(map(repr, line)) + "\n" for line in lines)
        self.sql(
            f"CREATE TABLE {name} (id bigserial, source bigint, target float8, cost float8);\n"
            f"COPY {name} (source, target, cost) FROM STDIN;\n{text}\\.\n"
        )

    def costs(self, graph, pairs):
        """The cost of the cheapest path of every pair, or None."""
        values = ",".join(f"({a}::bigint,{b}::bigint)" for a, b in pairs)
        wanted = f"SELECT * FROM (VALUES {values}) AS p(source, target)"
        found = self.sql(
            f"SELECT start_vid, end_vid, agg_cost FROM pgr_dijkstra('{graph}', '{wanted}', true) WHERE edge = -1;"
        )
        by_pair = {(int(a), int(b)): float(cost) for a, b, cost in found}
        return [by_pair.get(pair) for pair in pairs]
