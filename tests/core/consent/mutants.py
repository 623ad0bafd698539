"""The mutation check: each rule of consent.md broken on purpose, one at a time; the tests must notice every one.

`python -m tests.core.consent.mutants [--only N] [--jobs 2]` copies the package to a temporary folder, breaks one rule
there, runs the fast tests of the rules against the copy, and says for each which test caught it. It exits 1 if one
survives: then a rule is not held by any test.
"""

# ruff: noqa: E501  The text to be replaced stands as it is in the source.

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
RULES = Path("adapter/core/consent")
TESTS = (
    ("tests/core/consent/test_table.py", "tests/core/consent/test_found.py", "tests/core/consent/test_caught.py"),
    ("tests/core/test_desired.py",),
)
"""The quick ones first; the others only where those notice nothing."""
LINKED = ("mappings", "fixtures", "profiles", "pyproject.toml")


@dataclass(frozen=True)
class Mutant:
    """One rule broken. `also` breaks a second guard of the same rule, where one alone would hide behind it."""

    sentence: str
    file: str
    old: str
    new: str
    also: tuple[tuple[str, str, str], ...] = ()

    @property
    def edits(self) -> tuple[tuple[str, str, str], ...]:
        return ((self.file, self.old, self.new), *self.also)


M = Mutant
NAMES_NOTHING = "if not p.to or not p.purposes or not p.parts or p.names_no_record:"

SILENCE = [
    M("rule 1: a permit without a receiver reaches everyone", "rules/permitting.py", NAMES_NOTHING, "if not p.purposes or not p.parts or p.names_no_record:", (("rules/receivers.py", 'if f"partners/{partner.id}" in p.to:\n        return True\n    if "care', 'if not p.to or f"partners/{partner.id}" in p.to:\n        return True\n    if "care'),)),
    M("rule 1: a permit without purposes is for all of them", "rules/permitting.py", NAMES_NOTHING, "if not p.to or not p.parts or p.names_no_record:", (("rules/permitting.py", "purposes=None if ALL in p.purposes else", "purposes=None if ALL in p.purposes or not p.purposes else"),)),
    M("rule 1: a permit without parts is for all of them", "rules/permitting.py", NAMES_NOTHING, "if not p.to or not p.purposes or p.names_no_record:", (("rules/fields.py", "if ALL not in p.parts:", "if p.parts and ALL not in p.parts:"),)),
    M("rule 1: an empty list of records in a permit names every record", "rules/permitting.py", NAMES_NOTHING, "if not p.to or not p.purposes or not p.parts:"),
    M("rule 1: a leaf whose code nobody knows may be shared", "sight.py", "if part == NEVER or part not in self.rules.rulebook.parts:", "if part == NEVER:", (("sight.py", '.get(table, {}).get(code, "")', '.get(table, {}).get(code, "plan")'),)),
    M("rule 1: no permit that covers it is as good as one", "decide.py", "    if not named:\n        return _silence(standing, element, purpose)\n", "    if not named:\n        return Decision(bool(standing.permits), \"permitted\", \"\", standing.permits[:1])\n"),
]  # fmt: skip

