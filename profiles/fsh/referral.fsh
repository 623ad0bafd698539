Profile: CSPReferral
Parent: ServiceRequest
Id: csp-referral
Title: "Referral"
Description: "What is asked for, for whom, why, and what goes along, so that the family need not tell it again. The answer stands on the Task. Shaped so that it can also meet Gravity's and US Core's service request."
* insert Ours
* obeys csp-status-known and csp-no-contact
* extension contains
    CSPRecordStatus named recordStatus 0..1 MS and
    CSPReferralDirection named direction 0..1 MS and
    CSPWarm named warm 0..1 MS and
    CSPReferredFrom named from 0..1 MS and
    CSPRequestedBy named requestedBy 0..1 and
    CSPRespondBy named respondBy 0..1 MS and
    CSPDoNotContactFamily named doNotContactFamily 0..1 MS and
    CSPSupportNeeded named supportNeeded 0..* MS and
    CSPHandover named handover 0..1 MS and
    CSPCurrentService named currentService 0..* and
    CSPWaitingFor named waitingFor 0..* and
    CSPParallelReferral named parallelReferral 0..* and
    $pertainsToGoal named goal 0..* MS
* extension[goal] ^short = "A goal that the services which go along serve"
* status MS
* intent MS
* intent = #order
* category MS
* category from https://csp-adapter.example/ValueSet/referral-kind (extensible)
* category ^short = "Kind of referral"
* priority MS
* code 1..1 MS
* code from https://csp-adapter.example/ValueSet/service (extensible)
* code.text 1..1
* code ^short = "The first service that is asked for"
* orderDetail MS
* orderDetail ^short = "Further services; and: do not contact the family"
* subject MS
* subject only Reference(Patient)
* authoredOn MS
* requester 1..1 MS
* requester ^short = "Who asks; where nobody is known, it says so (CA Baseline asks for one)"
* performer MS
* performer ^short = "The receiver"
* reasonCode MS
* reasonCode from https://csp-adapter.example/ValueSet/reason (extensible)
* reasonReference MS
* reasonReference ^short = "Needs that it answers"
* supportingInfo MS
* supportingInfo ^short = "What goes along, and the consent under which it does"
* insert NotesWithKind
* note ^short = "What the family has told once"

Invariant: csp-no-contact
Description: "A referral that asks not to contact the family says so to those who read the extension and to those who read Gravity's order detail."
Severity: #error
Expression: "extension('https://csp-adapter.example/StructureDefinition/csp-do-not-contact-family').where(value = true).exists() = orderDetail.coding.where(code = 'contacting-subject-prohibited').exists()"
