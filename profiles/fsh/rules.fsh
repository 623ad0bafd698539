// What all of our resources have in common: labels, our identifier, the rules about both.

RuleSet: Labelled
* meta 1..1 MS
* meta ^short = "Its profile and its security labels"
* meta.profile 1..* MS
* meta.security 1..* MS
* meta.security ^short = "How this copy must be handled: they travel with it"
* meta.security ^slicing.discriminator.type = #value
* meta.security ^slicing.discriminator.path = "system"
* meta.security ^slicing.rules = #open
* meta.security ^slicing.description = "One label of confidentiality; then sensitivity, purpose and handling"
* language from http://hl7.org/fhir/ValueSet/all-languages (required)

RuleSet: Narrated
* text MS
* text ^short = "Generated from the data, and saying no more than they do (a partner may ask for none)"

// Not by slices: what tells ours apart is that it has no type, and not every server can slice by that (Medplum refuses).
RuleSet: OursAmongOthers
* identifier 1..* MS
* identifier ^short = "Ours (without a type), opaque and this partner's own; then those that somebody else gave"
* identifier ^definition = "By our identifier a copy is found again, updated and taken back. It is different at each partner, has no type, and tells nothing. An identifier that somebody else gave says what it is by its type."
* identifier.system MS
* identifier.value MS
* obeys csp-ours

RuleSet: OursAlone
* insert OursAmongOthers
* obeys csp-one-ours

RuleSet: OfCase
* insert Labelled
* meta.security contains confidentiality 1..1 MS and act 1..* MS
* meta.security[confidentiality] from CSPConfidentiality (required)
* meta.security[confidentiality] ^short = "N; R or V where a sensitive topic is in it"
* meta.security[confidentiality].system 1..1
* meta.security[confidentiality].system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality" (exactly)
* meta.security[confidentiality].code 1..1
* meta.security[act] ^short = "HL7's labels of sensitivity, and: no redisclosure without consent"
* meta.security[act].system 1..1
* meta.security[act].system = "http://terminology.hl7.org/CodeSystem/v3-ActCode" (exactly)
* meta.security[act].code 1..1
* obeys csp-no-redisclosure and csp-restricted

// Types without an identifier bear ours as a tag.
RuleSet: OursAsTag
* meta.tag 1..* MS
* meta.tag ^short = "Our identifier, opaque and this partner's own: this type has none of its own"
* obeys csp-tagged

RuleSet: Ours
* insert OfCase
* insert Narrated
* insert OursAlone

RuleSet: OfDirectory
* insert Labelled
* insert Narrated
* meta.security contains confidentiality 1..1 MS
* meta.security[confidentiality] ^short = "N: a directory resource holds nothing of any case"
* meta.security[confidentiality].system 1..1
* meta.security[confidentiality].system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality" (exactly)
* meta.security[confidentiality].code 1..1
* meta.security[confidentiality].code = #N (exactly)
* insert OursAmongOthers

RuleSet: NotesWithKind
* note MS
* note.extension contains CSPNoteKind named kind 0..1 MS
* note.text MS

Invariant: csp-ours
Description: "Our identifier is there whole, by which a copy is found again."
Severity: #error
Expression: "identifier.where(type.empty() and system.exists() and value.exists()).exists()"

Invariant: csp-tagged
Description: "Our identifier is there whole, by which a copy is found again."
Severity: #error
Expression: "meta.tag.where(system.exists() and code.exists()).exists()"

Invariant: csp-one-ours
Description: "One identifier is ours; whoever adds another says by its type what it is."
Severity: #error
Expression: "identifier.where(type.empty()).count() = 1"

Invariant: csp-no-redisclosure
Description: "A copy of anything about a child says that it may not be passed on without consent."
Severity: #error
Expression: "meta.security.where(system = 'http://terminology.hl7.org/CodeSystem/v3-ActCode' and code = 'NORDSCLCD').exists()"

Invariant: csp-restricted
Description: "What is about a sensitive topic is labelled restricted or very restricted (R, V)."
Severity: #error
Expression: "meta.security.where(system = 'https://csp-adapter.example/CodeSystem/topic' or (system = 'http://terminology.hl7.org/CodeSystem/v3-ActCode' and code != 'NORDSCLCD')).exists() implies meta.security.where(system = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality' and code in ('R' | 'V')).exists()"

Invariant: csp-status-known
Description: "The status is `unknown` where the record's own status is not told, and only there."
Severity: #error
Expression: "(status = 'unknown') = extension('https://csp-adapter.example/StructureDefinition/csp-record-status').empty()"

Invariant: csp-one-referral
Description: "The Task is based on the referral that it is the answer to."
Severity: #error
Expression: "basedOn.all(reference = %resource.focus.reference)"

Invariant: csp-why
Description: "A referral that was turned down, put on hold, cancelled or failed should say why."
Severity: #warning
Expression: "(status in ('rejected' | 'on-hold' | 'cancelled' | 'failed')) implies statusReason.exists()"

Invariant: csp-result
Description: "An assessment says its result, or why there is none."
Severity: #error
Expression: "value.exists() xor dataAbsentReason.exists()"

Invariant: csp-seat
Description: "A seat in the team is somebody's, or it is said in words whose it is."
Severity: #error
Expression: "reference.exists() or identifier.exists() or display.exists()"

Invariant: csp-discharged
Description: "A finished enrolment has its last day; one with a reason of discharge is finished."
Severity: #error
Expression: "extension('https://csp-adapter.example/StructureDefinition/csp-discharge-reason').exists() implies status = 'finished'"

// A definition that stands before its mapping file does: `adapter check` does not ask for what emits it.
RuleSet: Ahead
* ^experimental = true
