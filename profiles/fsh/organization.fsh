Profile: CSPOrganization
Parent: Organization
Id: csp-organization
Title: "Agency, school board, hospital"
Description: "A directory resource: shared among all cases at a partner, created only if absent, never overwritten. It holds nothing of any case."
* insert OfDirectory
* active 1..1 MS
* type MS
* type from https://csp-adapter.example/ValueSet/sector (extensible)
* type ^short = "Its sector: what it works in"
* name 1..1 MS
* telecom MS
* address MS
