"""The service where each process may have few descriptors. Run as `python -m tests.contract.few_descriptors serve`."""

from __future__ import annotations

import resource

from careplan.cli.main import main

MOST = 120

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST, MOST))
    main()
