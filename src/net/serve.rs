//! The HTTP/1.1 server loop: limits, timeouts, graceful drain.
