"""What is deployed: the image, the compose file and the manifests say the same as the product, and give nothing away.

But: no container is made here. `make lint-deploy` holds the same files against the tools of Docker and Kubernetes.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from mounted_page import find_routes

from assistant.serving.command_line import command
from assistant.serving.served import Served
from assistant.serving.server import make_app
from index.loading.worker import MEMORY_BYTES
from index.settings import _VARIABLES, Settings

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
KINDS = [(file.name, one) for file in MANIFESTS for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINS = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
IMAGES = {"footnote:" + PROJECT["project"]["version"], "chromadb/chroma:" + PINS["chromadb"]}
UID = 10001
# Those that the product does not read itself: compose's own, and what the libraries and the shell are told.
OTHERS = {"FOOTNOTE_PORT", "FOOTNOTE_NAME", "SYNC_SECONDS", "HOME", "PATH", "TMPDIR", "PYTHONDONTWRITEBYTECODE"}


def read_image() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, each with its text."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", "")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in whole.splitlines()) if word]


def find_last(instruction: str) -> str:
    return [text for word, text in read_image() if word == instruction][-1]


def find_pods() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The name, the labels and the specification of each pod."""
    for _, one in KINDS:
        template = one.get("spec", {}).get("jobTemplate", one).get("spec", {}).get("template")
        if template:
            yield one["metadata"]["name"], template["metadata"]["labels"], template["spec"]


PODS = {name: (labels, spec) for name, labels, spec in find_pods()}


def find_kind(kind: str) -> list[dict[str, Any]]:
    return [one for _, one in KINDS if one["kind"] == kind]


def find_commands() -> Iterator[list[str]]:
    """Every command line of Footnote's that is deployed or told of."""
    yield json.loads(find_last("CMD"))
    written = [(DEPLOY.parent / "docs" / "deploy.md").read_text(encoding="utf-8")]
    for service in SERVICES.values():
        if service["image"].startswith("footnote:"):
            if "entrypoint" in service:
                written += service["command"]
            else:
                yield [re.sub(r"\$\{\w+:-(.*)\}", r"\1", word) for word in service["command"]]
    for _, spec in PODS.values():
        for container in spec["containers"]:
            if container["image"] == "footnote":
                if "command" in container:
                    written += container["args"]
                else:
                    yield container["args"]
    for text in written:
        for line in re.findall(
            r"(?:^|`|&& |do |--rm (?:-it )?)(?:footnote|chat) ([a-z][^`;|#&\n]*)", text, re.MULTILINE
        ):
            yield shlex.split(line)


# -- the image --------------------------------------------------------------------------------


def test_the_image_is_made_as_the_makefile_makes_its_environment() -> None:
    made = [text.partition("install --quiet ")[2] for word, text in read_image() if word == "RUN" and "pip" in text]
    makefile = re.findall(r"\$\(PIP\) (.*)", (ROOT / "Makefile").read_text().partition(".installed-test:")[0])
    wanted = [options.replace("-e ", "") for options in makefile]
    assert sorted(" ".join(options.removeprefix("--no-cache-dir").split()) for options in made) == sorted(wanted)


def test_both_stages_stand_on_the_same_python_of_one_minor_version() -> None:
    bases = [text.partition(" AS ")[0] for word, text in read_image() if word == "FROM"]
    assert len(bases) == 2
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", bases[0])
    assert set(bases) == {bases[0]}
    least = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert bases[0].startswith(f"python:{least}-")


def test_the_image_runs_as_a_user_without_rights() -> None:
    assert find_last("USER") == f"{UID}:{UID}"
    assert json.loads(find_last("ENTRYPOINT")) == ["footnote"]


def test_what_the_package_is_built_of_comes_into_the_image_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], PROJECT["project"]["readme"], "LICENSE", "pyproject.toml"}
    assert let_in == needed | {"constraints.txt", "requirements-weights.txt"}
    assert "*" in lines
    assert all((ROOT / name).exists() for name in let_in)


def test_the_health_check_tells_a_server_from_none() -> None:
    from fastapi import FastAPI
    from guarded_server import listening

    _, _, told = find_last("HEALTHCHECK").partition("CMD ")
    python, option, program = json.loads(told)
    assert (python, option) == ("python", "-c")
    app, failing = FastAPI(), FastAPI()
    app.get("/healthz")(lambda: {"status": "ok"})
    results = []
    for served in (app, failing):
        with listening(served) as address:
            asked = program.replace("7860", address.rpartition(":")[2])
            run = subprocess.run([sys.executable, option, asked], check=False, capture_output=True)
            results.append(run.returncode)
    gone = subprocess.run([sys.executable, option, asked], check=False, capture_output=True)
    assert (*results, gone.returncode) == (0, 1, 1)
    assert "/healthz" in program
    assert find_last("EXPOSE") == "7860"


# -- what all of them name --------------------------------------------------------------------


