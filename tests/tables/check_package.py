#!/usr/bin/env python3
"""Reads a result by its datapackage.json, as an analyst's tools do: by `frictionless`, which casts every value of every
table to its type, holds it against its constraints, and compares sizes, hashes and numbers of rows.

    check_package.py FOLDER...   exit code 1 if anything does not fit
"""

import json
import sys
from pathlib import Path

import frictionless


def faults(folder):
    path = Path(folder) / "datapackage.json"
    described = json.loads(path.read_text(encoding="utf-8"))
    package = frictionless.Package(str(path))
    report = package.validate()
    for task in report.tasks:
        yield from (f"{task.place}: {error.message}" for error in task.errors)
    for error in report.errors:
        yield f"{path.name}: {error.message}"
    tables = [r for r in described["resources"] if r["profile"] == "tabular-data-resource"]
    if not tables:
        yield "no table is described"
    for table in tables:
        # What was checked is what is there: rows were read, with the types that are stated.
        resource = package.get_resource(table["name"])
        rows = resource.read_rows()
        if len(rows) != table["rows"]:
            yield f"{table['name']}: {len(rows)} rows are read, {table['rows']} are stated"
        for field in table["schema"]["fields"]:
            if not field.get("title") or not field.get("description"):
                yield f"{table['name']}.{field['name']}: no title or description"
    files = {p.relative_to(folder).as_posix() for p in Path(folder).rglob("*") if p.is_file()}
    named = {r["path"] for r in described["resources"]}
    if files - named != {"datapackage.json", "run.json"} or named - files:
        yield f"not described: {sorted(files - named)}; not there: {sorted(named - files)}"


def main(folders):
    found = [f"{folder}: {fault}" for folder in folders for fault in faults(folder)]
    print("\n".join(found) if found else f"{len(folders)} in order")
    return 1 if found or not folders else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
