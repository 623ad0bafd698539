"""The account of disclosures as a value: its chain, its export, its statement for families, its FHIR AuditEvents."""
