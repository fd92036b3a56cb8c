"""Tarball, Debian package and install script, in the root of a Debian of its own."""

import os
import shutil
from pathlib import Path

from rig import expect, journey, only, run, succeed, unpack

UNITS = "usr/lib/systemd/user"


def tests(options):
    script = [the_install_script_installs_from_a_directory, the_install_script_downloads,
              the_install_script_refuses_what_was_changed]
    debian = [the_tarball_is_used, the_debian_package_is_used, the_install_script_runs_on_debian]
    return script + ([the_debian_package_unpacks] if options.brief else debian)


def debian(options):
    """A fresh root of a Debian, from one that is there or debootstrap brings; or why there is none."""
    if os.geteuid() != 0:
        return None, "needs root"
    if not shutil.which("debootstrap"):
        run(["apt-get", "update", "-qq"])
        run(["apt-get", "install", "-qqy", "debootstrap"])
    if not shutil.which("debootstrap"):
        return None, "debootstrap is not installed, and could not be"
    kept = options.root / "target/release-root" / options.suite
    if not kept.exists():
        making = kept.with_suffix(".new")
        shutil.rmtree(making, ignore_errors=True)
        making.parent.mkdir(parents=True, exist_ok=True)
        if run(["debootstrap", "--variant=minbase", options.suite, making], timeout=1200).returncode != 0:
            return None, f"{options.suite} cannot be had"
        making.rename(kept)
    root = options.work / "debian"
    shutil.rmtree(root, ignore_errors=True)
    succeed(["cp", "-a", kept, root])
    return root, None


def within(root, command, **options):
    """Runs a command in a root, with an environment of its own."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
    return run(["/usr/sbin/chroot", root, *command], env=environment, **options)


def must(ended):
    expect(ended.returncode == 0, f"{ended.args}: {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def the_tarball_is_used(options):
    root, why = debian(options)
    if not root:
        return why
    file = only(options.directory, "*.tar.gz")
    unpack(file, root / "opt")
    program = f"/opt/{file.name.removesuffix('.tar.gz')}/openclaw-auth"
    expect("(static)" in must(within(root, [program, "--version", "-v"])), "not linked statically")
    journey(options.server, lambda *args, **more: within(root, [program, *args], **more), root / "root/.openclaw")


def the_debian_package_is_used(options):
    root, why = debian(options)
    if not root:
        return why
    file = only(options.directory, "*.deb")
    shutil.copy(file, root / "tmp")
    before = set(listing(root))
    must(within(root, ["dpkg", "--install", f"/tmp/{file.name}"]))
    must(within(root, ["dpkg", "--verify", "openclaw-auth"]))
    journey(options.server, lambda *args, **more: within(root, ["openclaw-auth", *args], **more), root / "root/.openclaw")
    completion = "/usr/share/bash-completion/completions/openclaw-auth"
    must(within(root, ["bash", "-c", f"source {completion} && complete -p openclaw-auth"]))
    for unit in ("openclaw-auth-refresh.service", "openclaw-auth-refresh.timer"):
        expect((root / UNITS / unit).is_file(), f"there is no {unit}")
    enabled = [path for path in root.glob("etc/systemd/user/**/*") if "openclaw" in path.name]
    expect(not enabled, f"enabled: {enabled}")
    verify_units(root, options)
    must(within(root, ["dpkg", "--purge", "openclaw-auth"]))
    left = [path for path in set(listing(root)) - before if not path.startswith(("root/", "var/", "tmp/"))]
    expect(not left, f"left behind: {left}")


def verify_units(root, options):
    """systemd's own opinion of the units, where it is installed."""
    if not shutil.which("systemd-analyze"):
        return
    place = options.work / "units"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for unit in (root / UNITS).glob("openclaw-auth*"):
        # The program is in the root, not on this machine.
        text = unit.read_text().replace("/usr/bin/openclaw-auth", "/bin/true")
        (place / unit.name).write_text(text)
    ended = run(["systemd-analyze", "--user", "verify", *sorted(place.iterdir())],
                env=os.environ | {"XDG_RUNTIME_DIR": str(place)})
    about_us = [line for line in ended.stderr.splitlines() if "openclaw" in line]
    expect(not about_us, "\n".join(about_us))


