// Code systems and extensions of others, by short names.
Alias: $confidentiality = http://terminology.hl7.org/CodeSystem/v3-Confidentiality
Alias: $act = http://terminology.hl7.org/CodeSystem/v3-ActCode
Alias: $participation = http://terminology.hl7.org/CodeSystem/v3-ParticipationType
Alias: $consentscope = http://terminology.hl7.org/CodeSystem/consentscope
Alias: $loinc = http://loinc.org
Alias: $observation-category = http://terminology.hl7.org/CodeSystem/observation-category
Alias: $condition-category = http://hl7.org/fhir/us/core/CodeSystem/condition-category
Alias: $careplan-category = http://hl7.org/fhir/us/core/CodeSystem/careplan-category
Alias: $eltss = http://hl7.org/fhir/us/eltss/CodeSystem/eltss-observation-codes-temporary
Alias: $task-code = http://hl7.org/fhir/CodeSystem/task-code
Alias: $v2-0131 = http://terminology.hl7.org/CodeSystem/v2-0131
Alias: $plan-kind = https://csp-adapter.example/CodeSystem/plan-kind
Alias: $task-kind = https://csp-adapter.example/CodeSystem/task-kind
Alias: $pertainsToGoal = http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal
Alias: $goal-acceptance = http://hl7.org/fhir/StructureDefinition/goal-acceptance
Alias: $goal-relationship = http://hl7.org/fhir/StructureDefinition/goal-relationship
Alias: $interpreterRequired = http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired
