"""Builds and runs the native module's fuzz targets, and its tests under sanitizers.

usage: python fuzz/native_fuzz.py run SECONDS [TARGET...]     libFuzzer (clang), from fuzz/corpus/TARGET
       python fuzz/native_fuzz.py replay [TARGET...]          the kept corpus only, once
       python fuzz/native_fuzz.py elsewhere [TARGET...]       the corpus on emulated processors: arm64, s390x (big-endian)
       python fuzz/native_fuzz.py tests [PYTEST ARGUMENT...]  tests/ with an AddressSanitizer and UBSan build (gcc)

Where the processor lacks AVX-512 and SIMDe's headers are there (libsimde-dev), that engine runs emulated, in all of these.

Targets: native_capture, native_classify. Exits with the status of what failed; finds stay in the folder that is printed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KERNEL = ROOT / "fwengine/native"
TARGETS = ("native_capture", "native_classify")
OTHERS = ("aarch64", "s390x")
_SANITIZERS = (
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-g",
    "-O1",
    "-std=c11",
)


def emulation() -> tuple[str, ...]:
    """Flags for an emulated AVX-512 engine, where it is needed and possible."""
    from fwengine.native import engines

    if "avx2" not in engines() or "avx512" in engines() or not Path("/usr/include/simde/x86/avx512.h").is_file():
        return ()
    print("the AVX-512 engine is emulated", flush=True)
    return "-Wno-psabi", "-mavx2", "-mbmi", "-mpopcnt", f'-DFWK_EMULATED="{ROOT / "fuzz/avx512_emulated.h"}"'


def build_target(name: str, into: Path) -> Path:
    """A libFuzzer program of one target and the module's sources, without Python."""
    sources = [path for path in sorted(KERNEL.glob("*.c")) if not path.name.startswith("module")]
    program = into / name
    flags = [_SANITIZERS[0].replace("=", "=fuzzer,"), *_SANITIZERS[1:]]
    subprocess.run(["clang", *flags, *emulation(), "-o", program, ROOT / "fuzz" / f"{name}.c", *sources], check=True)
    return program


def fuzz(name: str, seconds: int) -> int:
    """Runs one target; new inputs go to a folder of their own, the kept corpus stays as it is."""
    work = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    found = work / "corpus"
    found.mkdir()
    print(f"{name}: {work}", flush=True)
    limits = ["-runs=0"] if not seconds else [f"-max_total_time={seconds}", "-max_len=4000"]
    command: list[str | Path] = [
        build_target(name, work),
        *limits,
        f"-artifact_prefix={work}/",
        found,
        ROOT / "fuzz/corpus" / name,
    ]
    return subprocess.run(command, check=False).returncode


def elsewhere(name: str) -> int:
    """One target's corpus through the module built for other processors, where a cross compiler and an emulator are there."""
    sources = [path for path in sorted(KERNEL.glob("*.c")) if not path.name.startswith("module")]
    inputs = sorted((ROOT / "fuzz/corpus" / name).iterdir())
    with tempfile.TemporaryDirectory() as work:
        for machine in OTHERS:
            compiler, emulator = f"{machine}-linux-gnu-gcc", f"qemu-{machine}"
            missing = [tool for tool in (compiler, emulator) if not shutil.which(tool)]
            if missing:
                print(f"{machine}: {' and '.join(missing)} not installed", flush=True)
                continue
            program = Path(work) / machine
            flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-static"]
            targets = [ROOT / "fuzz/replay.c", ROOT / "fuzz" / f"{name}.c"]
            subprocess.run([compiler, *flags, "-o", program, *targets, *sources], check=True)
            print(f"{machine}, {name}: ", end="", flush=True)
            code = subprocess.run([emulator, program, *inputs], check=False).returncode
            if code:
                return code
    return 0


# tests that come to the native module: the others would take most of the time under sanitizers, and learn nothing
_TESTS = (
    "native", "traffic", "packets", "testing", "test_conformance.py", "test_classbench.py", "test_rules.py", "test_build.py",
    "test_python_api.py", "cli/test_cli_captures.py", "cli/test_cli_eval.py", "cli/test_cli_synth.py", "cli/test_foreign.py",
    "cli/test_cli_wildcards.py", "flows/test_quick.py", "flows/test_meaning.py", "flows/test_command.py",
    "flows/test_running.py", "flows/test_arrow.py",
)  # fmt: skip


def sanitized_tests(arguments: list[str]) -> int:
    """The tests that come to the native module, in a copy of the package whose module is built with sanitizers."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name) / "main"
        files = ("pyproject.toml", "README.md", "action.yml", ".pre-commit-hooks.yaml")
        for part in ("fwengine", "tests", "fuzz", "bench", "rules", "docs", *files):
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, work / part, ignore=shutil.ignore_patterns("_native*.so", "__pycache__"))
            else:
                work.mkdir(exist_ok=True)
                shutil.copy(source, work / part)
        if (ROOT.parent / "shared").is_dir():
            (work.parent / "shared").symlink_to(ROOT.parent / "shared")
        subprocess.run(
            ["gcc", *_SANITIZERS, *emulation(), "-fPIC", "-shared", f"-I{sysconfig.get_paths()['include']}",
             "-o", work / "fwengine/native/_native.abi3.so", *sorted((work / "fwengine/native").glob("*.c"))],
            check=True,
        )  # fmt: skip
        preload = [
            subprocess.run(
                ["gcc", f"-print-file-name={lib}"], capture_output=True, text=True, check=True
            ).stdout.strip()
            for lib in ("libasan.so", "libubsan.so")
        ]
        environment = os.environ | {
            "LD_PRELOAD": " ".join(preload),
            "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",  # CPython's own leaks are not ours
            "PYTHONMALLOC": "malloc",
            "PYTHONPATH": ".",
        }
        chosen = arguments or [f"tests/{part}" for part in _TESTS]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen]
        return subprocess.run(command, cwd=work, env=environment, check=False).returncode


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in ("run", "replay", "elsewhere", "tests"):
        print(__doc__)
        return 2
    if sys.argv[1] == "tests":
        return sanitized_tests(sys.argv[2:])
    if sys.argv[1] == "elsewhere":
        return max([elsewhere(name) for name in sys.argv[2:] or TARGETS], key=abs)
    running = sys.argv[1] == "run"
    if running and len(sys.argv) < 3:
        print(__doc__)
        return 2
    seconds = int(sys.argv[2]) if running else 0
    targets = sys.argv[3 if running else 2 :] or TARGETS
    return max([fuzz(name, seconds) for name in targets], key=abs)


if __name__ == "__main__":
    sys.exit(main())
