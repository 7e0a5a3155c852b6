"""Who may do what, and how a refusal is put."""

from __future__ import annotations

import pytest

from rules.errors import NotAllowedError
from rules.people.roles import Permission, require
from rules.records import Role


def test_a_refusal_names_roles_as_people_write_them():
    with pytest.raises(NotAllowedError) as refused:
        require(Role.CSM, Permission.SETUP)
    assert refused.value.values == {"role": "CSM", "needed": "lead"}


def test_a_refusal_names_who_owns_the_account():
    with pytest.raises(NotAllowedError, match=r"belongs to Mia\. Only they or a lead"):
        require(Role.CSM, Permission.ACCOUNT_WRITE, is_own=False, owner="Mia")
