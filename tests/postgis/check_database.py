#!/usr/bin/python3
"""`corredor run --postgis` against a server of its own, which listens on no port and is removed at the end.

    tests/postgis/check_database.py CORREDOR

What is written must be what stands in the GeoJSON, with words for columns and notices for tables; a run that is there is
refused, and replaced only with --force and without touching another; a failure anywhere leaves the database as it was and the
result folder whole; no password is in a message or a file. All faults are printed; exit code 1 if there is one.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "osm"))
from cluster import Cluster  # noqa: E402

PASSWORD = "Contraseña'%20 larga"
RESTRICTED, PUBLIC = "corredor_restricted", "corredor_public"


class Check:
    def __init__(self, corredor, cluster, folder):
        self.corredor, self.cluster, self.folder = corredor, cluster, folder
        self.faults = []
        self.study = folder / "study"
        self.call("init", str(self.study), code=0)

    def require(self, holds, message):
        if not holds:
            self.faults.append(message)
        return bool(holds)

    def call(self, *arguments, code, env=None):
        done = subprocess.run(
            [self.corredor, *arguments], check=False, capture_output=True, text=True, env={**os.environ, **(env or {})}
        )
        told = done.stdout + done.stderr
        self.require(done.returncode == code, f"{arguments}: exit code {done.returncode}, not {code}: {told}")
        return told

    def run(self, out, *more, dsn=None, code=0, env=None):
        """A short run into the folder `out` and the database."""
        arguments = ["run", str(self.study), "--out", str(self.folder / out), "--draws", "20", *more]
        return self.call(*arguments, "--postgis", dsn or self.dsn(), code=code, env=env)

    def dsn(self, user="oracle", database="postgres"):
        return f"PG:host={self.cluster.folder} user={user} dbname={database}"

    def count(self, what):
        return int(self.cluster.sql(f"SELECT count(*) FROM {what};")[0][0])

    def dump(self, database="postgres"):
        """All of a database; where a counter stands is not part of it, since it goes on for what is taken back too."""
        command = [*self.cluster.user, f"{self.cluster.bin}/pg_dump", "-h", self.cluster.folder, "-U", "oracle", database]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/")
        lines = [line for line in done.stdout.splitlines() if "pg_catalog.setval" not in line]
        # Newer ones begin with a random word.
        return "\n".join(line for line in lines if not line.startswith(("\\restrict", "\\unrestrict")))


def files_of(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def without_extension(check):
    told = check.run("none", code=3)
    check.require("CREATE EXTENSION postgis" in told, f"what is missing is not told: {told}")
    check.require(not (check.folder / "none").exists(), "a folder was written before the database was tried")
    check.cluster.sql("CREATE EXTENSION postgis;")


def whole_run(check):
    """Everything of the GeoJSON is in the database, and the files are those of a run without one."""
    told = check.run("first", "--lang", "en")
    check.require("warning" in told and RESTRICTED in told, f"nothing is said of permissions: {told}")
    alone = check.folder / "alone"
    check.call("run", str(check.study), "--out", str(alone), "--draws", "20", "--lang", "en", code=0)
    check.require(files_of(check.folder / "first") == files_of(alone), "the folder depends on the database")
    same_as_files(check, check.folder / "first", RESTRICTED)
    comments = dict(
        check.cluster.sql(
            f"SELECT attname, col_description(attrelid, attnum) FROM pg_attribute "
            f"WHERE attrelid = '{RESTRICTED}.corridors'::regclass AND attnum > 0;"
        )
    )
    check.require(comments["length_km"].startswith("Length. ") and "[km]" in comments["length_km"], str(comments))
    told = check.cluster.sql(f"SELECT replace(obj_description('{RESTRICTED}.roads'::regclass), E'\\n', '|');")[0][0]
    check.require(told.startswith("RESTRICTED") and "BORRADOR" in told, f"notices of a table: {told}")
    runs = check.cluster.sql(f"SELECT language, draft, notices[1] FROM {RESTRICTED}.runs;")
    check.require(len(runs) == 1 and runs[0][:2] == ["en", "t"] and "BORRADOR" in runs[0][2], str(runs))
    told = check.cluster.sql(
        f"SELECT has_schema_privilege('nobody_at_all', '{RESTRICTED}', 'USAGE');"
        if check.cluster.sql("CREATE ROLE nobody_at_all; SELECT 1;") else ""
    )
    check.require(told == [["f"]], "anybody may read the restricted schema")


def same_as_files(check, folder, schema):
    """Values and geometries by id, beside those of the GeoJSON."""
    run_id = json.loads((folder / "run.json").read_text())["run_id"]
    tables = {row[0] for row in check.cluster.sql(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}';")}
    files = sorted((folder / "layers").glob("*.geojson"))
    every = {path.stem for path in (folder / "tables").glob("*.csv")}
    check.require(tables == every | {"runs"}, f"tables {sorted(tables)}")
    for name in every - {path.stem for path in files}:
        rows = (folder / "tables" / f"{name}.csv").read_text(encoding="utf-8-sig").splitlines()
        found = check.cluster.sql(f"SELECT count(*) FROM {schema}.\"{name}\" WHERE run_id = '{run_id}';")
        check.require(found == [[str(len(rows) - 1)]], f"{schema}.{name}: {found} rows, the table has {len(rows) - 1}")
    for path in files:
        features = json.loads(path.read_text())["features"]
        rows = check.cluster.sql(
            f"SELECT to_jsonb(t) - 'geom' - 'fid', CASE WHEN geom IS NULL THEN NULL ELSE ST_AsGeoJSON(geom, 7) END, "
            f"ST_SRID(geom) FROM {schema}.\"{path.stem}\" t WHERE run_id = '{run_id}';"
        )
        found = {}
        for text, geometry, srid in rows:
            row = json.loads(text)
            found[row["id"]] = (row, json.loads(geometry)["coordinates"] if geometry else None)
            check.require(srid in ("4326", ""), f"{path.stem}: SRID {srid}")
        expected = {
            f["properties"]["id"]: (f["properties"], f["geometry"]["coordinates"] if f["geometry"] else None)
            for f in features
        }
        check.require(len(found) == len(features), f"{schema}.{path.stem}: {len(found)} of {len(features)} features")
        wrong = [key for key, value in expected.items() if not alike(found.get(key), value)]
        check.require(not wrong, f"{schema}.{path.stem}: {len(wrong)} differ, such as {wrong[:2]}: "
                      f"{[(found.get(k), expected[k]) for k in wrong[:1]]}")


def alike(a, b):
    """Equal, numbers to the last digit but one that a text of them keeps."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return isinstance(a, (int, float)) and isinstance(b, (int, float)) and abs(a - b) <= 1e-9 * max(1, abs(b))
    return a == b


