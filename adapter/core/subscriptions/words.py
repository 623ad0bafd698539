"""Addresses and codes of subscriptions: R4 by the Subscriptions R5 Backport 1.1.0, R5 by the specification itself.

http://hl7.org/fhir/uv/subscriptions-backport/STU1.1/ and http://hl7.org/fhir/R5/subscriptions.html.
"""

from __future__ import annotations

from typing import Literal

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
PROFILE = f"{BACKPORT}backport-subscription"
STATUS_PROFILE = f"{BACKPORT}backport-subscription-status-r4"
NOTIFICATION_PROFILE = f"{BACKPORT}backport-subscription-notification-r4"
FILTER = f"{BACKPORT}backport-filter-criteria"
CONTENT = f"{BACKPORT}backport-payload-content"
HEARTBEAT = f"{BACKPORT}backport-heartbeat-period"
TIMEOUT = f"{BACKPORT}backport-timeout"
MOST_AT_ONCE = f"{BACKPORT}backport-max-count"
TOPIC_STATED = f"{BACKPORT}capabilitystatement-subscriptiontopic-canonical"
OPERATIONS = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-"
CHANNELS = "http://terminology.hl7.org/CodeSystem/subscription-channel-type"
FHIR_JSON = "application/fhir+json"

_TOPICS = "https://csp-adapter.example/SubscriptionTopic/"
TASKS = f"{_TOPICS}csp-tasks"
"""Of our /fhir: a Task that the partner may read was made, changed or taken away."""
READABLE = f"{_TOPICS}csp-readable"
"""Of our /fhir: any resource that the partner may read was."""
TOPICS = (TASKS, READABLE)
GRAVITY = "http://hl7.org/fhir/us/sdoh-clinicalcare/SubscriptionTopic/Task"
"""Gravity SDOH Clinical Care, *Checking Task Status*."""
KNOWN = (TASKS, GRAVITY)
"""Topics about Tasks that are taken from what a server states, where the partner file names none; the first first."""

Status = Literal["requested", "active", "error", "off"]
Content = Literal["empty", "id-only"]
Kind = Literal["handshake", "heartbeat", "event-notification", "query-status", "query-event"]
