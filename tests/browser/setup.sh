#!/bin/sh
# Fetches axe-core, which judges whether pages can be used by everybody (WCAG 2.2).
#
#   sh setup.sh FOLDER      a folder for the programs that tests need
#
# In FOLDER/axe there is then axe.min.js, of the version and digest that are written here. All it says goes to
# standard error.
set -eu

version=4.14.1
sha256=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
folder=$1/axe
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# Tests may call this at the same time; the second caller waits and finds everything done.
if command -v flock >/dev/null; then
    exec 9>"$folder/lock"
    flock 9
fi

is_right() {
    [ -f "$folder/axe.min.js" ] && echo "$sha256  $folder/axe.min.js" | sha256sum --check --status
}

is_right && exit 0
echo "setup.sh: fetching axe-core $version" >&2
cd "$folder"
if npm pack --silent "axe-core@$version" >log 2>&1 &&
    tar -xzf "axe-core-$version.tgz" --strip-components=1 package/axe.min.js; then
    rm -f "axe-core-$version.tgz"
    is_right && exit 0
    echo "setup.sh: axe.min.js is not the file that is expected" >&2
    rm -f axe.min.js
    exit 1
fi
echo "setup.sh: axe-core cannot be fetched, and what needs it is skipped" >&2
tail -n 5 log >&2
