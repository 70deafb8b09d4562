# SPDX-License-Identifier: BSL-1.0
"""deploy_check.py SERVER HAPROXY   checks examples/staging/deploy as far as that goes without Docker and systemd

SERVER is the built staging server. Exit status: 0 all checks passed; 1 one failed.
"""
import ipaddress
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "examples/staging/deploy"
SERVER, HAPROXY = sys.argv[1:3]
failed = 0


def check(sentence, holds, why=""):
    global failed
    print(f"{'ok     ' if holds else 'FAILED '} {sentence}", *([] if holds or not why else [f"({why})"]))
    failed += not holds


def run(*command, env=None):
    environment = {"PATH": os.environ["PATH"], **(env or {})}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def check_haproxy(scratch):
    full = {name: "127.0.0.1:1" for name in ("STAGING_A", "STAGING_B", "PROXY_ADMIN")}
    full["PROXY_SOCKET"] = str(scratch / "socket")
    for name, env in (("alone", {}), ("with two servers", full)):
        status, said = run(HAPROXY, "-c", "-f", str(DEPLOY / "haproxy.cfg"), env=env)
        check(f"haproxy takes the configuration {name}, without a warning", status == 0 and "WARNING" not in said, said)


def variables_of(text):
    """What an environment file sets."""
    return dict(line.split("=", 1) for line in text.split("\n") if re.match(r"\w+=", line))


def check_room(compose):
    """HAProxy opens fewer connections to a server than the server allows, and sends it fewer requests than it has threads."""
    opened = {}
    backend = ""
    for words in (line.split() for line in (DEPLOY / "haproxy.cfg").read_text().split("\n")):
        if words[:1] == ["backend"]:
            backend = words[1]
        if words[:1] == ["server"]:
            check(f"{backend}/{words[1]} has a maxconn", "maxconn" in words)
            address = re.search(r"STAGING_[AB]", words[2])[0]
            opened.setdefault(address, {})[f"{backend}/{words[1]}"] = int(words[words.index("maxconn") + 1])
    most = max(sum(each.values()) for each in opened.values()) + 8  # its checks, a scrape and a person need a place too

    unset = re.search(r"  API_CONNECTIONS .*\n.*default (\d+)", run(SERVER, "--help")[1])[1]
    unit = (DEPLOY / "systemd/brownout-staging@.service").read_text()
    descriptors = int(re.search(r"LimitNOFILE=(\d+)", unit)[1]) - 128  # of which the server needs some for itself
    environments = {name: compose["services"][name]["environment"] for name in ("staging-a", "staging-b")}
    environments["systemd"] = variables_of((DEPLOY / "systemd/environment").read_text())
    for name, environment in environments.items():
        allowed = int(environment.get("API_CONNECTIONS", unset))
        check(f"{name}: API_CONNECTIONS is not below the {most} connections that HAProxy needs", most <= allowed, allowed)
        check(f"{name}: API_CONNECTIONS is not above the {descriptors} that the unit has descriptors for", allowed <= descriptors, allowed)
    threads = int(re.search(r"std::size_t threads = (\d+);", (ROOT / "examples/staging/http/options.hpp").read_text())[1])
    usual = max(sum(number for part, number in each.items() if not part.endswith("-last")) for each in opened.values())
    check(f"HAProxy sends a server {usual} requests at once, fewer than its {threads} threads", usual < threads)


