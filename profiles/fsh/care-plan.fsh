Profile: CSPCarePlan
Parent: CarePlan
Id: csp-care-plan
Title: "Coordinated service plan"
Description: "The one plan that all who work with the family share: vision, goals, services, steps and sections, as far as this partner may see them. Crisis and back-up plans are plans of their own, part of this one."
* insert Ours
* obeys csp-status-known
* extension contains
    CSPRecordStatus named recordStatus 0..1 MS and
    CSPReview named review 0..1 MS and
    CSPLinkedPlan named linkedPlan 0..* MS
* replaces MS
* status MS
* intent MS
* intent = #plan
* category 2..* MS
* category ^slicing.discriminator.type = #value
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains assessPlan 1..1 MS and plan 1..1 MS
* category[assessPlan] = $careplan-category#assess-plan
* category[plan] = $plan-kind#coordinated-service-plan
* title MS
* description MS
* description ^short = "The family's vision"
* subject MS
* subject only Reference(Patient)
* period MS
* period.start 1..1
* period.start ^short = "Since when; where only the end is known, it says so (eLTSS asks for it)"
* author MS
* author ^short = "The coordinator now"
* contributor MS
* contributor ^short = "Who signed"
* careTeam MS
* addresses MS
* addresses ^short = "Needs that its goals and services answer"
* supportingInfo MS
* supportingInfo ^short = "Strengths, assessments, risks"
* goal MS
* activity MS
* activity ^short = "Services, steps and transitions, by reference"
* activity.reference MS
* activity.detail 0..0
* note MS
* note.extension contains CSPSection named section 0..1 MS
* note ^short = "Sections of the plan"
