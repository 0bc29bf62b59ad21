"""The scripts of `infra/` as modules."""

import importlib.util
import sys
from types import ModuleType

from support.aws.templates import INFRA


def script(name: str) -> ModuleType:
    """A script of `infra/` as a module."""
    spec = importlib.util.spec_from_file_location(f"infra_{name}", INFRA / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where a dataclass looks for its module
    spec.loader.exec_module(module)
    return module