PERMITS = [
    M("rule 2: a consent that is not active permits", "rules/permitting.py", 'if terms.status != "active":', 'if terms.status == "draft":'),
    M("rule 2: a consent that cannot be computed permits", "rules/permitting.py", '    if terms.faults:\n        return "not-computable"\n', ""),
    M("rule 2: an imported consent permits before it is adopted", "rules/permitting.py", '    if terms.imported:\n        return "imported"\n', ""),
    M("rule 2: a revocation counts from the moment after it", "rules/permitting.py", "terms.revoked is not None and terms.revoked <= now:", "terms.revoked is not None and terms.revoked < now:"),
    M("rule 2: a signature dated ahead counts", "rules/permitting.py", " or terms.signed.start is None or terms.signed.start > now:", " or terms.signed.start is None:"),
    M("rule 2: a signature needs no method", "rules/permitting.py", 'if terms.method not in ("signature", "electronic", "verbal"):\n        return "unsigned"', "if False:\n        return \"\""),
    M("rule 2: a verbal consent needs nobody who collected it", "rules/permitting.py", "(not terms.collected or partner.written_only)", "partner.written_only"),
    M("rule 2: a partner that wants it in writing takes what was said", "rules/permitting.py", "(not terms.collected or partner.written_only)", "not terms.collected"),
    M("rule 2: a consent without an end permits", "rules/permitting.py", '    if not terms.ends:\n        return "no-end"\n', "", (("rules/permitting.py", "until=min(end for end in ends if end is not None)", "until=min((end for end in ends if end is not None), default=now)"),)),
    M("rule 2: a consent permits before it begins and after it ends", "rules/permitting.py", "if not terms.period.holds(now):", "if False:"),
    M("rule 2: authority is needed now, not when it was signed", "rules/permitting.py", "if why := g.may_permit(terms, terms.signed.start) or g.may_permit(terms, now):", "if why := g.may_permit(terms, now):"),
    M("rule 2: authority is needed when it was signed, not now", "rules/permitting.py", "if why := g.may_permit(terms, terms.signed.start) or g.may_permit(terms, now):", "if why := g.may_permit(terms, terms.signed.start):"),
    M("rule 2: someone acts under an authority that they do not have", "grantors.py", 'if terms.authority and (terms.authority == "self" or person.authority not in ("", terms.authority)):', "if False:"),
    M("rule 2: a permit's own period needs no end", "rules/permitting.py", "if p.period.start is None or p.period.end is None:", "if p.period.start is None:"),
    M("rule 2: a permit's own period does not narrow it", "rules/permitting.py", "        if not p.period.holds(now):\n", "        if False:\n"),
    M("rule 2: `all` includes partners that came after the signature", "rules/receivers.py", "if signed is not None and rules.rulebook.start_of(partner.since) <= signed:", "if signed is not None:"),
    M("rule 2: `all` leaves out a partner connected on the day of the signature", "rules/receivers.py", "rules.rulebook.start_of(partner.since) <= signed:", "rules.rulebook.start_of(partner.since) < signed:"),
    M("rule 2: a confirmation of one later partner is for all", "rules/receivers.py", "            who == partner.id and on <= now", "            on <= now"),
    M("rule 2: a confirmation dated ahead counts", "rules/receivers.py", "who == partner.id and on <= now and", "who == partner.id and"),
    M("rule 2: anyone may confirm a later partner", "rules/receivers.py", "return by in rules.grantors.current(at) and rules.grantors.child_alone_permits(at) is False", "return True"),
    M("rule 2: `all` parts include those that came after the signature", "rules/fields.py", "if signed and rules.rulebook.start_of(since) <= signed}", "if signed}"),
    M("rule 2: `all` is a permit of every topic", "provisions.py", "- (set() if permits else {ALL}):", "- {ALL}:", (("decide.py", "element.part not in t.parts or t.topics is None or not element.topics <= t.topics:\n        return False", "element.part not in t.parts or t.topics is None or not (ALL in t.topics or element.topics <= t.topics):\n        return False"),)),
    M("rule 2: `all` is a purpose that nobody has", "rules/permitting.py", "purposes=None if ALL in p.purposes else frozenset(p.purposes)", "purposes=frozenset(p.purposes)"),
    M("the care team: a seat that the family did not offer counts", "rules/receivers.py", "s.partner == partner.id and s.invited and s.active and all(", "s.partner == partner.id and s.active and all("),
    M("the care team: a team that is not active counts", "rules/receivers.py", "s.invited and s.active and all(", "s.invited and all("),
    M("the care team: a seat counts before and after its time", "rules/receivers.py", "s.active and all(x.holds(now) for x in s.spans)", "s.active"),
]  # fmt: skip

