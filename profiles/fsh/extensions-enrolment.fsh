// Extensions about where the child is in the program.

RuleSet: EveryTiming
* extension[every].value[x] only Timing
* extension[every].valueTiming.repeat 1..1
* extension[every].valueTiming.repeat.frequency 1..1
* extension[every].valueTiming.repeat.period 1..1
* extension[every].valueTiming.repeat.periodUnit 1..1
* extension[every] ^short = "How often: once in this many days, weeks, months or years"

Extension: CSPTier
Id: csp-tier
Title: "Tier"
Description: "The tier of the program: 1 to 3, from light to intensive."
Context: EpisodeOfCare
* value[x] 1..1
* value[x] only positiveInt
* valuePositiveInt ^maxValuePositiveInt = 3

Extension: CSPIntensity
Id: csp-intensity
Title: "Intensity of coordination"
Description: "How much coordination the family needs now."
Context: EpisodeOfCare
* value[x] 1..1
* value[x] only CodeableConcept
* valueCodeableConcept from https://csp-adapter.example/ValueSet/intensity (required)

Extension: CSPCoordinator
Id: csp-coordinator
Title: "Coordinator who is family"
Description: "The person who coordinates, where a family coordinates for itself; careManager has room for practitioners only."
Context: EpisodeOfCare
* value[x] 1..1
* value[x] only Reference(RelatedPerson or Patient)

Extension: CSPCoordinatorHistory
Id: csp-coordinator-history
Title: "Who coordinated before"
Description: "One coordinator of the past: who, from when to when, why it changed and who asked for the change."
Context: EpisodeOfCare
* extension contains who 0..1 and period 0..1 and reason 0..1 and asked-by 0..1
* extension[who].value[x] only Reference(Practitioner or RelatedPerson or Patient)
* extension[period].value[x] only Period
* extension[reason].value[x] only string
* extension[asked-by].value[x] only Reference(Practitioner or RelatedPerson or Patient)

Extension: CSPWaitlist
Id: csp-waitlist
Title: "On the waiting list"
Description: "Since when the child waits for coordination, where, and with which priority."
Context: EpisodeOfCare
* extension contains since 0..1 and region 0..1 and priority 0..1
* extension[since].value[x] only date
* extension[region].value[x] only string
* extension[priority].value[x] only CodeableConcept
* extension[priority].valueCodeableConcept from https://csp-adapter.example/ValueSet/waitlist-priority (required)

Extension: CSPServiceDeliveryArea
Id: csp-service-delivery-area
Title: "Service delivery area"
Description: "The area whose coordinating agency is responsible."
Context: EpisodeOfCare
* value[x] 1..1
* value[x] only string

Extension: CSPEligibility
Id: csp-eligibility
Title: "Eligibility"
Description: "Which criteria the child meets, when that was found and by whom."
Context: EpisodeOfCare
* extension contains criterion 0..* and on 0..1 and by 0..1
* extension[criterion].value[x] only string
* extension[on].value[x] only date
* extension[by].value[x] only Reference(Practitioner or Organization)

Extension: CSPCheckIns
Id: csp-check-ins
Title: "Agreed check-ins"
Description: "How often the coordinator asks the family how things go, and when and how that was agreed."
Context: EpisodeOfCare
* extension contains every 0..1 and agreed-on 0..1 and text 0..1
* insert EveryTiming
* extension[agreed-on].value[x] only date
* extension[text].value[x] only string

Extension: CSPSafeguard
Id: csp-safeguard
Title: "Procedural safeguard"
Description: "A right that was explained to the family: what, when, to whom and in which language."
Context: EpisodeOfCare
* extension contains what 0..1 and on 0..1 and to 0..1 and language 0..1
* extension[what].value[x] only string
* extension[on].value[x] only date
* extension[to].value[x] only Reference(RelatedPerson or Patient)
* extension[language].value[x] only code

Extension: CSPRetainedUntil
Id: csp-retained-until
Title: "Kept until"
Description: "Until when the agency keeps the record."
Context: EpisodeOfCare
* value[x] 1..1
* value[x] only date

Extension: CSPFamilyCapacity
Id: csp-family-capacity
Title: "What the family can take on"
Description: "What the family can take on now, in its words, and since when."
Context: EpisodeOfCare
* extension contains text 0..1 and since 0..1
* extension[text].value[x] only string
* extension[since].value[x] only date

Extension: CSPDischargeReason
Id: csp-discharge-reason
Title: "Reason of discharge"
Description: "Why coordination ended."
Context: EpisodeOfCare
* value[x] 1..1
* value[x] only CodeableConcept
* valueCodeableConcept from https://csp-adapter.example/ValueSet/discharge-reason (required)

Extension: CSPFunding
Id: csp-funding
Title: "Funding"
Description: "A funding that the child has."
Context: EpisodeOfCare
* value[x] 1..1
* value[x] only CodeableConcept
* valueCodeableConcept from https://csp-adapter.example/ValueSet/funding (extensible)
