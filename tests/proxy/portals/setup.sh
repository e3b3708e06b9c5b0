#!/bin/sh
# Fetches what the portals of deploy/portals need to run in the tests.
#
#   sh setup.sh [FOLDER]      default: ${XDG_CACHE_HOME:-~/.cache}/brama-backends
#
# The folder is that of ../backends/setup.sh, and a portal is `portal-NAME` in it. Prints the folder on
# the last line of standard output; all else goes to standard error. A portal that has what it needs gets
# a file `ready`; what is missing for another is said, and its tests are skipped. Fetches only when a lock
# file or a tool changed since the last time. nginx, Apache and Tomcat are installed, not fetched.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
script=$here/setup.sh
recipes=$(cd "$here/../../../deploy/portals" && pwd)
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

# prepare PORTAL COMMAND THAT TELLS THE VERSION, LOCK FILES: runs fetch_PORTAL in the folder of the
# portal, unless it ran for the same tool and the same lock files.
prepare() {
    portal=$1
    version=$2
    shift 2
    here=$folder/portal-$portal
    if ! told=$(sh -c "$version" 2>&1); then
        echo "setup.sh: $portal is skipped: \"$version\" fails" >&2
        rm -f "$here/ready"
        return
    fi
    wanted="$told $(cd "$recipes/$portal" && cat "$script" "$@" | sha256sum)"
    if [ -f "$here/ready" ] && [ "$(cat "$here/ready")" = "$wanted" ]; then
        return
    fi
    echo "setup.sh: preparing $portal" >&2
    rm -rf "$here"
    mkdir -p "$here"
    if (cd "$here" && "fetch_$portal") >"$here/log" 2>&1; then
        printf '%s' "$wanted" >"$here/ready"
    else
        echo "setup.sh: $portal is skipped: it cannot be prepared" >&2
        tail -n 5 "$here/log" >&2
    fi
}

# In a function whose status is asked for, a failing line ends nothing by itself.
fetch_django() {
    "$python" -m venv . && bin/python -m pip install --quiet --disable-pip-version-check --no-input \
        --require-hashes --requirement "$recipes/$portal/requirements.txt"
}
fetch_flask() { fetch_django; }
fetch_express() {
    cp "$recipes/express/package.json" "$recipes/express/package-lock.json" . && npm ci --silent
}
fetch_spring() {
    mvn --quiet --batch-mode --file "$recipes/spring/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$here/jars"
}
# Debian's packages, unpacked and not installed: nothing of the machine changes, and root is not needed.
# They look for each other below /usr and /var, and are told where that is now.
fetch_dokuwiki() {
    extension=$(php -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')
    apt-get download dokuwiki php-geshi libphp-simplepie php-phpseclib php-random-compat \
        "php$extension-xml" &&
        for package in *.deb; do dpkg -x "$package" . || return; done &&
        rm ./*.deb usr/share/dokuwiki/lib/tpl usr/share/dokuwiki/lib/plugins &&
        mv usr/share/dokuwiki wiki &&
        mv var/lib/dokuwiki/lib/tpl var/lib/dokuwiki/lib/plugins wiki/lib/ &&
        mv etc/dokuwiki wiki/conf && mv var/lib/dokuwiki/data wiki/data &&
        mv usr/lib/php/*/xml.so . &&
        rm wiki/inc/preload.php wiki/conf/acl.auth.php wiki/conf/users.auth.php &&
        grep -rl --include='*.php' "'/usr/share/php" wiki |
        xargs sed -i "s|\$vendorDir . '/usr/share/php|'/usr/share/php|; s|'/usr/share/php|'$PWD/usr/share/php|"
}

prepare django "$python --version && $python -c 'import ensurepip'" requirements.txt
prepare flask "$python --version && $python -c 'import ensurepip'" requirements.txt
prepare express "node --version && npm --version" package-lock.json
prepare spring "javac -version && mvn --version" pom.xml
prepare dokuwiki "php --version && dpkg --version && apt-cache show dokuwiki"

echo "$folder"
