Profile: CSPAssessment
Parent: Observation
Id: csp-assessment
Title: "Assessment"
Description: "An evaluation or a screening: what was found, by whom, with which instrument, and when the next one is due."
* insert Ours
* obeys csp-result
* extension contains CSPNextDue named nextDue 0..1 MS
* status MS
* category 1..* MS
* category ^slicing.discriminator.type = #value
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains survey 1..1 MS
* category[survey] = $observation-category#survey
* code MS
* code from https://csp-adapter.example/ValueSet/assessment-kind (required)
* code ^short = "Kind of assessment"
* subject 1..1 MS
* subject only Reference(Patient)
* effective[x] MS
* effective[x] only dateTime
* performer MS
* value[x] MS
* value[x] only string
* value[x] ^short = "What was found"
* dataAbsentReason MS
* method MS
* method ^short = "The instrument"
