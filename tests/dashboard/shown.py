"""A page of the app over one publication, as Streamlit runs it, without a browser."""

from streamlit.testing.v1 import AppTest

from dashboard.published import Published
from wistlake.quality.scope import Scope
from wistlake_dashboard.sections import PAGES

NUMBER = {page.path: number for number, page in enumerate(PAGES)}


class Fixed:
    """A `Source` of one publication."""

    def __init__(self, query: Published) -> None:
        self._query = query

    def version(self) -> str:
        return str(id(self._query))

    def open(self) -> Published:
        return self._query


def one_page(number: int, source: object) -> None:
    """Streamlit runs this function's text: it stands alone."""
    from wistlake_dashboard.app import PAGES, show

    show(source, PAGES[number : number + 1])  # type: ignore[arg-type]


def in_the_app(path: str, query: Published, scope: Scope) -> AppTest:
    """The page at `path`, of the scope's days."""
    app = AppTest.from_function(one_page, args=(NUMBER[path], Fixed(query)), default_timeout=60)
    app.query_params["period"] = "custom"
    app.query_params["from"], app.query_params["to"] = scope.start.isoformat(), scope.end.isoformat()
    app.run()
    assert not app.exception
    return app