def again(check):
    """The same run is refused, then replaced; another one beside it is left alone."""
    check.run("other", "--seed", "7")
    before = check.dump()
    told = check.run("again", "--lang", "en", code=2)
    check.require("--force" in told, f"what to do is not told: {told}")
    check.require(not (check.folder / "again").exists(), "a folder was written for a run that was refused")
    check.require(check.dump() == before, "a run that was refused has changed the database")

    run = {name: json.loads((check.folder / name / "run.json").read_text())["run_id"] for name in ("first", "other")}
    check.require(run["first"] != run["other"], "two seeds have the same run")
    fids = lambda name: check.cluster.sql(f"SELECT fid FROM {RESTRICTED}.roads WHERE run_id = '{run[name]}' ORDER BY 1;")
    own, others = fids("first"), fids("other")
    roads = check.count(f"{RESTRICTED}.roads")
    check.run("again", "--lang", "en", "--force")
    check.require(fids("other") == others, "the rows of another run were replaced")
    check.require(fids("first") != own and check.count(f"{RESTRICTED}.roads") == roads, "the rows were not replaced")
    same_as_files(check, check.folder / "again", RESTRICTED)


def public(check):
    check.run("public", "--audience", "public")
    same_as_files(check, check.folder / "public", PUBLIC)
    check.require(check.count(f"{PUBLIC}.runs") == 1, "the public schema has other runs")


