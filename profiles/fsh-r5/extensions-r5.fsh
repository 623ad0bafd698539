// What R5 alone needs.

Extension: CSPOnBehalfOf
Id: csp-on-behalf-of
Title: "On behalf of"
Description: "The organization for which a practitioner is in the team. R5's own onBehalfOf is refused wherever a validator cannot follow the reference to the member (ctm-1)."
Context: CareTeam.participant
* value[x] 1..1
* value[x] only Reference(Organization)

CodeSystem: CSPOrderParameterCodes
Id: order-parameter
Title: "Detail of what is asked for"
Description: "What a parameter of a referral's order detail is about."
* ^caseSensitive = true
* ^experimental = false
* ^content = #complete
* #service "Also requested" "A further service that is asked for."
* #contact "Contact" "Whether the family may be contacted."
