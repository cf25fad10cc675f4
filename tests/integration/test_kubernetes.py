"""What lies in deploy/kubernetes/ is rendered by Kustomize, kept to the schema, and keeps houses apart."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from api.versions import VARIABLE
from engine.cell import Cell
from engine.network import load
from engine.sealing import Opener
from tests.edge import NGINX, WHY_NOT
from tests.integration.commands import give

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
FOLDER: Final = DEPLOY / "kubernetes"
EXERCISES: Final = ("kubernetes/**/*",)
OVERLAYS: Final = ("one-cell", "many-cells")
VERSIONS: Final = ("1.29", kubernetes_validate.latest_version())
HOUSES: Final = ("zeewind", "klinker")
KUBECTL: Final = shutil.which("kubectl")
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")


@cache
def rendered(overlay: str) -> tuple[Any, ...]:
    """Every object of an overlay."""
    said = subprocess.run(
        [str(KUBECTL), "kustomize", FOLDER / "overlays" / overlay], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert not said.stderr, said.stderr
    return tuple(yaml.safe_load_all(said.stdout))


def of_kind(overlay: str, *kinds: str) -> list[Any]:
    return [each for each in rendered(overlay) if each["kind"] in kinds]


def workloads() -> Iterator[tuple[str, Any]]:
    for overlay in OVERLAYS:
        for each in of_kind(overlay, "Deployment", "StatefulSet"):
            yield f"{overlay} {each['metadata']['namespace']} {each['metadata']['name']}", each


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_keeps_to_the_schema(overlay: str, version: str) -> None:
    assert len(rendered(overlay)) >= 15
    for each in rendered(overlay):
        kubernetes_validate.validate(each, version, strict=True)


def test_the_schema_notices_what_is_wrong() -> None:
    (wrong,) = [dict(each) for each in of_kind("one-cell", "StatefulSet")]
    wrong["spec"] = wrong["spec"] | {"replica": 1}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_every_container_is_kept_small_and_watched() -> None:
    seen = 0
    for where, workload in workloads():
        pod = workload["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False, where
        assert pod["securityContext"]["runAsNonRoot"] is True, where
        assert pod["securityContext"]["runAsUser"] >= 100, where
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, where
        for container in pod["containers"]:
            seen += 1
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, where
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys(), where
            assert container["resources"].keys() == {"requests", "limits"}, where
            assert ":" in container["image"], where
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            claims = {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", [])}
            assert mounted == {volume["name"] for volume in pod["volumes"]} | claims, where
    assert seen == 3 + 6


def test_a_release_goes_round_without_a_moment_in_which_nobody_serves() -> None:
    for where, workload in workloads():
        if workload["kind"] != "Deployment":
            continue
        spec = workload["spec"]
        assert spec["replicas"] >= 2, where
        assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0, where
        pod = spec["template"]["spec"]
        (container,) = pod["containers"]
        assert "sleep" in " ".join(container["lifecycle"]["preStop"]["exec"]["command"]), where
        assert pod["terminationGracePeriodSeconds"] >= 30, where
        if workload["metadata"]["name"] == "parvis":
            probes = {
                name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")
            }
            assert probes == {"startup": "/healthz", "readiness": "/readyz", "liveness": "/healthz"}
    for overlay in OVERLAYS:
        budgets = {
            (each["metadata"]["namespace"], each["metadata"]["name"])
            for each in of_kind(overlay, "PodDisruptionBudget")
        }
        running = {
            (each["metadata"]["namespace"], each["metadata"]["name"])
            for each in of_kind(overlay, "Deployment", "StatefulSet")
        }
        assert budgets == running


def test_everything_that_an_object_names_is_there_or_is_a_secret() -> None:
    for overlay in OVERLAYS:
        there = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in of_kind(overlay, "ConfigMap")}
        for each in of_kind(overlay, "Deployment", "StatefulSet"):
            text = yaml.safe_dump(each)
            names = set(re.findall(r"(?:configMapKeyRef:\n\s+key: \w+\n\s+name|configMap:\n\s+name): (\S+)", text))
            assert names
            assert {(each["metadata"]["namespace"], name) for name in names} <= there
        # No password, and no key, stands in any of these files.
        assert not of_kind(overlay, "Secret")


def test_every_house_has_a_namespace_where_nobody_reaches_anybody_unless_it_is_said() -> None:
    namespaces = {each["metadata"]["name"]: each for each in of_kind("many-cells", "Namespace")}
    assert namespaces.keys() == {*(f"parvis-{house}" for house in HOUSES), "parvis-front"}
    policies = of_kind("many-cells", "NetworkPolicy")
    for name, namespace in namespaces.items():
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        closed = [
            each["spec"]
            for each in policies
            if each["metadata"]["namespace"] == name and each["spec"]["podSelector"] == {}
        ]
        assert closed == [{"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}], name


def peers(policy: Any, direction: str) -> Iterator[Any]:
    for rule in policy["spec"].get(direction, []):
        yield from rule.get("to", rule.get("from", [{}]))


def test_no_house_reaches_another_houses_servers() -> None:
    """Between namespaces there is only: the front's way to each cell, names, Postgres, the figures, the internet."""
    roles = {"front", "cell", "monitoring", "postgres"}
    for policy in of_kind("many-cells", "NetworkPolicy"):
        namespace, name = policy["metadata"]["namespace"], policy["metadata"]["name"]
        for direction in ("ingress", "egress"):
            for peer in peers(policy, direction):
                labels = peer.get("namespaceSelector", {}).get("matchLabels", {})
                assert set(labels.values()) <= roles | {"kube-system"}, name
                if "cell" in labels.values():
                    assert namespace == "parvis-front", f"{namespace} {name} reaches every cell"
                if "namespaceSelector" in peer:
                    assert labels, f"{namespace} {name}: every namespace"
    for policy in of_kind("many-cells", "NetworkPolicy"):
        for peer in peers(policy, "egress"):
            if "ipBlock" in peer:
                assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(
                    peer["ipBlock"]["except"]
                )
    for policy in of_kind("many-cells", "NetworkPolicy"):
        if policy["metadata"]["name"] == "redis":
            assert policy["spec"]["egress"] == []
            assert {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]} == {6379}


