//! From Azure's status and `x-ms-error-code` to an error kind: one table.
