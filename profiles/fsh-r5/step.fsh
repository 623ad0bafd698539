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
* owner only Reference(Practitioner or Organization or Patient or RelatedPerson)
* owner ^short = "Who does it"
* requestedPeriod MS
* requestedPeriod ^short = "Until when"
* note MS
