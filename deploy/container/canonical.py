#!/usr/bin/env python3
"""Takes out of an image what differs from build to build though the image is the same.

    canonical.py FROM.tar TO.tar

buildah writes the number of the container that it built in, and its host name, into the configuration of
an image in Docker's format. (That of OCI has neither, and no HEALTHCHECK.) Both are archives as
`docker save` makes them. Prints the digest of the configuration, by which an image is known.
"""

import hashlib
import io
import json
import sys
import tarfile


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tarfile.open(sys.argv[1]) as archive:
        read = lambda name: archive.extractfile(name).read()
        (image,) = json.loads(read("manifest.json"))
        configuration = json.loads(read(image["Config"]))
        layers = [read(name) for name in image["Layers"]]
    configuration.pop("container", None)
    for part in ("config", "container_config"):
        configuration.get(part, {}).pop("Hostname", None)
    text = json.dumps(configuration, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(text).hexdigest()
    names = [hashlib.sha256(layer).hexdigest() + ".tar" for layer in layers]
    manifest = [{"Config": f"{digest}.json", "RepoTags": image["RepoTags"], "Layers": names}]
    files = {"manifest.json": json.dumps(manifest).encode(), f"{digest}.json": text}
    files |= dict(zip(names, layers))
    with tarfile.open(sys.argv[2], "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    print(f"sha256:{digest}")


main()
