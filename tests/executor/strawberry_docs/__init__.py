"""What Strawberry's documentation promises, page by page, with `strawberry.Schema` and with our drop-in.

A file is named as its page: `types/test_object_types.py` has the tests of "types/object-types". `test_pages.py` lists
the pages without tests, and why.
"""

import pytest

pytest.register_assert_rewrite("tests.executor.strawberry_docs.api")
