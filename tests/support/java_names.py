"""Faster answers to Spark's Python side. Py4J asks Java for every name anew (`jvm`, `org`, `org.apache`, ...), and
Java looks through all of Spark's archives for each that isn't a class: a tenth of a small run's work."""

from collections.abc import Callable
from typing import Any

from py4j.java_gateway import JavaClass, JavaPackage, JVMView


def remember() -> None:
    """From here on this process asks for each class and package once."""
    _remember(JVMView, lambda view: (view._id,))
    _remember(JavaPackage, lambda package: (package._jvm_id, package._fqn))


def _remember(kind: Any, place: Callable[[Any], tuple[str, ...]]) -> None:
    ask, answers = kind.__getattr__, dict[tuple[Any, ...], Any]()

    def get(self: Any, name: str) -> Any:
        key = (id(self._gateway_client), *place(self), name)
        if key not in answers:
            answer = ask(self, name)
            if not isinstance(answer, JavaClass | JavaPackage):
                return answer
            answers[key] = answer
        return answers[key]

    kind.__getattr__ = get
