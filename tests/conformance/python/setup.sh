#!/bin/sh
# Makes (or refreshes) the virtual environment of the Python judges.
#
#   sh setup.sh [FOLDER]      default: ${XDG_CACHE_HOME:-~/.cache}/brama-judges
#
# Prints the path of its python on the last line of standard output; all else goes to standard
# error. Installs only when the requirements or the Python version changed since the last time.
# PYTHON names another interpreter than python3.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
requirements=$here/requirements.txt
apart=$here/requirements-apart.txt
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/brama-judges}
python=${PYTHON:-python3}

fail() {
    echo "setup.sh: $1" >&2
    exit 1
}

command -v "$python" >/dev/null ||
    fail "there is no $python; on Debian: apt-get install python3 python3-venv"
version=$("$python" -c 'import platform; print(platform.python_version())')
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    fail "Python $version is too old, the judges need 3.10 (they are tested with 3.11)"

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
stamp=$folder/requirements.stamp

# Tests may call this at the same time; the second caller waits and finds everything done.
if command -v flock >/dev/null; then
    exec 9>"$folder.lock"
    flock 9
fi

wanted="$version $("$python" -c '
import hashlib, sys
print(hashlib.sha256(b"".join(open(name, "rb").read() for name in sys.argv[1:])).hexdigest())' \
    "$requirements" "$apart")"

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] &&
    "$folder/bin/python" -c '' 2>/dev/null; then
    echo "$folder/bin/python"
    exit 0
fi

# Debian ships the module venv without ensurepip, which lives in python3-venv.
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "the Python module venv is incomplete; on Debian: apt-get install python3-venv"

# --clear empties the folder, so it must be ours or new.
if [ ! -f "$folder/pyvenv.cfg" ] && [ -n "$(ls -A "$folder")" ]; then
    fail "$folder holds other things; name an empty or new folder"
fi

echo "setup.sh: installing the judges into $folder" >&2
"$python" -m venv --clear "$folder" >&2
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --prefer-binary --requirement "$requirements" >&2 ||
    fail "pip failed; if it tried to build xmlsec, no ready-made wheel fits this machine:
    on Debian: apt-get install gcc pkg-config python3-dev libxmlsec1-dev"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --no-deps --target "$folder/apart" --requirement "$apart" >&2 || fail "pip failed for $apart"
# A folder without this file would give way to one that has it, wherever that is.
for package in "$folder"/apart/[a-z]*/; do
    case $package in *.dist-info/) ;; *) touch "$package/__init__.py" ;; esac
done

printf '%s' "$wanted" >"$stamp"
echo "$folder/bin/python"