def test_every_command_line_is_one_of_footnotes() -> None:
    group = typer.main.get_command(command)
    lines = list(find_commands())
    assert {line[0] for line in lines} >= {"chat", "sync", "users"}
    assert len(lines) >= 6
    for line in lines:
        found: Any = group
        words = list(line)
        while hasattr(found, "commands"):
            found = found.commands[words.pop(0)]
        found.make_context(line[0], words)  # raises for what the command does not take


def test_every_variable_is_one_that_something_reads() -> None:
    texts = [DOCKERFILE, COMPOSE, *(file.read_text(encoding="utf-8") for file in MANIFESTS)]
    named = {name for text in texts for name in re.findall(r"\b(?:FOOTNOTE|OPENAI)_[A-Z_]+\b", text)}
    named |= {name for service in SERVICES.values() for name in service.get("environment", {})}
    named |= set(re.findall(r"\b([A-Z]+)=/", DOCKERFILE))
    code = "".join(
        file.read_text(encoding="utf-8") for room in ("assistant", "index") for file in (ROOT / room).rglob("*.py")
    )
    read = set(_VARIABLES.values()) | set(re.findall(r"\"(FOOTNOTE_[A-Z_]+)\"", code))
    assert named - OTHERS <= read
    assert {"FOOTNOTE_STORE", "FOOTNOTE_CACHE", "FOOTNOTE_TOKEN"} <= named


def test_every_image_is_of_the_versions_that_live_together() -> None:
    assert {service["image"] for service in SERVICES.values()} == IMAGES
    kustomization = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    named = {f"{image['name']}:{image['newTag']}" for image in kustomization["images"]}
    used = {container["image"] for _, spec in PODS.values() for container in spec["containers"]}
    assert named | (used - {image["name"] for image in kustomization["images"]}) == IMAGES


def test_no_secret_has_a_value() -> None:
    is_secret = re.compile(r"(?:TOKEN|KEY|PASSWORD|SECRET)$")
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if is_secret.search(name):
                assert re.fullmatch(rf"\$\{{{name}(?::-|:\?[^}}]*)\}}", value), name
    assert re.search(r"FOOTNOTE_TOKEN: \$\{FOOTNOTE_TOKEN:\?", COMPOSE)
    for _, spec in PODS.values():
        for variable in spec["containers"][0].get("env", []):
            assert not is_secret.search(variable["name"]) or "secretKeyRef" in variable["valueFrom"]
    [secret] = find_kind("Secret")
    assert set(secret["stringData"].values()) == {""}
    assert not is_secret.search(find_last("ENV").upper())