def check_wiring(compose):
    """What services refer to is declared, and what is declared is used."""
    services = compose["services"]
    used = {"secrets": set(), "configs": set(), "volumes": set(), "networks": set()}
    for name, service in services.items():
        image = service.get("image", "")
        check(f"{name} has a pinned image or is built here", "build" in service or re.search(r":[v0-9][^:]*$", image), image)
        for other, on in service.get("depends_on", {}).items():
            ready = "healthcheck" in services.get(other, {}) or "build" in services.get(other, {})
            check(f"{name} waits for {other}, which has a health check", ready and on == {"condition": "service_healthy"})
        for kind in ("secrets", "configs"):
            used[kind] |= {each if isinstance(each, str) else each["source"] for each in service.get(kind, [])}
        used["networks"] |= set(service.get("networks", []))
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                check(f"{name} mounts a file that exists: {source}", (DEPLOY / source).is_file())
            else:
                used["volumes"].add(source)
        if "build" in service:
            context = (DEPLOY / service["build"]["context"]).resolve()
            check(f"{name} is built from the root by a Dockerfile that exists",
                  context == ROOT and (context / service["build"]["dockerfile"]).is_file())
        for file in re.findall(r"/run/secrets/(\w+)", str(service)):
            check(f"{name} is given the secret {file} that it reads", file in service.get("secrets", []))
    for kind, names in used.items():
        check(f"the {kind} that services use are those that are declared", names == set(compose[kind]), names ^ set(compose[kind]))
    published = [port for service in services.values() for port in service.get("ports", [])]
    check("ports are published on loopback only, each once",
          all(port.startswith("127.0.0.1:") for port in published) and len(set(published)) == len(published), published)


def check_environment(compose, scratch):
    services = compose["services"]
    for name in ("staging-a", "staging-b"):
        environment = dict(services[name]["environment"])
        for variable in [each for each in environment if each.endswith("_FILE")]:
            secret = environment.pop(variable).removeprefix("/run/secrets/")
            environment[variable.removesuffix("_FILE")] = (scratch / secret).read_text().strip()
        status, said = run(SERVER, "--check-config", env={key: str(value) for key, value in environment.items()})
        check(f"{name} takes its environment", status == 0, said)
        known = run(SERVER, "--help")[1]
        for variable in environment:
            check(f"{name} knows {variable}", f"  {variable} " in known)
    proxy = services["haproxy"]
    configuration = (DEPLOY / "haproxy.cfg").read_text()
    for variable in proxy["environment"]:
        check(f"haproxy.cfg reads {variable}", f"${{{variable}" in configuration)
    address = proxy["networks"]["staging"]["ipv4_address"]
    subnet = compose["networks"]["staging"]["ipam"]["config"][0]["subnet"]
    check("the servers trust the address that HAProxy has",
          services["staging-a"]["environment"]["DASHBOARD_TRUSTED_PROXIES"] == address)
    addresses = [services[name]["networks"]["staging"]["ipv4_address"] for name in ("haproxy", "staging-a", "staging-b")]
    check("the fixed addresses differ, and are of the network",
          len(set(addresses)) == 3 and all(ipaddress.ip_address(each) in ipaddress.ip_network(subnet) for each in addresses))


def check_compose(scratch):
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    status, said = run(str(DEPLOY / "make-secrets"), str(scratch))
    check("make-secrets writes what compose.yaml reads",
          status == 0 and {f"secrets/{each.name}" for each in scratch.iterdir()} == {each["file"] for each in compose["secrets"].values()}, said)
    before = {each.name: each.read_text() for each in scratch.iterdir()}
    run(str(DEPLOY / "make-secrets"), str(scratch))
    check("make-secrets leaves the secrets that are there", before == {each.name: each.read_text() for each in scratch.iterdir()})
    check_wiring(compose)
    check_room(compose)
    check_environment(compose, scratch)
    yaml.safe_load(compose["configs"]["datasource"]["content"])
    if shutil.which("promtool"):
        with tempfile.TemporaryDirectory() as beside:
            for volume in compose["services"]["prometheus"]["volumes"]:
                if volume.startswith("."):
                    source, target = volume.split(":")[:2]
                    shutil.copy(DEPLOY / source, pathlib.Path(beside) / pathlib.Path(target).name)
            config = pathlib.Path(beside) / "prometheus.yml"
            config.write_text(compose["configs"]["prometheus"]["content"].replace("/run/secrets", str(scratch)))
            status, said = run("promtool", "check", "config", str(config))
            check("promtool takes the configuration of Prometheus", status == 0, said)


def instructions(text):
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in text.split("\n") if not line.startswith("#")))
    return [tuple(line.split(None, 1)) for line in joined.split("\n") if line.strip()]


