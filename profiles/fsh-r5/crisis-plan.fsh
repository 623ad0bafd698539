Profile: CSPCrisisPlan
Parent: CarePlan
Id: csp-crisis-plan
Title: "Crisis or back-up plan"
Description: "What to do in a crisis, and who steps in: a plan of its own, so that it can be shared, and taken back, alone."
* insert Ours
* partOf MS
* partOf 0..1
* status MS
* intent MS
* intent = #plan
* category 2..* MS
* category ^slicing.discriminator.type = #value
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains assessPlan 1..1 MS
* category[assessPlan] = $careplan-category#assess-plan
* title MS
* description 1..1 MS
* description ^short = "What to do"
* subject MS
* subject only Reference(Patient)
* custodian MS
* supportingInfo MS
* supportingInfo ^short = "Risks"
