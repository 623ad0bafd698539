Profile: CSPGoal
Parent: Goal
Id: csp-goal
Title: "Goal"
Description: "A goal in the words of whoever set it, with its rank for the family, who agreed to it, how one will know that it is reached, and how it goes."
* insert Ours
* extension contains
    CSPRecordStatus named recordStatus 0..1 MS and
    CSPGoalRank named rank 0..1 MS and
    CSPUrgency named urgency 0..1 and
    CSPGoalRelevance named relevance 0..1 MS and
    CSPGoalAttainable named attainable 0..1 MS and
    CSPGoalBaseline named baseline 0..1 MS and
    CSPBuildsOn named buildsOn 0..* MS and
    $goal-acceptance named acceptance 0..* MS and
    $goal-relationship named relationship 0..* MS
* extension[acceptance] ^short = "Who agreed or disagreed, and when"
* extension[relationship] ^short = "Which goal replaced this one"
* lifecycleStatus MS
* achievementStatus MS
* category MS
* category from https://csp-adapter.example/ValueSet/domain (extensible)
* category ^short = "Life domain"
* priority MS
* priority ^short = "From the family's rank: 1 is high, 2 and 3 medium, others low"
* description MS
* description.text 1..1 MS
* subject MS
* subject only Reference(Patient)
* start[x] MS
* target MS
* target.extension contains CSPTargetText named text 0..1 MS
* target.measure MS
* target.detail[x] MS
* target.due[x] MS
* expressedBy MS
* expressedBy ^short = "Who set it"
* addresses MS
* addresses ^short = "Needs that it answers"
* outcomeCode MS
* outcomeCode from https://csp-adapter.example/ValueSet/progress-rating (preferred)
* outcomeCode ^short = "How it went when it was last looked at"
* insert NotesWithKind
* note.extension contains CSPProgressRating named rating 0..1 MS
