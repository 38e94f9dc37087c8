#!/usr/bin/env bash
# Sees to it that redis-server and redis-cli are on PATH, in a version the crate supports.
# On Debian and Ubuntu it installs them; elsewhere it says what to install.
set -euo pipefail

oldest_major=7

server_version() {
    redis-server --version 2>/dev/null | sed -n 's/.* v=\([0-9][0-9.]*\).*/\1/p'
}

missing() {
    ! command -v redis-server >/dev/null || ! command -v redis-cli >/dev/null
}

if missing; then
    if ! command -v apt-get >/dev/null; then
        echo "ensure-redis: redis-server and redis-cli $oldest_major.0 or newer are needed and are not on PATH." >&2
        case "$(uname -s)" in
        Darwin) echo "ensure-redis: on macOS install them with: brew install redis" >&2 ;;
        *) echo "ensure-redis: install them with this system's package manager, then run this again." >&2 ;;
        esac
        exit 1
    fi
    as_root=()
    if [[ "$(id -u)" != 0 ]]; then
        if ! command -v sudo >/dev/null; then
            echo "ensure-redis: redis-server is missing, and installing it needs root or sudo." >&2
            echo "ensure-redis: as root, run: apt-get install redis-server redis-tools" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    echo "ensure-redis: redis-server is missing; installing it with apt-get"
    ${as_root[@]+"${as_root[@]}"} apt-get update -q
    ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends redis-server redis-tools
    hash -r
    if missing; then
        echo "ensure-redis: the packages are installed, but redis-server or redis-cli is not on PATH" >&2
        exit 1
    fi
fi

version="$(server_version)"
if [[ -z "$version" || "${version%%.*}" -lt "$oldest_major" ]]; then
    echo "ensure-redis: $(command -v redis-server) is version ${version:-unknown}; $oldest_major.0 or newer is needed" >&2
    exit 1
fi
echo "ensure-redis: redis-server $version at $(command -v redis-server)"
