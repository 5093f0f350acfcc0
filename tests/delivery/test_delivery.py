"""Image, compose file and manifests are well formed, keep to least privilege, and agree with the settings of the service."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from careplan.cli.main import main
from careplan.settings import Settings, from_environment
from tests.contract.serving import certified, running

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def ran(*command: object, cwd: Path = ROOT) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


FOLDERS = ("base", "own-rules", "monitoring", "clinic")
RUNNING = ("base", "own-rules", "clinic")
"""The folders that have the service itself."""


def rendered(folder: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(ran("kubectl", "kustomize", folder)))


@pytest.fixture(scope="module")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the manifests, with a file of keys where the example of a clinic wants one."""
    folder = Path(shutil.copytree(ROOT / "deploy", tmp_path_factory.mktemp("deploy") / "deploy"))
    (folder / "clinic" / "keys.json").write_text('{"keys": []}')
    return folder


@pytest.fixture(scope="module")
def manifests(deploy: Path) -> dict[str, list[dict[str, Any]]]:
    """Every object of every folder, as it is rendered."""
    return {name: rendered(deploy / name) for name in FOLDERS}


def one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [entry for entry in objects if entry["kind"] == kind]
    return found


KINDS = {"Deployment", "Service", "NetworkPolicy", "HorizontalPodAutoscaler", "PodDisruptionBudget", "ServiceAccount"}
WANTED = {
    "base": KINDS,
    "own-rules": KINDS,
    "monitoring": {"PrometheusRule", "ConfigMap"},
    "clinic": KINDS | {"PrometheusRule", "ConfigMap", "Secret", "Ingress"},
}
ALARMS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "monitoring.coreos.com/v1"},
        "kind": {"const": "PrometheusRule"},
        "metadata": {"type": "object", "required": ["name", "labels"]},
        "spec": {
            "type": "object",
            "additionalProperties": False,
            "required": ["groups"],
            "properties": {
                "groups": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["name", "rules"],
                        "properties": {
                            "name": {"type": "string", "minLength": 1},
                            "interval": {"type": "string", "pattern": "^[0-9]+[smh]$"},
                            "rules": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "object",
                                    "additionalProperties": False,
                                    "required": ["alert", "expr", "for", "labels", "annotations"],
                                    "properties": {
                                        "alert": {"type": "string", "pattern": "^Careplan[A-Z][A-Za-z]+$"},
                                        "expr": {"type": "string", "minLength": 1},
                                        "for": {"type": "string", "pattern": "^[0-9]+[smh]$"},
                                        "labels": {"properties": {"severity": {"enum": ["critical", "warning"]}}},
                                        "annotations": {"required": ["summary", "description"]},
                                    },
                                },
                            },
                        },
                    },
                }
            },
        },
    },
}
"""What the Prometheus operator takes, as far as it is used here; its kind is none of Kubernetes' own."""


@pytest.mark.parametrize("name", FOLDERS)
def test_every_manifest_follows_the_schema_of_its_kind(manifests: dict[str, list[dict[str, Any]]], name: str) -> None:
    assert {entry["kind"] for entry in manifests[name]} == WANTED[name]
    for entry in manifests[name]:
        if entry["kind"] == "PrometheusRule":
            jsonschema.validate(entry, ALARMS)
        else:
            kubernetes_validate.validate(entry, "1.32", strict=True)


