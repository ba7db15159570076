#!/usr/bin/env python3
"""Models of the Hugging Face hub against its own library: both download from one server in the hub's
place, into caches that must be alike, and each reads what the other has fetched."""
import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

for name in list(os.environ):
    if name.startswith(("HF_", "HUGGING", "TRANSFORMERS_OFFLINE", "XDG_CACHE_HOME")):
        del os.environ[name]
root = tempfile.TemporaryDirectory()
os.environ["HOME"] = os.path.join(root.name, "home")
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.makedirs(os.environ["HOME"])

try:
    import huggingface_hub
    from huggingface_hub import (hf_hub_download, scan_cache_dir, snapshot_download,
                                 try_to_load_from_cache)
    from huggingface_hub.utils import validate_repo_id
except ImportError as missing:
    print("1..0 # SKIP %s" % missing)
    sys.exit(0)

GOLDEN = os.path.join(os.environ["LP_SOURCE"], "tests", "golden", "encoder")
ID, TOKEN = "org/small-clip", "hf_secret"
COMMIT = {"main": "1" * 40, "refs/pr/1": "2" * 40}


def golden(name):
    with open(os.path.join(GOLDEN, name), "rb") as f:
        return f.read()


# Two revisions with files in common; that of the pull request has shards.
FILES = {
    COMMIT["main"]: {"open_clip_config.json": golden("open_clip_config.json"),
                     "open_clip_model.safetensors": golden("clip.safetensors")},
    COMMIT["refs/pr/1"]: {"open_clip_config.json": golden("open_clip_config.json"),
                          "a.safetensors": golden("clip.safetensors"),
                          "b.safetensors": golden("timm.safetensors"),
                          "model.safetensors.index.json": json.dumps(
                              {"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}
                          ).encode()},
}
CONTENT = {hashlib.sha256(data).hexdigest(): data for files in FILES.values()
           for data in files.values()}
requests = []  # (host, path, whether it had the token)


def is_large(name):
    return name.endswith(".safetensors")


def digest(name, data):
    if is_large(name):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def listed(name, data):
    entry = {"rfilename": name, "size": len(data), "blobId": digest("git", data)}
    if is_large(name):
        entry["lfs"] = {"sha256": digest(name, data), "size": len(data), "pointerSize": 134}
    return entry


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **fields):
        self.send_response(status)
        self.send_header("Content-Length", fields.pop("Content_Length", len(body)))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        token = self.headers.get("Authorization") == "Bearer " + TOKEN
        requests.append((self.headers["Host"].split(":")[0], self.command + " " + path, token))
        if path.startswith("/cdn/"):  # large files lie on another host
            return self.answer(200, CONTENT[path[5:]], ETag='"cdn"')
        if not token:
            return self.answer(401, X_Error_Code="GatedRepo")
        for revision, commit in COMMIT.items():
            quoted = revision.replace("/", "%2F")
            if path == "/api/models/%s/revision/%s" % (ID, quoted):
                files = [listed(*file) for file in FILES[commit].items()]
                return self.answer(200, json.dumps({"id": ID, "sha": commit, "siblings":
                                                    files}).encode())
            for name, data in FILES[commit].items():
                if path not in ("/%s/resolve/%s/%s" % (ID, r, name) for r in (quoted, commit)):
                    continue
                if not is_large(name):
                    return self.answer(200, data, ETag='"%s"' % digest(name, data),
                                       X_Repo_Commit=commit)
                return self.answer(302, Location="http://localhost:%d/cdn/%s" % (
                    port, digest(name, data)), X_Repo_Commit=commit, X_Linked_Size=len(data),
                    X_Linked_ETag='"%s"' % digest(name, data))
        return self.answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=COMMIT["main"])

    do_HEAD = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
port = server.server_address[1]
endpoint = "http://127.0.0.1:%d" % port
threading.Thread(target=server.serve_forever, daemon=True).start()


def linprobe(*words, cache, **variables):
    return subprocess.run([os.environ["LP_PROGRAM"], *words], capture_output=True, text=True,
                          cwd=root.name,
                          env=dict(os.environ, HF_ENDPOINT=endpoint, HF_HUB_CACHE=cache,
                                   HF_TOKEN=TOKEN, **variables))


def entries(cache):
    """{path: what is there}, without what the library keeps for itself."""
    found = {}
    top = os.path.join(cache, "models--org--small-clip")
    for folder, folders, files in os.walk(top):
        folders[:] = [f for f in folders if f not in (".no_exist", "trees")]
        for name in files:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                content = hashlib.sha256(f.read()).hexdigest()
            link = os.readlink(path) if os.path.islink(path) else None
            found[os.path.relpath(path, top)] = (link, content)
    return found


tests = failures = 0


def check(name, right, *notes):
    global tests, failures
    tests += 1
    failures += not right
    print("%sok %d - %s" % ("" if right else "not ", tests, name))
    for note in notes if not right else ():
        print("# " + str(note).replace("\n", "\n# "))


