Profile: CSPSignature
Parent: Provenance
Id: csp-signature
Title: "Signature"
Description: "Who agreed to the plan, and on which day. It is about the plan as a whole, and not sent where that is not. Agencies record a day; the instants that FHIR asks for say that they are not known."
* insert OfCase
* insert Narrated
* insert OursAsTag
* target 1..1 MS
* target only Reference(CarePlan)
* occurred[x] MS
* occurred[x] only dateTime
* recorded MS
* agent 1..1 MS
* agent.type MS
* agent.who MS
* agent.onBehalfOf MS
* agent.onBehalfOf ^short = "For whom a professional signs (US Core)"
* signature 1..1 MS
* signature.type MS
* signature.who MS
