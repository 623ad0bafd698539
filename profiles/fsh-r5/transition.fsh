Profile: CSPTransition
Parent: Task
Id: csp-transition
Title: "Transition"
Description: "A transition, into school or to adulthood, with its day and where it leads. R4 tells it in the plan itself, which R5 has no room for; its steps are parts of it."
* insert Ours
* extension contains CSPTransitionKind named kind 0..1 MS
* status MS
* intent MS
* intent = #plan
* code 1..1 MS
* code = $task-kind#transition
* description 1..1 MS
* for 1..1 MS
* for only Reference(Patient)
* requestedPeriod MS
* requestedPeriod.start ^short = "The day"
* requestedPerformer MS
* requestedPerformer ^short = "Where it leads"
