"""Images and wheels built by the project's own scripts. Long: `scripts/long` runs it, where buildah and a compiler are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.contract.serving import until

ROOT = Path(__file__).parents[2]
SCRIPTS = ("image", "wheels", "bare-systems", "debian", "check", "long")
LONG = (pytest.mark.deep, pytest.mark.skipif("CAREPLAN_TEST_IMAGES" not in os.environ, reason="scripts/long does it"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_run_and_says_how_it_is_used(name: str) -> None:
    path = ROOT / "scripts" / name
    subprocess.run(["bash", "-n", str(path)], check=True)
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/usr/bin/env bash\n# ")


def test_a_verb_that_there_is_not_is_refused_before_anything_is_installed() -> None:
    around = {"PATH": f"{ROOT / 'tests' / 'delivery'}:{os.environ['PATH']}"}
    done = subprocess.run(
        [str(ROOT / "scripts" / "image"), "push"], env=around, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "build or run, not push" in done.stderr


@pytest.mark.parametrize("make", [pytest.param("wheels", marks=LONG)])
def test_a_wheel_of_the_engine_is_installed_without_a_compiler(make: str, tmp_path: Path) -> None:
    subprocess.run([str(ROOT / "scripts" / make), str(tmp_path)], check=True, timeout=600)
    name = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    (wheel,) = tmp_path.glob(f"durable_rules-*-{name}-*.whl")
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    subprocess.run(pip, check=True, env={"PATH": "/nonexistent", "CC": "/bin/false"}, timeout=120)
    flags = "import sys; sys.setdlopenflags(1); import durable_rules_engine"
    subprocess.run([sys.executable, "-c", flags], check=True, env={"PYTHONPATH": str(target)}, timeout=60)


@pytest.mark.parametrize("port", [pytest.param("8971", marks=LONG)])
def test_the_image_is_built_and_runs_as_it_says(port: str) -> None:
    image = str(ROOT / "scripts" / "image")
    assert shutil.which("bash")
    subprocess.run([image, "build", "careplan:tested"], check=True, timeout=3_600)
    around = os.environ | {"PORT": port, "HOST": "127.0.0.1"}
    service = subprocess.Popen([image, "run", "careplan:tested"], env=around)
    try:

        def ready() -> bool:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        until(ready, seconds=300, pause=1)
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/care-plans", json={}, timeout=30)
        assert answer.json()["status"] == "draft"
        check = subprocess.run([image, "run", "careplan:tested", "careplan", "healthcheck"], env=around, check=False)
        assert check.returncode == 0
    finally:
        service.terminate()
        service.wait(timeout=120)
