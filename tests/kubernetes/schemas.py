#!/usr/bin/python3
"""schemas.py DIRECTORY SWAGGER.JSON DEFINITION.YAML...: a JSON schema for each kind of Kubernetes (its OpenAPI) and of the custom
resource definitions, named as kubeconform asks for them, `deployment-apps-v1.json`. Whole in itself, and closed: a field that the kind
does not have is refused."""

import json
import sys
from pathlib import Path

import yaml

_PREFIX = "#/definitions/"
_LOOSE = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer"]},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number"]},
}


def close(schema):
    """A copy that takes no other fields than those it names."""
    if isinstance(schema, list):
        return [close(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return _LOOSE["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]
    closed = {key: close(value) for key, value in schema.items()}
    is_open = "additionalProperties" in closed or closed.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and not is_open:
        closed["additionalProperties"] = False
    return closed


def find_references(schema):
    if isinstance(schema, list):
        for item in schema:
            yield from find_references(item)
    elif isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(_PREFIX)
        for value in schema.values():
            yield from find_references(value)


def gather(name, definitions, gathered):
    """`name` and all that it refers to, into `gathered`."""
    if name not in gathered:
        gathered[name] = definitions[name]
        for reference in find_references(definitions[name]):
            gather(reference, definitions, gathered)
    return gathered


def name_of(group, version, kind):
    return "-".join(filter(None, (kind.lower(), group.split(".")[0], version))) + ".json"


def list_builtin(swagger):
    """(file name, schema) of each kind that is of one group and version alone."""
    definitions = {name: _LOOSE.get(name) or close(schema) for name, schema in swagger["definitions"].items()}
    for name, schema in definitions.items():
        kinds = schema.get("x-kubernetes-group-version-kind", ())
        if len(kinds) == 1:
            yield name_of(**kinds[0]), {"$ref": _PREFIX + name, "definitions": gather(name, definitions, {})}


def list_custom(definition):
    names = definition["spec"]
    for version in names["versions"]:
        yield name_of(names["group"], version["name"], names["names"]["kind"]), close(version["schema"]["openAPIV3Schema"])


def main(directory, swagger, *definitions):
    Path(directory).mkdir(parents=True, exist_ok=True)
    schemas = dict(list_builtin(json.loads(Path(swagger).read_text(encoding="utf-8"))))
    for path in definitions:
        schemas.update(list_custom(yaml.safe_load(Path(path).read_text(encoding="utf-8"))))
    for name, schema in schemas.items():
        (Path(directory) / name).write_text(json.dumps(schema), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
