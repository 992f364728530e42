"""What a match is judged by, signal by signal: each says how well two records fit, from 0 to 1, and a sentence why.

What a need does not ask for is not counted. What an offer does not say gives no points. `POINTS` is the first version of
the weights; staff make others (`MatchWeights`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from ground import listing
from ground.templatetags.portal import in_words
from partners.models import Country, CountryGroup, Region
from projects.choices import CostTerms, Matched, Maturity, Signal, Unit
from projects.matching import facts, words
from projects.matching.facts import Asked, Given
from projects.matching.texts import Fit
from projects.matching.words import number, of_concept

POINTS = {
    Signal.WORDS: 20, Signal.MEANING: 20, Signal.THEMES: 15, Signal.ASSISTANCE: 12, Signal.GOALS: 5, Signal.LANGUAGES: 6,
    Signal.PLACES: 4, Signal.COST: 4, Signal.MATURITY: 5, Signal.CAPACITY: 5, Signal.DATES: 2, Signal.EXPERIENCE: 4, Signal.SOUTH: 6,
    Signal.SET_ASIDE: 6,
}  # fmt: skip
STRETCH = 1.4  # texts that fit as well as texts can share two thirds of their words and meaning
NEAR_THEME = 0.4  # beside 1 for the same theme
WORTH_SAYING = 0.4  # of a fit of texts, from which on it is given as a reason
WORLDWIDE = "001"
LARGEST_GROUP = 60  # members; that two countries are both in half the world says nothing
LADDER = [Maturity.RESEARCH, Maturity.DEMONSTRATED, Maturity.PROVEN, Maturity.WIDESPREAD]


@dataclass
class Told:
    """How one signal judges a match. `reason` makes the sentence, in the reader's language; `speaks_against` marks its kind."""

    value: float
    reason: Callable[[], str] | None = None
    speaks_against: bool = False


def judge(need: Asked, given: Given, fit: Fit, world: "World") -> dict[Signal, Told]:
    """Every signal that applies to the two."""
    told = {signal: judgement(need, given, fit, world) for signal, judgement in JUDGEMENTS.items()}
    return {signal: one for signal, one in told.items() if one is not None}


class World:
    """What all comparisons of a search share. Names are looked up when a sentence needs them."""

    @cached_property
    def south(self) -> set[int]:
        return facts.south()

    @cached_property
    def country_names(self) -> dict[int, str]:
        return {country.pk: country.name for country in Country.objects.all()}

    @cached_property
    def region_names(self) -> dict[int, str]:
        return {region.pk: region.name for region in Region.objects.exclude(code=WORLDWIDE)}

    @cached_property
    def group_names(self) -> dict[int, str]:
        """Of groups that are small enough to say something."""
        telling = CountryGroup.objects.annotate(size=Count("members")).filter(size__lte=LARGEST_GROUP)
        return {group.pk: group.acronym or group.name for group in telling}


# --- texts -----------------------------------------------------------------------------------------------------------
def _by_words(need: Asked, given: Given, fit: Fit, world: World) -> Told:
    value = min(1.0, fit.words * STRETCH)
    return Told(value, lambda: _both_name(fit))


def _both_name(fit: Fit) -> str:
    known = words.thesaurus()
    by_number = {number(of_concept(code)): code for code in known.use}
    codes = [by_number[term] for term in fit.shared if term in by_number]
    codes = [code for code in codes if known.use[code] == "topic"]
    broader = {known.broader.get(code) for code in codes}
    named = [known.label(code, get_language() or "en") for code in codes if code not in broader][:4]
    return _("Both speak of %(subjects)s.") % {"subjects": _listed(named)} if named else ""