def failing(check):
    """A layer in the middle fails: the database is as it was, the folder stands."""
    check.cluster.sql(
        f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF NEW.rank > 5 THEN RAISE EXCEPTION 'no place for %', NEW.rank; END IF; RETURN NEW; END $$; "
        f"CREATE TRIGGER refuse BEFORE INSERT ON {RESTRICTED}.worksites FOR EACH ROW EXECUTE FUNCTION refuse();"
    )
    before = check.dump()
    told = check.run("failed", "--seed", "9", code=3)
    check.require("no place for" in told and "quedó como estaba" in told, f"the cause is not told: {told}")
    check.require(str(check.folder / "failed") in told, f"that the folder stands is not told: {told}")
    check.call("verify", str(check.folder / "failed"), code=0)
    check.require(check.dump() == before, "a run that failed has changed the database")
    told = check.run("failed-en", "--seed", "9", "--lang", "en", code=3)
    check.require("The database is as it was" in told, f"not in English: {told}")

    # Even the schema is taken back, where a table of the same name is none of ours.
    check.cluster.sql("CREATE DATABASE second;")
    check.cluster.sql("CREATE DATABASE third;")
    for name in ("second", "third"):
        command = [*check.cluster.user, f"{check.cluster.bin}/psql", "-h", check.cluster.folder, "-U", "oracle", "-d", name]
        text = "CREATE EXTENSION postgis;"
        if name == "third":
            text += f"CREATE SCHEMA {RESTRICTED}; CREATE TABLE {RESTRICTED}.crossings (id text, mean boolean);"
        subprocess.run([*command, "-qc", text], check=True, capture_output=True, cwd="/")
    before = check.dump("third")
    check.run("third", dsn=check.dsn(database="third"), code=3)
    check.require(check.dump("third") == before, "a foreign table in the way has left traces")
    check.run("second", dsn=f"postgresql://oracle@/second?host={check.cluster.folder.replace('/', '%2F')}")


def secrets(check):
    """A password is in no message and no file."""
    check.cluster.sql("CREATE ROLE ana LOGIN PASSWORD '{}';".format(PASSWORD.replace("'", "''")))
    data = f"{check.cluster.folder}/data"
    lines = "local all ana scram-sha-256\nlocal all all trust\n"
    subprocess.run([*check.cluster.user, "sh", "-c", f"cat > {data}/pg_hba.conf"], input=lines, text=True, check=True)
    check.cluster.run("pg_ctl", "-D", data, "reload")
    quoted = PASSWORD.replace("'", "\\'")
    for password, wanted in ((quoted + "x", "password authentication failed"), (quoted, "permission denied")):
        dsn = check.dsn("ana") + f" password='{password}'"
        told = check.run("secret" + str(len(password)), dsn=dsn, code=3)
        check.require(wanted in told, f"the cause is not told: {told}")
        check.require(PASSWORD not in told and quoted not in told, f"a message shows the password: {told}")
    check.cluster.sql("GRANT CREATE ON DATABASE postgres TO ana; ALTER DATABASE second OWNER TO ana;")
    name = json.dumps(PASSWORD)
    told = check.run("ana", dsn=check.dsn("ana", "second") + f" password='{quoted}'", code=3)
    check.require("permission denied" in told or "must be owner" in told, f"the cause is not told: {told}")
    check.require(PASSWORD not in told, f"a message shows the password: {told} {name}")
    for path in (check.folder / "ana").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            check.require(PASSWORD.encode() not in data and b"dbname=" not in data, f"{path} knows the database")
    # A password that is not on the command line.
    told = check.run("env", dsn=check.dsn("ana"), code=3, env={"PGPASSWORD": PASSWORD})
    check.require("permission denied" in told, f"PGPASSWORD is not used: {told}")


def refused(check):
    """Nothing but the two forms reaches GDAL."""
    for dsn in ("corredor.gpkg", "/vsimem/x", "MySQL:x", "PG:dbname=x options=-csearch_path=y", "PG:dbname='x", "dbname=x"):
        told = check.run("refused", dsn=dsn, code=2)
        check.require(dsn not in told, f"a message repeats what may hold a password: {told}")
    told = check.run("refused", dsn=f"PG:host={check.folder}/nowhere dbname=x", code=3)
    check.require("No se escribió nada" in told, f"nothing is said of what was written: {told}")
    check.require(not (check.folder / "refused").exists(), "a folder was written for a database that is not there")


def main():
    if len(sys.argv) != 2:
        print("usage: check_database.py CORREDOR", file=sys.stderr)
        return 2
    with Cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        check = Check(os.path.abspath(sys.argv[1]), cluster, Path(folder))
        for step in (without_extension, whole_run, again, public, failing, secrets, refused):
            known = len(check.faults)
            step(check)
            print(f"{step.__name__}: {'ok' if len(check.faults) == known else 'FAULT'}", flush=True)
        for fault in check.faults:
            print(f"FAULT {fault}", file=sys.stderr)
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main())
