Profile: CSPGoalStep
Parent: Task
Id: csp-goal-step
Title: "Step towards a goal"
Description: "Something that someone does so that a goal is reached. Anyone may own it, a parent and the child too. Its goal is always named."
* insert Ours
* insert Step(goal-step)
* extension contains $pertainsToGoal named goal 1..1 MS
* extension[goal] ^short = "The goal that it is a step towards"

