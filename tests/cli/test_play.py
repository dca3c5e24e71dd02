"""`fwengine play`: what is served, to whom, and what is not, whatever a request asks for. No browser is needed."""

from __future__ import annotations

import hashlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import run
from support.paths import ROOT

from fwengine.cli import serving
from fwengine.cli.serving import CONTENT_POLICY, Server, SiteError, read_site

FILES = {
    "index.html": b"<p>page",
    "main.js": b"1",
    "pyodide.asm.wasm": b"\0asm",
    "gallery.json": b"{}",
    "engine.gz": b"x",
}


def build(folder: Path, files: dict[str, bytes] = FILES, version: str = "0.1.0") -> Path:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    listed = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    (folder / "site.json").write_text(json.dumps({"version": version, "files": listed}), "utf-8")
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    return build(tmp_path / "site")


@pytest.fixture
def server(site: Path) -> Iterator[Server]:
    with Server(read_site(site), {"/given/token.json": b'{"text": ""}'}, 0) as started:
        thread = threading.Thread(target=started.serve_forever)
        thread.start()
        yield started
        started.shutdown()
        thread.join()


def ask(
    server: Server, path: str, method: str = "GET", host: str | None = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", f"127.0.0.1:{server.port}" if host is None else host)
    for key, value in headers.items():
        connection.putheader(key.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    told = answer.status, answer.read(), dict(answer.getheaders())
    connection.close()
    return told


class TestServer:
    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/", "text/html; charset=utf-8"),
            ("/index.html", "text/html; charset=utf-8"),
            ("/main.js", "text/javascript; charset=utf-8"),
            ("/pyodide.asm.wasm", "application/wasm"),
            ("/gallery.json", "application/json"),
            ("/engine.gz", "application/gzip"),
            ("/given/token.json", "application/json"),
        ],
    )
    def test_files_have_their_types(self, server: Server, path: str, kind: str) -> None:
        status, data, headers = ask(server, path)
        assert (status, headers["Content-Type"]) == (200, kind)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == f"{CONTENT_POLICY}; frame-ancestors 'none'"
        assert ask(server, path, "HEAD")[:2] == (200, b"")
        again = ask(server, path, If_None_Match=headers["ETag"])
        assert again[:2] == (304, b"")
        assert "Content-Encoding" not in headers
        assert int(headers["Content-Length"]) == len(data)

    def test_a_query_is_not_a_name(self, server: Server) -> None:
        assert ask(server, "/main.js?v=1")[0] == 200

    @pytest.mark.parametrize(
        "path",
        [
            "/site.json", "/secret.txt", "/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/./index.html",
            "/main.js/", "/..\\secret.txt", "/C:/secret.txt", "/index.html%00", "/given/", "/given/other.json", "/%69ndex.html",
            "http://127.0.0.1/index.html", "*", "main.js", "/" + "a" * 9000,
        ],
    )  # fmt: skip
    def test_nothing_else_is_there(self, server: Server, path: str) -> None:
        status, data, _ = ask(server, path)
        assert (status, data) == (404, b"no such file in the playground\n")

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"])
    def test_nothing_can_be_done_to_it(self, server: Server, method: str) -> None:
        assert ask(server, "/", method)[0] == 501

    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", "[::1]:80", "", "127.0.0.1.evil.example"]
    )
    def test_another_host_is_refused(self, server: Server, host: str) -> None:
        status, data, _ = ask(server, "/", host=host)
        assert (status, data) == (421, b"not of this host\n")
        assert ask(server, "/given/token.json", host=host)[0] == 421

    def test_this_host_has_two_names(self, server: Server) -> None:
        assert ask(server, "/", host=f"LOCALHOST:{server.port}")[0] == 200

    @pytest.mark.parametrize("hosts", [[], ["127.0.0.1:PORT", "evil.example"], ["127.0.0.1:PORT", "127.0.0.1:PORT"]])
    def test_one_host_is_named(self, server: Server, hosts: list[str]) -> None:
        lines = "".join(f"Host: {host.replace('PORT', str(server.port))}\r\n" for host in hosts)
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
            raw.sendall(f"GET / HTTP/1.1\r\n{lines}\r\n".encode())
            assert raw.recv(100).startswith(b"HTTP/1.1 421 ")

    def test_it_is_on_this_machine_alone(self, server: Server) -> None:
        assert server.server_address[0] == "127.0.0.1"

    def test_a_file_that_changes_meanwhile_is_not_served(self, server: Server, site: Path) -> None:
        (site / "main.js").write_bytes(b"2")
        assert ask(server, "/main.js")[1] == b"1"


