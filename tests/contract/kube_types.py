"""Writes src/sandbox/kube/schema/types.txt from the sources of Kubernetes.

    python3 tests/contract/kube_types.py FOLDER_OF_GO_MODULES VERSION

FOLDER_OF_GO_MODULES has k8s.io/kubernetes@v1.VERSION, k8s.io/api@v0.VERSION, apimachinery and apiextensions-apiserver, as
`go mod download` leaves them; VERSION is 36.3 or later. Types, keys of lists and defaults are those of the OpenAPI v3 documents; what is
written when it's zero follows from the Go structs.
"""

import glob
import json
import os
import re
import sys

modules, version = sys.argv[1], sys.argv[2]
target = os.path.join(os.path.dirname(__file__), "../../src/sandbox/kube/schema/types.txt")
KINDS = """core.v1: Namespace Secret ConfigMap ServiceAccount Service Pod Event
apps.v1: Deployment DaemonSet StatefulSet
batch.v1: Job CronJob
networking.v1: Ingress IngressClass NetworkPolicy
policy.v1: PodDisruptionBudget
autoscaling.v2: HorizontalPodAutoscaler
rbac.v1: Role RoleBinding ClusterRole ClusterRoleBinding
admissionregistration.v1: MutatingWebhookConfiguration ValidatingWebhookConfiguration
coordination.v1: Lease"""
PREFIXES = {
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.": "apiextensions.",
    "io.k8s.apimachinery.pkg.apis.meta.": "meta.",
    "io.k8s.apimachinery.pkg.api.resource.": "resource.",
    "io.k8s.apimachinery.pkg.runtime.": "runtime.",
    "io.k8s.apimachinery.pkg.util.intstr.": "intstr.",
    "io.k8s.api.": "",
}
OWN = {
    "meta.v1.Time": "time",
    "meta.v1.MicroTime": "microtime",
    "meta.v1.Duration": "string",
    "meta.v1.FieldsV1": "any",
    "resource.Quantity": "quantity",
    "intstr.IntOrString": "int-or-string",
    "runtime.RawExtension": "any",
    "apiextensions.v1.JSON": "any",
    "apiextensions.v1.JSONSchemaPropsOrArray": "any",
    "apiextensions.v1.JSONSchemaPropsOrBool": "any",
    "apiextensions.v1.JSONSchemaPropsOrStringArray": "any",
}
SCALARS = ("string", "bool", "int32", "int64")

schemas = {}
for path in sorted(glob.glob(f"{modules}/k8s.io/kubernetes@v1.{version}/api/openapi-spec/v3/*_openapi.json")):
    schemas.update(json.load(open(path)).get("components", {}).get("schemas", {}))

structs = {}


def read_go(prefix, paths):
    """Notes of each struct what it embeds, and of each field its Go type and whether it's omitted when empty."""
    for path in paths:
        current = None
        for line in open(path):
            if begin := re.match(r"type (\w+) struct \{", line):
                current = f"{prefix}.{begin.group(1)}"
                structs[current] = ([], {})
            elif line.startswith("}"):
                current = None
            elif current and (inline := re.match(r'\s+([\w.*]+)\s+`json:",inline"', line)):
                structs[current][0].append(inline.group(1))
            elif current and (field := re.match(r'\s+(\w+)\s+(\S+)\s+`.*json:"([^",]*)(,[^"]*)?"', line)):
                options = (field.group(4) or "").split(",")
                if "inline" in options or not field.group(3):
                    structs[current][0].append(field.group(2))
                else:
                    structs[current][1][field.group(3)] = (field.group(2), "omitempty" in options)


api = f"{modules}/k8s.io/api@v0.{version}"
for group in sorted(os.listdir(api)):
    for number in ("v1", "v2"):
        read_go(f"{group}.{number}", sorted(glob.glob(f"{api}/{group}/{number}/types*.go")))
read_go("meta.v1", [f"{modules}/k8s.io/apimachinery@v0.{version}/pkg/apis/meta/v1/types.go"])
read_go("apiextensions.v1", sorted(glob.glob(f"{modules}/k8s.io/apiextensions-apiserver@v0.{version}/pkg/apis/apiextensions/v1/types*.go")))


def go_field(struct, name):
    embedded, fields = structs.get(struct, ([], {}))
    if name in fields:
        return fields[name]
    for other in embedded:
        other = other.lstrip("*")
        if "." in other:
            other = other.replace("metav1.", "meta.v1.").replace("corev1.", "core.v1.")
            other = other if other.startswith(("meta.", "core.")) else other.replace("v1.", "core.v1.")
        else:
            other = f"{struct.rsplit('.', 1)[0]}.{other}"
        if other in structs and (found := go_field(other, name)):
            return found
    return None


def short(name):
    for prefix, new in PREFIXES.items():
        if name.startswith(prefix):
            return new + name[len(prefix) :]
    return name


types = {}


def type_of(schema):
    if "allOf" in schema:
        schema = {**schema, "$ref": schema["allOf"][0]["$ref"]}
    atomic = "!" if schema.get("x-kubernetes-map-type") == "atomic" else ""
    if "$ref" in schema:
        name = schema["$ref"].split("/")[-1]
        if short(name) in OWN:
            return OWN[short(name)]
        read_type(name)
        return atomic + short(name)
    kind, form = schema.get("type"), schema.get("format")
    if kind == "array":
        item, by = type_of(schema["items"]), schema.get("x-kubernetes-list-type", "atomic")
        if by == "atomic":
            return f"[{item}]"
        return f"{{{item}}}" if by == "set" else f"[{item} by {','.join(schema['x-kubernetes-list-map-keys'])}]"
    if kind == "object":
        return f"{atomic}map<{type_of(schema['additionalProperties'])}>" if "additionalProperties" in schema else "any"
    if kind == "string":
        return {"byte": "bytes", "date-time": "time", "int-or-string": "int-or-string", None: "string"}[form]
    return form or "int64" if kind == "integer" else {"number": "number", "boolean": "bool"}[kind]


def read_type(name):
    if short(name) in types:
        return
    types[short(name)] = None
    schema, lines = schemas[name], []
    for field, of in sorted(schema.get("properties", {}).items()):
        written, default = type_of(of), of.get("default")
        required, go = field in schema.get("required", []), go_field(short(name), field)
        is_pointer = bool(go) and go[0].startswith(("*", "[", "map"))
        mark = ""
        if field in ("apiVersion", "kind") or (go and go[1] and not is_pointer and written in SCALARS):
            mark = "?"
        if go and not go[1] and (written.startswith(("map<", "[", "{", "!map")) or (not required and not is_pointer and default != {} and mark == "")):
            mark = "#"
        end = ""
        if default == {}:
            end = " = {}"
        elif default not in (None, "", 0, False):
            end = f" = {json.dumps(default)}"
        lines.append(f"  {field}{mark}{'*' if required else ''}: {written}{end}\n")
    types[short(name)] = (" atomic" if schema.get("x-kubernetes-map-type") == "atomic" else "") + "\n" + "".join(lines)


for row in KINDS.split("\n"):
    group, kinds = row.split(": ")
    for kind in kinds.split(" "):
        read_type(f"io.k8s.api.{group}.{kind}")
read_type("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition")
head = "".join(line for line in open(target) if line.startswith("#"))
open(target, "w").write(head + "".join(name + text for name, text in sorted(types.items())))
