Profile: CSPTransitionStep
Parent: Task
Id: csp-transition-step
Title: "Step of a transition"
Description: "Something that is done so that a transition (into school, to adulthood) goes well. The transition itself stands in the plan."
* insert Ours
* insert Step(transition-step)
* extension contains CSPTransitionKind named kind 0..1 MS
