Profile: CSPPatient
Parent: Patient
Id: csp-patient
Title: "Child"
Description: "The child whose coordinated service plan this is. It carries what the family permits this partner to know of the child itself; who the child lives with stands on the RelatedPerson."
* insert OfCase
* insert Narrated
* insert OursAmongOthers
* extension contains
    $interpreterRequired named interpreterRequired 0..1 MS and
    CSPCommunity named community 0..* and
    CSPSchool named school 0..1 MS and
    CSPPlacement named placement 0..1 and
    CSPLikes named likes 0..* and
    CSPDislikes named dislikes 0..* and
    CSPWhatWorks named whatWorks 0..* MS
* active 1..1 MS
* name 1..* MS
* name ^short = "official: as on papers; usual: as the child wants to be called"
* name.family MS
* name.given MS
* telecom MS
* gender 1..1 MS
* gender ^short = "unknown where none is recorded"
* birthDate MS
* address MS
* communication MS
* communication.extension contains CSPInterpreterNeeded named interpreterNeeded 0..1 MS
* communication.language MS
* communication.language from http://hl7.org/fhir/ValueSet/all-languages (required)
* communication.preferred MS
