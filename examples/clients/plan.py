"""A plan by way of a client generated from the contract.

openapi-python-client generate --path openapi/openapi.json --output-path careplan_client --meta none
python examples/clients/plan.py http://127.0.0.1:8000 examples/daily-benzodiazepine.json
"""

import json
import sys
from pathlib import Path

from careplan_client import Client
from careplan_client.api.plans import create_care_plan
from careplan_client.models import CarePlan, Patient

address, file = sys.argv[1:]
patient = Patient.from_dict(json.loads(Path(file).read_text()))
plan = create_care_plan.sync(client=Client(base_url=address), body=patient)
if not isinstance(plan, CarePlan):
    raise SystemExit(f"no plan: {plan}")
print(plan.status)
for alert in plan.alerts or []:
    print(f"act first: {alert.title}")
for section in plan.sections:
    for item in section.items:
        print(f"[{item.level}] {item.title}")
