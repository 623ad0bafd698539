from tests.verbs.agency import *
from adapter import show, steer
import json
def test_x(agency):
    case = case_of("ontario-csp")
    agency.put(case); agency.work()
    n=case["case"]
    agency.clock.pass_(days=1)
    steer.enter_look(agency.desk, n, "", role="coordinator", label="Dana")
    steer.enter_look(agency.desk, n, "views/lakeside", role="coordinator", label="Dana")
    steer.enter_disclosure(agency.desk, n, json.dumps({"to":"Harbour","at":"2026-11-20","how":"fax","parts":["identity","family"],"basis":"Duty to report, CYFSA s. 125","by":"R. Osei"}).encode(), role="privacy", label="P")
    agency.put(revoked(case)); agency.work()
    for f in ("html","pdf","csv"):
        for l in ("en","fr"):
            open(f"/tmp/acct/st.{l}.{f}","wb").write(show.statement_of(agency.desk, n, form=f, language=l))
    open("/tmp/acct/audit.json","w").write(json.dumps(show.audit_of(agency.desk, n), indent=1))
    open("/tmp/acct/full.jsonl","wb").write(b"\n".join(show.exported(agency.desk, n, form="jsonl")))
    print(show.verified(agency.desk, None, open("/tmp/acct/full.jsonl","rb")))
    from adapter.core.account.export import verify_export
    print(verify_export(open("/tmp/acct/full.jsonl","rb"), show.account_key(agency.desk)))