DENIES = [
    M("order: of two permits of the same, the one that is written first counts", "rules/standing.py", "    permits.sort(key=lambda p: p.until, reverse=True)\n", ""),
    M("rule 3: a deny that names no receiver reaches nobody", "rules/receivers.py", 'if not p.to or "to" in p.unreadable or ALL in p.to or', 'if "to" in p.unreadable or ALL in p.to or'),
    M("rule 3: a deny in a draft counts", "provisions.py", 'return self.status not in ("draft", "entered-in-error")', 'return self.status != "entered-in-error"'),
    M("rule 3: a deny entered in error counts", "provisions.py", 'return self.status not in ("draft", "entered-in-error")', 'return self.status != "draft"'),
    M("rule 3: a deny begins the moment after its consent", "rules/denying.py", "and now < terms.period.start):\n        return False", "and now <= terms.period.start):\n        return False"),
    M("rule 3: a deny ends with its consent", "rules/denying.py", "return aims_at(rules, p, partner) and not lifted", "return terms.period.holds(now) and aims_at(rules, p, partner) and not lifted"),
    M("rule 3: a deny goes when its consent is revoked", "rules/denying.py", "return aims_at(rules, p, partner) and not lifted", 'return terms.status != "revoked" and aims_at(rules, p, partner) and not lifted'),
    M("rule 3: a deny needs a signature", "rules/denying.py", "return aims_at(rules, p, partner) and not lifted", "return terms.signed is not None and aims_at(rules, p, partner) and not lifted"),
    M("rule 3: a deny needs authority", "rules/denying.py", "return aims_at(rules, p, partner) and not lifted", 'return (terms.by == "child" or not rules.grantors.may_permit(terms, now)) and aims_at(rules, p, partner) and not lifted'),
    M("rule 3: a deny outlives its own period", "rules/denying.py", "    if p.period is not None and not p.period.holds(now):\n        return False\n", ""),
    M("rule 3: a later consent that supersedes a deny does not lift it", "rules/denying.py", "return aims_at(rules, p, partner) and not lifted(rules, terms, now)", "return aims_at(rules, p, partner)"),
    M("rule 3: a consent lifts a deny that it does not supersede", "rules/lifting.py", "terms.path in c.supersedes and c.path != terms.path and _lifts(rules, ", "c.path != terms.path and _lifts(rules, "),
    M("rule 3: a consent of the same day lifts", "rules/lifting.py", "    if not strictly:\n        return False\n", ""),
    M("rule 3: anyone who decides may lift what another denied", "rules/lifting.py", 'return later.authority == "court-order"', "return True"),
    M("rule 3: a court order lifts nothing", "rules/lifting.py", 'return later.authority == "court-order"', "return False"),
    M("rule 3: a consent that does not itself count lifts", "rules/lifting.py", "later.signed.start is None or not _has_counted(rules, later, now):", "later.signed.start is None:"),
    M("rule 3: a date of entry does not stand in for a missing signature", "rules/lifting.py", "denied_at = terms.signed.end if terms.signed else terms.entered", "denied_at = terms.signed.end if terms.signed else None"),
    M("rule 3: a child lifts its own deny only with capacity on record", "rules/lifting.py", "return all(g.incapable(at) is False for at in moments)", "return all(g.capable_on_record(at) for at in moments)"),
    M("rule 3: a consent whose author no longer decided when it began lifts", "rules/lifting.py", "if any(g.may_permit(later, at) for at in moments):", "if g.may_permit(later, moments[0]):"),
    M("rule 3: a child lifts its own deny though incapable when that began", "rules/lifting.py", "return all(g.incapable(at) is False for at in moments)", "return g.incapable(moments[0]) is False"),
    M("rule 3: a consent that was revoked before it began lifts", "rules/lifting.py", "    if terms.revoked is not None and terms.revoked <= began:\n        return False\n", ""),
    M("rule 3: a consent that was superseded before it began lifts", "rules/lifting.py", " or superseded(rules, terms, began):", ":"),
    M("rule 3: what was lifted comes back when the later consent has ended", "rules/lifting.py", "    return began <= now\n", "    return later_holds(terms, now)\n", (("rules/lifting.py", "def _is_day(", "def later_holds(terms: Terms, now: datetime) -> bool:\n    return terms.period.holds(now)\n\n\ndef _is_day("),)),
    M("rule 3: a deny of `all` topics hits what has none", "decide.py", "(ALL in t.topics and bool(element.topics))", "ALL in t.topics"),
    M("rule 3: a deny of a part hits every part", "decide.py", "def _touches(t: Test, element: Element, purpose: str) -> bool:\n    if t.purposes is not None and purpose not in t.purposes:\n        return False\n    if t.parts is not None and element.part not in t.parts:\n        return False\n", "def _touches(t: Test, element: Element, purpose: str) -> bool:\n    if t.purposes is not None and purpose not in t.purposes:\n        return False\n"),
    M("rule 3: a deny for one purpose is for every purpose", "decide.py", "def _touches(t: Test, element: Element, purpose: str) -> bool:\n    if t.purposes is not None and purpose not in t.purposes:\n        return False\n", "def _touches(t: Test, element: Element, purpose: str) -> bool:\n"),
    M("rule 3: a deny of two topics hits only what has both", "decide.py", "or bool(t.topics & element.topics)", "or t.topics <= element.topics"),
    M("rule 3: a deny of a sector does not hit a partner whom the case puts there", "rules/receivers.py", "sectors = {*partner.sectors, *rules.sectors.get(partner.id, ())}", "sectors = {*partner.sectors}"),
    M("the care team: a deny to it spares those whose team is over", "rules/receivers.py", "and s.invited for s in rules.seats)", "and s.invited and s.active for s in rules.seats)"),
    M("not computable: an unknown part in a deny denies no part", "rules/fields.py", '_unless("parts" in p.unreadable or ALL in p.parts, p.parts)', "_unless(ALL in p.parts, p.parts)"),
    M("not computable: an unknown purpose in a deny denies no purpose", "rules/fields.py", '_unless("purposes" in p.unreadable or ALL in p.purposes, p.purposes)', "_unless(ALL in p.purposes, p.purposes)"),
    M("not computable: an unknown topic in a deny denies no topic", "rules/fields.py", '_unless("topics" in p.unreadable, p.topics)', "_unless(False, p.topics)"),
    M("not computable: an unknown record in a deny denies no record", "rules/fields.py", '_unless("records" in p.unreadable, records)', "_unless(False, records)"),
    M("not computable: an unknown receiver of a deny is nobody", "rules/receivers.py", 'if not p.to or "to" in p.unreadable or', "if not p.to or"),
    M("not computable: an exception in a consent that cannot be computed releases", "rules/denying.py", '() if terms.faults else p.exceptions', "p.exceptions"),
    M("tombstones: what was added since does not wait", "rules/fields.py", "*(w for tomb in p.records for w in rules.waiting.get(tomb, ()))", ""),
]  # fmt: skip

