"""The controllers of add-ons for the test bed, each built of the module that its project publishes, with moto for AWS.

What the charts of their projects install stands for them in the cluster; the processes answer for it.
"""
import base64
import json
import os
import pathlib
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request

MODULES = {
    "external-dns": "sigs.k8s.io/external-dns@v0.21.0",
    "external-secrets": "github.com/external-secrets/external-secrets@v0.20.4",
    "load-balancer-controller": "github.com/kubernetes-sigs/aws-load-balancer-controller@v0.0.0-20260423195125-93ff3b5fdaad",
}
# External Secrets knows forty kinds of stores, external-dns thirty providers of DNS, each with libraries of its own: both are built with AWS's alone. By
# file, the lines that go.
LEFT_OUT = {
    "external-dns": {
        "provider/factory/provider.go":
            r'^\t+("sigs\.k8s\.io/external-dns/provider/(?!aws")\w+"|externaldns\.Provider\w+:\s+(?!aws\.)\w+\.New\w*,)\n',
    },
    "external-secrets": {
        "pkg/provider/register/register.go": r'^\t_ ".*/pkg/provider/(?!aws")[^"]+"\n',
        "pkg/generator/register/register.go": r'^\t_ "[^"]+"\n',
    },
}
# The processes of each, in the order of their start; the bed ends them in the opposite one.
PROCESSES = {
    "external-dns": ["external-dns"],
    "external-secrets": ["external-secrets-certs", "external-secrets-webhook", "external-secrets"],
    "load-balancer-controller": ["load-balancer-controller"],
}
SERVERS = [process for processes in PROCESSES.values() for process in processes]
CLUSTER = "bed"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def sources(name):
    """What its program is made of."""
    return [MODULES[name], sorted(LEFT_OUT.get(name, {}).items())]


def build(name, path, go):
    """Builds its program."""
    folder = pathlib.Path(json.loads(go("mod", "download", "-json", MODULES[name]))["Dir"])
    left_out, copy = LEFT_OUT.get(name), path.with_suffix(".source")
    if left_out:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        # The module cache is read-only, and a copy of it as well.
        for found in [copy, *copy.rglob("*")]:
            found.chmod(found.stat().st_mode | 0o200)
        for file, lines in left_out.items():
            (copy / file).write_text(re.sub(lines, "", (copy / file).read_text(), flags=re.MULTILINE))
        folder = copy
    go("build", "-trimpath", "-mod=readonly", "-ldflags=-s -w", "-o", path, ".", cwd=folder)
    shutil.rmtree(copy, ignore_errors=True)


def start(name, bed, binary, ports, flags):
    """Starts a controller; what its chart installs has to be there. `flags` are further ones."""
    {"external-dns": external_dns, "external-secrets": external_secrets, "load-balancer-controller": load_balancers}[name](
        bed, binary, ports, flags
    )


def external_dns(bed, binary, ports, flags):
    bed.start("external-dns", [
        binary, f"--kubeconfig={bed.path('kubeconfig')}", "--provider=aws", "--registry=txt", f"--metrics-address=127.0.0.1:{ports[0]}", *flags,
    ])
    bed.wait("external-dns", f"http://127.0.0.1:{ports[0]}/healthz")


def external_secrets(bed, binary, ports, flags):
    namespace, service = "external-secrets", "external-secrets-webhook"
    env = {f"AWS_{api}_ENDPOINT": bed.facts["moto"] for api in ("SECRETSMANAGER", "STS")}
    at = [f"127.0.0.1:{port}" for port in ports]
    # It makes the webhook's certificate, and writes it into the Secret of the chart and the CA into its webhooks.
    bed.start("external-secrets-certs", [
        binary, "certcontroller", "--crd-requeue-interval=5s", f"--service-name={service}", f"--service-namespace={namespace}",
        f"--secret-name={service}", f"--secret-namespace={namespace}", f"--metrics-addr={at[0]}", f"--healthz-addr={at[1]}",
    ])
    folder = secret_files(bed, namespace, service)
    bed.start("external-secrets-webhook", [
        binary, "webhook", f"--port={ports[2]}", f"--dns-name={service}.{namespace}.svc", f"--cert-dir={folder}", "--check-interval=5m",
        f"--metrics-addr={at[3]}", f"--healthz-addr={at[4]}",
    ])
    route(bed, f"{service}.{namespace}.svc", ports[2])
    bed.wait("external-secrets-webhook", f"http://{at[4]}/readyz")
    bed.start("external-secrets", [binary, f"--metrics-addr={at[5]}", f"--live-addr={at[6]}", *flags], env)
    bed.wait("external-secrets", f"http://{at[6]}/healthz")


def load_balancers(bed, binary, ports, flags):
    found = ask(bed, "ec2", "DescribeSubnets")
    # Subnets of load balancers that the world sees are marked so, in every account.
    for number, subnet in enumerate(re.findall("<subnetId>(.*?)<", found), 1):
        ask(bed, "ec2", "CreateTags", {"ResourceId.1": subnet, "Tag.1.Key": "kubernetes.io/role/elb", "Tag.1.Value": "1"})
    folder = secret_files(bed, "kube-system", "aws-load-balancer-tls")
    bed.start("load-balancer-controller", [
        binary, f"--kubeconfig={bed.path('kubeconfig')}", f"--cluster-name={CLUSTER}", "--aws-region=eu-west-1",
        f"--aws-vpc-id={re.search('<vpcId>(.*?)<', found)[1]}", f"--webhook-cert-dir={folder}", "--webhook-cert-file=tls.crt",
        "--webhook-key-file=tls.key", f"--webhook-bind-port={ports[0]}", f"--metrics-bind-addr=127.0.0.1:{ports[1]}",
        f"--health-probe-bind-addr=127.0.0.1:{ports[2]}", "--enable-leader-election=false",
        # Services of AWS that moto lacks.
        "--enable-shield=false", "--enable-waf=false", "--enable-wafv2=false", *flags,
    ], {"AWS_ENDPOINT_URL": bed.facts["moto"]})
    route(bed, "aws-load-balancer-webhook-service.kube-system.svc", ports[0])
    bed.wait("load-balancer-controller", f"http://127.0.0.1:{ports[2]}/readyz")


def route(bed, service, port):
    """Leads the API server to a webhook."""
    file = bed.dir / "routes.json"
    routes = json.loads(file.read_text()) if file.exists() else {}
    new = bed.dir / "routes.new"
    new.write_text(json.dumps({**routes, service: port}))
    os.replace(new, file)


def secret_files(bed, namespace, name, seconds=60):
    """A Secret's values as files in a folder, once it has a certificate."""
    folder = bed.dir / f"{namespace}.{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            data = bed.ask(f"/api/v1/namespaces/{namespace}/secrets/{name}").get("data") or {}
        except urllib.error.HTTPError:
            data = {}
        if data.get("tls.crt"):
            for key, value in data.items():
                bed.write_private(f"{folder.name}/{key}", base64.b64decode(value).decode())
            return folder
        time.sleep(0.2)
    raise TimeoutError(f"the Secret {namespace}/{name} has no certificate after {seconds} s")


def ask(bed, service, action, more=None):
    """What moto answers to a request of one of the older APIs."""
    body = urllib.parse.urlencode({"Action": action, "Version": "2016-11-15", **(more or {})}).encode()
    # moto tells services apart by this, and checks no signature.
    scope = f"AWS4-HMAC-SHA256 Credential=AKIABED0000000000000/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    with DIRECT.open(urllib.request.Request(bed.facts["moto"], data=body, headers={"Authorization": scope}), timeout=20) as answer:
        return answer.read().decode()
