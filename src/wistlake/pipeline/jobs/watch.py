"""Evaluate goals and alerts on what is published, write the history, and tell people what is new. Needs no engine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import structlog

from wistlake.alert_rules import Kind, Rule
from wistlake.errors import reason
from wistlake.foreign import fingerprint, one_line
from wistlake.pipeline.run.result import bounded
from wistlake.pool import in_order
from wistlake.ports import Ledger, Notice, Notifier, Query
from wistlake.quality import alert_series
from wistlake.quality.alert_history import Alert, sentence, withdrawal
from wistlake.quality.alerts import Changes, evaluate, stands

FACTS = "alerts"  # the ledger's document: the publication and the rules that were looked at last
UNTOLD = "alerts_untold"  # another: the alerts of which nobody has heard yet
MOST_LINES = 20  # that a notice spells out
_GOOD = (Kind.GOAL, Kind.SPIKE)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the rules say now, beside what was told, and the titles of the media."""

    changes: Changes
    names: Mapping[str, str]
    rules: Sequence[Rule] = ()
    newest: date | None = None

    def standing(self, history: Sequence[Alert]) -> list[Alert]:
        """The alerts of today's rules that hold, newest day first: those of the history as they are now, and the new
        ones."""
        now = {a.key: a for a in history} | {a.key: a for a in self.changes.all}
        rules = {rule.name: rule for rule in self.rules}
        standing = (
            a
            for a in now.values()
            if a.rule in rules and self.newest and stands(a, rules[a.rule], self.newest)
        )
        return sorted(standing, key=lambda a: a.key, reverse=True)


def evaluation(
    rules: Sequence[Rule], query: Query, history: Sequence[Alert], now: datetime, at_once: int = 1
) -> Evaluation:
    """Evaluate every rule, some `at_once` where the query can be asked by several threads. Reads only."""

    def rows(text: str) -> list[dict[str, Any]]:
        return list(query.sql(text).to_pylist()) if text else []

    newest = rows(alert_series.NEWEST)[0]["newest"] if rules else None
    if newest is None:
        return Evaluation(Changes(), {})
    labels = rows(alert_series.LABELS) if any(rule.label for rule in rules) else []
    readings = [reading for rule in rules if (reading := alert_series.reading(rule, newest, labels))]

    def judged(reading: alert_series.Reading) -> Changes:
        read = (rows(reading.figures), rows(reading.certificates), rows(reading.swaps))
        return evaluate(reading.rule, alert_series.series(reading, *read), history, newest, now)

    # By turns it stays in this thread, to which the query's connection belongs.
    changes = [judged(r) for r in readings] if at_once == 1 else in_order(judged, readings, at_once)
    every = Changes(
        *(tuple(a for c in changes for a in getattr(c, kind)) for kind in ("new", "withdrawn", "confirmed"))
    )
    titles = rows(alert_series.TITLES) if every.new or every.withdrawn or history else []
    names = {r["media_id"]: one_line(r["title"]) for r in titles if r["title"]}
    return Evaluation(every, names, tuple(rules), newest)


def watch_now(
    rules: Sequence[Rule],
    query: Callable[[], Query],
    ledger: Ledger,
    notifier: Notifier,
    now: datetime,
    at_once: int = 1,
) -> Evaluation:
    """Evaluate, write down what changed, then tell what is new or taken back. What nobody took is told again by the
    next evaluation."""
    if not rules:
        return Evaluation(Changes(), {})
    history = ledger.alerts()
    result = evaluation(rules, query(), history, now, at_once)
    fresh = {_as_text(a) for a in (*result.changes.new, *result.changes.withdrawn)}
    unsent = {tuple(key) for key in ledger.facts(UNTOLD).get("keys", ())} | fresh
    if fresh:
        ledger.put_facts(UNTOLD, {"keys": sorted(map(list, unsent))})
    ledger.put_alerts(result.changes.all)
    latest = {a.key: a for a in history} | {a.key: a for a in result.changes.all}
    pending = [a for a in latest.values() if _as_text(a) in unsent]
    changes = Changes(tuple(a for a in pending if a.stands), tuple(a for a in pending if not a.stands))
    message = notice(replace(result, changes=changes))
    if message and notifier.notify(message):
        ledger.put_facts(UNTOLD, {})
    log.info("alerts", new=len(result.changes.new), withdrawn=len(result.changes.withdrawn))
    return result


def _as_text(alert: Alert) -> tuple[str, ...]:
    return (alert.day.isoformat(), alert.rule, alert.subject)


def watch_publication(
    rules: Sequence[Rule],
    query: Callable[[], Query],
    ledger: Ledger,
    notifier: Notifier,
    now: datetime,
    at_once: int = 1,
) -> Changes:
    """The same for a process that is called whether or not something was published: a publication is looked at once,
    unless the rules have changed since."""
    publication = ledger.publication() if rules else None
    if publication is None:
        return Changes()
    seen = {"publication": publication.run_id, "rules": fingerprint(repr(rules))}
    if ledger.facts(FACTS) == seen:
        return Changes()
    changes = watch_now(rules, query, ledger, notifier, now, at_once).changes
    ledger.put_facts(FACTS, seen)
    return changes


def watch_after_run(
    rules: Sequence[Rule], query: Callable[[], Query], ledger: Ledger, notifier: Notifier, now: datetime
) -> None:
    """The same behind a run that has ended: a failure is logged, and fails nothing."""
    try:
        watch_now(rules, query, ledger, notifier, now)
    except Exception as e:
        log.warning("alerts could not be evaluated", error=reason(e))


def notice(result: Evaluation) -> Notice | None:
    """What people are told; None if nothing is news."""
    new, withdrawn = result.changes.new, result.changes.withdrawn
    if not (new or withdrawn):
        return None
    counts = ((len(new), "new"), (len(withdrawn), "withdrawn"))
    title = f"wistlake alerts: {', '.join(f'{count} {word}' for count, word in counts if count)}"
    lines = [*(sentence(a, result.names) for a in new), *(withdrawal(a, result.names) for a in withdrawn)]
    text = "\n".join(bounded(lines, "`wistlake watch --history`", MOST_LINES))
    return Notice(title, text, failed=any(a.kind not in _GOOD for a in new))
