// What steps towards a goal and steps of a transition have in common.

RuleSet: Step(kind)
* status MS
* intent MS
* intent = #plan
* code 1..1 MS
* code = $task-kind#{kind}
* description 1..1 MS
* for 1..1 MS
* for only Reference(Patient)
* owner MS
* owner ^short = "Who does it: anyone, a parent and the child too"
* requestedPeriod MS
* requestedPeriod ^short = "Until when"
* note MS
