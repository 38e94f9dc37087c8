#!/usr/bin/env bash
# Builds the image mutator-governance-redis:local from this machine's own redis-server and the
# shared libraries it needs. No registry is asked for anything.
set -euo pipefail

image="mutator-governance-redis:local"

server="$(command -v redis-server || true)"
if [[ -z "$server" ]]; then
    echo "redis-image: no redis-server on PATH; run scripts/ensure-redis.sh first" >&2
    exit 1
fi
if ! command -v ldd >/dev/null; then
    echo "redis-image: ldd is needed to find the libraries of $server (the image can be built on Linux only)" >&2
    exit 1
fi
if ! docker info >/dev/null 2>&1; then
    echo "redis-image: no Docker engine answers" >&2
    exit 1
fi

root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT

mkdir -p "$root/usr/bin" "$root/data"
# The file itself, not a link: Debian's redis-server is a link to redis-check-rdb.
cp -L "$server" "$root/usr/bin/redis-server"

# Every absolute path that ldd prints is a library or the loader; each keeps its own place.
ldd "$server" | grep -o '/[^ )]*' | sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done

tar -C "$root" -c . | docker import \
    --change 'WORKDIR /data' \
    --change 'EXPOSE 6379/tcp' \
    --change 'ENTRYPOINT ["/usr/bin/redis-server"]' \
    --change 'CMD ["--bind", "0.0.0.0", "--port", "6379", "--protected-mode", "no", "--save", "", "--appendonly", "no"]' \
    - "$image" >/dev/null

echo "redis-image: built $image from $("$server" --version | cut -d' ' -f1-3)"
