// Extensions about contacts and documents.

Extension: CSPContactMode
Id: csp-contact-mode
Title: "How a contact takes place"
Description: "By telephone, by e-mail, online or in person."
Context: Appointment, Encounter
* value[x] 1..1
* value[x] only CodeableConcept
* valueCodeableConcept from https://csp-adapter.example/ValueSet/contact-mode (required)

Extension: CSPLedBy
Id: csp-led-by
Title: "Led by"
Description: "Who led this contact, where it cannot be among the participants: the child (FHIR R4 has no room for a patient there, and R5 none for a patient's part), a family member (CA Baseline)."
Context: Encounter
* value[x] 1..1
* value[x] only Reference(Patient or RelatedPerson)

Extension: CSPAttending
Id: csp-attending
Title: "Was there"
Description: "Who took part and cannot be among the participants: an organization, the child (FHIR), a family member (CA Baseline)."
Context: Appointment, Encounter
* value[x] 1..1
* value[x] only Reference(Organization or Patient or RelatedPerson)

Extension: CSPInvited
Id: csp-invited
Title: "Was invited"
Description: "Who was invited. It is told apart from who was there: the family chooses whom it invites."
Context: Appointment, Encounter
* value[x] 1..1
* value[x] only Reference(Practitioner or RelatedPerson or Organization or Patient)

Extension: CSPDecision
Id: csp-decision
Title: "Decision"
Description: "One thing that was decided."
Context: Appointment, Encounter
* value[x] 1..1
* value[x] only string

Extension: CSPContactNote
Id: csp-contact-note
Title: "Note about a contact"
Description: "What was written down about this contact; an encounter has no notes."
Context: Encounter
* value[x] 1..1
* value[x] only string

Extension: CSPMayForward
Id: csp-may-forward
Title: "May be forwarded"
Description: "Whether whoever wrote the document allows that it is passed on."
Context: DocumentReference
* value[x] 1..1
* value[x] only boolean
