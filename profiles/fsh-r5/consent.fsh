Profile: CSPConsent
Parent: Consent
Id: csp-consent
Title: "The partner's own consent"
Description: "What the family permits this partner: for what, which parts of the case, which sensitive topics, until when. Never what was denied, never who else receives. The base decision is a denial; the provision is what is excepted from it. When permission ends it becomes inactive and says nothing more."
* insert Ours
* obeys csp-consent-ends and csp-consent-closed
* extension contains CSPNotice named notice 0..* MS
* status MS
* category MS
* category ^slicing.discriminator.type = #value
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains disclosure 1..1 MS
* category[disclosure] = $act#IDSCL
* category[disclosure] ^short = "A consent document (LOINC) about disclosing information (as Gravity asks)"
* subject 1..1 MS
* subject only Reference(Patient)
* date MS
* date ^short = "When it was signed"
* period MS
* grantor MS
* grantor only Reference(RelatedPerson or Patient)
* grantor ^short = "Who gave it"
* grantee 1..1 MS
* grantee only Reference(Organization)
* grantee ^short = "The partner, by its identifier"
* controller MS
* controller ^short = "The coordinating agency"
* regulatoryBasis 1..1 MS
* regulatoryBasis = $act#OPTIN
* decision 1..1 MS
* decision = #deny
* decision ^short = "Silence is a denial; the provision is an exception, and so permits"
* provision 0..1 MS
* provision.period 1..1 MS
* provision.period.end 1..1 MS
* provision.actor 1..1 MS
* provision.actor.role = $participation#IRCP
* provision.actor.reference only Reference(Organization)
* provision.securityLabel 1..* MS
* provision.securityLabel from CSPConsentLabels (required)
* provision.securityLabel ^short = "Ordinary data (N), and each sensitive topic that the family names"
* provision.purpose MS
* provision.purpose from https://csp-adapter.example/ValueSet/purpose (required)
* provision.documentType MS
* provision.documentType from https://csp-adapter.example/ValueSet/part (required)
* provision.documentType ^short = "Parts of the case (R5's resourceType takes types only)"
* provision.provision 0..0

Invariant: csp-consent-ends
Description: "An active consent says until when: permission without an end is none."
Severity: #error
Expression: "status = 'active' implies (period.end.exists() and provision.period.end.exists())"

Invariant: csp-consent-closed
Description: "A consent that is not active permits nothing."
Severity: #error
Expression: "status != 'active' implies provision.empty()"
