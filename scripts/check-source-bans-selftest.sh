#!/usr/bin/env bash
# Plants each banned thing, and its allowed neighbour, in an otherwise empty src/ and looks whether
# check-source-bans.sh tells them apart: a ban whose pattern is broken would pass in silence.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
planted="$(mktemp -d)"
trap 'rm -rf "$planted"' EXIT
cases=0
wrong=0

# try EXPECTED FILE TEXT: EXPECTED is `refused` or `ok`.
try() {
    local found=ok
    rm -rf "${planted:?}/src" "${planted:?}/examples"
    mkdir -p "$planted/src" "$(dirname "$planted/$2")"
    echo '[package]' >"$planted/Cargo.toml"
    echo '//! Planted.' >"$planted/src/lib.rs"
    printf '%s\n' "$3" >>"$planted/$2"
    ./scripts/check-source-bans.sh "$planted" >/dev/null 2>&1 || found=refused
    cases=$((cases + 1))
    if [[ "$found" != "$1" ]]; then
        echo "check-source-bans-selftest: $found, not $1: $2: $3" >&2
        wrong=$((wrong + 1))
    fi
}

try refused src/engine/a.rs '#[maybe_async]'
try refused src/engine/a.rs '#[maybe_async::maybe_async]'
try refused src/engine/a.rs 'use maybe_async::maybe_async;'
try refused src/engine/a.rs '#[maybe_async::test(feature = "x")]'
try refused src/engine/a.rs '    #[sync_impl]'
try refused src/engine/a.rs '#[maybe_async::async_impl]'
try ok src/blocking.rs 'use maybe_async::must_be_sync as dual;'
try ok src/blocking.rs 'pub(crate) use maybe_async::must_be_async as dual;'
try ok src/blocking.rs '/// never `#[maybe_async]` nor is_sync, unsafe, todo!() or bincode'
try refused Cargo.toml 'maybe-async = { version = "0.2", features = ["is_sync"] }'
try ok Cargo.toml '# never is_sync'
try refused src/engine/a.rs 'let x = async { 1 };'
try refused src/engine/sub/a.rs 'let x = async move { 1 };'
try refused src/conformance/a.rs 'async move {'
try ok src/engine/a.rs 'pub async fn a() {'
try ok src/nonblocking/a.rs 'async move {'
try refused src/request/a.rs 'unsafe { x() }'
try refused src/request/a.rs 'pub unsafe fn x() {}'
try ok src/lib.rs '#![forbid(unsafe_code)]'
try refused src/request/a.rs '    todo!()'
try refused src/request/a.rs 'let a = unimplemented!("x");'
try refused src/request/a.rs 'dbg!(a);'
try refused src/error.rs 'Redis(redis::RedisError),'
try refused src/error.rs 'use redis::RedisError;'
try refused src/error.rs 'use ::redis::RedisError;'
try refused src/error.rs 'use redis as r;'
try refused src/workflow/a.rs 'impl From<redis::RedisError> for X {}'
try refused src/query.rs 'fn a(x: ::redis::Value) {}'
try ok src/query/a.rs 'use crate::redis::Options;'
try ok src/lib.rs 'pub use self::redis::Options;'
try ok src/lib.rs '#[cfg(feature = "redis")] pub mod redis;'
try ok src/redis/a.rs 'use redis::Value;'
try ok src/redis.rs 'use ::redis::Value;'
try ok src/engine/a.rs 'use redis::Value; use crate::redis::X;'
try ok src/blocking.rs 'use redis::Value;'
try ok src/nonblocking/a.rs 'use redis::Value;'
try refused src/workflow/a.rs '    about.note("approval", id.as_str());'
try refused src/workflow/a.rs '    note_left_out(&mut about, "details", 3);'
try ok src/workflow/a.rs '    about.note(metadata_keys::APPROVAL, id.as_str());'
try refused src/request/a.rs '#[derive(bincode::Encode)]'
try refused src/redis/a.rs 'use bincode;'
try ok src/stored_format/a.rs 'bincode::decode()'
try ok src/stored_format.rs 'bincode::decode()'
try refused examples/a.rs '    println!("a");'
try refused examples/support/a.rs 'std::eprint!("a");'
try ok examples/a.rs 'say!("a"); pretty_println!("b");'
try refused src/redis/scripts/a.lua "local x = redis.call('KEYS', '*')"
try refused src/redis/scripts/a.lua 'local x = redis.pcall("keys", "*")'
try ok src/redis/scripts/a.lua "local x = redis.call('GET', KEYS[1])"
try ok src/redis/scripts/a.lua "-- never redis.call('KEYS', '*')"
try refused src/redis/scripts/a.lua "redis.call('SMEMBERS', KEYS[1])"
try refused src/redis/scripts/a.lua "local x = ask('SMEMBERS', KEYS[1])"
try refused src/redis/scripts/a.lua "x(call('KEYS', '*'))"
try refused src/redis/scripts/a.lua "if ask_of_any_type('ZRANGE', KEYS[1], 0, -1) then"
try ok src/redis/scripts/a.lua "local x = ask('GET', KEYS[1])"
try ok src/redis/scripts/a.lua "local x = task('KEYS')"
try refused src/redis/scripts/a.lua "redis.call('EXPIRE', KEYS[1], 5)"
try refused src/redis/scripts/a.lua "redis.call('SET', KEYS[1], ARGV[1], 'PX', 5)"
try ok src/redis/scripts/a.lua "redis.call('SET', KEYS[1], ARGV[1])"
try refused src/redis/scripts/a.lua "redis.call('ZRANGE', key('a', 1), 0, -1)"
try refused src/redis/scripts/a.lua "redis.call('ZRANGE', KEYS[1], '0', '-1', 'WITHSCORES')"
try refused src/redis/scripts/a.lua "redis.call(
  'ZREVRANGE',
  KEYS[1],
  0, -1)"
try ok src/redis/scripts/a.lua "redis.call('ZRANGE', KEYS[1], 0, 99)"
try refused src/redis/scripts/a.lua "redis.call('ZRANGE', KEYS[1], '-', '+', 'BYLEX')"
try ok src/redis/scripts/a.lua "redis.call('ZRANGE', KEYS[1], '-', '+', 'BYLEX', 'LIMIT', 0, 100)"
try refused src/redis/scripts/a.lua "redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf')"
try refused src/redis/scripts/a.lua "x(redis.call('GET', redis.call('SMEMBERS', KEYS[1])[1]))"
try refused src/redis/scripts/a.lua "redis.call('XRANGE', KEYS[1], '-', '+')"
try ok src/redis/scripts/a.lua "redis.call('XADD', KEYS[1], 'MAXLEN', '~', 5, '*', 'id', 1)"

if [[ "$wrong" != 0 ]]; then exit 1; fi
echo "check-source-bans-selftest: $cases planted lines told apart"
