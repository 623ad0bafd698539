"""What the document says around the family's own words, in English and French."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from adapter.core.account.words import day_in

_EN = {
    "title": "Coordinated service plan",
    "as-of": "As of {day}",
    "child": "About {name}", "name": "Name", "called": "Is called", "born": "Born", "pronouns": "Pronouns",
    "languages": "Languages", "school": "School", "grade": "Grade {grade}", "likes": "Likes", "dislikes": "Dislikes",
    "works": "What works", "interpreter": "with an interpreter", "placement": "Lives now",
    "team": "The team", "team-who": "Who", "team-role": "Role", "team-where": "From", "lead": "{role}, leads the team",
    "plan": "The plan", "vision": "What we hope for", "about-me": "About me", "period": "In force",
    "review": "Next review", "signed": "Agreed by",
    "goals": "Goals", "goal-what": "In our own words", "goal-why": "Why it matters", "goal-state": "Where it stands",
    "measure": "Measured by", "baseline": "At the start", "target": "Target", "due": "By", "barriers": "In the way",
    "steps": "Steps", "step-what": "What", "step-who": "Who", "step-due": "By when", "step-state": "State",
    "progress": "Progress", "goal-by": "Set by",
    "services": "Services", "service": "Service", "service-who": "From", "service-how": "How often and where",
    "service-state": "State",
    "transitions": "Changes that are coming", "needs": "Needs", "need": "Need", "urgency": "How urgent",
    "need-state": "State", "strengths": "Strengths", "whose": "Whose", "strength": "Strength", "risks": "Risks",
    "risk": "Risk", "helps": "What helps", "watches": "Who watches",
    "assessments": "Assessments",
    "consent": "Who may see this",
    "allowed": "{partner} may see this for {purposes}.", "until": "This permission ends on {day} at the latest.",
    "pass-on": "It may not be passed on without the family's consent.",
    "more": "What else the document holds",
    "family": "A family member", "the-child": "The child", "the-family": "The family",
    "from-to": "{start} to {end}", "from": "since {start}", "to": "until {end}",
}  # fmt: skip
_FR = {
    "title": "Plan de services coordonnés",
    "as-of": "En date du {day}",
    "child": "À propos de {name}", "name": "Nom", "called": "Se fait appeler", "born": "Date de naissance",
    "pronouns": "Pronoms", "languages": "Langues", "school": "École", "grade": "{grade}e année", "likes": "Aime",
    "dislikes": "N'aime pas", "works": "Ce qui aide", "interpreter": "avec interprète", "placement": "Vit présentement",
    "team": "L'équipe", "team-who": "Qui", "team-role": "Rôle", "team-where": "De", "lead": "{role}, dirige l'équipe",
    "plan": "Le plan", "vision": "Ce que nous espérons", "about-me": "À propos de moi", "period": "En vigueur",
    "review": "Prochaine révision", "signed": "Accepté par",
    "goals": "Objectifs", "goal-what": "Dans nos mots", "goal-why": "Pourquoi c'est important",
    "goal-state": "Où on en est", "measure": "Mesuré par", "baseline": "Au départ", "target": "Cible",
    "due": "Échéance", "barriers": "Obstacles", "steps": "Étapes", "step-what": "Quoi", "step-who": "Qui",
    "step-due": "Échéance", "step-state": "État", "progress": "Progrès", "goal-by": "Fixé par",
    "services": "Services", "service": "Service", "service-who": "De", "service-how": "Fréquence et lieu",
    "service-state": "État",
    "transitions": "Changements à venir", "needs": "Besoins", "need": "Besoin", "urgency": "Urgence",
    "need-state": "État", "strengths": "Forces", "whose": "De qui", "strength": "Force", "risks": "Risques",
    "risk": "Risque", "helps": "Ce qui aide", "watches": "Qui veille",
    "assessments": "Évaluations",
    "consent": "Qui peut voir ceci",
    "allowed": "{partner} peut voir ceci pour {purposes}.",
    "until": "Cette permission prend fin au plus tard le {day}.",
    "pass-on": "Ceci ne peut être transmis sans le consentement de la famille.",
    "more": "Ce que le document contient aussi",
    "family": "Un membre de la famille", "the-child": "L'enfant", "the-family": "La famille",
    "from-to": "du {start} au {end}", "from": "depuis le {start}", "to": "jusqu'au {end}",
}  # fmt: skip
WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType({"en": _EN, "fr": _FR})
"""Language → name → words."""


def day(language: str, written: str) -> str:
    """A record's date as people read it; what is no whole day stays as it is written."""
    try:
        return day_in(language, date.fromisoformat(written[:10]))
    except ValueError:
        return written
