Profile: CSPSignature
Parent: Provenance
Id: csp-signature
Title: "Signature"
Description: "Who agreed to the plan, and on which day. It is about the plan as a whole, and not sent where that is not."
* insert OfCase
* insert Narrated
* insert OursAsTag
* target 1..1 MS
* target only Reference(CarePlan)
* patient 1..1 MS
* occurred[x] MS
* occurred[x] only dateTime
* agent 1..1 MS
* agent.type MS
* agent.who MS
* signature 1..1 MS
* signature.type MS
* signature.who MS
