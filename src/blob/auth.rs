//! How requests prove who sends them: bearer tokens, SAS, shared key.
