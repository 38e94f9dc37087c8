#!/bin/sh
# Compares what Rust reads from the golden vectors, and what it finds of histories, with what two programs in Python do. Needs python3,
# nothing else.
set -eu
cd "$(dirname "$0")/../.."
command -v python3 >/dev/null || { echo "tests/interop/run.sh needs python3: apt-get install python3" >&2; exit 1; }
exec cargo test --quiet --locked --package mutator-governance-tests --test format interop:: -- --ignored
