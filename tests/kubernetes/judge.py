"""Reads manifests on standard input and judges them by published schemas.

    python judge.py KUBERNETES CRDS <manifests.yaml      python judge.py 1.30.0 crds

Writes JSON: {"objects": [...], "problems": ["kind/name: what is wrong"]}. Objects of Kubernetes are
judged by its own schemas of that version, strictly: a field that is in none is a problem. Others are judged
by the definitions (CustomResourceDefinition) in the folder. A kind that has neither is a problem, and so
is a key that stands twice.
"""

import json
import pathlib
import re
import sys

import jsonschema
import kubernetes_validate
import yaml


class Strict(yaml.SafeLoader):
    """Takes no key twice, where YAML would let the last one win."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f'"{name}" stands twice', key.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


class Definitions(yaml.CSafeLoader):
    """Takes a lone `=` for a text, as everybody else does."""


Definitions.add_constructor("tag:yaml.org,2002:value", Definitions.construct_yaml_str)


def closed(schema):
    """A schema of OpenAPI in which fields that it does not name are refused."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: value if key in ("enum", "default") else closed(value) for key, value in schema.items()}
    if isinstance(schema.get("pattern"), str):
        # Go lets flags stand anywhere, Python at the beginning alone.
        schema["pattern"] = re.sub(r"^\^\(\?i\)", "(?i)^", schema["pattern"])
    is_open = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not is_open:
        schema["additionalProperties"] = False
    return schema


def definitions(folder):
    """The schemas of kinds that others have defined, by version and kind."""
    found = {}
    for path in pathlib.Path(folder).glob("*.yaml"):
        for definition in yaml.load_all(path.read_text(), Loader=Definitions):
            if not definition or definition["kind"] != "CustomResourceDefinition":
                continue
            spec = definition["spec"]
            for version in spec["versions"]:
                key = (f'{spec["group"]}/{version["name"]}', spec["names"]["kind"])
                found[key] = version["schema"]["openAPIV3Schema"]
    return found


def problem(one, known, version):
    """Says what is wrong with an object, if anything is."""
    if not isinstance(one, dict) or not {"apiVersion", "kind", "metadata"} <= one.keys():
        return "is no object of Kubernetes"
    schema = known.get((one.get("apiVersion"), one.get("kind")))
    try:
        if schema is not None:
            jsonschema.validate(one, closed(schema))
        else:
            kubernetes_validate.validate(one, version, strict=True)
    except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
        place = ".".join(str(step) for step in error.path)
        return f"{place}: {error.message[:300]}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return f"no schema: {error}"
    return None


def named(one):
    """How a problem calls an object."""
    try:
        return f'{one["kind"]}/{one["metadata"]["name"]}'
    except (KeyError, TypeError):
        return str(one)[:80]


def main():
    version, folder = sys.argv[1:]
    objects, problems = [], []
    try:
        objects = [one for one in yaml.load_all(sys.stdin.read(), Loader=Strict) if one is not None]
    except yaml.YAMLError as error:
        problems.append(str(error))
    known = definitions(folder)
    for one in objects:
        said = problem(one, known, version)
        if said is not None:
            problems.append(f"{named(one)}: {said}")
    json.dump({"objects": objects, "problems": problems}, sys.stdout)


main()
