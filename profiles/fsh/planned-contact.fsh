Profile: CSPPlannedContact
Parent: Appointment
Id: csp-planned-contact
Title: "Contact that is planned, or was missed"
Description: "A contact that is proposed for a day or from a time on; a missed one is cancelled, with the record's own word beside it. The child is always among the participants: R4 names the patient nowhere else."
* insert Ours
* extension contains
    CSPRecordStatus named recordStatus 1..1 MS and
    CSPContactMode named mode 0..1 MS and
    CSPAttending named attending 0..* MS and
    CSPInvited named invited 0..* MS and
    CSPSupportNeeded named supportNeeded 0..* and
    CSPDecision named decision 0..*
* status MS
* serviceType MS
* serviceType from https://csp-adapter.example/ValueSet/contact-kind (required)
* serviceType ^short = "Kind of contact"
* comment MS
* participant MS
* participant.extension contains CSPInvitedByFamily named invitedByFamily 0..1 MS
* participant.actor 1..1 MS
* participant.status MS
* requestedPeriod MS
