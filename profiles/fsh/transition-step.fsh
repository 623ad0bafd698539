Profile: CSPTransitionStep
Parent: Task
Id: csp-transition-step
Title: "Step of a transition"
Description: "Something that is done so that a transition (into school, to adulthood) goes well. It is part of the Task of that transition."
* insert Ours
* insert Step(transition-step)
* partOf MS
* partOf ^short = "The transition"
* extension contains CSPTransitionKind named kind 0..1 MS
