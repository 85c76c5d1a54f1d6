"""How `make docs` builds the site: from this checkout alone, without a network."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

project = "tadpool"
author = "the authors of tadpool"
copyright = author
extensions = ["myst_parser", "generated"]
exclude_patterns = ["site"]
nitpicky = True
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
highlight_language = "none"
smartquotes = False
html_theme = "furo"
html_title = "tadpool"
html_math_renderer = "mathml"
html_copy_source = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["site.css"]
