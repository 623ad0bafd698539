Profile: CSPPlanService
Parent: ServiceRequest
Id: csp-plan-service
Title: "Service of the plan"
Description: "One service of the plan, formal or given by family and friends: what, by whom, how often, where, for which goals, and whether the family really receives it."
* insert Ours
* obeys csp-status-known
* extension contains
    $pertainsToGoal named goal 0..* MS and
    CSPRecordStatus named recordStatus 0..1 MS and
    CSPPerformedBy named performedBy 0..1 and
    CSPFormal named formal 0..1 MS and
    CSPServiceFunding named funding 0..1 and
    CSPNaturalEnvironment named naturalEnvironment 0..1 and
    CSPReceived named received 0..1 MS
* extension[goal] ^short = "A goal that it serves"
* status MS
* intent MS
* intent = #plan
* code 1..1 MS
* code from https://csp-adapter.example/ValueSet/service (extensible)
* code.text 1..1
* quantity[x] MS
* quantity[x] only Quantity
* quantity[x] ^short = "Hours, and for what"
* subject MS
* subject only Reference(Patient)
* occurrence[x] MS
* occurrence[x] only Period or Timing
* requester 1..1
* requester ^short = "Not known: a plan does not say who asked (CA Baseline asks for one)"
* performer MS
* locationCode MS
* locationCode from https://csp-adapter.example/ValueSet/place (required)
* reasonReference MS
* reasonReference ^short = "Needs that it answers"
* insert NotesWithKind
