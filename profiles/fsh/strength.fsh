Profile: CSPStrength
Parent: Observation
Id: csp-strength
Title: "Strength"
Description: "What the child or the family is good at, and who said so (as in eLTSS: an observation of social history)."
* insert Ours
* status MS
* category 1..* MS
* category ^slicing.discriminator.type = #value
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains socialHistory 1..1 MS
* category[socialHistory] = $observation-category#social-history
* category ^short = "Social history, the life domain, and the kind of strength"
* code MS
* code = $eltss#strength
* subject 1..1 MS
* subject only Reference(Patient)
* focus MS
* focus ^short = "Whose strength, where it is not the child's"
* effective[x] MS
* effective[x] only dateTime
* performer MS
* performer ^short = "Who named it"
* value[x] 1..1 MS
* value[x] only string
* value[x] ^short = "The strength, in plain words"
