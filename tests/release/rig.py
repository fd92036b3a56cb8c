"""What the release is tried on: a server on loopback, and one journey through the program.

Invariant: nothing is asked of a real host; every secret is obviously fake.
"""

import hashlib
import json
import os
import subprocess
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote

PROVIDER = "example"


class Failed(Exception):
    """What was to be seen, and was not."""


def expect(is_so, message):
    if not is_so:
        raise Failed(message)


def run(command, **options):
    """Runs a command and hands back how it ended, with what it printed as text."""
    options = {"timeout": 300, "stdin": subprocess.DEVNULL} | options
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)


def succeed(command, **options):
    """As `run`, for a command that has to succeed; its standard output."""
    ended = run(command, **options)
    expect(ended.returncode == 0, f"{command}: {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def only(directory, pattern):
    """The one file that matches."""
    found = sorted(Path(directory).glob(pattern))
    expect(len(found) == 1, f"{pattern}: {len(found)} files in {directory}")
    return found[0]


def unpack(archive, directory):
    with tarfile.open(archive) as opened:
        opened.extractall(directory)


class Server:
    """An authorization server whose refresh tokens rotate, a place of releases, a registry."""

    def __init__(self, artefacts):
        self.artefacts, self.grants, self.issued, self.revoked = artefacts, set(), 0, []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                length = int(self.headers.get("content-length", 0))
                body = self.rfile.read(length)
                if self.path.startswith("/npm/"):  # npm asks about vulnerabilities
                    return self.answer(404, {})
                form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
                self.answer(*server.post(self.path, form))

            def do_GET(self):
                self.answer(*server.get(unquote(self.path)))

            def answer(self, status, body):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def provider_file(self):
        endpoint = lambda name: f"{self.url}/{name}"
        return {
            "label": "Example",
            "clientId": "fake-client",
            "tokenEndpoint": endpoint("token"),
            "revocationEndpoint": endpoint("revoke"),
            "device": {"authorizationEndpoint": endpoint("device")},
        }

    def post(self, path, form):
        if path == "/device":
            return 200, {"device_code": "fake-device", "user_code": "FAKE-CODE", "expires_in": 600,
                         "interval": 1, "verification_uri": f"{self.url}/enter"}
        if path == "/revoke":
            self.revoked.append(form["token"])
            self.grants.discard(form["token"])
            return 200, {}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.grants:
                return 400, {"error": "invalid_grant"}
            self.grants.remove(form["refresh_token"])
        self.issued += 1
        refresh = f"fake-refresh-{self.issued}"
        self.grants.add(refresh)
        return 200, {"access_token": f"fake-access-{self.issued}", "refresh_token": refresh,
                     "token_type": "Bearer", "expires_in": 3600}

    def get(self, path):
        folder, _, name = path.rpartition("/")
        if folder == "/release":
            file = self.artefacts / name
            return (200, file.read_bytes()) if file.is_file() else (404, {})
        packages = self.packages()
        wanted = path.removeprefix("/npm/")
        return (200, packages[wanted]) if wanted in packages else (404, {"error": "not found"})

    def packages(self):
        """What a registry says of the npm packages that are there, by name."""
        told = {}
        for file in self.artefacts.glob("*.npm.tgz"):
            with tarfile.open(file) as opened:
                metadata = json.load(opened.extractfile("package/package.json"))
            sum_ = hashlib.sha1(file.read_bytes()).hexdigest()
            metadata["dist"] = {"tarball": f"{self.url}/release/{file.name}", "shasum": sum_}
            version = metadata["version"]
            told[metadata["name"]] = {
                "name": metadata["name"], "dist-tags": {"latest": version}, "versions": {version: metadata}}
        return told


def journey(server, start, state, owner=0):
    """Signs in by device code, refreshes, lists and signs out, and pipes a key in. `start(*args)`
    runs the program, whose state directory is `state` on this machine and belongs to `owner`."""
    providers = state / "providers"
    providers.mkdir(parents=True)
    file = providers / f"{PROVIDER}.json"
    file.write_text(json.dumps(server.provider_file()))
    for path, mode in ((state, 0o700), (providers, 0o700), (file, 0o600)):
        path.chmod(mode)
        os.chown(path, owner, owner)

    def ends(status, *args, **options):
        ended = start(*args, **options)
        told = f"{' '.join(args)}: {ended.returncode} in place of {status}\n{ended.stdout}{ended.stderr}"
        expect(ended.returncode == status, told)
        return ended.stdout

    token = ("token", PROVIDER)
    ends(3, *token)
    key = {"stdin": None, "input": "sk-fake-key\n"}
    ends(0, "models", "auth", "paste-api-key", "--provider", "mistral", **key)
    expect(ends(0, "token", "mistral").strip() == "sk-fake-key", "the key is another")
    ends(0, "models", "auth", "login", "--provider", PROVIDER)
    first = ends(0, *token).strip()
    expect(first == f"fake-access-{server.issued}", f"token: {first!r}")
    second = ends(0, *token, "--force-refresh").strip()
    expect(second == f"fake-access-{server.issued}" != first, f"refreshed token: {second!r}")
    expect(PROVIDER in ends(0, "list", "--json"), "the login is not listed")
    grant = f"fake-refresh-{server.issued}"
    ends(0, "logout", PROVIDER)
    expect(grant in server.revoked, "the server was not told of the logout")
    ends(3, *token)
