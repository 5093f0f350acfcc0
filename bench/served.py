"""The service with its planner replaced by plans that were made before: the ceiling of what the service can reach.

python -m bench.served serve --port 0
"""

from __future__ import annotations

from bench.ready_plans import install
from careplan.cli.main import main

if __name__ == "__main__":
    install()
    main()
