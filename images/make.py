"""Take the README's screenshots of the pages of a run: `python images/make.py [results]`.

results: the folder of a finished run of all studies, `results` where it is not named. Chromium has
to be installed.
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Shot:
    """A picture: of the part of a page that a CSS selector finds, or of the page's top. Width and
    height in CSS pixels."""

    name: str
    page: str
    part: str = ""
    width: int = 1000
    height: int = 640
    scale: float = 1.0


SHOTS = (
    Shot("study", "reedfrogs/index.html", width=1200, height=720),
    Shot("sweep", "reedfrogs/index.html", "#figure-sigma-sweep_elpd .drawing svg", scale=2.0),
)


def main(results: Path) -> None:
    """Write every picture beside this file."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not (results / "index.html").is_file() or program is None:
        sys.exit(f"{results}/index.html and Chromium are needed: run `make` first, and install Chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for shot in SHOTS:
            size = {"width": shot.width, "height": shot.height}
            page = browser.new_page(viewport=size, device_scale_factor=shot.scale, color_scheme="light")
            page.goto((results / shot.page).resolve().as_uri())
            of = page.locator(shot.part).first if shot.part else page
            of.screenshot(path=FOLDER / f"{shot.name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))
