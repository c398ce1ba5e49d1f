"""The examples of subscriptions agree on the errors after which a client subscribes again."""

import json
import subprocess
from pathlib import Path

from examples.subscriptions.gql_client import PASSING
from mainsheet.server.errors import Code
from tests.node import NODE

ERRORS = Path(__file__).parents[2] / "examples/subscriptions/errors.ts"
GO_ON = f"""
import {{ goOn }} from {json.dumps(ERRORS.as_uri())}
const goesOn = code => {{
  try {{
    return goOn([{{ message: '', extensions: {{ code }} }}], 'cursor') === 'cursor'
  }} catch {{
    return false
  }}
}}
console.log(JSON.stringify({json.dumps(list(Code))}.filter(goesOn)))
"""


def test_typescript_goes_on_after_the_same_errors_as_python() -> None:
    node = subprocess.run([NODE, "--input-type=module", "--eval", GO_ON], capture_output=True, text=True, check=True)

    assert set(json.loads(node.stdout)) == PASSING
