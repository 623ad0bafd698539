// Codes that mapping files write out themselves, and value sets across lists. The code systems and value sets of the
// lists in mappings/codes are generated from there (tools/stage.py): a code is one line, in one place.

CodeSystem: CSPPlanKindCodes
Id: plan-kind
Title: "Kind of plan"
Description: "Which kind of plan a CarePlan is."
* ^caseSensitive = true
* ^experimental = false
* ^content = #complete
* #coordinated-service-plan "Coordinated service plan" "The one plan of a child that all who work with the family share."

CodeSystem: CSPTaskKindCodes
Id: task-kind
Title: "Kind of step"
Description: "What a Task of a plan is a step of."
* ^caseSensitive = true
* ^experimental = false
* ^content = #complete
* #goal-step "Step towards a goal" "Something that someone does so that a goal is reached."
* #transition "Transition" "A transition as a whole: into school, to adulthood."
* #transition-step "Step of a transition" "Something that is done so that a transition (into school, to adulthood) goes well."

CodeSystem: CSPNoteKindCodes
Id: note-kind
Title: "Kind of note"
Description: "What a note of a goal, a service, a referral or a plan is."
* ^caseSensitive = true
* ^experimental = false
* ^content = #complete
* #in-own-words "In own words" "What the person who set the goal said."
* #barrier "Barrier" "What stands in the way."
* #progress "Progress" "What has been achieved, with a rating where there is one."
* #adaptation "Adaptation" "How a service is adapted to the child."
* #outcome "Outcome" "What a service has brought."
* #story "Story" "What the family has told once, so that they need not tell it again."
* #about-me "About me" "What the plan says of the child at its head, in the family's words."

CodeSystem: CSPReferralDirectionCodes
Id: referral-direction
Title: "Direction of a referral"
Description: "Whether the coordinating agency sent a referral or received it."
* ^caseSensitive = true
* ^experimental = false
* ^content = #complete
* #out "Sent" "From the coordinating agency to another."
* #in "Received" "From another agency to the coordinating agency."

CodeSystem: CSPAuthorityCodes
Id: authority
Title: "Authority to decide for a child"
Description: "What a person's authority to decide for the child rests on."
* ^caseSensitive = true
* ^experimental = false
* ^content = #complete
* #parent "Parent" "By being a parent."
* #guardian "Guardian" "By guardianship."
* #court-order "Court order" "By an order of a court."
* #substitute-decision-maker "Substitute decision maker" "By law, for a person who cannot decide."
* #self "Self" "The young person decides."

ValueSet: CSPNoteKinds
Id: note-kind
Title: "Kind of note"
Description: "What a note of a goal, a service, a referral or a plan is."
* ^experimental = false
* include codes from system CSPNoteKindCodes

ValueSet: CSPReferralDirections
Id: referral-direction
Title: "Direction of a referral"
Description: "Whether the coordinating agency sent a referral or received it."
* ^experimental = false
* include codes from system CSPReferralDirectionCodes

ValueSet: CSPAuthorities
Id: authority
Title: "Authority to decide for a child"
Description: "What a person's authority to decide for the child rests on."
* ^experimental = false
* include codes from system CSPAuthorityCodes

ValueSet: CSPConfidentiality
Id: copy-confidentiality
Title: "Confidentiality of a copy"
Description: "Normal; restricted where a sensitive topic is in it; very restricted where it tells of a victim of abuse."
* ^experimental = false
* $confidentiality#N "normal"
* $confidentiality#R "restricted"
* $confidentiality#V "very restricted"

ValueSet: CSPRecordStatuses
Id: record-status
Title: "Status of a record"
Description: "The words in which an agency's records say how things stand, where a FHIR status is coarser."
* ^experimental = false
* include codes from system https://csp-adapter.example/CodeSystem/contact-status
* include codes from system https://csp-adapter.example/CodeSystem/enrolment-status
* include codes from system https://csp-adapter.example/CodeSystem/goal-status
* include codes from system https://csp-adapter.example/CodeSystem/need-status
* include codes from system https://csp-adapter.example/CodeSystem/plan-status
* include codes from system https://csp-adapter.example/CodeSystem/referral-status
* include codes from system https://csp-adapter.example/CodeSystem/service-status

ValueSet: CSPConsentLabels
Id: consent-label
Title: "What a consent permits to be told"
Description: "Ordinary data (N), and data about each sensitive topic that the family names."
* ^experimental = false
* $confidentiality#N "normal"
* include codes from valueset https://csp-adapter.example/ValueSet/topic

ValueSet: CSPRelationships
Id: relationship-or-contact
Title: "Relationship to the child"
Description: "How a person is related to the child, and whether to call them in an emergency."
* ^experimental = false
* include codes from valueset https://csp-adapter.example/ValueSet/relationship
* $v2-0131#C "Emergency Contact"