class TestSite:
    @pytest.mark.parametrize("name", ["../secret.txt", "/etc/hostname", "sub/file", "..", "", "a\0b"])
    def test_a_list_names_files_of_its_folder_alone(self, site: Path, name: str) -> None:
        listed = json.loads((site / "site.json").read_text("utf-8"))
        listed["files"][name] = hashlib.sha256(b"secret").hexdigest()
        (site / "site.json").write_text(json.dumps(listed), "utf-8")
        with pytest.raises(SiteError):
            read_site(site)

    def test_each_file_is_as_it_was_built(self, site: Path) -> None:
        (site / "main.js").write_bytes(b"2")
        with pytest.raises(SiteError, match=r"not as it was built: `main\.js` is another file"):
            read_site(site)
        (site / "main.js").unlink()
        with pytest.raises(SiteError, match=r"not as it was built: `main\.js` cannot be read"):
            read_site(site)

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"version": "1", "files": 3}', '{"version": "1", "files": {}}', "\xff"]
    )
    def test_a_folder_that_is_none(self, site: Path, text: str) -> None:
        (site / "site.json").write_text(text, "latin-1")
        with pytest.raises(SiteError, match="is no playground"):
            read_site(site)


class TestCommand:
    def test_what_is_not_installed_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(serving, "PACKAGE", "fwengine_no_such_package")
        done = run("play")
        assert (done.code, done.out) == (2, "")
        assert "the playground is not installed" in done.err
        assert "pip install fwengine_playground-" in done.err

    def test_what_is_no_site_is_told(self, tmp_path: Path) -> None:
        done = run("play", "--site", str(tmp_path))
        assert (done.code, done.out) == (2, "")
        assert "is no playground: it has no list of files `site.json`" in done.err

    def test_a_policy_that_cannot_be_read_is_told(self, site: Path, tmp_path: Path) -> None:
        done = run("play", "--site", str(site), str(tmp_path / "none.fwl"))
        assert done.code == 2
        assert "error[FW001]" in done.err

    def test_a_port_that_is_taken_is_told(self, site: Path, server: Server) -> None:
        done = run("play", "--site", str(site), "--port", str(server.port))
        assert (done.code, done.out) == (2, "")
        assert f"port {server.port} cannot be served" in done.err

    @pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
    def test_it_serves_a_policy_until_it_is_ended(self, site: Path, tmp_path: Path, number: int, code: int) -> None:
        folder = tmp_path / "policies"
        folder.mkdir()
        (folder / "main.fwl").write_text('include "../shared.fwl"\nallow tpc to web\n', "utf-8")  # with a mistake
        (tmp_path / "shared.fwl").write_text("net web = 192.0.2.80\n", "utf-8")
        command = [sys.executable, "-m", "fwengine", "play", "--site", str(site), str(folder / "main.fwl")]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
            assert started.stdout is not None
            address = started.stdout.readline().strip()  # it serves by now
            assert address.startswith("http://127.0.0.1:")
            host, _, token = address.removeprefix("http://").partition("/#given=")
            connection = http.client.HTTPConnection(host, timeout=30)
            connection.request("GET", f"/given/{token}.json")
            given = json.loads(connection.getresponse().read())
            connection.close()
            started.send_signal(number)
            _, told = started.communicate(timeout=60)
        assert given == {
            "name": "main.fwl",
            "text": 'include "../shared.fwl"\nallow tpc to web\n',
            "files": {"../shared.fwl": "net web = 192.0.2.80\n"},
        }
        assert started.returncode == code, told
        assert len(token) >= 32

    def test_the_installed_site_is_found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        package = tmp_path / "fwengine_playground"
        package.mkdir()
        (package / "__init__.py").write_text("raise AssertionError('it is not imported')", "utf-8")
        build(package / "site", version="0.0.9")
        monkeypatch.syspath_prepend(str(tmp_path))
        assert serving.installed() == package / "site"
        assert read_site(serving.installed()).version == "0.0.9"


def test_the_page_has_the_policy_of_the_server() -> None:
    page = (ROOT / "docs" / "playground" / "src" / "index.html").read_text("utf-8")
    assert f'content="{CONTENT_POLICY}"' in page
