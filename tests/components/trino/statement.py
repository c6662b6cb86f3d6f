"""One SQL statement for a Trino on this machine, on a connection of its own, so that any thread may ask for one."""

import trino


def statement(port, sql):
    with trino.dbapi.connect(host="127.0.0.1", port=port, user="tests") as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]
