Profile: CSPPractitionerRole
Parent: PractitionerRole
Id: csp-practitioner-role
Title: "What a person does at an agency"
Description: "A directory resource: a practitioner's profession and workplace. Not made where neither is known."
* insert OfDirectory
* active 1..1 MS
* practitioner 1..1 MS
* organization MS
* code MS
* code from https://csp-adapter.example/ValueSet/profession (extensible)
* contact MS
* contact.telecom MS