def listing(root):
    for directory, _, names in os.walk(root):
        for name in names:
            yield str((Path(directory) / name).relative_to(root))


def the_debian_package_unpacks(options):
    if not shutil.which("dpkg-deb"):
        return "dpkg-deb is not installed"
    file = only(options.directory, "*.deb")
    place = options.work / "deb"
    shutil.rmtree(place, ignore_errors=True)
    succeed(["dpkg-deb", "--raw-extract", file, place])
    fields = succeed(["dpkg-deb", "--field", file])
    expect("Depends:" not in fields, fields)
    environment = {"HOME": str(place / "home")}
    start = lambda *args, **more: run([place / "usr/bin/openclaw-auth", *args], env=environment, **more)
    journey(options.server, start, place / "home/.openclaw")
    verify_units(place, options)


def install(options, script, *args, **more):
    prefix = options.work / "prefix"
    shutil.rmtree(prefix, ignore_errors=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(prefix / "home")}
    return prefix, run(["sh", script, "--to", prefix, *args], env=environment, **more)


def is_used(options, prefix):
    environment = {"PATH": f"{prefix}/bin", "HOME": str(prefix / "home")}
    start = lambda *args, **more: run([prefix / "bin/openclaw-auth", *args], env=environment, **more)
    journey(options.server, start, prefix / "home/.openclaw")


def the_install_script_installs_from_a_directory(options):
    prefix, ended = install(options, options.directory / "install.sh", "--from", options.directory)
    must(ended)
    expect((prefix / "share/man/man1/openclaw-auth-token.1").is_file(), "there is no manual page")
    is_used(options, prefix)
    # Once more, over what is there.
    _, ended = install(options, options.directory / "install.sh", "--from", options.directory)
    must(ended)


def the_install_script_downloads(options):
    address = f"{options.server.url}/release"
    if not shutil.which("curl"):
        return "curl is not installed"
    script = succeed(["curl", "-fsSL", f"{address}/install.sh"])
    prefix, ended = install(options, "/dev/stdin", "--from", address, stdin=None, input=script)
    must(ended)
    is_used(options, prefix)
    prefix, ended = install(options, options.directory / "install.sh", "--from", f"{address}/none")
    expect(ended.returncode == 1 and not (prefix / "bin").exists(), f"{ended}")
    insecure = "http://repository.invalid/release"
    prefix, ended = install(options, options.directory / "install.sh", "--from", insecure)
    expect(ended.returncode == 1 and "https" in ended.stderr, f"{ended}")


def the_install_script_refuses_what_was_changed(options):
    changed = options.work / "changed"
    shutil.rmtree(changed, ignore_errors=True)
    changed.mkdir()
    file = only(options.directory, "*.tar.gz")
    sums = (options.directory / "SHA256SUMS").read_text()

    def refuses(what):
        prefix, ended = install(options, options.directory / "install.sh", "--from", changed)
        expect(ended.returncode == 1 and ended.stderr.startswith("error: "), f"{what}: {ended}")
        expect(not (prefix / "bin").exists(), f"{what}: something was installed")

    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    (changed / file.name).write_bytes(data)
    refuses("no sums")
    (changed / "SHA256SUMS").write_text(sums)
    refuses("one bit differs")
    (changed / file.name).write_bytes(file.read_bytes()[:-1])
    refuses("a byte is missing")
    (changed / file.name).write_bytes(file.read_bytes())
    lines = [line for line in sums.splitlines(True) if file.name not in line]
    (changed / "SHA256SUMS").write_text("".join(lines))
    refuses("its sum is missing")
    # The sum of another file that merely ends like it.
    (changed / "SHA256SUMS").write_text(sums.replace(file.name, f"x{file.name}"))
    refuses("a sum of another file")


def the_install_script_runs_on_debian(options):
    root, why = debian(options)
    if not root:
        return why
    release = root / "tmp/release"
    release.mkdir()
    for name in ("install.sh", "SHA256SUMS", only(options.directory, "*.tar.gz").name):
        shutil.copy(options.directory / name, release)
    must(within(root, ["sh", "/tmp/release/install.sh", "--from", "/tmp/release"]))
    program = "/root/.local/bin/openclaw-auth"
    journey(options.server, lambda *args, **more: within(root, [program, *args], **more), root / "root/.openclaw")
