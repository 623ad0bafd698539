Profile: CSPPlanSections
Parent: Composition
Id: csp-plan-sections
Title: "Plan as a document"
Description: "The plan as something that a person reads from top to bottom: each section says its own words, or lists what it is made of. What the sections say also stands in the notes of the CarePlan."
* insert OfCase
* insert Narrated
* identifier 1..1 MS
* identifier ^short = "Ours, opaque and this partner's own"
* identifier.system MS
* identifier.value MS
* obeys csp-ours
* status MS
* type MS
* type = $loinc#18776-5
* subject 1..1 MS
* subject only Reference(Patient)
* date MS
* author MS
* title MS
* custodian MS
* relatesTo MS
* section 1..* MS
* section.title 1..1 MS
* section.code 1..1 MS
* section.author MS
* section.text MS
* section.entry MS
