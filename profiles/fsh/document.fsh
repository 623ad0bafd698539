Profile: CSPDocument
Parent: DocumentReference
Id: csp-document
Title: "Document"
Description: "A report, a form or a letter of the case: what it is, who wrote it, and where its bytes are."
* insert Ours
* extension contains CSPMayForward named mayForward 0..1 MS
* status MS
* type MS
* type from https://csp-adapter.example/ValueSet/document-type (extensible)
* type ^short = "What it is; the code `unknown` where LOINC has none (US Core asks for one)"
* category 1..* MS
* category from https://csp-adapter.example/ValueSet/document-category (preferred)
* category ^short = "Health, education, law …; a clinical note also in US Core's code"
* subject 1..1 MS
* subject only Reference(Patient)
* author MS
* content MS
* content.attachment MS
* content.attachment.language from http://hl7.org/fhir/ValueSet/all-languages (required)
* content.attachment.title MS
* content.attachment.contentType MS
* content.attachment.url MS
