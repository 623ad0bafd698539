// Extensions about a warm referral.

Extension: CSPReferralDirection
Id: csp-referral-direction
Title: "Direction"
Description: "Whether the coordinating agency sent this referral or received it."
Context: ServiceRequest
* value[x] 1..1
* value[x] only code
* valueCode from CSPReferralDirections (required)

Extension: CSPWarm
Id: csp-warm
Title: "Warm referral"
Description: "Whether somebody introduces the family, so that it need not begin again."
Context: ServiceRequest
* value[x] 1..1
* value[x] only boolean

Extension: CSPReferredFrom
Id: csp-referred-from
Title: "Referred from"
Description: "The organization that refers; the requester may be a person."
Context: ServiceRequest
* value[x] 1..1
* value[x] only Reference(Organization)

Extension: CSPRequestedBy
Id: csp-requested-by
Title: "Requested by"
Description: "The family member who asked, for partners whose guide lets none be the requester (CA Baseline): there it is the organization that refers."
Context: ServiceRequest
* value[x] 1..1
* value[x] only Reference(RelatedPerson)

Extension: CSPRespondBy
Id: csp-respond-by
Title: "Respond by"
Description: "Until when the receiver is asked to answer."
Context: ServiceRequest
* value[x] 1..1
* value[x] only date

Extension: CSPDoNotContactFamily
Id: csp-do-not-contact-family
Title: "Do not contact the family"
Description: "Whether the receiver must not contact the family: contact could put someone at risk. Ask the requester."
Context: ServiceRequest
* value[x] 1..1
* value[x] only boolean

Extension: CSPSupportNeeded
Id: csp-support-needed
Title: "Support needed"
Description: "What the family needs so that it can come: an interpreter, transport, childcare."
Context: Appointment, Encounter, ServiceRequest
* value[x] 1..1
* value[x] only CodeableConcept
* valueCodeableConcept from https://csp-adapter.example/ValueSet/support (required)

Extension: CSPHandover
Id: csp-handover
Title: "Warm hand-over"
Description: "Who introduces the family to whom, when and how."
Context: ServiceRequest
* extension contains introduced-by 0..1 and contact 0..1 and meeting 0..1 and how 0..1
* extension[introduced-by].value[x] only Reference(Practitioner or RelatedPerson or Patient)
* extension[contact].value[x] only Reference(Practitioner or RelatedPerson)
* extension[meeting].value[x] only date
* extension[how].value[x] only CodeableConcept
* extension[how].valueCodeableConcept from https://csp-adapter.example/ValueSet/handover-how (required)

Extension: CSPCurrentService
Id: csp-current-service
Title: "Service received now"
Description: "A service that the family receives now, by itself or in words."
Context: ServiceRequest
* extension contains service 0..1 and text 0..1 and organization 0..1
* extension[service].value[x] only Reference(ServiceRequest)
* extension[text].value[x] only string
* extension[organization].value[x] only Reference(Organization)

Extension: CSPWaitingFor
Id: csp-waiting-for
Title: "Waiting for"
Description: "What the family waits for elsewhere, and since when."
Context: ServiceRequest
* extension contains text 0..1 and organization 0..1 and since 0..1
* extension[text].value[x] only string
* extension[organization].value[x] only Reference(Organization)
* extension[since].value[x] only date

Extension: CSPParallelReferral
Id: csp-parallel-referral
Title: "Made at the same time"
Description: "Another referral that was made at the same time, so that each receiver knows of the other."
Context: ServiceRequest
* value[x] 1..1
* value[x] only Reference(ServiceRequest)
