// Extensions that several kinds of resource have.

Extension: CSPRecordStatus
Id: csp-record-status
Title: "Status of the record"
Description: "The status in the agency's own words, where FHIR's status is coarser: a goal that is `completed` was achieved, or was not."
Context: Appointment, CarePlan, Condition, Encounter, EpisodeOfCare, EpisodeOfCare.statusHistory, Goal, ServiceRequest
* value[x] 1..1
* value[x] only code
* valueCode from CSPRecordStatuses (required)

Extension: CSPWhose
Id: csp-whose
Title: "Whose it is"
Description: "Whose need this is, or to whom the risk is, where it is not the child's: a person of the family, or the family in words."
Context: Condition, RiskAssessment
* value[x] 1..1
* value[x] only Reference(RelatedPerson)

Extension: CSPUrgency
Id: csp-urgency
Title: "Urgency"
Description: "How soon something has to happen. It is no clinical severity."
Context: Condition, Goal
* value[x] 1..1
* value[x] only CodeableConcept
* valueCodeableConcept from https://csp-adapter.example/ValueSet/need-urgency (required)

Extension: CSPNoteKind
Id: csp-note-kind
Title: "Kind of note"
Description: "Tells the notes of one resource apart: what a person said, a barrier, progress, an adaptation, an outcome, the family's story."
Context: Annotation
* value[x] 1..1
* value[x] only code
* valueCode from CSPNoteKinds (required)

Extension: CSPSection
Id: csp-section
Title: "Section of the plan"
Description: "Which section of the plan a note is."
Context: Annotation
* value[x] 1..1
* value[x] only CodeableConcept
* valueCodeableConcept from https://csp-adapter.example/ValueSet/section (extensible)

Extension: CSPNextDue
Id: csp-next-due
Title: "Next one due"
Description: "When the next assessment of this kind is due."
Context: Observation
* value[x] 1..1
* value[x] only date

Extension: CSPWatchedBy
Id: csp-watched-by
Title: "Who watches"
Description: "Who keeps an eye on this risk."
Context: RiskAssessment
* value[x] 1..1
* value[x] only Reference(Practitioner or RelatedPerson or Patient or Organization)

Extension: CSPNotice
Id: csp-notice
Title: "Notice to the recipient"
Description: "What the family, or the law, wants the recipient to know when handling the copies that this consent permits."
Context: Consent
* value[x] 1..1
* value[x] only string