EXCEPTIONS = [
    M("an exception of a permit carves out nothing", "decide.py", "    return not any(_touches(x, element, purpose) for x in permit.except_for)", "    return True"),
    M("an exception of a permit for another partner carves out here", "rules/permitting.py", "if aims_at(rules, x, partner) and _may_hold(x, now)),", "if _may_hold(x, now)),"),
    M("an exception of a permit outlives its own period", "rules/permitting.py", "if aims_at(rules, x, partner) and _may_hold(x, now)),", "if aims_at(rules, x, partner)),"),
    M("an exception of a deny releases whomever it does not name", "rules/denying.py", "return not x.to or reaches(rules, terms, x, partner, now)", "return True"),
    M("an exception of a deny outlives its own period", "rules/denying.py", "x.period.end is None or not x.period.holds(now)):", "x.period.end is None):"),
    M("an exception of a deny with an empty list of records releases all", "rules/denying.py", "    if x.names_no_record:\n        return False\n", ""),
    M("an exception of a deny for one topic releases what has two", "decide.py", "of_the_denial <= x.topics", "bool(of_the_denial & x.topics)"),
    M("an exception of a deny for another part releases", "decide.py", "def _releases(x: Test, denied: Test, element: Element, purpose: str) -> bool:\n    if x.purposes is not None and purpose not in x.purposes:\n        return False\n    if x.parts is not None and element.part not in x.parts:\n        return False\n", "def _releases(x: Test, denied: Test, element: Element, purpose: str) -> bool:\n    if x.purposes is not None and purpose not in x.purposes:\n        return False\n"),
    M("an exception inside an exception is computed", "provisions.py", "if any(x.unreadable or x.exceptions or x.permits == permits for x in exceptions):", "if any(x.unreadable or x.permits == permits for x in exceptions):"),
    M("an exception of the same effect is computed", "provisions.py", "if any(x.unreadable or x.exceptions or x.permits == permits for x in exceptions):", "if any(x.unreadable or x.exceptions for x in exceptions):"),
]  # fmt: skip

WHOLE = [
    M("rule 4: the topics of all permits together cover an element", "decide.py", "if covers(p, element, purpose)]", "if covers(p, element._replace(topics=element.topics - {t for q in standing.permits for t in q.test.topics or ()}), purpose)]"),
    M("rule 4: the parts of all permits together cover an element", "decide.py", "if covers(p, element, purpose)]", "if any(covers(p, element._replace(part=part), purpose) for q in standing.permits if element.part in (q.test.parts or ()) for part in p.test.parts or ())]"),
    M("rule 4: a permit that names one of an element's topics covers it", "decide.py", "element.part not in t.parts or t.topics is None or not element.topics <= t.topics:\n        return False", "element.part not in t.parts or t.topics is None or (element.topics and not element.topics & t.topics):\n        return False"),
    M("rule 4: a permit of single records is one of all records", "rules/permitting.py", "records=frozenset(p.records) or None,\n        ),\n        except_for=tuple(wide", "records=None,\n        ),\n        except_for=tuple(wide"),
    M("rule 4: a permit for another purpose covers", "decide.py", "    t = permit.test\n    if t.purposes is not None and purpose not in t.purposes:\n        return False\n", "    t = permit.test\n"),
    M("rule 5: a deny does not win", "decide.py", "if (not own or deny.terms.by == CHILD) and hits(", "if not covering and hits("),
    M("rule 5: only a deny of the permit's own consent wins", "decide.py", "if (not own or deny.terms.by == CHILD) and hits(", "if (not own or deny.terms.by == CHILD) and any(p.terms is deny.terms for p in covering) and hits("),
    M("rule 5: only a deny signed after the permit wins", "decide.py", "if (not own or deny.terms.by == CHILD) and hits(", "if (not own or deny.terms.by == CHILD) and not any(p.terms.path < deny.terms.path and p.terms.signed and deny.terms.signed and p.terms.signed.start > deny.terms.signed.start for p in covering) and hits("),
]  # fmt: skip

