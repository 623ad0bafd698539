Profile: CSPCareTeam
Parent: CareTeam
Id: csp-care-team
Title: "Care team"
Description: "Who works with the family. Family members and the child are members of the team, never contacts."
* insert Ours
* status MS
* category 1..* MS
* category ^slicing.discriminator.type = #value
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains longitudinal 1..1 MS
* category[longitudinal] = $loinc#LA28865-6
* name MS
* subject 1..1 MS
* subject only Reference(Patient)
* period MS
* participant 1..* MS
* participant ^short = "Seats; where the record shows none, one that says so (US Core asks for one)"
* participant.extension contains
    CSPTeamLead named lead 0..1 MS and
    CSPInvitedByFamily named invitedByFamily 0..1 MS
* participant.role 1..1 MS
* participant.role from https://csp-adapter.example/ValueSet/team-role (extensible)
* participant.member 1..1 MS
* participant.member obeys csp-seat
* participant.member only Reference(Practitioner or PractitionerRole or RelatedPerson or Patient or Organization)
* participant.onBehalfOf MS
* participant.period MS
* managingOrganization MS
* managingOrganization ^short = "The coordinating agency"
