Profile: CSPRisk
Parent: RiskAssessment
Id: csp-risk
Title: "Risk"
Description: "A risk, to whom it is, how likely, who watches, and what helps (as in eLTSS: listed in the plan's supporting information)."
* insert Ours
* extension contains
    CSPWhose named whose 0..1 MS and
    CSPWatchedBy named watchedBy 0..1 MS
* status MS
* subject MS
* subject only Reference(Patient)
* prediction 1..1 MS
* prediction.outcome 1..1 MS
* prediction.outcome.text 1..1 MS
* prediction.qualitativeRisk MS
* prediction.qualitativeRisk from https://csp-adapter.example/ValueSet/likelihood (required)
* prediction.when[x] MS
* prediction.when[x] only Period
* prediction.when[x] ^short = "Until when it has to be watched"
* mitigation MS
* mitigation ^short = "What helps"