PEOPLE = [
    M("rule 6: a capable child's permit does not prevail over a parent's deny", "decide.py", "if (not own or deny.terms.by == CHILD) and hits(", "if hits("),
    M("rule 6: a capable child's permit prevails over the child's own deny", "decide.py", "if (not own or deny.terms.by == CHILD) and hits(", "if not own and hits("),
    M("rule 6: below the age a child's permit counts with presumed capacity", "grantors.py", "        return self.capable_on_record(at)\n", "        return self.incapable(at) is False\n"),
    M("rule 6: capacity counts without the name of who assessed it", "grantors.py", "all(capable and named for capable, named in found)", "all(capable for capable, named in found)"),
    M("rule 6: an assessment dated ahead decides", "grantors.py", "if on is not None and on <= at]", "if on is not None]"),
    M("rule 6: any assessment decides, not the latest", "grantors.py", "for on, capable, named in dated if on == last]", "for on, capable, named in dated]"),
    M("rule 6: a parent permits beside a young person of age", "grantors.py", "return None if reached is None or incapable is None else True", "return None if reached is None or incapable is None else False"),
    M("rule 6: where the birth date is missing parents permit", "grantors.py", "        if reached is False:\n            return False\n", "        if not reached:\n            return False\n"),
    M("rule 6: of age means the moment after the birthday began", "grantors.py", "birthday <= at", "birthday < at"),
    M("rule 6: a young person found incapable keeps parents from permitting", "grantors.py", "        if incapable:\n            return False\n", "        if incapable:\n            return True\n"),
    M("rule 6: a young person of age who was found incapable permits", "grantors.py", "            return self.incapable(at) is False\n", "            return True\n"),
    M("rule 6: where decision makers share, one permits alone", "decide.py", "if not standing.sharers:", "if True:"),
    M("rule 6: where decision makers share, two of three are enough", "decide.py", "if len(found) < len(each):", "if len(found) < min(2, len(each)):"),
    M("rule 6: `shared` binds only where all are marked", "grantors.py", "return any(self.people[path].shared for", "return all(self.people[path].shared for"),
    M("rule 6: one whose authority ended must still agree", "grantors.py", "if p.decides and p.held.holds(at)))", "if p.decides))"),
    M("rule 7: a superseded consent still permits", "rules/permitting.py", "if superseded(rules, terms, now):", "if False:"),
    M("rule 7: a draft supersedes", "rules/superseding.py", "        and c.counts_for_denying\n        and not c.imported\n", "        and not c.imported\n"),
    M("rule 7: an imported consent supersedes before it is adopted", "rules/superseding.py", "        and c.counts_for_denying\n        and not c.imported\n", "        and c.counts_for_denying\n"),
    M("rule 7: a successor supersedes before it begins", "rules/superseding.py", "and (c.period.start is None or c.period.start <= now)\n", ""),
    M("rule 7: only a successor that is in force supersedes", "rules/superseding.py", "        and c.counts_for_denying\n        and not c.imported\n", "        and not why_not_in_force(rules, c, _ANYONE, now)\n", (("rules/superseding.py", "    return any(\n", "    from adapter.core.consent.rules.alarms import _ANYONE\n    from adapter.core.consent.rules.permitting import why_not_in_force\n\n    return any(\n"),)),
]  # fmt: skip

PERIODS = [
    M("periods: a span begins the moment after its start", "provisions.py", "self.start <= at)", "self.start < at)"),
    M("periods: a span holds at the midnight after its end", "provisions.py", "at < self.end)", "at <= self.end)"),
    M("periods: the last day is not included", "provisions.py", "rulebook.end_of(date.fromisoformat(end)) if end else None", "rulebook.start_of(date.fromisoformat(end)) if end else None"),
    M("periods: days are days in UTC", "rulebook.py", "return datetime(day.year, day.month, day.day, tzinfo=self.time_zone)", 'return datetime.fromisoformat(f"{day}T00:00:00+00:00")'),
]  # fmt: skip

TOPICS = [
    M("topics: a label that a person set counts for nothing", "topics.py", 'outer.labels.union(entry.get("topics", ()))', "outer.labels"),
    M("topics: a label reaches only the entry it stands on, not those within", "topics.py", 'outer.labels.union(entry.get("topics", ()))', 'frozenset(entry.get("topics", ()))'),
    M("topics: codes imply nothing", "topics.py", "                        found += table.get(str(one), ())", "                        found += ()"),
    M("topics: sectors imply nothing", "topics.py", "                        found += sensitive.get(one, ())", "                        found += ()"),
    M("topics: an organisation of a sensitive sector is itself ordinary", "topics.py", "[*found, *self.sensitive.get(chain[-1], ())]", "found"),
    M("topics: a provider does not take the sector of the organisation", "topics.py", "sensitive[path] = NONE if organization in agencies else sensitive.get(organization, NONE)", "sensitive[path] = NONE"),
    M("topics: in child and enrolment a reference reaches the whole record", "topics.py", "if refs and not quiet and name not in QUIET_FIELDS else None", "if refs and name not in QUIET_FIELDS else None"),
    M("topics: who asked for a referral makes the whole of it sensitive", "topics.py", "if refs and not quiet and name not in QUIET_FIELDS else None", "if refs and not quiet else None"),
    M("topics: in child and enrolment not even the reference is sensitive", "topics.py", "(place.collection in QUIET_RECORDS or name in QUIET_FIELDS)", "name in QUIET_FIELDS"),
    M("topics: leaves of the child carry none of their own", "topics.py", "        extra = leaf.topics\n", "        extra = NONE\n"),
    M("topics: a placement in care is ordinary", "topics.py", "            extra |= self.child_placement", "            extra |= NONE"),
    M("lifted: what was lifted stays", "topics.py", "- lifted - exempt", "- exempt"),
    M("lifted: a label that a person set is lifted too", "topics.py", "reviewed, labels | implied)", "reviewed, (labels - lifted) | implied)"),
    M("lifted: from a plan, it is not lifted from the entries in it", "topics.py", 'outer.lifted.union(entry.get("topics_lifted", ()))', 'frozenset(entry.get("topics_lifted", ()))'),
    M("towards itself: its own service carries the topic of its sector", "topics.py", "exempt = outer.exempt | self.own_topics if own else outer.exempt", "exempt = outer.exempt"),
    M("towards itself: a reference to itself adds the topic of its sector", "topics.py", "if topics and path not in own | ours}", "if topics and path not in ours}"),
    M("towards itself: every service is its own", "topics.py", 'named = {entry.get("organization"), entry.get("provider")}', "named = self.own"),
    M("towards itself: its referral is not its own", "topics.py", 'named = {entry.get("to"), entry.get("from"), entry.get("requested_by")}', "named = set()"),
    M("towards itself: its seat is not its own", "topics.py", 'named = {entry.get("member")}', "named = set()"),
    M("the agency: where two match, both are exempt", "topics.py", "    if len(agencies) != 1:\n        agencies = set()\n", ""),
    M("the agency: it makes things sensitive by its sector", "topics.py", "if topics and path not in own | ours}", "if topics and path not in own}"),
    M("the agency: its coordinator's profession makes her sensitive", "topics.py", "found = [] if chain[-1] in self.ours else", "found ="),
    M("unreviewed: text of a source that labels nothing is ordinary", "topics.py", "            extra |= {UNREVIEWED}", "            extra |= NONE"),
    M("unreviewed: what a person has reviewed stays withheld", "topics.py", "return not place.reviewed and not self", "return not self"),
    M("unreviewed: a record from a source that does not label is taken for one that does", "topics.py", "not self.rulebook.labelled(place.chain[0])", "not self.rulebook.labels_topics"),
    M("unreviewed: a deny of a topic spares it", "decide.py", "or UNREVIEWED in element.topics or bool(", "or bool("),
]  # fmt: skip

