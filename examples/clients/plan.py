"""A plan by way of a client generated from the contract.

openapi-python-client generate --path openapi/openapi.json --output-path careplan_client --meta none
PYTHONPATH=. CAREPLAN_TOKEN=cpk... python examples/clients/plan.py http://127.0.0.1:8000 examples/daily-benzodiazepine.json
"""

import json
import os
import sys
from pathlib import Path

from careplan_client import AuthenticatedClient
from careplan_client.api.plans import create_care_plan
from careplan_client.models import CarePlan, Patient

address, file = sys.argv[1:]
patient = Patient.from_dict(json.loads(Path(file).read_text()))
# An API key or an access token; a service on loopback without authentication asks for none.
client = AuthenticatedClient(base_url=address, token=os.environ.get("CAREPLAN_TOKEN", "none"))
plan = create_care_plan.sync(client=client, body=patient)
if not isinstance(plan, CarePlan):
    raise SystemExit(f"no plan: {plan}")
print(plan.front.headline)
for decision in plan.front.decisions:
    print(f"to decide: {decision.line}")
for section in plan.sections:
    for item in section.items:
        print(f"[{item.level}] {item.title}")
