"""axe-core: what keeps somebody with a screen reader, a keyboard or weak eyes from reading a page."""

from functools import cache

from selenium.webdriver import Chrome

from support.aws import tools

_FINDINGS = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(
  found => done([found.passes.length, found.violations.filter(v => v.impact !== 'minor').map(
    v => `${v.impact} ${v.id}: ${v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(', ')}`)]),
  error => done([0, [String(error)]]));
"""
LEAST = 10  # rules that any page of ours passes


@cache
def _axe() -> str:
    return tools.file("npm", "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def findings(driver: Chrome) -> list[str]:
    """Findings of moderate impact or worse. AssertionError if hardly any rule applied to the page."""
    driver.execute_script(_axe())
    passed, found = driver.execute_async_script(_FINDINGS)
    assert passed >= LEAST or found, "axe has hardly looked at the page"
    return list(found)