PURPOSES = [
    M("referral: anyone sees the package, not only the receiver", "purposes.py", 'if referral.get("to", "") not in topics.own or not _is_open(', "if not _is_open("),
    M("referral: a closed one is open", "purposes.py", "if status not in OPEN or (answer and answer not in OPEN):", "if answer and answer not in OPEN:"),
    M("referral: one that the receiver has refused is open", "purposes.py", "if status not in OPEN or (answer and answer not in OPEN):", "if status not in OPEN:"),
    M("referral: one that nobody answered stays open", "purposes.py", "return standing.now < topics.rulebook.end_of(", "return True or standing.now < topics.rulebook.end_of("),
    M("referral: one that was accepted closes by its day", "purposes.py", "and status in UNANSWERED and answer in", "and answer in"),
    M("referral: the purpose reaches the whole case", "purposes.py", "        return not self.package.isdisjoint(chain)", "        return True"),
    M("referral: the purpose reaches every part of the child", "purposes.py", "return part in CHILD_PARTS", "return True"),
    M("referral: what it lists as shared is not in its package", "purposes.py", '            *referral.get("shares", ()),\n', ""),
    M("referral: its reasons are not in its package", "purposes.py", '*(reason["need"] for reason in referral.get("reasons", ()) if "need" in reason),', ""),
    M("referral: all consents' permits count, though it names one", "decide.py", 'named = [p for p in given if only in ("", p.terms.path)]', "named = given"),
    M("referral: another's permits of decision makers who share do not count", "decide.py", "for p in (*named, *given) if p.terms.by == who", "for p in named if p.terms.by == who"),
    M("purposes: an element is decided for the standing purpose alone", "sight.py", "reached = [n for n, scope in enumerate(self.scopes) if scope.reaches(part, chain)]", "reached = [0]"),
]  # fmt: skip

