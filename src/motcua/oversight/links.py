"""Links: which records that only the portal has are further records of a dossier of ours.

By a stored alternative code, else by procedure, owner and second of receipt where that points at one dossier only.
Source: architecture §2, cause `duplicate_there`; contract §6.3 cause I.
"""

from __future__ import annotations

import duckdb
import numpy as np

from motcua.oversight import reading

#: (record, dossier): the code of a record of the portal, and the dossier of ours that it belongs to.
Link = tuple[str, str]

#: A record that only the portal has (`r`) and a dossier of ours (`d`) are of one matter.
_SAME = (
    "NOT r.exists_here AND r.exists_there AND coalesce(r.t_owner, '') <> '' AND d.exists_here"
    " AND d.core = r.t_core AND d.owner = r.t_owner AND d.received_at = r.t_received_at"
)


def load_alternatives(db: duckdb.DuckDBPyConnection) -> None:
    """Brings the stored alternative codes into the scratch database, as table `alternative`."""
    rows = reading.alternative_codes()
    db.register("given", {"code": np.array([code for code, _ in rows], object),
                          "dossier": np.array([dossier for _, dossier in rows], object)})  # fmt: skip
    db.execute("CREATE OR REPLACE TEMP TABLE alternative AS SELECT code::VARCHAR code, dossier::VARCHAR dossier"
               " FROM given")  # fmt: skip
    db.unregister("given")


def find(db: duckdb.DuckDBPyConnection, records: str, dossiers: str) -> list[Link]:
    """The links of the strangers among `records` to any of `dossiers` (tables or views of pairs), by record."""
    return db.execute(
        f"""
        WITH strangers AS (SELECT * FROM {records} WHERE NOT exists_here AND exists_there),
        by_code AS (SELECT r.dossier AS record, a.dossier FROM strangers r JOIN alternative a ON a.code = r.dossier),
        by_facts AS (SELECT r.dossier AS record, min(d.dossier) AS dossier
                     FROM strangers r JOIN {dossiers} d ON {_SAME}
                     WHERE r.dossier NOT IN (SELECT record FROM by_code)
                     GROUP BY 1 HAVING count(*) = 1)
        SELECT * FROM by_code UNION ALL SELECT * FROM by_facts ORDER BY 1
        """
    ).fetchall()


def related(db: duckdb.DuckDBPyConnection, rebuilt: str, published: str) -> set[str]:
    """Codes among the published pairs whose links may change with the rebuilt ones.

    Those that were linked to one of them, and those that one of them now matches, whichever of the two is new.
    """
    rows = db.execute(
        f"""
        SELECT p.linked_to FROM {published} p JOIN {rebuilt} n ON n.dossier = p.dossier WHERE p.linked_to <> ''
        UNION SELECT p.dossier FROM {published} p JOIN {rebuilt} n ON p.linked_to = n.dossier WHERE p.linked_to <> ''
        UNION SELECT r.dossier FROM {published} r JOIN {rebuilt} d ON {_SAME}
        UNION SELECT d.dossier FROM {rebuilt} r JOIN {published} d ON {_SAME}
        UNION SELECT a.dossier FROM alternative a JOIN {rebuilt} n ON n.dossier = a.code
        UNION SELECT p.dossier FROM alternative a JOIN {rebuilt} n ON n.dossier = a.dossier
              JOIN {published} p ON p.dossier = a.code
        """
    ).fetchall()
    return {code for (code,) in rows}
