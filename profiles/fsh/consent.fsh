Profile: CSPConsent
Parent: Consent
Id: csp-consent
Title: "The partner's own consent"
Description: "What the family permits this partner: for what, which parts of the case, which sensitive topics, until when. Never what was denied, never who else receives. When permission ends it becomes inactive and says nothing more."
* insert Ours
* obeys csp-consent-ends and csp-consent-closed
* extension contains CSPNotice named notice 0..* MS
* status MS
* scope MS
* scope = $consentscope#patient-privacy
* category MS
* category ^slicing.discriminator.type = #value
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains disclosure 1..1 MS
* category[disclosure] = $act#IDSCL
* category[disclosure] ^short = "A consent document (LOINC) about disclosing information (as Gravity asks)"
* patient 1..1 MS
* dateTime MS
* dateTime ^short = "When it was signed"
* performer MS
* performer only Reference(RelatedPerson or Patient)
* performer ^short = "Who gave it"
* dateTime 1..1
* organization 1..1 MS
* organization ^short = "The coordinating agency"
* source[x] 1..1
* source[x] only Attachment
* source[x] ^short = "Where the form is kept (Gravity asks for it): no form is sent"
* policyRule 1..1 MS
* policyRule = $act#OPTIN
* provision MS
* provision.type 1..1 MS
* provision.type = #permit
* provision.period 1..1 MS
* provision.period.end 1..1 MS
* provision.actor 1..1 MS
* provision.actor.role = $participation#IRCP
* provision.actor.reference ^short = "The partner, by its identifier"
* provision.actor.reference only Reference(Organization)
* provision.securityLabel 1..* MS
* provision.securityLabel from CSPConsentLabels (required)
* provision.securityLabel ^short = "Ordinary data (N), and each sensitive topic that the family names"
* provision.purpose MS
* provision.purpose from https://csp-adapter.example/ValueSet/purpose (required)
* provision.class MS
* provision.class from https://csp-adapter.example/ValueSet/part (required)
* provision.class ^short = "Parts of the case"
* provision.provision 0..0

Invariant: csp-consent-ends
Description: "An active consent says until when: permission without an end is none."
Severity: #error
Expression: "status = 'active' implies provision.period.end.exists()"

Invariant: csp-consent-closed
Description: "A consent that is not active permits nothing."
Severity: #error
Expression: "status != 'active' implies provision.empty()"