VIEWS = [
    M("the view: without identity it is not empty", "view.py", 'close(sight, grown, case) if "child" in grown else {}', "close(sight, grown, case)", (("view.py", '    if "child" not in closed:', "    if not closed:"),)),
    M("the view: a record is there without what it needs", "view.py", "        if complete(grown.tree, node):\n            yield", "        if grown.tree:\n            yield"),
    M("the view: an entry is there without what it needs", "sight.py", "        if complete(tree, node):\n            return tree\n", "        if tree:\n            return tree\n"),
    M("the view: consent forms are shown", "view.py", 'in (*DIRECTORY, "consents") or path in forms:', 'in (*DIRECTORY, "consents"):'),
    M("the view: source consents are shown", "sight.py", "if part == NEVER or part not in self.rules", "if part not in self.rules", (("view.py", 'in (*DIRECTORY, "consents") or path in forms:', "in DIRECTORY or path in forms:"),)),
    M("the view: a document that may not be forwarded is", "view.py", 'if collection == "documents" and not forwarded:', "if False:"),
    M("the view: a document does not go back to where it came from", "view.py", 'record.get("may_forward", True) or record.get("originator", "") in sight.topics.own', 'record.get("may_forward", True)'),
    M("closure: a reference to what is withheld stays", "closure.py", "        if seen.value not in self.present:\n", "        if False:\n"),
    M("closure: an entry stays without the reference that it needs", "closure.py", 'if complete(kept, node) and kept.keys() - {"id"}:', 'if kept.keys() - {"id"}:'),
    M("closure: one pass is enough", "closure.py", "        if not sweep.removed:\n", "        if True:\n"),
    M("closure: an entry of which too little is left counts as there", "sight.py", "        del grown.references[before[0] :], grown.entries[before[1] :]\n", "        del grown.references[before[0] :]\n"),
    M("stand-in: it stands in signatures too", "closure.py", 'self.path.startswith("goals/") or', 'self.path.startswith(("goals/", "care_plans/")) or'),
    M("stand-in: nobody stands in on a team", "closure.py", '(self.path.startswith("care_teams/") and trail == "members.member")', "False"),
    M("stand-in: it stands in for one who is topical", "closure.py", "return not place.topics and not any(person in (test.records or ()) for test in named)", "return not any(person in (test.records or ()) for test in named)"),
    M("stand-in: it stands in for one who was denied", "closure.py", "return not place.topics and not any(person in (test.records or ()) for test in named)", "return not place.topics"),
    M("stand-in: it stands in for one whom the exception of a permit leaves out", "closure.py", " + [x for p in standing.permits for x in p.except_for]", ""),
    M("names: an organisation is named where its name may not be", "closure.py", "        if not given:\n            return None\n", "        given = given or verdicts\n"),
    M("names: a name is of the part team", "closure.py", "for part in sorted(parts)]", 'for part in ("team",)]'),
    M("names: the other leaves take the part of what refers, too", "closure.py", "elif isinstance(leaf, Leaf) and leaf.referred:", "elif isinstance(leaf, Leaf) and not leaf.is_id:"),
    M("names: a provider who is named does not bring along the organisation", "closure.py", "                self._collect(named, parts)\n", ""),
    M("identifiers: a number is told to every sector", "sight.py", "return sectors is None or not set(sectors).isdisjoint(partner.sectors)", "return True"),
    M("identifiers: a partner file cannot widen whom a number is told", "sight.py", "    if kind in partner.audience:\n        return True\n", ""),
    M("ranks: they are those of the source", "view.py", "._replace(value=number)}", "}"),
    M("ranks: ties are broken by our own paths", "view.py", '(g["rank"].value, tie(path), path) for', '(g["rank"].value, path, path) for'),
    M("computed values: the program is told without the enrolment", "view.py", 'if "enrolment" in plain and "program" in case:', 'if "program" in case:'),
    M("its own consent: until the latest end", "view.py", "_day(min(p.until for p in found)", "_day(max(p.until for p in found)"),
    M("its own consent: until the day after its end", "view.py", "- timedelta(microseconds=1), zone)", "- timedelta(0), zone)"),
    M("its own consent: a permit's own end is not told", "rules/permitting.py", "ends = [terms.period.end, p.period.end if p.period else None]", "ends = [terms.period.end]"),
    M("its own consent: it names a grantor who is not seen", "view.py", "sorted({p.terms.by for p in found} & there)", "sorted({p.terms.by for p in found})"),
    M("its own consent: the notices that must be kept do not go along", "view.py", "for notice in p.terms.notices}", "for notice in ()}"),
    M("labels: a record's topics do not go along", "view.py", "topics=tuple(sorted({topic for verdict in verdicts for topic in verdict.topics})),", "topics=(),"),
    M("the notice: nothing tells that something was withheld", "view.py", "return View(plain, labels, bool(refused) or kept < whole,", "return View(plain, labels, False,"),
]  # fmt: skip

ENDINGS = [
    M("endings: a date that ran out freezes where the partner file says withdraw", "endings.py", 'if rules.rulebook.partners[partner].after_end == "withdraw":', "if False:"),
    M("endings: nothing is frozen", "endings.py", "    return frozenset(kept)\n", "    return frozenset()\n"),
    M("endings: a revoked consent freezes", "endings.py", "kept |= fresh - _taken_back(case, rules, partner, end, now)", "kept |= fresh"),
    M("endings: whatever was seen when some permit ran out is frozen", "endings.py", "if fresh := lasting - _seen_at(case, rules, partner, end, today):", "if fresh := set(lasting):"),
    M("endings: who is named in what stays does not", "endings.py", '            fresh |= {path for path in lasting if path.split("/")[0] in DIRECTORY}\n', ""),
    M("endings: what a date took before the partner last held what it should is frozen", "endings.py", "        if since is not None and end <= since:\n            continue\n", ""),
    M("endings: what lost its giver's authority on the same day is frozen", "endings.py", "lasting = _seen_at(case, _lasting(rules, end), partner, end, today)", "lasting = _seen_at(case, rules, partner, end - timedelta(microseconds=1), today)"),
    M("endings: what is denied today stays frozen", "endings.py", "for d in (*standing.denies, *today.denies)}", "for d in standing.denies}"),
    M("endings: the birthday of own consent withdraws", "endings.py", "ends = [rules.grantors.own_birthday()]", "ends: list[datetime | None] = []"),
    M("endings: a permit's own end withdraws", "endings.py", "            ends += [p.period.end for p in terms.provisions if p.permits and p.period]\n", ""),
    M("due times: the age of own consent is no change", "endings.py", "[g.own_birthday(), *(on for on, _, _ in g.capacity)]", "[on for on, _, _ in g.capacity]"),
    M("due times: an assessment dated ahead is no change", "endings.py", "[g.own_birthday(), *(on for on, _, _ in g.capacity)]", "[g.own_birthday()]"),
    M("due times: a signature dated ahead is no change", "endings.py", "spans += [terms.period, terms.signed]", "spans += [terms.period]"),
    M("due times: a revocation dated ahead is no change", "endings.py", "        dated.append(terms.revoked)\n", ""),
    M("due times: the period of an exception is no change", "endings.py", "        yield from _all_provisions(p.exceptions)\n", ""),
    M("due times: a confirmation dated ahead is no change", "endings.py", "            dated += [on for _, _, on in p.confirmed]\n", ""),
    M("due times: the end of someone's authority is no change", "endings.py", "[p.held for p in g.people.values()]", "[]"),
    M("due times: the end of a seat is no change", "endings.py", "    spans += [s for seat in rules.seats for s in seat.spans]\n", ""),
    M("due times: the deadline of a referral is no change", "endings.py", 'if "respond_by" in referral:', "if False:"),
]  # fmt: skip

