// Extensions about the child and the family.

Extension: CSPCommunity
Id: csp-community
Title: "Cultural community"
Description: "A community that the child belongs to, in the family's words; shared only where the family permits culture to be shared."
Context: Patient
* value[x] 1..1
* value[x] only CodeableConcept
* valueCodeableConcept from https://csp-adapter.example/ValueSet/community (extensible)

Extension: CSPSchool
Id: csp-school
Title: "School"
Description: "Where the child goes to school, in which grade, and whether enrolled now."
Context: Patient
* extension contains organization 0..1 and grade 0..1 and enrolled 0..1
* extension[organization].value[x] only Reference(Organization)
* extension[organization] ^short = "The school or school board"
* extension[grade].value[x] only string
* extension[grade] ^short = "Grade, as the school says it"
* extension[enrolled].value[x] only boolean
* extension[enrolled] ^short = "Enrolled now?"

Extension: CSPPlacement
Id: csp-placement
Title: "Where the child lives"
Description: "The kind of home: with the family, with kin, in foster or group care; since when, and whether this may change soon."
Context: Patient
* extension contains kind 0..1 and since 0..1 and at-intake 0..1 and at-risk 0..1 and least-restrictive 0..1
* extension[kind].value[x] only CodeableConcept
* extension[kind].valueCodeableConcept from https://csp-adapter.example/ValueSet/placement (required)
* extension[since].value[x] only date
* extension[at-intake].value[x] only CodeableConcept
* extension[at-intake].valueCodeableConcept from https://csp-adapter.example/ValueSet/placement (required)
* extension[at-intake] ^short = "Where the child lived when coordination began"
* extension[at-risk].value[x] only boolean
* extension[at-risk] ^short = "Is this home at risk?"
* extension[least-restrictive].value[x] only string
* extension[least-restrictive] ^short = "The least restrictive home that would serve the child"

Extension: CSPLikes
Id: csp-likes
Title: "What the child likes"
Description: "One thing that the child likes, in plain words."
Context: Patient
* value[x] 1..1
* value[x] only string

Extension: CSPDislikes
Id: csp-dislikes
Title: "What the child does not like"
Description: "One thing that the child does not like, in plain words."
Context: Patient
* value[x] 1..1
* value[x] only string

Extension: CSPWhatWorks
Id: csp-what-works
Title: "What works"
Description: "One thing that works with this child, told by those who know."
Context: Patient
* value[x] 1..1
* value[x] only string

Extension: CSPInterpreterNeeded
Id: csp-interpreter-needed
Title: "Interpreter needed"
Description: "Whether an interpreter is needed in this language."
Context: Patient.communication, RelatedPerson.communication
* value[x] 1..1
* value[x] only boolean

Extension: CSPDecisionMaker
Id: csp-decision-maker
Title: "Decides for the child"
Description: "Whether this person may decide for the child, on what that rests, and whether it is shared with others. RelatedPerson.period says since and until when."
Context: RelatedPerson
* extension contains decides 0..1 and authority 0..1 and shared 0..1
* extension[decides].value[x] only boolean
* extension[authority].value[x] only code
* extension[authority].valueCode from CSPAuthorities (required)
* extension[shared].value[x] only boolean
* extension[shared] ^short = "Do others have to decide too?"

Extension: CSPNaturalSupport
Id: csp-natural-support
Title: "Natural support"
Description: "Someone who is there for the family without being paid for it: kin, a neighbour, an elder, a coach."
Context: RelatedPerson
* value[x] 1..1
* value[x] only boolean

Extension: CSPSupportProvided
Id: csp-support-provided
Title: "Support provided"
Description: "What this person does for the child or the family."
Context: RelatedPerson
* value[x] 1..1
* value[x] only string

Extension: CSPLivesWithChild
Id: csp-lives-with-child
Title: "Lives with the child"
Description: "Whether the child lives with this person."
Context: RelatedPerson
* value[x] 1..1
* value[x] only boolean
