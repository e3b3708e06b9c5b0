#!/bin/sh
# Builds Pebble, the authority that speaks ACME (RFC 8555) which its makers give for tests.
#
#   sh setup.sh FOLDER      a folder for the programs that tests need
#
# In FOLDER/pebble there are then bin/pebble, bin/pebble-challtestsrv and a file `ready`; or, where the Go of
# the machine is too old for it, a file `skipped` with the reason. All it says goes to standard error.
set -eu

pebble=github.com/letsencrypt/pebble/v2/cmd
version=v2.10.3
folder=$1/pebble
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# Tests may call this at the same time; the second caller waits and finds everything done.
if command -v flock >/dev/null; then
    exec 9>"$folder/lock"
    flock 9
fi

go=$(go version 2>/dev/null | sed -n 's/^go version \([^ ]*\) .*/\1/p')
minor=$(echo "$go" | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
rm -f "$folder/skipped"
if [ "${minor:-0}" -lt 25 ]; then
    rm -f "$folder/ready"
    echo "Pebble needs Go 1.25 or later, and here is ${go:-none}" | tee "$folder/skipped" >&2
    exit 0
fi
if [ -f "$folder/ready" ] && [ "$(cat "$folder/ready")" = "$version $go" ]; then
    exit 0
fi
rm -f "$folder/ready"
echo "setup.sh: preparing Pebble" >&2
# The toolchain that is here, and no newer one that a module asks for.
if GOTOOLCHAIN=local GOBIN=$folder/bin go install \
    "$pebble/pebble@$version" "$pebble/pebble-challtestsrv@$version" >"$folder/log" 2>&1; then
    printf '%s' "$version $go" >"$folder/ready"
else
    echo "setup.sh: Pebble cannot be prepared, and what needs it is skipped" >&2
    tail -n 5 "$folder/log" >&2
fi
