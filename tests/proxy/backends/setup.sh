#!/bin/sh
# Fetches and builds what the example backends of deploy/backends need to run in the tests.
#
#   sh setup.sh [FOLDER]      default: ${XDG_CACHE_HOME:-~/.cache}/brama-backends
#
# Prints the folder on the last line of standard output; all else goes to standard error. A language
# that has what it needs gets a file `ready` in its folder; what is missing for another is said, and its
# tests are skipped. Installs only when a lock file or a tool changed since the last time.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
script=$here/setup.sh
examples=$(cd "$here/../../../deploy/backends" && pwd)
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/brama-backends}
python=${PYTHON:-python3}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# Folders in it are emptied, so it must be ours or new.
if [ ! -f "$folder/.brama-backends" ] && [ -n "$(ls -A "$folder")" ]; then
    echo "setup.sh: $folder holds other things; name an empty or new folder" >&2
    exit 1
fi
touch "$folder/.brama-backends"

# Tests may call this at the same time; the second caller waits and finds everything done.
if command -v flock >/dev/null; then
    exec 9>"$folder/lock"
    flock 9
fi

# prepare LANGUAGE COMMAND THAT TELLS THE VERSION, LOCK FILES: runs install_LANGUAGE in the folder of
# the language, unless it ran for the same tool and the same lock files.
prepare() {
    language=$1
    version=$2
    shift 2
    here=$folder/$language
    if ! told=$(sh -c "$version" 2>&1); then
        echo "setup.sh: $language is skipped: \"$version\" fails" >&2
        rm -f "$here/ready"
        return
    fi
    wanted="$told $(cd "$examples/$language" && cat "$script" "$@" | sha256sum)"
    if [ -f "$here/ready" ] && [ "$(cat "$here/ready")" = "$wanted" ]; then
        return
    fi
    echo "setup.sh: preparing $language" >&2
    rm -rf "$here"
    mkdir -p "$here"
    if (cd "$here" && "install_$language") >"$here/log" 2>&1; then
        printf '%s' "$wanted" >"$here/ready"
    else
        echo "setup.sh: $language is skipped: it cannot be prepared" >&2
        tail -n 5 "$here/log" >&2
    fi
}

# In a function whose status is asked for, a failing line ends nothing by itself.
install_python() {
    "$python" -m venv . && bin/python -m pip install --quiet --disable-pip-version-check --no-input \
        --require-hashes --requirement "$examples/python/requirements.txt"
}
install_node() {
    cp "$examples/node/package.json" "$examples/node/package-lock.json" . && npm ci --silent
}
install_go() { (cd "$examples/go" && GOFLAGS=-mod=readonly go build -o "$here/portal" .); }
install_rust() {
    cargo build --quiet --locked --manifest-path "$examples/rust/Cargo.toml" --target-dir target
}
install_java() {
    mvn --quiet --batch-mode --file "$examples/$language/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$here/jars"
}
install_spring() { install_java; }
install_php() { :; }
install_ruby() { :; }
install_perl() { :; }

prepare python "$python --version && $python -c 'import ensurepip'" requirements.txt
prepare node "node --version && npm --version" package-lock.json
prepare go "go version" go.sum
prepare rust "cargo --version" Cargo.lock
prepare java "javac -version && mvn --version" pom.xml
prepare spring "javac -version && mvn --version" pom.xml
prepare php "php --version && php -m | grep -x openssl"
prepare ruby "ruby --version && ruby -e 'require \"jwt\"; require \"webrick\"'"
prepare perl "perl -MCrypt::JWT -MHTTP::Daemon -e 'print \$]'"

echo "$folder"