# -- compose ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert not service.keys() & {"privileged", "devices", "pid", "ipc"}
    if service.get("user") == "0:0":  # gives the volume to the server: no network, one right, and then it ends
        assert (service["cap_add"], service["network_mode"], service["restart"]) == (["CHOWN"], "none", "no")
    else:
        assert "cap_add" not in service
        assert service.get("user", f"{UID}:{UID}") == f"{UID}:{UID}"
    for mount in service["volumes"]:
        assert not isinstance(mount, dict) or mount["read_only"] is True
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_compose_shows_chroma_to_nobody() -> None:
    networks = yaml.safe_load(COMPOSE)["networks"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["chat"]
    assert SERVICES["chroma"]["networks"] == ["rows"]
    assert networks["rows"] == {"internal": True}


# -- Kubernetes -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PODS)
def test_a_pod_can_do_no_more_than_it_must(name: str) -> None:
    _, spec = PODS[name]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    whole = spec["securityContext"]
    assert (whole["runAsNonRoot"], whole["runAsUser"], whole["runAsGroup"]) == (True, UID, UID)
    assert whole["seccompProfile"] == {"type": "RuntimeDefault"}
    volumes = {volume["name"] for volume in spec["volumes"]}
    volumes |= {
        claim["metadata"]["name"] for one in find_kind("StatefulSet") for claim in one["spec"]["volumeClaimTemplates"]
    }
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        assert mounts.keys() <= volumes
        assert mounts.get("documents", {"readOnly": True})["readOnly"] is True
        if container["image"] == "footnote":
            assert {mount["mountPath"] for mount in mounts.values()} == {"/documents", "/var/lib/footnote", "/tmp"}


def count_workers(words: list[str]) -> int:
    """How many processes a command line starts that read files."""
    found = re.search(r"--workers (\d+)", " ".join(words))
    return int(found[1]) if found else 1


def test_whatever_reads_files_has_room_for_its_readers() -> None:
    reader = MEMORY_BYTES / 1024**2
    for _, spec in PODS.values():
        for container in spec["containers"]:
            if container["image"] == "footnote":
                own, most = (
                    int(container["resources"][which]["memory"].removesuffix("Mi")) for which in ("requests", "limits")
                )
                assert most - own >= reader * count_workers(container["args"])
    for service in SERVICES.values():
        if service["image"].startswith("footnote:"):
            most = int(service["mem_limit"].removesuffix("m"))
            assert most >= (reader + 765e6 / 1024**2) * count_workers(service["command"])


def test_probes_ask_for_what_the_server_has(settings: Settings) -> None:
    own = {path for method, path in find_routes(make_app(Served({}, settings))) if method == "GET"}
    probes = {"startupProbe", "livenessProbe", "readinessProbe"}
    [chat] = PODS["footnote"][1]["containers"]
    assert probes <= chat.keys()
    assert {chat[probe]["httpGet"]["path"] for probe in probes} == {"/healthz", "/readyz"} <= own
    assert chat["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert chat["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert str(chat["ports"][0]["containerPort"]) == find_last("EXPOSE")
    assert probes <= PODS["chroma"][1]["containers"][0].keys()


def test_whatever_is_named_is_there() -> None:
    files = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    assert {*files, "kustomization.yaml", "secret.example.yaml"} == {file.name for file in MANIFESTS}
    assert not any("namespace" in one.get("metadata", {}) for _, one in KINDS)
    labels = [labels for labels, _ in PODS.values()]
    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment", "StatefulSet"):
        for one in find_kind(kind):
            spec = one["spec"]
            selector = spec.get("podSelector") or spec["selector"]
            wanted = selector.get("matchLabels", selector)
            assert [found for found in labels if wanted.items() <= found.items()], one["metadata"]["name"]
    [secret] = find_kind("Secret")
    claims = {claim["metadata"]["name"] for claim in find_kind("PersistentVolumeClaim")}
    for _, spec in PODS.values():
        for variable in spec["containers"][0].get("env", []):
            if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                assert reference["name"] == secret["metadata"]["name"]
                assert reference["key"] in secret["stringData"]
        assert {
            volume["persistentVolumeClaim"]["claimName"]
            for volume in spec["volumes"]
            if len(volume) == 2 and "persistentVolumeClaim" in volume
        } <= claims


def test_only_footnote_reaches_chroma() -> None:
    [policy] = find_kind("NetworkPolicy")
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= PODS["chroma"][0].items()
    assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    assert policy["spec"]["egress"] == []
    [rule] = policy["spec"]["ingress"]
    [source] = rule["from"]
    let_in = {
        name for name, (labels, _) in PODS.items() if source["podSelector"]["matchLabels"].items() <= labels.items()
    }
    assert let_in == {"footnote", "footnote-worker"}


# -- what a container does otherwise than a shell ---------------------------------------------


def needs_namespace(*options: str) -> list[str]:
    """What runs a program in namespaces of its own, where that is allowed to us."""
    inside = ["unshare", "--user", *options]
    try:
        subprocess.run([*inside, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no namespace can be made here")
    return inside


def test_the_first_process_of_a_container_ends_when_it_is_asked_to(folder: Path) -> None:
    inside = needs_namespace("--map-root-user", "--pid", "--fork", "--kill-child")
    (folder / "a.txt").write_text("Alpha.")
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}
    command = [*inside, sys.executable, "-m", "assistant", "mcp", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as outer:
        assert outer.stdin
        assert outer.stdout
        outer.stdin.write(json.dumps(hello).encode() + b"\n")
        outer.stdin.flush()
        assert outer.stdout.readline()
        first = int(Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text())
        os.kill(first, signal.SIGTERM)
        assert outer.wait(timeout=20) == 143


@pytest.mark.parametrize("variable", ["FOOTNOTE_STORE", "FOOTNOTE_CACHE"])
def test_a_user_without_a_home_is_told_what_to_set(folder: Path, variable: str) -> None:
    inside = needs_namespace("--map-user=54321")
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", variable)}
    command = [*inside, sys.executable, "-m", "assistant", "sync", str(folder)]
    run = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr == (
        f"footnote: This user has no home folder for Footnote to keep its files in: set HOME or {variable}.\n"
    )


def test_the_worker_of_kubernetes_fails_only_where_another_try_may_help(folder: Path) -> None:
    [container] = PODS["footnote-worker"][1]["containers"]
    (folder / "a.txt").write_text("Alpha.")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    for place, status in ((folder, 0), (folder / "gone", 1)):
        [line] = container["args"]
        line = line.replace("--workers 2 /documents", shlex.quote(str(place)))  # several take a server
        command = [*container["command"], line]
        run = subprocess.run(command, env=with_footnote(), capture_output=True, text=True, check=False)
        assert run.returncode == status, run.stderr
        assert ("skipped  broken.pdf" in run.stdout) == (status == 0)


def test_the_worker_of_compose_syncs_until_it_is_asked_to_end(folder: Path) -> None:
    worker = SERVICES["worker"]
    (folder / "a.txt").write_text("Alpha.")
    [line] = worker["command"]
    line = line.replace("$$", "$").replace("--workers 2 /documents", shlex.quote(str(folder)))  # several take a server
    environment = {**with_footnote(), "SYNC_SECONDS": "0.1"}
    with subprocess.Popen([*worker["entrypoint"], line], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "1 document: 1 added\n"
        assert process.stdout.readline() == "1 document: 1 unchanged\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def with_footnote() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