def package_of(library):
    """The Debian package that a library comes from."""
    listed = re.search(rf"{re.escape(library)} .*=> (\S+)", run("/sbin/ldconfig", "-p")[1])
    for path in {listed[1], listed[1].removeprefix("/usr"), os.path.realpath(listed[1])} if listed else ():
        status, said = run("dpkg", "-S", path)
        if status == 0:
            return said.split(":")[0]
    return f"no package has {library}"


def check_dockerfile():
    lines = instructions((DEPLOY / "Dockerfile").read_text())
    names = [name for name, _ in lines]
    stages = [rest.split() for name, rest in lines if name == "FROM"]
    check("the Dockerfile has a stage that builds and one that runs, both pinned",
          len(stages) == 2 and all(":" in stage[0] and not stage[0].endswith(":latest") for stage in stages))
    for name, rest in lines:
        if name == "COPY":
            words = rest.split()
            if words[0].startswith("--from="):
                check(f"COPY {rest}: that stage exists", [words[0][7:]] == [stage[2] for stage in stages if len(stage) == 3])
            else:
                check(f"COPY {rest}: that is there", all((ROOT / word).exists() for word in words[:-1]))
    last = len(names) - 1 - names[::-1].index("FROM")
    user = [rest for name, rest in lines[last:] if name == "USER"]
    check("the server does not run as root", len(user) == 1 and re.fullmatch(r"[1-9]\d*:[1-9]\d*", user[0]))
    check("there is a health check", "HEALTHCHECK" in names[last:])
    check("the server gets signals itself", any(name == "ENTRYPOINT" and rest.startswith("[") for name, rest in lines[last:]))
    installed = next(rest for name, rest in lines[last:] if name == "RUN").split("&&")[1].split()
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", SERVER)[1]))
    in_the_image = {"libc6", "libstdc++6", "libgcc-s1"}
    # Another distribution's packages have other names: there the list cannot be compared.
    if "bookworm" in pathlib.Path("/etc/os-release").read_text():
        packages = {package_of(library) for library in needed} - in_the_image
        check("the last stage installs each library that the server needs", packages <= set(installed), packages - set(installed))


def check_unit(scratch):
    directory = scratch / "systemd"
    directory.mkdir()
    unit = directory / "brownout-staging@a.service"
    text = (DEPLOY / "systemd/brownout-staging@.service").read_text()
    unit.write_text(text.replace("/usr/local/bin/brownout_staging_server", SERVER))
    status, said = run("systemd-analyze", "verify", "--man=no", str(unit))
    check("systemd takes the unit", status == 0 and str(unit.name) not in said, said)
    # The drop-in is part of the same unit when it is used.
    unit.write_text(unit.read_text() + (DEPLOY / "systemd/dependencies.conf").read_text())
    status, said = run("systemd-analyze", "verify", "--man=no", str(unit))
    check("systemd takes the unit with its drop-in", status == 0 and str(unit.name) not in said, said)
    status, said = run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(unit))
    exposure = re.search(r"exposure level for .*: ([0-9.]+)", said)
    check(f"the unit's exposure is at most 2.0: {exposure[1] if exposure else 'unknown'}", status == 0, said)
    environment = variables_of((DEPLOY / "systemd/environment").read_text())
    status, said = run(SERVER, "--check-config", env=environment)
    check("the server takes the environment file", status == 0, said)
    credentials = set(re.findall(r"LoadCredential=([\w-]+):", unit.read_text()))
    read = set(re.findall(r"_FILE=%d/([\w-]+)", unit.read_text()))
    check("each credential is read, and each that is read is loaded", credentials == read and len(read) == 6, credentials ^ read)


with tempfile.TemporaryDirectory() as temporary:
    for each in ("haproxy", "compose", "unit"):
        (pathlib.Path(temporary) / each).mkdir()
    check_haproxy(pathlib.Path(temporary) / "haproxy")
    check_compose(pathlib.Path(temporary) / "compose")
    check_dockerfile()
    check_unit(pathlib.Path(temporary) / "unit")
sys.exit(failed > 0)
