"""The modules that `import models` imports, and the classes that it registers with transformers."""

from __future__ import annotations

import subprocess
import sys

from models import MODEL_TYPE, REGISTER
from tests.conftest import REPO


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_models_imports_neither_torch_nor_transformers() -> None:
    assert python("import sys, models; print({'torch', 'transformers'} & set(sys.modules))").strip() == "set()"


def test_a_tokenizer_alone_does_not_pull_our_torch_code_in() -> None:
    name = "models.checkpoints.transformers_model"
    code = f"import sys, models; from transformers import AutoConfig; print({name!r} in sys.modules)"
    assert python(code).strip() == "False"


def test_the_config_is_registered_with_the_first_auto_class_alone() -> None:
    config, model = REGISTER.values()
    code = f"""
import sys, models
from transformers.models.auto import configuration_auto
print({config!r} in sys.modules, {MODEL_TYPE!r} in configuration_auto.CONFIG_MAPPING, {model!r} in sys.modules)
"""
    assert python(code).split() == ["True", "True", "False"]


def test_another_module_of_that_package_is_found_as_ever() -> None:
    code = "import sys, models; print([finder.find_spec('transformers.utils') for finder in sys.meta_path[:1]])"
    assert python(code).strip() == "[None]", "our finder answers for the modules of REGISTER alone"
