"""Image, compose file and manifests are well formed, keep to least privilege, and agree with the settings of the service."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import pytest
import yaml

from careplan.settings import Settings, from_environment
from tests.contract.serving import running

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def ran(*command: object, cwd: Path = ROOT) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Every object of the base, and of the variant with a rulebook of its own, as they are rendered."""
    folder = Path(shutil.copytree(ROOT / "deploy", tmp_path_factory.mktemp("deploy") / "deploy"))
    with tarfile.open(folder / "own-rules" / "rulebook.tar.xz", "w:xz") as packed:
        packed.add(ROOT / "rules", ".")
    found = {name: list(yaml.safe_load_all(ran("kubectl", "kustomize", folder / name))) for name in ("base", "own-rules")}
    size = (folder / "own-rules" / "rulebook.tar.xz").stat().st_size
    assert size < 700_000, "a ConfigMap takes one mebibyte, and this is encoded in base64"
    return found


def one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [entry for entry in objects if entry["kind"] == kind]
    return found


@pytest.mark.parametrize("name", ["base", "own-rules"])
def test_every_manifest_follows_the_schema_of_its_kind(manifests: dict[str, list[dict[str, Any]]], name: str) -> None:
    kinds = {entry["kind"] for entry in manifests[name]}
    wanted = {"Deployment", "Service", "NetworkPolicy", "HorizontalPodAutoscaler", "PodDisruptionBudget", "ServiceAccount"}
    assert kinds == wanted | ({"ConfigMap"} if name == "own-rules" else set())
    for entry in manifests[name]:
        kubernetes_validate.validate(entry, "1.32", strict=True)


def test_the_schema_check_can_fail(manifests: dict[str, list[dict[str, Any]]]) -> None:
    damaged = json.loads(json.dumps(one(manifests["base"], "Deployment")))
    damaged["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]["httpGet"]["prot"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(damaged, "1.32", strict=True)


@pytest.mark.parametrize("name", ["base", "own-rules"])
def test_pods_have_no_privileges_limits_and_probes(manifests: dict[str, list[dict[str, Any]]], name: str) -> None:
    pod = one(manifests[name], "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in [*pod["containers"], *pod.get("initContainers", ())]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
        assert container["image"] == "careplan:0.1.0"
    (service,) = pod["containers"]
    assert service["readinessProbe"]["httpGet"]["path"] == service["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert service["livenessProbe"]["httpGet"]["path"] == "/livez"


def environment_of(pod: dict[str, Any]) -> dict[str, str]:
    """The settings of the service in a pod of the namespace clinic, with the references that Kubernetes fills in."""
    found: dict[str, str] = {}
    for entry in pod["containers"][0]["env"]:
        value = (
            entry["value"]
            if "value" in entry
            else {"metadata.namespace": "clinic"}[entry["valueFrom"]["fieldRef"]["fieldPath"]]
        )
        found[entry["name"]] = re.sub(r"\$\((\w+)\)", lambda name: found[name[1]], value)
    return {name: value for name, value in found.items() if name.startswith("CAREPLAN_")}


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


@pytest.mark.parametrize("name", ["base", "own-rules"])
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
    assert not settings.rules or settings.rules in mounts


def test_only_known_pods_reach_the_service(manifests: dict[str, list[dict[str, Any]]]) -> None:
    policy = one(manifests["base"], "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert all("from" in rule and "ports" in rule for rule in policy["ingress"])
    assert all("ports" in rule for rule in policy["egress"])


def test_the_image_file_passes_a_linter() -> None:
    ran(Path(sys.executable).parent / "hadolint", "--failure-threshold", "style", ROOT / "Dockerfile")


def test_the_image_runs_as_nobody_from_pinned_parts() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-(slim-)?bookworm", base) for base in bases)
    assert "slim" in bases[-1]
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "pip install" not in last
    assert last.count("HEALTHCHECK") == 1
    installs = re.findall(r"pip install [^\n]*", DOCKERFILE)
    assert all("--require-hashes" in line or "--no-deps dist" in line for line in installs)
    variables = dict(re.findall(r"(CAREPLAN_[A-Z_]+)=(\S+)", last))
    assert from_environment(variables).host == "0.0.0.0"  # noqa: S104 - the container's own network


def test_what_the_image_copies_is_not_kept_from_the_builder() -> None:
    kept = (ROOT / ".dockerignore").read_text().split()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    names = {name.split("/")[0] for line in copied for name in line.split()}
    assert names <= {entry.strip("!/") for entry in kept if entry.startswith("!")}
    assert all((ROOT / name).exists() for name in names)


def test_the_compose_file_follows_its_schema() -> None:
    ran(Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["careplan"]
    assert service["read_only"] is True
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert isinstance(from_environment(service["environment"]), Settings)


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
