Profile: CSPDocumentBytes
Parent: Binary
Id: csp-document-bytes
Title: "What a document holds"
Description: "The bytes of a document. The child is the one whose permission guards them."
* insert OfCase
* insert OursAsTag
* contentType MS
* securityContext MS
* securityContext only Reference(Patient)
* data 1..1 MS
