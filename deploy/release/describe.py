#!/usr/bin/env python3
"""Says what is in a release, and how it was made.

    describe.py FOLDER [--small] TARGET...

Writes into the folder with the files of a release (deploy/release/build):

  brama-VERSION.cdx.json           what the program is made of: CycloneDX 1.5
  brama-VERSION-licences.txt       the licence of each part, and its text
  brama-VERSION.provenance.json    from which sources, by which compiler, with which profile: in-toto, SLSA provenance 1

Parts are those that `cargo metadata` has for the targets. What only runs while the program is built
(build scripts, macros) is in the list as "excluded". The same commit gives the same bytes.
Without a checkout the commit is "unknown". Needs Python 3.11.
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid


def told(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def told_by_git(*words):
    """Returns what git says, or none where there is no checkout, or one that git takes for another's."""
    try:
        return told("git", *words)
    except (subprocess.CalledProcessError, FileNotFoundError):
        return None


def graph(target):
    """Returns the packages of a target by id, the root, and who needs whom."""
    words = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    seen = json.loads(told(*words))
    packages = {package["id"]: package for package in seen["packages"]}
    needs = {}
    for node in seen["resolve"]["nodes"]:
        kinds = [(dep["pkg"], {kind["kind"] for kind in dep["dep_kinds"]}) for dep in node["deps"]]
        needs[node["id"]] = kinds
    return packages, seen["resolve"]["root"], needs


def is_macro(package):
    return any("proc-macro" in target["kind"] for target in package["targets"])


def reach(root, needs, wanted, enters):
    found, waiting = set(), [root]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        found.add(one)
        waiting += [dep for dep, kinds in needs[one] if kinds & wanted and enters(dep)]
    return found


def collect(targets):
    """Returns (package, is in the program, ids that it needs) of every part of all targets."""
    parts, inside, edges = {}, set(), {}
    for target in targets:
        packages, root, needs = graph(target)
        linked = reach(root, needs, {None}, lambda one: not is_macro(packages[one]))
        whole = reach(root, needs, {None, "build"}, lambda one: True)
        inside |= linked
        for one in whole:
            parts[one] = packages[one]
            deps = {dep for dep, kinds in needs[one] if kinds & {None, "build"} and dep in whole}
            edges[one] = edges.get(one, set()) | deps
    return root, parts, inside, edges


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, checksums, scope):
    made = {
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "scope": scope,
        "purl": purl(package),
    }
    if package.get("description"):
        made["description"] = " ".join(package["description"].split())
    if package.get("license"):
        made["licenses"] = [{"expression": " ".join(package["license"].replace("/", " OR ").split())}]
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package.get("repository"):
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


def bill(root, parts, inside, edges, moment):
    lock = tomllib.loads(pathlib.Path("Cargo.lock").read_text())
    checksums = {(one["name"], one["version"]): one.get("checksum") for one in lock["package"]}
    ordered = sorted((one for one in parts if one != root), key=lambda one: purl(parts[one]))
    components = [
        component(parts[one], checksums, "required" if one in inside else "excluded")
        for one in ordered
    ]
    dependencies = [
        {"ref": purl(parts[one]), "dependsOn": sorted(purl(parts[dep]) for dep in edges[one])}
        for one in sorted(parts, key=lambda one: purl(parts[one]))
    ]
    program = component(parts[root], {}, "required") | {"type": "application"}
    made = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"timestamp": moment, "component": program},
        "components": components,
        "dependencies": dependencies,
    }
    content = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()
    number = uuid.uuid5(uuid.NAMESPACE_URL, content)
    return {"$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json"} | made | {
        "serialNumber": f"urn:uuid:{number}"
    }


def licences(root, parts, inside):
    """What is in the program, under which licence, with each text once."""
    lines, texts = [], {}
    for one in sorted(inside - {root}, key=lambda one: purl(parts[one])):
        package = parts[one]
        name = f"{package['name']} {package['version']}"
        lines.append(f"{name}: {package.get('license') or 'see its text'}")
        folder = pathlib.Path(package["manifest_path"]).parent
        for file in sorted(folder.iterdir()):
            if file.is_file() and re.match(r"(?i)(un)?licen[cs]e|copying|notice", file.name):
                text = file.read_text(errors="replace").strip()
                texts.setdefault(text, []).append(f"{name} ({file.name})")
    for text, names in sorted(texts.items(), key=lambda pair: pair[1]):
        lines += ["", "=" * 80, *names, "-" * 80, "", text]
    return "\n".join(lines) + "\n"


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def provenance(folder, targets, options):
    files = sorted(file for file in folder.iterdir() if file.name.startswith("brama"))
    # By which the compiler laid the programs out: an input, and one that is made anew differs.
    profiles = [file for file in files if file.suffix == ".profdata"]
    files = [file for file in files if file not in profiles]
    revision = told_by_git("rev-parse", "HEAD") or "unknown"
    changes = told_by_git("status", "--porcelain")
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": file.name, "digest": {"sha256": digest(file)}} for file in files],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:brama:deploy:release:build:1",
                "externalParameters": {"command": " ".join(["deploy/release/build", *options]), "targets": targets},
                "internalParameters": {
                    "SOURCE_DATE_EPOCH": os.environ["SOURCE_DATE_EPOCH"],
                    "uncommittedChanges": "unknown" if changes is None else bool(changes),
                },
                "resolvedDependencies": [
                    {"name": "source", "digest": {"gitCommit": revision}},
                    {
                        "name": "Cargo.lock",
                        "digest": {"sha256": digest(pathlib.Path("Cargo.lock"))},
                    },
                    *({"name": file.name, "digest": {"sha256": digest(file)}} for file in profiles),
                ],
            },
            "runDetails": {
                "builder": {
                    "id": "urn:brama:builder:local",
                    "version": {
                        "rustc": told("rustc", "--version"),
                        "cargo": told("cargo", "--version"),
                    },
                },
            },
        },
    }


def main():
    folder, words = pathlib.Path(sys.argv[1]), sys.argv[2:]
    options = [word for word in words if word == "--small"]
    targets = [word for word in words if word not in options]
    if not targets:
        sys.exit(__doc__)
    seconds = int(os.environ["SOURCE_DATE_EPOCH"])
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    moment = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    root, parts, inside, edges = collect(targets)
    begin = f"brama-{parts[root]['version']}"

    def write(name, text):
        (folder / f"{begin}{name}").write_text(text)

    def pretty(value):
        return json.dumps(value, indent=1, ensure_ascii=False) + "\n"

    write(".cdx.json", pretty(bill(root, parts, inside, edges, moment)))
    write("-licences.txt", licences(root, parts, inside))
    # Last: it vouches for the others.
    write(".provenance.json", pretty(provenance(folder, targets, options)))


main()
