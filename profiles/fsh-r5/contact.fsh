Profile: CSPContact
Parent: Encounter
Id: csp-contact
Title: "Contact that was held"
Description: "A check-in, a meeting, a home visit or a case review that took place: who led it, who was there, who was invited, and what was decided."
* insert Ours
* obeys csp-status-known
* extension contains
    CSPRecordStatus named recordStatus 0..1 MS and
    CSPContactMode named mode 0..1 MS and
    CSPAttending named attending 0..* MS and
    CSPInvited named invited 0..* MS and
    CSPSupportNeeded named supportNeeded 0..* and
    CSPDecision named decision 0..* MS and
    CSPContactNote named note 0..1 MS
* status MS
* class MS
* type MS
* type from https://csp-adapter.example/ValueSet/contact-kind (required)
* type ^short = "Kind of contact"
* subject 1..1 MS
* subject only Reference(Patient)
* participant MS
* participant.actor MS
* actualPeriod MS
* location MS
* location.location ^short = "Where, in words"
