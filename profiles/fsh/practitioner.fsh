Profile: CSPPractitioner
Parent: Practitioner
Id: csp-practitioner
Title: "Person who works for an agency"
Description: "A directory resource: shared among all cases at a partner. What this person does, and where, stands on the PractitionerRole."
* insert OfDirectory
* active 1..1 MS
* name 1..* MS
* telecom MS
