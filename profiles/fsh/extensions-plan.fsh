// Extensions about goals, the plan, its services and the team.

Extension: CSPGoalRank
Id: csp-goal-rank
Title: "Rank"
Description: "The family's own order of its goals: 1 matters most. Goal.priority is coarser."
Context: Goal
* value[x] 1..1
* value[x] only positiveInt

Extension: CSPGoalRelevance
Id: csp-goal-relevance
Title: "Why it matters"
Description: "Why this goal matters to the child or the family (the R of SMART)."
Context: Goal
* value[x] 1..1
* value[x] only string

Extension: CSPGoalAttainable
Id: csp-goal-attainable
Title: "Why it can be reached"
Description: "What makes the team think that this goal can be reached (the A of SMART)."
Context: Goal
* value[x] 1..1
* value[x] only string

Extension: CSPGoalBaseline
Id: csp-goal-baseline
Title: "Where it starts"
Description: "Where things stood when the goal was set."
Context: Goal
* value[x] 1..1
* value[x] only string

Extension: CSPBuildsOn
Id: csp-builds-on
Title: "Builds on a strength"
Description: "A strength that this goal builds on."
Context: Goal
* value[x] 1..1
* value[x] only Reference(Observation)

Extension: CSPAcceptedOn
Id: csp-accepted-on
Title: "Decided on"
Description: "When this person agreed or disagreed with the goal (within HL7's goal-acceptance)."
Context: Reference
* value[x] 1..1
* value[x] only date

Extension: CSPTargetText
Id: csp-target-text
Title: "Target in words"
Description: "The target in the family's words, beside the quantity."
Context: Goal.target
* value[x] 1..1
* value[x] only string

Extension: CSPProgressRating
Id: csp-progress-rating
Title: "Progress rating"
Description: "How far the goal was attained when this note was written (goal attainment scaling, −2 to +2, or another scale)."
Context: Annotation
* value[x] 1..1
* value[x] only CodeableConcept
* valueCodeableConcept from https://csp-adapter.example/ValueSet/progress-rating (extensible)

Extension: CSPTransitionKind
Id: csp-transition-kind
Title: "Kind of transition"
Description: "Which transition this is, or this step is part of."
Context: Task
* value[x] 1..1
* value[x] only CodeableConcept
* valueCodeableConcept from https://csp-adapter.example/ValueSet/transition-kind (required)

Extension: CSPTransitionTo
Id: csp-transition-to
Title: "Where a transition leads"
Description: "The organization to which the child changes. R4 knows no performer whom a Task asks for, only its owner, who would have to do it."
Context: Task
* value[x] 1..1
* value[x] only Reference(Organization)

Extension: CSPPerformedBy
Id: csp-performed-by
Title: "Performed by"
Description: "The family member or natural support who serves, for partners whose guide lets none perform (CA Baseline)."
Context: ServiceRequest
* value[x] 1..1
* value[x] only Reference(RelatedPerson)

Extension: CSPReview
Id: csp-review
Title: "Review of the plan"
Description: "How often the plan is reviewed, when last and next, why, and what came of it."
Context: CarePlan
* extension contains every 0..1 and last 0..1 and next 0..1 and reason 0..1 and result 0..1
* insert EveryTiming
* extension[last].value[x] only date
* extension[next].value[x] only date
* extension[reason].value[x] only string
* extension[result].value[x] only string

Extension: CSPLinkedPlan
Id: csp-linked-plan
Title: "Plan of another agency"
Description: "Another plan for the same child (an individual education plan, a treatment plan) that this one is coordinated with."
Context: CarePlan
* extension contains kind 0..1 and title 0..1 and organization 0..1 and date 0..1 and document 0..1
* extension[kind].value[x] only CodeableConcept
* extension[kind].valueCodeableConcept from https://csp-adapter.example/ValueSet/linked-plan (extensible)
* extension[title].value[x] only string
* extension[organization].value[x] only Reference(Organization)
* extension[date].value[x] only date
* extension[document].value[x] only Reference(DocumentReference)

Extension: CSPFormal
Id: csp-formal
Title: "Formal service"
Description: "Whether an agency gives this service (true), or family and friends do (false)."
Context: ServiceRequest
* value[x] 1..1
* value[x] only boolean

Extension: CSPServiceFunding
Id: csp-service-funding
Title: "Who pays"
Description: "Who pays for this service, in words."
Context: ServiceRequest
* value[x] 1..1
* value[x] only string

Extension: CSPNaturalEnvironment
Id: csp-natural-environment
Title: "Natural environment"
Description: "Whether the service is given where children of this age usually are, and why not if it is not (IFSP)."
Context: ServiceRequest
* extension contains natural 0..1 and why-not 0..1
* extension[natural].value[x] only boolean
* extension[why-not].value[x] only string

Extension: CSPReceived
Id: csp-received
Title: "Really received"
Description: "Whether the family really receives this service, when that was asked, who said so, and what stands in the way."
Context: ServiceRequest
* extension contains received 0..1 and on 0..1 and by 0..1 and barrier 0..1
* extension[received].value[x] only CodeableConcept
* extension[received].valueCodeableConcept from https://csp-adapter.example/ValueSet/received (required)
* extension[on].value[x] only date
* extension[by].value[x] only Reference(RelatedPerson or Practitioner or Patient)
* extension[barrier].value[x] only string

Extension: CSPTeamLead
Id: csp-team-lead
Title: "Leads the team"
Description: "Whether this member leads the team."
Context: CareTeam.participant
* value[x] 1..1
* value[x] only boolean

Extension: CSPInvitedByFamily
Id: csp-invited-by-family
Title: "Invited by the family"
Description: "Whether the family invited this member into the team, or to this contact."
Context: Appointment.participant, CareTeam.participant
* value[x] 1..1
* value[x] only boolean
