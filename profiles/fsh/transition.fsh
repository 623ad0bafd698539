Profile: CSPTransition
Parent: Task
Id: csp-transition
Title: "Transition"
Description: "A transition as a whole: into school, to adulthood, home. The plan lists it among its activities, and its steps are part of it."
* insert Ours
* extension contains
    CSPTransitionKind named kind 0..1 MS and
    CSPTransitionTo named to 0..1 MS
* status MS
* intent MS
* intent = #plan
* code 1..1 MS
* code = $task-kind#transition
* description 1..1 MS
* for 1..1 MS
* for only Reference(Patient)
* restriction MS
* restriction.period MS
* restriction.period.start ^short = "The day"