print("# huggingface_hub %s" % huggingface_hub.__version__)
ours, theirs = os.path.join(root.name, "ours"), os.path.join(root.name, "theirs")
for revision, commit in COMMIT.items():
    run = linprobe("fetch", ID + "@" + revision, cache=ours)
    check("linprobe fetches %s" % revision, run.returncode == 0, run.stderr)
    check("%s: another host never gets the token" % revision,
          all(token == (host == "127.0.0.1") for host, _, token in requests), requests)
    for name in FILES[commit]:
        hf_hub_download(ID, name, revision=revision, cache_dir=theirs, endpoint=endpoint,
                        token=TOKEN)
    a, b = entries(ours), entries(theirs)
    check("%s: the caches are alike" % revision, a == b and len(a) > 3,
          sorted(set(a.items()) ^ set(b.items())))

    # each reads what the other has
    run = linprobe("inspect", ID + "@" + revision, cache=theirs)
    check("linprobe finds %s in the library's cache" % revision,
          "snapshots/" + commit in run.stdout if revision == "main"
          else "snapshots/" + commit in run.stderr, run.stdout[:300], run.stderr)
    for name in FILES[commit]:
        found = try_to_load_from_cache(ID, name, cache_dir=ours, revision=revision)
        check("the library finds %s of %s" % (name, revision), isinstance(found, str) and
              open(found, "rb").read() == FILES[commit][name], found)
    try:
        found = snapshot_download(ID, revision=revision, cache_dir=ours, local_files_only=True)
    except Exception as error:  # whatever it is, the snapshot was not found
        found = repr(error)
    check("the library has a snapshot of %s" % revision, found.endswith("snapshots/" + commit),
          found)
    del requests[:]
    for name in FILES[commit]:
        hf_hub_download(ID, name, revision=revision, cache_dir=ours, endpoint=endpoint, token=TOKEN)
    check("the library fetches nothing of %s again" % revision,
          not [path for _, path, _ in requests if path.startswith("GET")], requests)
    del requests[:]
    run = linprobe("fetch", ID + "@" + revision, cache=theirs)
    check("nor does linprobe from the library's", run.returncode == 0 and len(requests) == 1,
          run.stderr, requests)
    del requests[:]

scanned = scan_cache_dir(ours)
repositories = {r.repo_id: r for r in scanned.repos}
check("the library's scan has no complaints", not scanned.warnings, *scanned.warnings)
check("it finds both revisions and their refs", ID in repositories and
      {c.commit_hash: set(c.refs) for c in repositories[ID].revisions} ==
      {commit: {revision} for revision, commit in COMMIT.items()}, scanned)
check("and no unfinished download", not getattr(scanned, "incomplete_files", ()))
check("no file is there twice", repositories[ID].nb_files ==
      len({digest(n, d) for files in FILES.values() for n, d in files.items()}), repositories[ID])

# an unfinished download of ours is one for the library, too
half = os.path.join(ours, "models--org--small-clip", "blobs", "0" * 64 + ".linprobe.incomplete")
open(half, "w").close()
unfinished = getattr(scan_cache_dir(ours), "incomplete_files", None)
if unfinished is not None:
    check("an unfinished download is seen", [str(f.file_path) for f in unfinished] == [half],
          unfinished)
os.unlink(half)

# ids: what the library takes for one is one here, with a mark in front, and the other way round
words = ["a/b", "a", "a-b/c_d.e", "a--b/c", "a/b--c", "a..b", "-a/b", "a-/b", "a/.b", "a/b.",
         "a/b.git", "a/b/c", "a/", "/b", "", "a b", "x" * 96, "x" * 97, "a/" + "x" * 97, "_a/b_",
         "caf\u00e9/x", "a/b\n", "A.B/C-D", "a//b", "a/b.gitx", "a._b", "a.-b", "..", "a/.."]
wrong = []
for word in words:
    try:
        validate_repo_id(word)
        valid = True
    except Exception:
        valid = False
    run = linprobe("inspect", "hf-hub:" + word, cache=ours)
    taken = "of the Hugging Face hub is not in its cache" in run.stderr
    if taken != valid:
        wrong.append((word, valid, run.stderr))
check("%d words are ids, or none, for both" % len(words), not wrong, *wrong)

# places
for variables, place in (({"HF_HUB_CACHE": ""}, "home/.cache/huggingface/hub"),
                         ({"HF_HUB_CACHE": "", "XDG_CACHE_HOME": "x"}, "x/huggingface/hub"),
                         ({"HF_HUB_CACHE": "", "HF_HOME": "~/h"}, "home/h/hub"),
                         ({"HF_HUB_CACHE": "", "HUGGINGFACE_HUB_CACHE": "o"}, "o")):
    environment = {k: v for k, v in variables.items() if v}
    code = "import huggingface_hub.constants as c; print(c.HF_HUB_CACHE)"
    theirs_place = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                  cwd=root.name, env=dict(os.environ, **environment)).stdout.strip()
    target = os.path.join(root.name, place)
    shutil.copytree(os.path.join(theirs, "models--org--small-clip"),
                    os.path.join(target, "models--org--small-clip"), symlinks=True)
    run = linprobe("inspect", ID, cache="", **{k: v for k, v in environment.items()})
    check("the place is the library's: %s" % place,
          os.path.abspath(os.path.join(root.name, theirs_place)) == target and
          place in run.stdout, theirs_place, run.stdout[:200], run.stderr)

server.shutdown()
print("1..%d" % tests)
sys.exit(1 if failures else 0)
