//! What operators see: the catalogue of metrics, named events, logs without secrets.
