Profile: CSPEpisodeOfCare
Parent: EpisodeOfCare
Id: csp-episode-of-care
Title: "Enrolment"
Description: "Where the child is in the program: from first contact over the waiting list and active coordination to discharge, and who coordinates."
* insert Ours
* obeys csp-discharged
* extension contains
    CSPRecordStatus named recordStatus 1..1 MS and
    CSPTier named tier 0..1 MS and
    CSPIntensity named intensity 0..1 MS and
    CSPCoordinator named coordinator 0..1 MS and
    CSPCoordinatorHistory named coordinatorHistory 0..* and
    CSPWaitlist named waitlist 0..1 MS and
    CSPServiceDeliveryArea named serviceDeliveryArea 0..1 and
    CSPEligibility named eligibility 0..1 and
    CSPCheckIns named checkIns 0..1 and
    CSPSafeguard named safeguard 0..* and
    CSPRetainedUntil named retainedUntil 0..1 and
    CSPFamilyCapacity named familyCapacity 0..* and
    CSPDischargeReason named dischargeReason 0..1 and
    CSPFunding named funding 0..*
* status MS
* statusHistory MS
* statusHistory.extension contains CSPRecordStatus named recordStatus 0..1 MS
* managingOrganization MS
* managingOrganization ^short = "The coordinating agency"
* type MS
* type from https://csp-adapter.example/ValueSet/program (extensible)
* type ^short = "The program"
* patient MS
* period MS
* period ^short = "From first contact to discharge"
* careManager MS
* careManager ^short = "The coordinator, where the coordinator is a practitioner"
