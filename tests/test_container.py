"""The image: its steps are what they should be, and what it runs is what pip would install of this folder."""

from __future__ import annotations

from support.paths import ROOT

LINES = [line.split(maxsplit=1) for line in (ROOT / ".ci" / "Containerfile").read_text("utf-8").splitlines() if line]
STEPS = [(line[0], line[1]) for line in LINES if line[0] != "#"]


def test_it_runs_as_nobody_and_loads_nothing() -> None:
    begins = [n for n, (word, _) in enumerate(STEPS) if word == "FROM"]
    last = STEPS[begins[-1] :]
    assert [text for word, text in last if word == "USER"] == ["65534:65534"]
    runs = [text for word, text in last if word == "RUN"]
    assert len(runs) == 1
    assert "--no-index" in runs[0]
    assert [word for word, _ in last].index("USER") > [word for word, _ in last].index(
        "RUN"
    )  # who runs it cannot change it


def test_only_what_was_built_is_in_it() -> None:
    copied = [text.split() for word, text in STEPS if word == "COPY"]
    assert copied == [
        ["pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "/source/"],
        ["fwengine", "/source/fwengine"],
        ["--from=build", "/wheels", "/wheels"],
    ]
    assert all((ROOT / name).exists() for names in copied[:2] for name in names[:-1])
    assert ("ENTRYPOINT", '["fwengine"]') in STEPS
