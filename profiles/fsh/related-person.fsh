Profile: CSPRelatedPerson
Parent: RelatedPerson
Id: csp-related-person
Title: "Family member or natural support"
Description: "Family, guardians, and people who are there for the family without being paid for it. Where a person may decide for the child, the period is that of this authority."
* insert Ours
* extension contains
    CSPDecisionMaker named decisionMaker 0..1 MS and
    CSPNaturalSupport named naturalSupport 0..1 MS and
    CSPSupportProvided named supportProvided 0..1 and
    CSPLivesWithChild named livesWithChild 0..1 MS
* active 1..1 MS
* patient MS
* patient only Reference(Patient)
* relationship MS
* relationship from CSPRelationships (preferred)
* name 1..* MS
* name ^short = "official: as on papers; usual: as the person is called"
* telecom MS
* address MS
* period MS
* period ^short = "Since and until when this person may decide for the child"
* communication MS
* communication.extension contains CSPInterpreterNeeded named interpreterNeeded 0..1 MS
* communication.language MS
* communication.language from http://hl7.org/fhir/ValueSet/all-languages (required)
