#!/usr/bin/env bash
# Builds and runs the crate that enables maybe-async/is_sync beside ours and uses both flavours.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"

crate=tests/downstream_with_is_sync
# Start from our versions, so that the check does not depend on what was published today.
cp Cargo.lock "$crate/Cargo.lock"
tree="$(cargo tree --manifest-path "$crate/Cargo.toml" --edges features --prefix none)"
if ! grep -q 'maybe-async feature "is_sync"' <<<"$tree"; then
    echo "check-downstream: $crate no longer enables maybe-async/is_sync, so it checks nothing" >&2
    exit 1
fi
cargo run --quiet --manifest-path "$crate/Cargo.toml"
