Profile: CSPReferralTask
Parent: Task
Id: csp-referral-task
Title: "Answer to a referral"
Description: "The loop of a referral: the receiver moves the Task, the coordinator reads it. Both ways of naming the referral (focus, as in the US; basedOn, as in Canada) are there."
* insert Ours
* obeys csp-one-referral and csp-why
* basedOn 1..1 MS
* basedOn only Reference(ServiceRequest)
* status MS
* statusReason MS
* statusReason ^short = "Why it was turned down, put on hold, cancelled or failed"
* businessStatus MS
* businessStatus from https://csp-adapter.example/ValueSet/business-status (extensible)
* businessStatus ^short = "Where it is in the receiver's own work"
* intent MS
* intent = #order
* priority MS
* code 1..1 MS
* code = $task-code#fulfill
* focus 1..1 MS
* focus only Reference(ServiceRequest)
* for 1..1 MS
* for only Reference(Patient)
* authoredOn 1..1 MS
* lastModified MS
* requester 1..1 MS
* requester only Reference(Organization)
* requester ^short = "The organization that refers (Gravity); who asked stands in the request"
* owner MS
* owner ^short = "The receiver"
* restriction MS
* restriction.period MS
* restriction.period ^short = "Until when an answer is asked for"
* input MS
* input ^short = "What goes along"
* output MS
* output ^short = "What came of it"
