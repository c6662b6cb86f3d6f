//! TLS settings for both sides: roots, private CAs, certificate files.
