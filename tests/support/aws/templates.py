"""Templates and workflows as plain values: `!Sub x` is `{"Fn::Sub": x}`."""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from support.aws.tools import ROOT

INFRA, WORKFLOWS = ROOT / "infra", ROOT / ".github" / "workflows"
_SHORT = {"Ref": "Ref", "Condition": "Condition"}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {_SHORT.get(tag, f"Fn::{tag}"): value.split(".", 1) if tag == "GetAtt" else value}


_Loader.add_multi_constructor("!", _short_form)


def template(name: str) -> dict[str, Any]:
    """A template of `infra/`."""
    loaded = yaml.load((INFRA / name).read_text(encoding="utf-8"), Loader=_Loader)  # safe: see _Loader
    assert isinstance(loaded, dict)
    return loaded


def machine(name: str = "daily") -> dict[str, Any]:
    """A state machine's definition, its substitutions still in it."""
    loaded = json.loads((INFRA / "state_machine" / f"{name}.asl.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def workflows() -> dict[str, Any]:
    """Every workflow by its file's name. `on` is read as the word, not as a boolean."""
    found = {}
    for path in sorted(WORKFLOWS.glob("*.yml")):
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        found[path.name] = {("on" if key is True else key): value for key, value in loaded.items()}
    return found


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties of every resource of a type, by logical id."""
    return {name: r.get("Properties", {}) for name, r in resources["Resources"].items() if r["Type"] == kind}


def policy(statements: list[Any]) -> list[dict[str, Any]]:
    """Statements with actions and services as lists; those under a condition as if it held."""
    plain = [s["Fn::If"][1] if "Fn::If" in s else s for s in statements]
    return [{**s, "Action": _listed(s["Action"])} for s in plain]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def roles(stack: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The statements of every role, by logical id: its own, and those of the stack's policies that it carries."""
    shared = of_type(stack, "AWS::IAM::ManagedPolicy")
    return {
        name: [
            s
            for document in (
                *(p["PolicyDocument"] for p in role.get("Policies", [])),
                *(shared[arn["Ref"]]["PolicyDocument"] for arn in role.get("ManagedPolicyArns", [])),
            )
            for s in policy(document["Statement"])
        ]
        for name, role in of_type(stack, "AWS::IAM::Role").items()
    }


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """The value with every `Ref`, `GetAtt` and `Sub` of a name in `names` as its text."""
    match value:
        case {"Ref": str(name)}:
            return names[name]
        case {"Fn::GetAtt": [*parts]}:
            return names[".".join(parts)]
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: names[found[1]], text)
        case dict():
            return {key: filled(inner, names) for key, inner in value.items()}
        case list():
            return [filled(inner, names) for inner in value]
    return value
