"""The npm packages, installed by npm from a registry on loopback."""

import json
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

from rig import expect, journey, only, run, succeed


def tests(_options):
    return [no_package_runs_a_script, it_is_installed_and_used, npx_runs_it, a_signal_ends_the_program,
            without_the_package_of_the_platform_it_says_what_to_do, on_windows_it_names_wsl]


def metadata_of(file):
    with tarfile.open(file) as opened:
        return json.load(opened.extractfile("package/package.json"))


def no_package_runs_a_script(options):
    files = sorted(options.directory.glob("*.npm.tgz"))
    expect(len(files) >= 2, f"{files}")
    told = {metadata["name"]: metadata for metadata in map(metadata_of, files)}
    for name, metadata in told.items():
        expect("scripts" not in metadata, f"{name} has scripts")
    wanted = told["openclaw-auth"]["optionalDependencies"]
    for name, metadata in told.items():
        expect(name == "openclaw-auth" or wanted.get(name) == metadata["version"], f"{name} is not chosen")
        system, _, cpu = name.partition("/")[2].partition("-")
        expect(name == "openclaw-auth" or (metadata["os"], metadata["cpu"]) == ([system], [cpu]), name)


def installed(options):
    """A prefix into which npm has installed the package, and the environment for it."""
    if not shutil.which("npm"):
        return None, "npm is not installed"
    prefix = Path(tempfile.mkdtemp(dir=options.work, prefix="npm-"))
    environment = os.environ | {
        "HOME": str(prefix / "home"),
        "npm_config_registry": f"{options.server.url}/npm/",
        "npm_config_cache": str(prefix / "cache"),
        "npm_config_update_notifier": "false",
        "OPENCLAW_STATE_DIR": str(prefix / "state"),
    }
    (prefix / "home").mkdir()
    version = metadata_of(only(options.directory, "openclaw-auth-[0-9]*.npm.tgz"))["version"]
    install = ["npm", "install", "--global", "--no-audit", "--no-fund", "--prefix", prefix]
    succeed([*install, f"openclaw-auth@{version}"], env=environment)
    return prefix, environment


def it_is_installed_and_used(options):
    prefix, environment = installed(options)
    if not prefix:
        return environment
    program = prefix / "bin/openclaw-auth"
    start = lambda *args, **more: run([program, *args], env=environment, **more)
    journey(options.server, start, prefix / "state")
    shutil.rmtree(prefix)


def npx_runs_it(options):
    prefix, environment = installed(options)
    if not prefix:
        return environment
    told = succeed(["npx", "--yes", "openclaw-auth", "--version"], env=environment, cwd=prefix / "home")
    expect(told.startswith("openclaw-auth "), told)
    shutil.rmtree(prefix)


def a_signal_ends_the_program(options):
    prefix, environment = installed(options)
    if not prefix:
        return environment
    # It waits for what is pasted; the program ends, and node ends likewise.
    script = f"""
        const {{ spawn }} = require("node:child_process");
        const child = spawn(process.argv[1], ["import", "-"]);
        child.on("exit", (code, signal) => console.log(signal ?? code));
        setTimeout(() => child.kill("SIGTERM"), 1000);"""
    program = prefix / "bin/openclaw-auth"
    told = succeed(["node", "--eval", script, program], env=environment).strip()
    expect(told in ("SIGTERM", "143", "130"), told)
    left = run(["pgrep", "-f", str(prefix / "lib")]).stdout
    expect(not left, f"still running: {left}")
    shutil.rmtree(prefix)


def without_the_package_of_the_platform_it_says_what_to_do(options):
    prefix, environment = installed(options)
    if not prefix:
        return environment
    # As with `npm install --omit=optional`, which npm does not heed with --global.
    shutil.rmtree(prefix / "lib/node_modules/openclaw-auth/node_modules")
    ended = run([prefix / "bin/openclaw-auth", "--version"], env=environment)
    expect(ended.returncode == 1 and "hint: npm install" in ended.stderr, f"{ended}")
    shutil.rmtree(prefix)


def on_windows_it_names_wsl(options):
    if not shutil.which("node"):
        return "node is not installed"
    wrapper = options.root / ".packaging/npm/openclaw-auth.js"
    script = 'Object.defineProperty(process, "platform", { value: "win32" }); require(process.argv[1]);'
    ended = run(["node", "--eval", script, wrapper])
    expect(ended.returncode == 1 and "WSL" in ended.stderr, f"{ended}")
