Profile: CSPNeed
Parent: Condition
Id: csp-need
Title: "Need"
Description: "What the child or the family needs, in plain words: a health concern, no diagnosis."
* insert Ours
* extension contains
    CSPRecordStatus named recordStatus 0..1 MS and
    CSPWhose named whose 0..1 MS and
    CSPUrgency named urgency 0..1 MS
* clinicalStatus 1..1 MS
* clinicalStatus ^short = "active: open or being watched; resolved: met"
* category 1..* MS
* category ^slicing.discriminator.type = #value
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains healthConcern 1..1 MS and assessedNeed 1..1 MS
* category[healthConcern] = $condition-category#health-concern
* category[assessedNeed] = $eltss-need#assessed-need
* category ^short = "A health concern (US Core), an assessed need (eLTSS), and the life domain"
* severity MS
* severity from https://csp-adapter.example/ValueSet/need-urgency (preferred)
* severity ^short = "How urgent, in our own code system: no clinical severity"
* code 1..1 MS
* code.text 1..1 MS
* code ^short = "The need, in plain words"
* subject MS
* subject only Reference(Patient)
* onset[x] MS
* participant MS
* participant ^short = "Who told of it"