def _by_meaning(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    if fit.meaning is None:
        return None
    value = min(1.0, fit.meaning * STRETCH)
    if fit.meaning < WORTH_SAYING:
        return Told(value)
    return Told(value, lambda: _("The two texts are about much the same, also where they use other words."))


# --- what they name --------------------------------------------------------------------------------------------------
def _by_themes(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    if not need.themes:
        return None
    same = [term for key, term in need.themes.items() if key in given.terms]
    near = [term for key, term in need.near.items() if key in given.terms]
    left = len(need.themes) - len(same)
    value = (len(same) + NEAR_THEME * min(left, len(near))) / len(need.themes)
    if same:
        return Told(value, lambda: _("Same theme: %(themes)s.") % {"themes": _listed(t.name for t in same)})
    if near:
        return Told(value, lambda: _("A near theme: %(themes)s.") % {"themes": _listed(t.name for t in near)})
    return Told(0, lambda: _("It names none of the need's themes."), True)


def _by_assistance(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    if not need.assistance:
        return None
    same = [term for key, term in need.assistance.items() if key in given.terms]
    value = len(same) / len(need.assistance)
    if not same:
        return Told(0, lambda: _("It is another kind of help than the one that is asked for."), True)
    if given.kind == Matched.PROJECT:
        return Told(value, lambda: _("The same kind of help: %(kinds)s.") % {"kinds": _listed(t.name for t in same)})
    return Told(value, lambda: _("They offer what is asked for: %(kinds)s.") % {"kinds": _listed(t.name for t in same)})


def _by_goals(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    if not need.goals:
        return None
    same = [term for key, term in need.goals.items() if key in given.terms]
    if not same:
        return Told(0)
    above = {term.parent_id for term in same}
    narrowest = [term for term in same if term.pk not in above]
    return Told(min(1.0, len(same) / min(2, len(need.goals))), lambda: _("Both serve %(goals)s.") % {"goals": _listed(narrowest[:2])})  # fmt: skip


# --- terms of working together ---------------------------------------------------------------------------------------
def _by_languages(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    if not need.need.languages or given.offer is None:
        return None
    theirs = {words.base(code) for code in given.offer.languages}
    if not theirs:
        return Told(0, lambda: _("It does not say in which languages they work."), True)
    common = [code for code in need.need.languages if words.base(code) in theirs]
    if not common:
        return Told(0, lambda: _("No language of work in common."), True)
    return Told(1, lambda: _("Both work in %(languages)s.") % {"languages": _listed(in_words(code) for code in common)})


def _by_places(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    home, away = need.need.country_id, given.places.countries - {need.need.country_id}
    if not away:
        return None
    groups = [key for key in need.places.groups & given.places.groups if key in world.group_names]
    regions = [key for key in need.places.regions & given.places.regions if key in world.region_names]
    value = min(1.0, 0.5 * bool(regions) + 0.25 * len(groups))
    if not value:
        return Told(0)
    other = next(iter(sorted(away)))

    def names() -> dict[str, str]:
        return {"one": world.country_names[home], "other": world.country_names[other]}

    if groups and len(away) == 1:
        shared = _listed(world.group_names[key] for key in sorted(groups)[:2])
        return Told(
            value, lambda: _("%(one)s and %(other)s share a group: %(groups)s.") % {**names(), "groups": shared}
        )
    if regions and len(away) == 1:
        shared = world.region_names[min(regions)]
        return Told(
            value,
            lambda: _("%(one)s and %(other)s are in the same region: %(region)s.") % {**names(), "region": shared},
        )
    return Told(value)


def _by_cost(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    if given.offer is None:
        return None
    if not given.lines:
        return Told(0)
    free = [line.cost == CostTerms.FREE for line in given.lines]
    value = 0.2 + 0.8 * sum(free) / len(free)
    if all(free):
        return Told(value, lambda: _("Free of charge."))
    return Told(value, lambda: _("Part of it is at cost.") if any(free) else _("It is at cost."), True)


def _by_maturity(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    least = need.need.maturity
    if not (need.need.is_technology and least and given.offer is not None and given.offer.kind == "technology"):
        return None
    theirs = given.offer.maturity
    if not theirs:
        return Told(0, lambda: _("It does not say how mature the technology is."), True)
    name = Maturity(theirs).label
    if LADDER.index(theirs) >= LADDER.index(least):
        return Told(1, lambda: _("The technology is mature enough: %(maturity)s.") % {"maturity": name})
    return Told(
        0, lambda: _("The technology is less mature than what is accepted: %(maturity)s.") % {"maturity": name}, True
    )


def _by_capacity(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    there, wanted = given.amounts, {}
    for line in need.lines:
        if line.quantity and (what := (line.assistance_id, line.unit)) in there:
            wanted[what] = wanted.get(what, 0) + line.quantity
    if not wanted:
        return None
    shares = {what: min(1.0, float(there[what] / asked)) for what, asked in wanted.items()}
    scarcest = min(shares, key=lambda what: (shares[what], str(what)))

    def say() -> str:
        return _("%(there)s %(unit)s are on offer, %(asked)s are asked for.") % {
            "there": _amount(there[scarcest]),
            "asked": _amount(wanted[scarcest]),
            "unit": Unit(scarcest[1]).label,
        }

    return Told(sum(shares.values()) / len(shares), say, shares[scarcest] < 0.5)


def _by_dates(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    latest = need.latest
    if latest is None or given.offer is None or given.offer.available_from is None:
        return None
    if given.offer.available_from <= latest:
        return Told(1, lambda: _("It can begin before the day by which it is needed."))
    day = given.offer.available_from
    return Told(0, lambda: _("It begins on %(day)s, later than it is needed.") % {"day": date_format(day)}, True)


def _by_experience(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    home = need.need.country_id
    past = given.past if given.offer is not None else dict.fromkeys(given.served, 1)
    if home in past:
        n = past[home]
        return Told(1, lambda: ngettext("%(n)s project of theirs in %(country)s is on record.", "%(n)s projects of theirs in %(country)s are on record.", n) % {"n": n, "country": world.country_names[home]})  # fmt: skip
    return Told(min(0.6, 0.15 * len(past))) if past else Told(0)


def _by_south(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    home = given.places.countries
    if not home:
        return Told(0.5)  # a body of the United Nations, a regional forum
    ours = home & world.south
    if not ours:
        return Told(0, lambda: _("Its provider is not from the South; together with one that is, it would be triangular cooperation."), True)  # fmt: skip

    def say() -> str:
        return _("From the South: %(countries)s.") % {
            "countries": _listed(world.country_names[key] for key in sorted(ours)[:2])
        }

    return Told(1, say)


def _by_set_aside(need: Asked, given: Given, fit: Fit, world: World) -> Told | None:
    own = {*need.themes, *need.assistance}
    if not given.unwanted or not own:
        return None
    alike = max(len(own & other) / len(own) for other in given.unwanted)
    if alike < 0.5:
        return Told(1)
    return Told(1 - alike, lambda: _("They set aside a similar need as outside what they do."), True)


JUDGEMENTS = {
    Signal.WORDS: _by_words,
    Signal.MEANING: _by_meaning,
    Signal.THEMES: _by_themes,
    Signal.ASSISTANCE: _by_assistance,
    Signal.GOALS: _by_goals,
    Signal.LANGUAGES: _by_languages,
    Signal.PLACES: _by_places,
    Signal.COST: _by_cost,
    Signal.MATURITY: _by_maturity,
    Signal.CAPACITY: _by_capacity,
    Signal.DATES: _by_dates,
    Signal.EXPERIENCE: _by_experience,
    Signal.SOUTH: _by_south,
    Signal.SET_ASIDE: _by_set_aside,
}


# --- how sentences name things ---------------------------------------------------------------------------------------
def _listed(names) -> str:
    """Names one after the other. Many hold an “and” of their own, so none stands between them."""
    return listing.with_semicolons(names)


def _amount(number) -> str:
    return f"{number:,.2f}".rstrip("0").rstrip(".").replace(",", "\u202f")