MUTANTS = (
    *SILENCE, *PERMITS, *DENIES, *EXCEPTIONS, *WHOLE, *PEOPLE, *PERIODS, *TOPICS, *PURPOSES, *VIEWS, *ENDINGS,
)  # fmt: skip


def misfits(folder: Path) -> list[str]:
    """Edits whose text does not stand exactly once in its file: the table has fallen behind the source."""
    return [
        f"{number} ({mutant.sentence}): its text stands {found} times in {name}"
        for number, mutant in enumerate(MUTANTS, start=1)
        for name, old, _ in mutant.edits
        if (found := (folder / RULES / name).read_text("utf-8").count(old)) != 1
    ]


def copy_of(source: Path, folder: Path) -> None:
    """The package, its compiled files too (they keep their times), and links to what it reads."""
    shutil.copytree(source / "adapter", folder / "adapter", symlinks=True)
    (folder / "tests").symlink_to((source / "tests").resolve())
    for name in LINKED:
        (folder / name).symlink_to((ROOT / name).resolve())


def break_rule(mutant: Mutant, folder: Path) -> None:
    for name, old, new in mutant.edits:
        file = folder / RULES / name
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            compiled.unlink()


def is_imported(folder: Path) -> bool:
    """Is the package that a test imports the one in `folder`, though the project is installed elsewhere?"""
    asked = [sys.executable, "-c", "import adapter.core.consent.decide as it; print(it.__file__)"]
    done = subprocess.run(asked, cwd=folder, env=environment(folder), capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()).is_relative_to(folder)


def environment(folder: Path) -> dict[str, str]:
    # Without the plugins that these tests do not need, pytest starts in half the time.
    return {**os.environ, "PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def run(folder: Path) -> tuple[int, str]:
    """Run the fast tests against the package in `folder`: the exit code of pytest, and the test that failed."""
    options = ("-x", "-q", "-p", "no:cacheprovider", "-p", "pytest_timeout", "--no-header", "--tb=no")
    for tests in TESTS:
        asked = [sys.executable, "-m", "pytest", *options, *tests]
        done = subprocess.run(asked, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            failed = re.search(r"^(?:FAILED|ERROR) (.*)$", done.stdout, re.MULTILINE)
            name = failed[1].split(" - ")[0] if failed else (done.stdout + done.stderr)[-400:]
            return done.returncode, name.removeprefix("tests/core/")
    return 0, ""


def one(number: int, mutant: Mutant, source: Path) -> str:
    """`caught`, `SURVIVED` or `BROKEN` (the tests could not even be collected), with its line printed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        copy_of(source, folder)
        break_rule(mutant, folder)
        code, test = run(folder)
    verdict = {0: "SURVIVED", 1: "caught"}.get(code, "BROKEN")
    print(f"{number:3} {verdict:8} {mutant.sentence}" + (f"\n             by {test}" if code else ""), flush=True)
    return verdict


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.core.consent.mutants", description=__doc__)
    parser.add_argument("--only", type=int, action="append", help="the number of a mutant (may be given again)")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once (2)")
    asked = parser.parse_args()
    chosen = [(n, m) for n, m in enumerate(MUTANTS, start=1) if not asked.only or n in asked.only]
    with tempfile.TemporaryDirectory() as name:
        # A snapshot: what is edited while this runs changes nothing.
        source = Path(name).resolve()
        for each in ("adapter", "tests"):
            shutil.copytree(ROOT / each, source / each, symlinks=True)
        if wrong := misfits(source):
            print("\n".join(wrong))
            return 1
        whole = source / "whole"
        whole.mkdir()
        copy_of(source, whole)
        if not is_imported(whole):
            print("the tests would import the installed package, not the copy")
            return 1
        code, test = run(whole)
        if code != 0:
            print(f"the tests fail though no rule is broken: {test}")
            return 1
        with ThreadPoolExecutor(asked.jobs) as pool:
            verdicts = list(pool.map(lambda each: one(*each, source), chosen))
    print(f"{len(verdicts)} mutants: " + ", ".join(f"{verdicts.count(v)} {v}" for v in sorted(set(verdicts))))
    return 0 if set(verdicts) == {"caught"} else 1


if __name__ == "__main__":
    sys.exit(main())
