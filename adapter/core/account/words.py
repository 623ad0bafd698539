"""What the family's statement says, in English and French: whole sentences, none of our own words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

LANGUAGES = ("en", "fr")

_EN = {
    "title": "Who received what from your plan",
    "made": "Made on {day} by {agency}.",
    "intro": "This page lists, day by day, what we sent to others from your plan, what we took back, what was told in"
    " another way, and who looked at your plan here. Please ask us about anything that is not clear.",
    "nothing": "Nothing was sent, told or looked at so far.",
    "footer": "“Took back” means that we removed it from the partner's system, or emptied it there, and asked the"
    " partner to remove its copies. We cannot see whether every copy is gone.",
    "us": "Here at our agency",
    "gone": "A partner that we no longer work with",
    "received": "Received from us, new or changed: {parts}.",
    "ended": "We told it that your permission has changed or ended.",
    "taken-back": "We took back: {parts}.",
    "purge": "We asked it to remove its copies of what we took back.",
    "purge-open": "We asked it to remove its copies of what we took back. It has not answered so far.",
    "purge-done": "It answered that it has removed its copies of what we took back.",
    "purge-refused": "It answered that it will not remove its copies of what we took back. Please ask us about it.",
    "purge-not-done": "It answered that it could not remove its copies of what we took back. Please ask us about it.",
    "purge-kept": "It keeps its copies of what we took back. Please ask us about it.",
    "purge-over": "It may have again what we took back before; we no longer ask it to remove its copies.",
    "failed": "We tried to send this, and it did not arrive: {parts}.",
    "unknown": "We sent this, and do not know whether it arrived: {parts}.",
    "open": "We began to send this, and no answer is on record: {parts}.",
    "not-taken-back": "We tried to take this back, without success so far: {parts}.",
    "purge-failed": "We tried to ask it to remove its copies; the request did not arrive.",
    "frozen": "We send no more updates of this, because your permission ran out. It keeps what it received: {parts}.",
    "looked": "{by} looked at your plan.",
    "looked-view": "{by} looked at what a partner can see of your plan.",
    "told": "Was told {how}: {parts}.",
    "nothing-named": "details of the plan",
    "purposes": "What for: {purposes}.",
    "consents": "Your permission: {consents}.",
    "basis": "The reason in law: {basis}.",
    "by": "Told by: {by}.",
    "times": "{times} times.",
    "consent": "signed on {day}",
    "consent-unknown": "the one on file with us",
    "columns": "Day|Who|What happened|Parts|What for|Your permission|How|Reason in law|Told by|Times",
}
_FR = {
    "title": "Qui a reçu quoi de votre plan",
    "made": "Préparé le {day} par {agency}.",
    "intro": "Cette page présente, jour par jour, ce que nous avons envoyé à d'autres à partir de votre plan, ce que"
    " nous avons repris, ce qui a été dit autrement, et qui a consulté votre plan chez nous. N'hésitez pas à nous"
    " demander ce qui n'est pas clair.",
    "nothing": "Rien n'a été envoyé, dit ou consulté jusqu'à présent.",
    "footer": "« Repris » veut dire que nous l'avons retiré du système du partenaire, ou que nous l'y avons vidé, et"
    " que nous avons demandé au partenaire de supprimer ses copies. Nous ne pouvons pas voir si toutes les copies ont"
    " disparu.",
    "us": "Ici, à notre organisme",
    "gone": "Un partenaire avec qui nous ne travaillons plus",
    "received": "A reçu de nous, nouveau ou modifié : {parts}.",
    "ended": "Nous lui avons dit que votre permission a changé ou a pris fin.",
    "taken-back": "Nous avons repris : {parts}.",
    "purge": "Nous lui avons demandé de supprimer ses copies de ce que nous avons repris.",
    "purge-open": "Nous lui avons demandé de supprimer ses copies de ce que nous avons repris. Il n'a pas encore"
    " répondu.",
    "purge-done": "Il a répondu qu'il a supprimé ses copies de ce que nous avons repris.",
    "purge-refused": "Il a répondu qu'il ne supprimera pas ses copies de ce que nous avons repris. N'hésitez pas à nous"
    " en parler.",
    "purge-not-done": "Il a répondu qu'il n'a pas pu supprimer ses copies de ce que nous avons repris. N'hésitez pas à"
    " nous en parler.",
    "purge-kept": "Il garde ses copies de ce que nous avons repris. N'hésitez pas à nous en parler.",
    "purge-over": "Il peut avoir de nouveau ce que nous avions repris ; nous ne lui demandons plus de supprimer ses"
    " copies.",
    "failed": "Nous avons essayé d'envoyer ceci, et ce n'est pas arrivé : {parts}.",
    "unknown": "Nous avons envoyé ceci, sans savoir si c'est arrivé : {parts}.",
    "open": "Nous avons commencé à envoyer ceci, et aucune réponse n'est notée : {parts}.",
    "not-taken-back": "Nous avons essayé de reprendre ceci, sans succès jusqu'à présent : {parts}.",
    "purge-failed": "Nous avons essayé de lui demander de supprimer ses copies ; la demande n'est pas arrivée.",
    "frozen": "Nous n'envoyons plus de mises à jour de ceci, parce que votre permission est arrivée à sa fin. Il garde"
    " ce qu'il a reçu : {parts}.",
    "looked": "{by} a consulté votre plan.",
    "looked-view": "{by} a consulté ce qu'un partenaire peut voir de votre plan.",
    "told": "A été informé {how} : {parts}.",
    "nothing-named": "des détails du plan",
    "purposes": "Pourquoi : {purposes}.",
    "consents": "Votre permission : {consents}.",
    "basis": "La raison en droit : {basis}.",
    "by": "Dit par : {by}.",
    "times": "{times} fois.",
    "consent": "signée le {day}",
    "consent-unknown": "celle que nous avons au dossier",
    "columns": "Jour|Qui|Ce qui s'est passé|Parties|Pourquoi|Votre permission|Comment|Raison en droit|Dit par|Fois",
}
SENTENCES: Mapping[str, Mapping[str, str]] = MappingProxyType({"en": _EN, "fr": _FR})
"""Language → name → sentence."""

PURPOSES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "care-coordination": {"en": "coordinating care", "fr": "la coordination des soins"},
        "referral": {"en": "a referral", "fr": "un aiguillage"},
        "treatment": {"en": "treatment", "fr": "un traitement"},
        "education-planning": {"en": "planning at school", "fr": "la planification à l'école"},
        "service-resolution": {"en": "finding services", "fr": "la recherche de services"},
        "quality": {"en": "making services better", "fr": "l'amélioration des services"},
    }
)
ROLES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "coordinator": {"en": "A coordinator", "fr": "Une personne chargée de la coordination"},
        "privacy": {"en": "A privacy officer", "fr": "Une personne chargée de la vie privée"},
        "admin": {"en": "An administrator", "fr": "Une personne chargée de l'administration"},
    }
)
SOMEONE: Mapping[str, str] = MappingProxyType({"en": "Someone", "fr": "Une personne"})
HOW: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "fax": {"en": "by fax", "fr": "par télécopieur"},
        "telephone": {"en": "by telephone", "fr": "par téléphone"},
        "mail": {"en": "by mail", "fr": "par la poste"},
        "email": {"en": "by e-mail", "fr": "par courriel"},
        "in-person": {"en": "in person", "fr": "en personne"},
        "other": {"en": "in another way", "fr": "d'une autre façon"},
    }
)
"""How something can be told outside of the adapter; the codes are what a person enters."""
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}


def day_in(language: str, day: date) -> str:
    """`3 October 2026`, `1er octobre 2026`."""
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    return f"{number} {_MONTHS[language].split()[day.month - 1]} {day.year}"