def test_the_schema_check_can_fail(manifests: dict[str, list[dict[str, Any]]]) -> None:
    damaged = json.loads(json.dumps(one(manifests["base"], "Deployment")))
    damaged["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]["httpGet"]["prot"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(damaged, "1.32", strict=True)


@pytest.mark.parametrize("name", RUNNING)
def test_pods_have_no_privileges_limits_and_probes(manifests: dict[str, list[dict[str, Any]]], name: str) -> None:
    pod = one(manifests[name], "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in [*pod["containers"], *pod.get("initContainers", ())]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
        assert re.fullmatch(r"(registry\.example\.org/)?careplan(-own-rules)?:[\d.]+", container["image"])
    (service,) = pod["containers"]
    assert service["readinessProbe"]["httpGet"]["path"] == service["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert service["livenessProbe"]["httpGet"]["path"] == "/livez"


def environment_of(pod: dict[str, Any]) -> dict[str, str]:
    """The settings of the service in a pod of the namespace clinic, with the references that Kubernetes fills in."""
    found: dict[str, str] = {}
    assert all(source["configMapRef"]["optional"] for source in pod["containers"][0]["envFrom"])
    for entry in pod["containers"][0]["env"]:
        value = (
            entry["value"]
            if "value" in entry
            else {"metadata.namespace": "clinic"}[entry["valueFrom"]["fieldRef"]["fieldPath"]]
        )
        found[entry["name"]] = re.sub(r"\$\((\w+)\)", lambda name: found[name[1]], value)
    return {name: value for name, value in found.items() if name.startswith("CAREPLAN_")}


@pytest.mark.long
def test_a_pod_answers_under_the_names_of_its_service_and_gives_metrics_under_its_address(
    manifests: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    deployment, service = one(manifests["base"], "Deployment"), one(manifests["base"], "Service")["metadata"]["name"]
    template = deployment["spec"]["template"]
    keys = tmp_path / "keys.json"
    keys.write_text('{"keys": []}')
    around: Any = environment_of(template["spec"]) | {"CAREPLAN_API_KEYS": str(keys), "CAREPLAN_WORKERS": "1"}
    scraped = template["metadata"]["annotations"]["prometheus.io/path"]
    with running(tmp_path / "log", **around) as address:

        def asked(path: str, host: str) -> int:
            return httpx.get(f"{address}{path}", headers={"Host": host}, timeout=10).status_code

        for name in (service, f"{service}.clinic", f"{service}.clinic.svc", f"{service}.clinic.svc.cluster.local:80"):
            assert asked("/v1/rulebook", name) == 401
        assert asked("/v1/rulebook", "10.1.2.3:8000") == asked("/v1/rulebook", "careplan.evil.example") == 421
        assert asked(scraped, "10.1.2.3:8000") == 200


@pytest.mark.parametrize("name", RUNNING)
def test_what_a_manifest_sets_are_settings_and_the_pod_outlives_a_stop(
    manifests: dict[str, list[dict[str, Any]]], name: str
) -> None:
    pod = one(manifests[name], "Deployment")["spec"]["template"]["spec"]
    settings = from_environment(environment_of(pod))
    assert settings.authenticates
    assert pod["terminationGracePeriodSeconds"] > settings.drain_seconds + settings.stop_seconds
    assert settings.drain_seconds > 2 * pod["containers"][0]["readinessProbe"]["periodSeconds"]
    mounts = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert str(Path(settings.api_keys).parent) in mounts


@pytest.mark.parametrize("name", ["base", "clinic"])
def test_only_pods_with_a_label_reach_the_service(manifests: dict[str, list[dict[str, Any]]], name: str) -> None:
    policies = [entry["spec"] for entry in manifests[name] if entry["kind"] == "NetworkPolicy"]
    labels = one(manifests[name], "Deployment")["spec"]["template"]["metadata"]["labels"]
    for policy in policies:
        assert policy["podSelector"]["matchLabels"].items() <= labels.items()
        for rule in policy["ingress"]:
            assert rule["ports"]
            assert all(peer["podSelector"]["matchLabels"] for peer in rule["from"])
    (base,) = [policy for policy in policies if "Egress" in policy["policyTypes"]]
    assert all("ports" in rule for rule in base["egress"])
    elsewhere = {"namespaceSelector": {"matchLabels": {"careplan-clients": "true"}}}
    assert elsewhere | {"podSelector": {"matchLabels": {"careplan-client": "true"}}} in base["ingress"][0]["from"]


@pytest.mark.parametrize("name", RUNNING)
def test_the_autoscaler_alone_says_how_many_pods_there_are(manifests: dict[str, list[dict[str, Any]]], name: str) -> None:
    deployment, scaler = one(manifests[name], "Deployment"), one(manifests[name], "HorizontalPodAutoscaler")["spec"]
    assert "replicas" not in deployment["spec"]
    assert scaler["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert scaler["minReplicas"] > one(manifests[name], "PodDisruptionBudget")["spec"]["minAvailable"]


def test_nothing_is_too_long_for_an_annotation_or_a_config_map(manifests: dict[str, list[dict[str, Any]]]) -> None:
    for objects in manifests.values():
        for entry in objects:
            size = len(json.dumps(entry))
            assert size < 262_144, f"{entry['kind']} {entry['metadata']['name']} could not be applied without --server-side"


def test_a_changed_key_or_setting_starts_the_pods_of_a_clinic_anew(deploy: Path, tmp_path: Path) -> None:
    changed = Path(shutil.copytree(deploy, tmp_path / "deploy")) / "clinic"

    def pod() -> dict[str, Any]:
        template: dict[str, Any] = one(rendered(changed), "Deployment")["spec"]["template"]
        return template

    before = pod()
    assert pod() == before
    (changed / "keys.json").write_text('{"keys": [ ]}')
    with_keys = pod()
    assert with_keys != before
    settings = changed / "kustomization.yaml"
    settings.write_text(settings.read_text().replace("America/New_York", "America/Chicago"))
    assert pod() not in (before, with_keys)


def test_the_settings_of_the_clinic_are_settings_and_do_not_stand_twice(manifests: dict[str, list[dict[str, Any]]]) -> None:
    container = one(manifests["clinic"], "Deployment")["spec"]["template"]["spec"]["containers"][0]
    used = {source["configMapRef"]["name"] for source in container["envFrom"]}
    (said,) = [entry["data"] for entry in manifests["clinic"] if entry["metadata"]["name"] in used]
    assert not said.keys() & {entry["name"] for entry in container["env"]}
    settings = from_environment(said | environment_of({"containers": [container]}))
    rule = one(manifests["clinic"], "Ingress")["spec"]
    names = {entry["host"] for entry in rule["rules"]} | {host for entry in rule["tls"] for host in entry["hosts"]}
    assert settings.hosts
    assert names <= settings.hosts


def test_an_ingress_passes_on_the_contract_and_nothing_else(manifests: dict[str, list[dict[str, Any]]]) -> None:
    ingress, service = one(manifests["clinic"], "Ingress")["spec"], one(manifests["clinic"], "Service")
    paths = [path for rule in ingress["rules"] for path in rule["http"]["paths"]]
    for path in paths:
        assert path["backend"]["service"]["name"] == service["metadata"]["name"]
        assert path["backend"]["service"]["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}

    def passed(wanted: str) -> bool:
        return any(wanted == path["path"] or wanted.startswith(f"{path['path']}/") for path in paths)

    contract = json.loads((ROOT / "openapi" / "openapi.json").read_text())
    assert {path for path in contract["paths"] if not passed(path)} <= {"/livez", "/readyz", "/"}
    assert passed("/docs") and passed("/openapi.json")
    assert not passed("/metrics")


def test_the_rulebook_of_a_clinic_is_checked_when_its_image_is_built_and_served_from_there() -> None:
    text = (ROOT / "deploy" / "own-rules" / "Dockerfile").read_text()
    folder = from_environment(dict(re.findall(r"^ENV (CAREPLAN_[A-Z]+)=(\S+)$", text, re.MULTILINE))).rules
    assert re.search(rf"^COPY .* rules {folder}$", text, re.MULTILINE)
    assert f"careplan rules check --rules {folder}" in text
    assert "USER" not in text, "whom the image of the service runs as stays as it is"


def test_the_image_file_passes_a_linter() -> None:
    for file in (ROOT / "Dockerfile", ROOT / "deploy" / "own-rules" / "Dockerfile"):
        ran(Path(sys.executable).parent / "hadolint", "--failure-threshold", "style", file)


def test_the_image_runs_as_nobody_from_pinned_parts() -> None:
    bases = re.findall(r"^ARG (?:BUILDER|RUNTIME)=(\S+)", DOCKERFILE, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${BUILDER}", "dependencies", "${RUNTIME}"]
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-(slim-)?bookworm", base) for base in bases)
    assert "slim" in bases[-1]
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "pip install" not in last
    assert last.count("HEALTHCHECK") == 1
    installs = re.findall(r"pip install [^\n]*", DOCKERFILE)
    assert all("--require-hashes" in line or "--no-deps --no-compile" in line for line in installs)
    variables = dict(re.findall(r"(CAREPLAN_[A-Z_]+)=(\S+)", last))
    assert from_environment(variables).host == "0.0.0.0"  # noqa: S104 - the container's own network


def test_what_is_ours_is_a_layer_above_the_packages_that_the_lock_files_pin() -> None:
    """A changed rule or line of code is pushed and pulled by itself, and no package is installed anew for it."""
    first, second, last = re.split(r"^FROM .*$", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert re.findall(r"^COPY (?!--from)(.+) \S+$", first, re.MULTILINE) == [
        "requirements/service.lock requirements/build.lock"
    ]
    assert "-r requirements" not in second
    assert re.findall(r"^COPY --from=(\w+) (\S+)", last, re.MULTILINE) == [
        ("dependencies", "/opt/careplan"),
        ("service", "/opt/service"),
    ]


@pytest.mark.long
def test_the_health_check_of_the_image_follows_the_settings(tmp_path: Path) -> None:
    assert 'CMD ["careplan", "healthcheck"]' in DOCKERFILE
    pem, secret = certified(tmp_path)
    tls: Any = {"CAREPLAN_TLS_CERTIFICATE": str(pem), "CAREPLAN_TLS_KEY": str(secret)}
    with running(tmp_path / "log", trusted=pem, **tls) as address:
        port = address.rpartition(":")[2]

        def asked(**settings: str) -> tuple[int, str]:
            done = CliRunner(env={"CAREPLAN_PORT": port} | settings).invoke(main, ["healthcheck"])
            return done.exit_code, done.output

        assert asked(**tls) == (0, "ready\n")
        assert asked(**tls, CAREPLAN_HOST="0.0.0.0", CAREPLAN_API_KEYS="unread") == (0, "ready\n")  # noqa: S104
        assert asked()[0] == 1
        code, said = asked(**tls, CAREPLAN_PORT="1")
        assert (code, said) == (1, "careplan: the service does not answer: Connection refused\n")


def test_what_the_image_copies_is_not_kept_from_the_builder() -> None:
    kept = (ROOT / ".dockerignore").read_text().split()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    there = {entry.strip("!/") for entry in kept if entry.startswith("!")}
    assert all(name in there or name.split("/")[0] in there for name in names)
    assert all((ROOT / name).exists() for name in names)


def test_the_compose_file_follows_its_schema() -> None:
    ran(Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["careplan"]
    assert service["read_only"] is True
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert isinstance(from_environment(service["environment"]), Settings)


def test_the_compose_file_sets_the_limits_of_a_pod(manifests: dict[str, list[dict[str, Any]]]) -> None:
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["careplan"]
    pod = one(manifests["base"], "Deployment")["spec"]["template"]["spec"]
    limits = pod["containers"][0]["resources"]["limits"]
    assert f"{service['mem_limit']}i" == limits["memory"].lower()
    assert str(service["cpus"]) == limits["cpu"]
    assert service["stop_grace_period"] == f"{pod['terminationGracePeriodSeconds']}s"
    (folder,) = service["tmpfs"]
    (volume,) = [volume["emptyDir"] for volume in pod["volumes"] if volume["name"] == "tmp"]
    assert f"/tmp:size={volume['sizeLimit'].removesuffix('i').lower()}," in folder  # noqa: S108 - of the container


def test_whatever_is_installed_or_built_is_pinned_by_hash() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in re.findall(r"pip install [^\n]*", makefile + DOCKERFILE):
        assert "--require-hashes" in line or ("--no-deps" in line and ("--no-build-isolation" in line or "dist/" in line)), (
            line
        )
    from_source = re.findall(r"pip install [^\n]*service.lock", makefile + DOCKERFILE)
    assert from_source and all("--no-build-isolation" in line for line in from_source)
    assert re.search(r"^setuptools==", (ROOT / "requirements" / "build.lock").read_text(), re.MULTILINE)


def test_an_audit_fails_where_it_could_not_look_and_licences_are_listed() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"pip-audit --strict .*-r requirements/service.lock", makefile)
    told = ran(Path(sys.executable).parent / "pip-licenses", "--format=json", "--packages", "durable-rules", "litestar")
    assert {entry["Name"].lower() for entry in json.loads(told)} >= {"litestar"}


def test_the_bill_of_materials_names_every_locked_package(tmp_path: Path) -> None:
    ran(sys.executable, "-W", "error", "scripts/sbom", tmp_path / "sbom.json")
    bill = json.loads((tmp_path / "sbom.json").read_text())
    locked = re.findall(r"^([\w.\-]+)==", (ROOT / "requirements" / "service.lock").read_text(), re.MULTILINE)
    assert sorted(entry["name"] for entry in bill["components"]) == sorted(locked)
    assert all(entry["hashes"] for entry in bill["components"])
    assert bill["specVersion"] == "1.6"
    licensed = [entry for entry in bill["components"] if entry.get("licenses")]
    assert len(licensed) > 0.9 * len(locked)
