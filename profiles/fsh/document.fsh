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
* subject 1..1 MS
* subject only Reference(Patient)
* author MS
* content MS
* content.attachment MS
* content.attachment.language from http://hl7.org/fhir/ValueSet/all-languages (required)
* content.attachment.title MS
* content.attachment.url MS
