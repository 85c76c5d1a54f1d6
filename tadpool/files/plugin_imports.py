"""Let a user's plug-in import files beside it and in the working directory, in their current
state."""

import importlib
import importlib.machinery
import sys
from pathlib import Path
from types import ModuleType

from tadpool import PACKAGE
from tadpool.errors import UserError
from tadpool.files import provenance

_FOLDERS: list[str] = []
_HELPERS: set[Path] = set()


def prepare(where: str, plugin: Path, package: str) -> None:
    """Make `import helpers`, `from .helpers import x` and `import models.helpers` work in a
    plug-in.

    Modules that an earlier plug-in imported from other folders are unloaded.

    Args:
        where: The plug-in's file, as messages name it.
        plugin: The plug-in's file.
        package: Name of the package for relative imports.

    Raises:
        UserError: A helper has the name of a module of Python or of an installed package.
    """
    folders = [plugin.parent.resolve(), plugin.parent.parent.resolve()]
    for name in [name for name, module in sys.modules.items() if _file(module) in _HELPERS]:
        del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if entry not in _FOLDERS]
    _FOLDERS[:] = [str(folder) for folder in folders if str(folder) not in sys.path]
    sys.path.extend(_FOLDERS)
    importlib.invalidate_caches()
    sys.modules[package] = ModuleType(package)
    sys.modules[package].__path__ = [str(folders[0])]
    imported = provenance.closure(plugin) - {plugin.resolve()}
    helpers = {path for path in imported if PACKAGE not in path.parents}
    _HELPERS.update(helpers)
    for helper in sorted(helpers):
        for folder in [folder for folder in folders if folder in helper.parents][:1]:  # a link may lead elsewhere
            _refuse_shadowed(where, folder, helper)


def _refuse_shadowed(where: str, folder: Path, helper: Path) -> None:
    name = helper.relative_to(folder).with_suffix("").parts[0]
    spec = importlib.machinery.PathFinder.find_spec(name)
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    if name in sys.builtin_module_names or not any(folder in Path(str(place)).resolve().parents for place in places):
        what = f"{helper.parent.name}/{helper.name} has the name of another module, {name}, which is imported instead"
        raise UserError(f"{where}: {what}; rename it")


def _file(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if file else None
