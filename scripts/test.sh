#!/usr/bin/env bash
# Everything that must hold before a change lands. What this machine lacks for the last two steps is skipped and named at the
# end; with MUTATOR_REQUIRE_ALL_STEPS=1, as CI sets it, that fails instead.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# One target directory for every step, the downstream crate included.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
# Four builds of every test binary: without this they are many gigabytes, which not every machine has to spare.
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG="${CARGO_PROFILE_DEV_DEBUG:-0}"
# The examples are given a server here, not by whoever runs this.
unset REDIS_URL

current="start"
steps=0
took=""
skipped=""
server_directory=""
server=""
beside=""
beside_output=""

finish() {
    local status=$?
    stop_server
    if [[ -n "$beside" ]]; then kill -- "-$beside" 2>/dev/null || true; fi
    rm -f "$beside_output"
    echo
    printf '%s' "$took"
    if [[ "$status" == 0 ]]; then
        echo "test.sh: all $steps steps passed in ${SECONDS}s${skipped:+; skipped: $skipped}"
    else
        echo >&2
        echo "test.sh: FAILED after ${SECONDS}s in step $steps: $current" >&2
    fi
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# step TITLE COMMAND...
step() {
    local began=$SECONDS
    current="$1"
    steps=$((steps + 1))
    shift
    echo
    echo "==> $current"
    "$@"
    echo "    done in $((SECONDS - began))s: $current"
    took="$took$(printf '%6ds  %s' $((SECONDS - began)) "$current")"$'\n'
}

# skip WHAT WHY
skip() {
    if [[ "${MUTATOR_REQUIRE_ALL_STEPS:-0}" == 1 ]]; then
        echo "test.sh: $2, and MUTATOR_REQUIRE_ALL_STEPS=1 is set" >&2
        exit 1
    fi
    echo "$2: $1 skipped"
    skipped="${skipped:+$skipped, }$1"
}

tools() {
    local program missing=""
    cargo --version
    if ! cargo fmt --version || ! cargo clippy --version; then
        echo "test.sh: rustfmt and clippy are needed: rustup component add rustfmt clippy" >&2
        exit 1
    fi
    # Of the files on PATH, as the tests call them: bash has a kill of its own.
    for program in cc kill prlimit python3; do
        if ! type -P "$program" >/dev/null; then missing="$missing $program"; fi
    done
    if [[ -n "$missing" ]]; then
        echo "test.sh: not on PATH:$missing. The tests run on Linux; on Debian and Ubuntu, as root:" >&2
        echo "test.sh: apt-get install gcc libc6-dev procps util-linux python3" >&2
        exit 1
    fi
}

formatting() {
    cargo fmt --all --check
    cargo fmt --check --manifest-path tests/downstream_with_is_sync/Cargo.toml
}

source_bans() {
    ./scripts/check-source-bans-selftest.sh
    ./scripts/check-source-bans.sh
}

lint() {
    cargo clippy --quiet --locked "$@" -- -D warnings
}

# Tests, examples and benches may panic, which is how they report; of style the library alone is an example.
lint_everything() {
    cargo clippy --quiet --locked --workspace --all-features --all-targets -- -D warnings -A clippy::pedantic -A clippy::style \
        -A clippy::complexity -A clippy::perf -A unreachable_pub \
        -A clippy::unwrap_used -A clippy::expect_used -A clippy::panic -A clippy::indexing_slicing
}

run_tests() {
    cargo test --quiet --locked "$@"
}

# Tests of servers mostly wait, so that they run beside builds. The binaries themselves: cargo would wait for those builds.
start_beside() {
    local built binary binaries=()
    built="$(cargo test --locked --no-run --package mutator-governance-tests 2>&1)" || { echo "$built" >&2; exit 1; }
    for binary in "$@"; do
        binaries+=("$(sed -n "s|.*Executable $binary/main.rs (\(.*\))|\1|p" <<<"$built")")
    done
    beside_output="$(mktemp)"
    set -m
    (
        cd tests
        for binary in "${binaries[@]}"; do
            began=$SECONDS
            [[ "$binary" == /* ]] || binary="../$binary"
            "$binary" --quiet || exit
            echo "    done in $((SECONDS - began))s: $(basename "$binary")"
        done
    ) >"$beside_output" 2>&1 </dev/null &
    beside=$!
    set +m
}

wait_beside() {
    local status=0
    wait "$beside" || status=$?
    beside=""
    cat "$beside_output"
    return "$status"
}

# Unit tests and what every store promises, in one flavour: what one flavour alone can break.
run_contract() {
    run_tests --package mutator-governance --lib --no-default-features --features "$1,conformance"
    run_tests --package mutator-governance-tests --test contract --no-default-features --features "$1"
}

documentation() {
    RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --no-deps --all-features
}

# for_each_example COMMAND...: runs the command with the name of each example.
for_each_example() {
    local file found=0
    for file in examples/*.rs; do
        if [[ ! -f "$file" ]]; then continue; fi
        found=1
        "$@" "$(basename "$file" .rs)"
    done
    if [[ "$found" == 0 ]]; then
        echo "test.sh: there is no examples/*.rs" >&2
        exit 1
    fi
}

run_embedded() {
    echo "--- $1, embedded store"
    cargo run --quiet --locked --all-features --example "$1"
}

run_on_redis() {
    local keys
    echo "--- $1, Redis"
    REDIS_URL="redis+unix://$server_directory/s" cargo run --quiet --locked --all-features --example "$1"
    keys="$(redis-cli -s "$server_directory/s" DBSIZE)"
    if [[ "$keys" != 0 ]]; then
        echo "test.sh: example $1 left $keys keys behind:" >&2
        redis-cli -s "$server_directory/s" --scan >&2
        exit 1
    fi
}

examples_on_the_embedded_store() {
    # As the README gives it, with the default features, and then every example.
    cargo run --quiet --locked --example quickstart
    for_each_example run_embedded
}

examples_on_redis() {
    start_server
    for_each_example run_on_redis
    stop_server
}

start_server() {
    # A unix socket path has about 100 bytes at most.
    server_directory="$(mktemp -d /tmp/mg-examples.XXXXXX)"
    redis-server --port 0 --unixsocket "$server_directory/s" --dir "$server_directory" \
        --save "" --appendonly no >"$server_directory/output" 2>&1 </dev/null &
    server=$!
    for _ in {1..100}; do
        if redis-cli -s "$server_directory/s" PING >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    echo "test.sh: redis-server did not answer:" >&2
    cat "$server_directory/output" >&2
    exit 1
}

stop_server() {
    if [[ -n "$server" ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=""
    fi
    if [[ -n "$server_directory" ]]; then
        rm -rf "$server_directory"
        server_directory=""
    fi
}

# The program itself, on servers, a cluster and a terminal.
command_line() {
    run_tests --package mutatorctl
}

# The stored format as a program reads it that was written from its specification alone.
interop() {
    ./tests/interop/run.sh
}

dependency_policy() {
    if ! command -v cargo-deny >/dev/null; then
        skip "cargo deny" "cargo-deny is not installed"
        return
    fi
    cargo deny check bans licenses sources
    if cargo deny fetch db >/dev/null 2>&1; then
        cargo deny check advisories
    else
        skip advisories "the advisory database cannot be fetched"
    fi
}

# Whether targets can be built; what is missing and can be had without changing this machine is fetched.
has_fuzzer() {
    local tools="$CARGO_TARGET_DIR/tools"
    command -v c++ >/dev/null && rustup run nightly rustc --version >/dev/null 2>&1 || return 1
    export PATH="$PATH:$tools/bin" CARGO_NET_RETRY=1
    if ! cargo fuzz --version >/dev/null 2>&1; then
        echo "installing cargo-fuzz into $tools"
        CARGO_TARGET_DIR="$tools/build" timeout 300 cargo install --quiet cargo-fuzz --locked --debug --root "$tools" || return 1
        rm -rf "$tools/build"
    fi
    timeout 300 cargo +nightly fetch --quiet --manifest-path fuzz/Cargo.toml
}

# Long enough to notice what fails at once; scripts/fuzz.sh alone takes as long as it is given.
fuzz_smoke() {
    local size
    if ! has_fuzzer; then
        skip "fuzz smoke" "nightly Rust, a C++ compiler, cargo-fuzz or what the targets depend on is missing"
        return
    fi
    MUTATOR_FUZZ_AT_ONCE=2 ./scripts/fuzz.sh 20
    size="$(du -sm "$CARGO_TARGET_DIR/fuzzing" | cut -f1)"
    echo "the fuzzers' build takes $size MB"
    if [[ "$size" -gt 1024 ]]; then rm -rf "$CARGO_TARGET_DIR/fuzzing"; fi
}

step "tools" tools
step "Redis" ./scripts/ensure-redis.sh
step "format" formatting
step "source bans" source_bans
step "dependency trees" ./scripts/check-dependency-trees.sh

step "clippy: no features" lint --no-default-features
step "clippy: redis without a flavour" lint --no-default-features --features redis,conformance
step "clippy: policies without a flavour" lint --no-default-features --features policies
step "clippy: blocking" lint --no-default-features --features blocking
step "clippy: blocking,redis" lint --no-default-features --features blocking,redis
step "clippy: blocking,tls-rustls" lint --no-default-features --features blocking,tls-rustls
step "clippy: tokio,redis" lint --no-default-features --features tokio,redis
step "clippy: smol,redis" lint --no-default-features --features smol,redis
step "clippy: all features" lint --all-features
step "clippy: all features, all targets" lint_everything
step "clippy: mutatorctl" lint --package mutatorctl

# Examples come first: tests run them as they are built.
step "examples are built" cargo build --quiet --locked --all-features --examples
step "tests are built, and start: redis, contract, cluster, chaos" start_beside redis contract cluster chaos

step "unit tests and doctests" run_tests --all-features
step "tests: rules" run_tests --package mutator-governance-tests --test rules
step "tests: format" run_tests --package mutator-governance-tests --test format
step "stored format read by another program" interop
step "documentation" documentation
step "downstream crate with maybe-async/is_sync" ./scripts/check-downstream.sh

step "unit and contract tests: blocking" run_contract blocking,redis
step "unit and contract tests: tokio" run_contract tokio,redis
step "unit and contract tests: smol" run_contract smol,redis
step "tests: redis, contract, cluster, chaos" wait_beside

step "examples on the embedded store" examples_on_the_embedded_store
step "examples on Redis" examples_on_redis
step "axum service" run_tests --package axum-service
step "command line" command_line

step "fuzz smoke" fuzz_smoke
step "cargo deny" dependency_policy