def files_of(overlay: str, namespace: str) -> dict[str, str]:
    """What the ConfigMaps of a namespace hold, by file."""
    found: dict[str, str] = {}
    for each in of_kind(overlay, "ConfigMap"):
        if each["metadata"]["namespace"] == namespace:
            found |= each["data"]
    return found


CELLS: Final = (
    ("one-cell", "parvis-zeewind", ("zeewind",)),
    ("many-cells", "parvis-zeewind", ("zeewind",)),
    ("many-cells", "parvis-klinker", ("klinker",)),
    ("many-cells", "parvis-front", HOUSES),
)


@pytest.mark.parametrize(("overlay", "namespace", "houses"), CELLS)
def test_a_cells_network_file_is_read_and_names_services_that_there_are(
    overlay: str, namespace: str, houses: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.cli.main import app

    for slug in HOUSES:
        for what in ("REDIS_PASSWORD", "REDIS_OWNER_PASSWORD", "POSTGRES_PASSWORD"):
            monkeypatch.setenv(f"{slug.upper()}_{what}", f"{slug}-{what}")
    files = files_of(overlay, namespace)
    (tmp_path / "network.toml").write_text(files["network.toml"])
    network = load(tmp_path / "network.toml")
    assert tuple(house.slug for house in network.houses) == houses
    services = {
        f"{each['metadata']['name']}.{each['metadata']['namespace']}.svc" for each in of_kind(overlay, "Service")
    }
    (workload,) = [
        each
        for each in of_kind(overlay, "Deployment")
        if (each["metadata"]["namespace"], each["metadata"]["name"]) == (namespace, "parvis")
    ]
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    for house in network.houses:
        assert any(f"@{service}:6379" in house.redis_url for service in services), house.redis_url
        assert str(house.secrets_path) in mounts
    words = container["command"][2].replace("$PARVIS_SERVES", files["serves"]).split()
    assert words[:3] == ["exec", "parvis", "serve"]
    _, bound, _ = app.parse_args(words[2:], exit_on_error=False, print_error=False)
    assert bound.arguments.get("house", ()) == (houses if len(houses) == 1 else ())


def test_a_houses_keys_are_made_before_it_starts_and_nothing_is_written_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container its keys are mounted, and cannot be written."""
    for slug in HOUSES:
        for what in ("REDIS_PASSWORD", "REDIS_OWNER_PASSWORD", "POSTGRES_PASSWORD"):
            monkeypatch.setenv(f"{slug.upper()}_{what}", f"{slug}-{what}")
    network_file = tmp_path / "network.toml"
    text = files_of("many-cells", "parvis-front")["network.toml"]
    network_file.write_text(text.replace("/run/secrets/parvis", str(tmp_path / "keys")))
    assert give("house", "keys", "klinker", "--network", str(network_file)) == 0
    assert not (tmp_path / "keys" / "zeewind").exists()
    assert give("house", "keys", "--network", str(network_file)) == 0
    made = {path: path.read_bytes() for path in (tmp_path / "keys").rglob("*") if path.is_file()}
    sealing = {"customers.private.pem", "customers.public.pem"}
    assert {path.name for path in made} == {"mac.key", "pass.pem", "known-user.key"} | sealing
    assert len(made) == 10

    def nobody_writes(*_: object) -> None:
        raise AssertionError("a file is written")

    monkeypatch.setattr("engine.key_files._write_draft", nobody_writes)
    for house in load(network_file).houses:
        Opener(Cell(house).signer, house.secrets_path)
    assert {path: path.read_bytes() for path in made} == made


def test_whoever_serves_the_web_keeps_the_files_of_old_releases_where_every_process_reads_them() -> None:
    for overlay, namespace, _ in CELLS:
        # The edge asks the Parvis beside it for `/web/`.
        is_asked = any(
            each["metadata"]["namespace"] == namespace
            for each in of_kind(overlay, "ConfigMap")
            if "nginx.conf" in each["data"]
        )
        claims = {
            each["metadata"]["name"]: each["spec"]["accessModes"]
            for each in of_kind(overlay, "PersistentVolumeClaim")
            if each["metadata"]["namespace"] == namespace
        }
        assert bool(claims) == is_asked, namespace
        if not is_asked:
            continue
        (pod,) = [
            each["spec"]["template"]["spec"]
            for each in of_kind(overlay, "Deployment")
            if (each["metadata"]["namespace"], each["metadata"]["name"]) == (namespace, "parvis")
        ]
        (container,) = pod["containers"]
        (folder,) = [each["value"] for each in container["env"] if each["name"] == VARIABLE]
        (mount,) = [each for each in container["volumeMounts"] if each["mountPath"] == folder]
        assert not mount.get("readOnly")
        (volume,) = [each for each in pod["volumes"] if each["name"] == mount["name"]]
        assert claims[volume["persistentVolumeClaim"]["claimName"]] == ["ReadWriteMany"]


def test_redis_and_the_edge_have_the_settings_that_are_tried_elsewhere(tmp_path: Path) -> None:
    settings = (DEPLOY / "redis.conf").read_text()
    for overlay, namespace, _ in CELLS[:3]:
        assert files_of(overlay, namespace)["redis.conf"] == settings
    edge = (DEPLOY / "nginx.conf").read_text()
    assert files_of("one-cell", "parvis-zeewind")["nginx.conf"] == edge
    upstreams = "".join(
        f"    upstream {house} {{ server parvis.parvis-{house}.svc.cluster.local:8000; keepalive 64; }}\n"
        for house in HOUSES
    )
    for there, here in (
        ("    # upstream zeewind { server zeewind:8000; keepalive 64; }\n", upstreams),
        ("        # zeewind zeewind;\n", "".join(f"        {house} {house};\n" for house in HOUSES)),
    ):
        assert there in edge
        edge = edge.replace(there, here)
    assert files_of("many-cells", "parvis-front")["nginx.conf"] == edge


@pytest.mark.skipif(NGINX is None, reason=WHY_NOT)
def test_nginx_takes_the_edge_of_many_cells(tmp_path: Path) -> None:
    text = files_of("many-cells", "parvis-front")["nginx.conf"]
    text = re.sub(r"server [\w.-]+:8000", "server 127.0.0.1:9", text)
    text = text.replace("/var/cache/nginx/parvis", f"{tmp_path}/cache").replace("/tmp/nginx.pid", f"{tmp_path}/pid")
    (tmp_path / "nginx.conf").write_text(text)
    said = subprocess.run(
        [str(NGINX), "-t", "-p", tmp_path, "-e", f"{tmp_path}/error.log", "-c", tmp_path / "nginx.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
