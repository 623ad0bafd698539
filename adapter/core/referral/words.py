"""What the page of a signed link says around the family's own words, in English and French.

Codes are told by their ConceptMap in English, and by `FRENCH` in French; a code that is in neither stands as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from adapter.core.mapping.codes import ConceptMap

Codes = Mapping[str, ConceptMap]

_EN = {
    "site": "Coordinated service planning", "skip": "Skip to the content", "page": "A referral",
    "other-language": "Français", "code-title": "A referral for your agency",
    "code-intro": "Please enter the code that was given to you in another way, by telephone or by text message. Nobody"
    " learns that this page was opened, and nothing changes until you enter it.",
    "code": "Code (8 digits)", "open": "Open", "shut-title": "This does not open",
    "shut": "The code is not the right one, or the link is not in force any more. After several wrong codes a link"
    " rests for a quarter of an hour. If you think that it should open, please call the agency that sent it to you.",
    "again": "Try again", "from": "A referral from {agency}",
    "thanks": "Thank you: your answer has been given to {agency}.", "wrong": "This is not an answer yet:",
    "state": "State:", "state-draft": "not sent yet", "state-requested": "waiting for your answer",
    "state-received": "received", "state-accepted": "accepted", "state-in-progress": "in progress",
    "state-on-hold": "on hold", "state-completed": "completed", "state-rejected": "declined",
    "state-cancelled": "cancelled", "state-failed": "could not be done", "state-entered-in-error": "entered in error",
    "permits": "What is shown here is what the family permits today. Please do not pass it on"
    " without their consent.",
    "answer-title": "Your answer", "answer-what": "What do you answer?",
    "do-accepted": "We accept", "do-rejected": "We decline", "do-in-progress": "We have started",
    "do-on-hold": "We put it on hold", "do-completed": "We have completed it", "do-failed": "It could not be done",
    "do-cancelled": "It has been cancelled", "do-schedule": "There is an appointment",
    "day": "On which day", "reason": "Why, where you decline, hold or end it",
    "result": "What came of it, where it is completed", "answer": "Answer",
    "wrong-accept-first": "An appointment: accept the referral first.",
    "wrong-day": "On which day: the day of the appointment, such as 2027-01-31.",
    "wrong-not-now": "What you answer: this cannot be answered now.", "wrong-reason": "Why: please say why.",
    "wrong-long": "A text is too long: at most 5000 characters.",
    "section-referral": "The referral", "section-child": "The child", "section-needs": "A need",
    "section-strengths": "A strength", "section-documents": "A document", "section-care_plans": "A service now",
    "important": "Important",
    "do-not-contact": "Do not contact the family: speak with the agency that refers.",
    "asked-for": "What is asked for", "urgent": "How urgent", "why": "Why",
    "story": "What the family has told already", "sender": "From", "asked-by": "Asked by", "to": "To",
    "support": "Support needed", "introduces": "Who introduces the family", "contact-person": "Whom to speak with",
    "meeting": "Meeting", "how": "How", "receives": "Receives now", "waits": "Waits for", "by": "Please answer by",
    "name": "Name", "called": "Prefers to be called", "born": "Born on", "language": "Language",
    "interpreter": "{language}, with an interpreter", "telecom": "Contact", "address": "Address",
    "service": "Service", "often": "How often", "title": "Title", "in-words": "In words", "date": "Date",
}  # fmt: skip
_FR = {
    "site": "Planification coordonnée des services", "skip": "Aller au contenu", "page": "Une demande de services",
    "other-language": "English", "code-title": "Une demande de services pour votre organisme",
    "code-intro": "Veuillez entrer le code qui vous a été donné autrement, par téléphone ou par message texte."
    " Personne n'apprend que cette page a été ouverte, et rien ne change tant que vous ne l'avez pas entré.",
    "code": "Code (8 chiffres)", "open": "Ouvrir", "shut-title": "Ceci ne s'ouvre pas",
    "shut": "Le code n'est pas le bon, ou le lien n'est plus en vigueur. Après plusieurs codes erronés, un lien se"
    " repose pendant un quart d'heure. Si vous pensez qu'il devrait s'ouvrir, veuillez appeler l'organisme qui vous"
    " l'a envoyé.",
    "again": "Réessayer", "from": "Une demande de services de {agency}",
    "thanks": "Merci : votre réponse a été transmise à {agency}.", "wrong": "Ceci n'est pas encore une réponse :",
    "state": "État :", "state-draft": "pas encore envoyée", "state-requested": "attend votre réponse",
    "state-received": "reçue", "state-accepted": "acceptée", "state-in-progress": "en cours",
    "state-on-hold": "en attente", "state-completed": "terminée", "state-rejected": "refusée",
    "state-cancelled": "annulée", "state-failed": "n'a pas abouti", "state-entered-in-error": "inscrite par erreur",
    "permits": "Ce qui est montré ici est ce que la famille permet aujourd'hui. Veuillez ne pas le"
    " transmettre sans son consentement.",
    "answer-title": "Votre réponse", "answer-what": "Que répondez-vous?",
    "do-accepted": "Nous acceptons", "do-rejected": "Nous refusons", "do-in-progress": "Nous avons commencé",
    "do-on-hold": "Nous la mettons en attente", "do-completed": "Nous avons terminé",
    "do-failed": "Cela n'a pas pu se faire", "do-cancelled": "Elle a été annulée",
    "do-schedule": "Il y a un rendez-vous",
    "day": "Quel jour", "reason": "Pourquoi, si vous refusez, mettez en attente ou mettez fin",
    "result": "Ce qui en est ressorti, si c'est terminé", "answer": "Répondre",
    "wrong-accept-first": "Un rendez-vous : acceptez d'abord la demande.",
    "wrong-day": "Quel jour : le jour du rendez-vous, par exemple 2027-01-31.",
    "wrong-not-now": "Votre réponse : elle n'est pas possible en ce moment.",
    "wrong-reason": "Pourquoi : veuillez dire pourquoi.",
    "wrong-long": "Un texte est trop long : 5000 caractères au plus.",
    "section-referral": "La demande", "section-child": "L'enfant", "section-needs": "Un besoin",
    "section-strengths": "Une force", "section-documents": "Un document", "section-care_plans": "Un service actuel",
    "important": "Important",
    "do-not-contact": "Ne communiquez pas avec la famille : parlez à l'organisme qui fait la demande.",
    "asked-for": "Ce qui est demandé", "urgent": "Urgence", "why": "Pourquoi",
    "story": "Ce que la famille a déjà raconté", "sender": "De", "asked-by": "Demandé par", "to": "À",
    "support": "Soutien nécessaire", "introduces": "Qui présente la famille", "contact-person": "À qui parler",
    "meeting": "Rencontre", "how": "Comment", "receives": "Reçoit en ce moment", "waits": "Attend",
    "by": "Veuillez répondre au plus tard le",
    "name": "Nom", "called": "Se fait appeler", "born": "Date de naissance", "language": "Langue",
    "interpreter": "{language}, avec interprète", "telecom": "Coordonnées", "address": "Adresse",
    "service": "Service", "often": "Fréquence", "title": "Titre", "in-words": "En mots", "date": "Date",
}  # fmt: skip
WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType({"en": _EN, "fr": _FR})
"""Language → name → words."""

FRENCH: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "business-status": {
            "scheduled": "Rendez-vous fixé", "no-show": "Absence", "waitlisted": "Sur la liste d'attente",
            "awaiting-information": "En attente de renseignements", "introduced": "Présentations faites",
            "contact-made": "Contact établi", "first-appointment": "Premier rendez-vous",
            "at-capacity": "Complet", "appointment-cancelled": "Rendez-vous annulé",
            "appointment-held": "Rendez-vous tenu", "cancellation-requested": "Annulation demandée",
            "declined-by-family": "Refusée par la famille",
        },
        "referral-priority": {"immediate": "Immédiate", "routine": "Courante", "urgent": "Urgente"},
        "handover-how": {
            "in-person": "En personne", "letter": "Par lettre", "online": "En ligne", "other": "Autrement",
            "phone": "Par téléphone",
        },
        "support": {
            "accessible": "Accessibilité", "accessible-place": "Lieu accessible", "childcare": "Garde d'enfants",
            "interpreter": "Interprète", "support-person": "Personne de soutien", "translator": "Traduction",
            "transport": "Transport",
        },
        "reason": {
            "behaviour": "Comportement", "child-welfare": "Protection de l'enfance", "communication": "Communication",
            "complex-needs": "Besoins complexes", "diagnosis": "Diagnostic", "family-support": "Soutien à la famille",
            "family-violence": "Violence familiale", "finances": "Finances", "housing": "Logement",
            "justice": "Justice", "learning": "Apprentissage", "medical-needs": "Besoins médicaux",
            "mental-health": "Santé mentale", "mobility": "Mobilité", "respite": "Répit", "safety": "Sécurité",
            "school-support": "Soutien à l'école", "self-care": "Soins personnels", "service-gap": "Manque de services",
            "sexual-health": "Santé sexuelle", "substance-use": "Consommation de substances",
            "transition": "Transition",
        },
        "service": {
            "accommodation": "Hébergement", "addiction-counselling": "Counseling en toxicomanie",
            "addictions-counselling": "Counseling en toxicomanie", "advocacy": "Défense des droits",
            "assessment": "Évaluation", "assistive-technology": "Technologie d'assistance", "audiology": "Audiologie",
            "augmentative-communication": "Communication améliorée", "autism-services": "Services en autisme",
            "behaviour-support": "Soutien au comportement", "camp": "Camp",
            "child-and-youth-counselling": "Counseling pour enfants et jeunes", "child-care": "Garde d'enfants",
            "child-protection": "Protection de l'enfance", "child-welfare": "Bien-être de l'enfance",
            "co-op-education": "Enseignement coopératif", "coordination": "Coordination des services",
            "counselling": "Counseling", "crisis-counselling": "Counseling en situation de crise",
            "cultural-support": "Soutien culturel", "day-treatment": "Traitement de jour",
            "dental-care": "Soins dentaires", "developmental-services": "Services aux personnes ayant une déficience",
            "early-intervention": "Intervention précoce", "education": "Éducation",
            "educational-assistance": "Aide-enseignement", "family-counselling": "Counseling familial",
            "family-preservation": "Maintien de la famille", "family-reunification": "Réunification familiale",
            "family-support": "Soutien à la famille", "family-violence-support": "Soutien en violence familiale",
            "financial-support": "Aide financière", "foster-care": "Famille d'accueil",
            "gender-affirming-care": "Soins d'affirmation de genre", "genetic-counselling": "Conseil génétique",
            "genetics": "Génétique", "group-care": "Foyer de groupe", "hiv-care": "Soins liés au VIH",
            "home-adaptation": "Adaptation du domicile", "housing-support": "Aide au logement",
            "immigration": "Immigration", "in-home-respite": "Répit à domicile", "income-support": "Aide au revenu",
            "infant-development": "Développement du nourrisson", "interpretation": "Interprétation",
            "kinship-care": "Garde par la parenté", "legal-aid": "Aide juridique", "legal-support": "Soutien juridique",
            "medical": "Services médicaux", "medical-care": "Soins médicaux", "mental-health": "Santé mentale",
            "mental-health-counselling": "Counseling en santé mentale", "mentoring": "Mentorat",
            "nursing": "Soins infirmiers", "nutrition": "Nutrition", "occupational-therapy": "Ergothérapie",
            "other": "Un autre service", "paediatrics": "Pédiatrie", "parent-coaching": "Accompagnement parental",
            "parent-support": "Soutien aux parents", "peer-support": "Soutien par les pairs",
            "personal-support": "Soutien personnel", "physiotherapy": "Physiothérapie", "probation": "Probation",
            "psychiatry": "Psychiatrie", "psychology": "Psychologie", "psychotherapy": "Psychothérapie",
            "recreation": "Loisirs", "residential-treatment": "Traitement en établissement", "respite": "Répit",
            "reunification": "Réunification", "service-coordination": "Coordination des services",
            "settlement": "Établissement", "sexual-health": "Santé sexuelle", "shelter": "Refuge",
            "special-education": "Éducation spécialisée", "speech-language-therapy": "Orthophonie",
            "substance-use-treatment": "Traitement de la toxicomanie", "supported-living": "Vie en milieu de soutien",
            "transition-planning": "Planification de la transition", "transport": "Transport",
            "trauma-therapy": "Thérapie des traumatismes", "vocational-support": "Soutien professionnel",
            "wraparound": "Services enveloppants", "youth-justice": "Justice pour les jeunes",
        },
    }
)  # fmt: skip
"""ConceptMap → code → its words in French."""


def coded(codes: Codes, map_: str, code: object, language: str) -> str:
    """The words of a code; the code itself where it has none, nothing for what is no code."""
    if not isinstance(code, str) or not code:
        return ""
    if language == "fr" and (words := FRENCH.get(map_, {}).get(code)):
        return words
    found = codes[map_].translate(code) if map_ in codes else None
    return found.text if found is not None and found.text else code
